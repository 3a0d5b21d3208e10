"""What the host lends the firmware's shared rooms behaves as MicroPython's does."""

import asyncio
import time

from meterhub_tools import firmware


def test_ticks_wrap_around_as_on_a_board() -> None:
    last = (1 << 30) - 1
    assert time.ticks_add(last, 1) == 0
    assert time.ticks_diff(0, last) == 1
    assert time.ticks_diff(last, 0) == -1
    assert time.ticks_diff(time.ticks_add(last, 250), last) == 250


def test_ticks_go_on_in_milliseconds_and_microseconds() -> None:
    ms, us = time.ticks_ms(), time.ticks_us()
    asyncio.run(asyncio.sleep_ms(20))
    assert time.ticks_diff(time.ticks_ms(), ms) >= 19
    assert time.ticks_diff(time.ticks_us(), us) >= 19_000


def test_the_package_is_this_checkouts() -> None:
    import meterhub

    assert meterhub.__path__ == [str(firmware.FIRMWARE / "meterhub")]
