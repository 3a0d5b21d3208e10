"""Read a meter over a tty, as the hub does it: hal.unix' UART, and a session that says what to do. MicroPython only.

Arguments: iec62056, mbus or modbus; the tty; for iec62056 the registers that are wanted, none for a readout, for mbus
the address, for modbus the map's name. Prints one JSON object: what the session ended with.
"""

import asyncio
import json
import sys

from meterhub.hal.unix import UART
from meterhub.meter_bus import carry_out


def session_for(kind, words):
    """Return a new session."""
    if kind == "iec62056":
        from meterhub.meters.iec62056 import IEC62056Decoder
        from meterhub.meters.iec62056_session import IEC62056Session

        return IEC62056Session(IEC62056Decoder(), registers=tuple(words))
    if kind == "mbus":
        from meterhub.meters.mbus import MBusDecoder
        from meterhub.meters.mbus_session import MBusSession

        return MBusSession(MBusDecoder(), words[0] if len(words[0]) > 7 else int(words[0]))
    from meterhub.meters import maps
    from meterhub.meters.modbus_map import RegisterMap
    from meterhub.meters.modbus_session import ModbusSession

    return ModbusSession(RegisterMap.from_text(maps.text(words[0])))


class Meter:
    """What meter_bus.py wants of a meter."""

    def __init__(self, session):
        self.session = session

    def heard(self, buf, n):
        """Take note of nothing."""


async def main(kind, path, words):
    telegrams, reason = await carry_out(Meter(session_for(kind, words)), UART(path, 300, "7E1"), bytearray(256))
    values = [[list(r) for r in telegram.readings] for telegram in telegrams]
    print(json.dumps(["failed", reason] if reason else ["done", values]))  # noqa: T201 - read by the test


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
