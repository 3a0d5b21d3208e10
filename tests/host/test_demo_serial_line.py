"""The serial line between the simulated meter and the hub: lossless while catching up, honest when live."""

import asyncio
import os
import time
import tty

import pytest

from meterhub_tools.simulators.serial_line import RECEIVE_BUFFER_BYTES, SerialLine


@pytest.fixture
def line():
    line = SerialLine()
    yield line
    line.close()


@pytest.fixture
def hub_end(line):
    end = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(end)
    yield end
    os.close(end)


async def read(end, count, pause_s=0.0):
    """Read `count` bytes, as slowly as a busy hub if need be."""
    got = bytearray()
    async with asyncio.timeout(20):
        while len(got) < count:
            try:
                got += os.read(end, 512)
            except BlockingIOError:
                await asyncio.sleep(0.001)
            await asyncio.sleep(pause_s)
    return bytes(got)


def test_catching_up_loses_nothing_however_slowly_it_is_read(line, hub_end):
    data = bytes(range(256)) * 800  # fifty times what the line holds, every byte value in it

    async def both():
        reading = asyncio.create_task(read(hub_end, len(data), 0.0005))
        await line.catch_up(data)
        return await reading

    assert asyncio.run(both()) == data


def test_a_reader_that_stands_still_does_not_stop_the_loop(line):
    async def wait_for_room():
        catching_up = asyncio.create_task(line.catch_up(bytes(1 << 20)))
        beats = 0
        for _ in range(20):
            await asyncio.sleep(0.01)
            beats += 1
        waiting = not catching_up.done()
        catching_up.cancel()
        await asyncio.gather(catching_up, return_exceptions=True)
        return beats, waiting

    assert asyncio.run(wait_for_room()) == (20, True)


def test_a_live_line_is_as_slow_as_its_baud_rate(hub_end, line):
    data = bytes(2000)

    async def both():
        reading = asyncio.create_task(read(hub_end, len(data)))
        started = time.monotonic()
        await line.send(data)
        return await reading, time.monotonic() - started

    got, seconds = asyncio.run(both())
    assert got == data
    assert seconds > 2000 * 10 / 115200


def test_a_live_line_that_nobody_reads_drops_bytes_like_a_wire(line):
    async def send():
        for _ in range(10):
            await asyncio.wait_for(line.send(bytes(1000)), 5)

    asyncio.run(send())
    assert line.unread() <= RECEIVE_BUFFER_BYTES
    assert line.dropped_bytes == 10_000 - line.unread()


def test_what_was_not_read_is_gone_after_a_power_cut(line, hub_end):
    asyncio.run(line.send(bytes(500)))
    assert line.unread() == 500
    line.forget_unread()
    assert line.unread() == 0
    asyncio.run(line.send(b"after"))
    assert os.read(hub_end, 100) == b"after"


def test_a_pulled_cable_swallows_everything_and_a_telegram_is_cut_where_it_was_pulled(line, hub_end):
    async def pull_in_the_middle():
        sending = asyncio.create_task(line.send(bytes(1150)))
        await asyncio.sleep(0.03)
        line.connected = False
        await sending
        await line.send(bytes(100))
        await line.catch_up(bytes(100))

    asyncio.run(pull_in_the_middle())
    assert 0 < line.unread() < 1150
    line.connected = True
    line.forget_unread()
    asyncio.run(line.send(b"back"))
    assert os.read(hub_end, 100) == b"back"
