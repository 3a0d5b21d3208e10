"""A bus of meters that are asked, each in its turn, by its session.

Source   meters/mbus_session.py: the actions of a session, which are carried out here
Runs on  the unix port and the boards
"""

import asyncio

from micropython import const

from .hal.ticks import now_ms, since
from .meters.reading import Telegram

_BUFFER = const(512)
_SESSION_MS = const(600000)  # a readout of 10 KB at 300 baud takes 6 minutes
_BACK_MS = const(2500)  # a mode C meter waits 1.5 s for a NAK, and goes back to 300 baud then


async def run(hub, meters: list) -> None:
    """Ask these meters (meters.meter.Meter) for ever, each as often as its setting says; the first has the line's."""
    uart = hub.board.uart(meters[0].setting["input"], *meters[0].line)
    buf = bytearray(_BUFFER)
    due = {meter.name: now_ms() for meter in meters}
    try:
        while True:
            for meter in meters:
                if meter.wanted or since(now_ms(), due[meter.name]) >= 0:
                    due[meter.name] = now_ms() + 1000 * meter.every_s
                    await _ask_one(hub, meter, uart, buf)
                    if meter.protocol == "iec62056":
                        await asyncio.sleep_ms(_BACK_MS)
            await asyncio.sleep_ms(250)
    finally:
        uart.close()


async def _ask_one(hub, meter, uart, buf):
    meter.noise = 0
    meter.busy = True
    began = now_ms()
    try:
        await _drop(uart, buf)
        telegrams, reason = await asyncio.wait_for_ms(carry_out(meter, uart, buf), _SESSION_MS)
    except asyncio.TimeoutError:
        telegrams, reason = (), "endless"
    except OSError:  # the tty has gone, or is not there yet
        telegrams, reason = (), "silent"
    finally:
        meter.busy = meter.wanted = False
    meter.took_ms = since(now_ms(), began)
    if reason:
        meter.failed(reason)
    elif telegrams:
        hub.household.take(meter, _joined(telegrams))


async def _drop(uart, buf):
    """Read what nobody has asked for."""
    try:
        while True:
            await asyncio.wait_for_ms(uart.read_into(buf), 1)
    except asyncio.TimeoutError:
        pass


async def carry_out(meter, uart, buf: bytearray) -> tuple:
    """Carry out what meter.session wants done; return (Telegrams, "") or ((), why there are none).

    What comes is read into `buf`, and told with meter.heard(buf, n).
    """
    session = meter.session
    actions = session.start()
    began, wait_ms = now_ms(), 0
    while True:
        for action in actions:
            what = action[0]
            if what == "line":
                await uart.set_line(action[1], action[2])
            elif what == "send":
                await uart.send(action[1])
            elif what == "pause":
                await asyncio.sleep_ms(action[1])
            elif what == "wait":
                began, wait_ms = now_ms(), action[1]
            elif what == "done":
                return action[1], ""
            else:
                return (), action[1]
        try:
            left_ms = max(0, wait_ms - since(now_ms(), began))
            count = await asyncio.wait_for_ms(uart.read_into(buf), left_ms)
        except asyncio.TimeoutError:
            actions = session.on_timeout()
        else:
            meter.heard(buf, count)
            actions = session.on_bytes(buf, count)


def _joined(telegrams):
    """Return one Telegram of all that a meter has answered."""
    first = telegrams[0]
    if len(telegrams) == 1:
        return first
    readings = []
    for telegram in telegrams:
        readings.extend(telegram.readings)
    return Telegram(first.meter, first.version, first.at, readings, first.texts)
