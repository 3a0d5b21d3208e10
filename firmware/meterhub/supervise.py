"""Keep every task alive: one restart policy, in one place.

Runs on  both
"""

import asyncio
import gc

from micropython import const

from .hal.ticks import age, now_ms

_FIRST_WAIT_S = const(1)
_LONGEST_WAIT_S = const(300)
_WELL_MS = const(600000)  # who has run for so long begins anew


async def supervise(name: str, service, journal) -> None:
    """Run the coroutine function `service` for ever; journal each failure and start it again after a growing pause."""
    wait_s = _FIRST_WAIT_S
    while True:
        began = now_ms()
        try:
            await service()
            return
        except Exception as err:  # noqa: BLE001 - the one broad except in the firmware
            _tell(journal, name, err)
        if age(now_ms(), began) > _WELL_MS:
            wait_s = _FIRST_WAIT_S
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def _tell(journal, name, err):
    """Journal a failure: its kind, and no text, since what an exception says may come from outside."""
    gc.collect()
    try:
        journal.add("event", "EXECUTE_FAILED", name + " " + type(err).__name__)
    except MemoryError:  # then it is more important that the task goes on
        gc.collect()
