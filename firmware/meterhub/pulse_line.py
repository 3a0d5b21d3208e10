"""A pulse input: a meter that only blinks, or closes a contact.

The count is kept as store/last.py says: at most 9 pulses are lost with the power, or those of ten seconds.
Runs on  the unix port and the boards
"""

import asyncio

from micropython import const

from .hal.ticks import now_ms
from .meters.pulse import PulseMeter
from .meters.reading import Telegram

_LOOK_MS = const(10000)  # without a pulse, how often the power is looked at
_WRAP = const(0x3FFFFFFF)


async def run(hub, meter) -> None:
    """Count the pulses of a meter (meters.meter.Meter) for ever."""
    get = meter.setting.get
    counter = PulseMeter(get("imp", 1000), get("unit", "kWh"), get("start", 0), get("register", ""))
    last = meter.last
    counter.pulses = max(last.pulses, _counted_before(hub, meter))
    counter.catch_up(_last_kept(meter.profile, counter.register))  # the count must not fall behind
    pulse = hub.board.pulse(meter.setting["input"], get("min_ms", 10))
    counted = pulse.count
    while True:
        due_ms = last.due_ms()
        try:
            await asyncio.wait_for_ms(pulse.wait(), _LOOK_MS if due_ms < 0 else max(1, min(due_ms, _LOOK_MS)))
        except asyncio.TimeoutError:
            pulse.look(now_ms())
        count, at_ms = pulse.newest()
        counter.pulse((count - counted) & _WRAP, at_ms)
        meter.pulses = counted = count
        if get("unit", "kWh") == "kWh":  # a water meter's contact may stay closed for days
            meter.is_closed = pulse.is_closed
        last.pulses = counter.pulses  # take() has it saved
        hub.household.take(meter, Telegram("pulse", "", None, counter.readings(None, now_ms()), {}))


def _counted_before(hub, meter):
    """Return what older firmware has counted: it kept the number alone."""
    return int.from_bytes(hub.record("pulses-" + meter.name).load() or b"", "big")


def _last_kept(profile, obis):
    """Return the newest reading of a register in the profile, 0 when there is none."""
    if profile is None or profile.last is None:
        return 0
    names = [column.obis for column in profile.columns]
    return profile.value_at(profile.last, 0).values[names.index(obis)] or 0 if obis in names else 0
