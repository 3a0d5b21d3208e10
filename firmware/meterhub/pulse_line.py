"""A pulse input: a meter that only blinks, or closes a contact.

Runs on  the unix port and the boards
"""

import asyncio

from micropython import const

from .hal.ticks import now_ms, since
from .meters.pulse import PulseMeter
from .meters.reading import Telegram

_LOOK_S = const(10)  # without a pulse, how often the power is looked at
_SAVE_MS = const(60000)
_WRAP = const(0x3FFFFFFF)


async def run(hub, meter) -> None:
    """Count the pulses of a meter (meters.meter.Meter) for ever; the count is saved once a minute."""
    get = meter.setting.get
    counter = PulseMeter(get("imp", 1000), get("unit", "kWh"), get("start", 0), get("register", ""))
    record = hub.record("pulses-" + meter.name)
    counter.pulses = saved = int.from_bytes(record.load() or b"", "big")
    counter.catch_up(_last_kept(meter.profile, counter.register))  # the count must not fall behind
    pulse = hub.board.pulse(meter.setting["input"], get("min_ms", 10))
    counted = pulse.count
    saved_at = now_ms()
    while True:
        try:
            await asyncio.wait_for(pulse.wait(), _LOOK_S)
        except asyncio.TimeoutError:
            pulse.look(now_ms())
        count, at_ms = pulse.newest()
        counter.pulse((count - counted) & _WRAP, at_ms)
        meter.pulses = counted = count
        if get("unit", "kWh") == "kWh":  # a water meter's contact may stay closed for days
            meter.is_closed = pulse.is_closed
        hub.household.take(meter, Telegram("pulse", "", None, counter.readings(None, now_ms()), {}))
        if counter.pulses != saved and since(now_ms(), saved_at) >= _SAVE_MS:
            record.save(counter.pulses.to_bytes(8, "big"))
            saved, saved_at = counter.pulses, now_ms()


def _last_kept(profile, obis):
    """Return the newest reading of a register in the profile, 0 when there is none."""
    if profile is None or profile.last is None:
        return 0
    names = [column.obis for column in profile.columns]
    return profile.value_at(profile.last, 0).values[names.index(obis)] or 0 if obis in names else 0
