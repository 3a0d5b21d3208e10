"""The meter's line: bytes or pulses in, readings to the household.

Runs on  the unix port and the boards
"""

import asyncio
import time

from .hal.ticks import now_ms
from .meters.pulse import PulseMeter

_UART_BUFFER = 512
_PULSE_LOOK_S = 10  # without a pulse, how often the power is looked at
_PULSE_SAVE_MS = 60000
_PULSE_WRAP = 0x3FFFFFFF


async def read_p1(hub) -> None:
    """Read the P1 port for ever. hub: app.Hub; its `meter_bytes` counts what came."""
    get = hub.settings.get
    bits, parity, stop = (7, 0, 1) if get("meter.p1.format") == "7E1" else (8, None, 1)
    uart = hub.board.uart(get("meter.p1.uart"), get("meter.p1.baud"), bits, parity, stop, get("meter.p1.inverted"))
    buf = bytearray(_UART_BUFFER)
    while True:
        count = await uart.read_into(buf)
        hub.meter_bytes = (hub.meter_bytes + count) & _PULSE_WRAP
        for telegram in hub.p1.feed(buf, count):
            hub.household.take(telegram.readings, telegram.at)


async def count_pulses(hub) -> None:
    """Count the pulses of a meter for ever, in hub.pulses too; the count is saved once a minute."""
    get = hub.settings.get
    meter = PulseMeter(get("meter.pulse.imp_per_kwh"), get("meter.pulse.start_wh"))
    record = hub.record("pulses")
    meter.pulses = saved = int.from_bytes(record.load() or b"", "big")
    meter.catch_up(_last_kept(hub.profile, "1-0:1.8.0"))  # the count must not fall behind
    pulse = hub.board.pulse(get("meter.pulse.input"))
    counted = pulse.count
    saved_at = time.ticks_ms()
    while True:
        try:
            await asyncio.wait_for(pulse.wait(), _PULSE_LOOK_S)
        except asyncio.TimeoutError:
            pass
        meter.pulse((pulse.count - counted) & _PULSE_WRAP, pulse.at_ms)
        hub.pulses = counted = pulse.count
        hub.household.take(meter.readings(None, now_ms()), None)
        if meter.pulses != saved and time.ticks_diff(time.ticks_ms(), saved_at) >= _PULSE_SAVE_MS:
            record.save(meter.pulses.to_bytes(8, "big"))
            saved, saved_at = meter.pulses, time.ticks_ms()


def _last_kept(profile, obis):
    """Return the newest reading of a register in the profile, 0 when there is none."""
    names = [column.obis for column in profile.columns]
    if profile.last is None or obis not in names:
        return 0
    return profile.value_at(profile.last).values[names.index(obis)] or 0
