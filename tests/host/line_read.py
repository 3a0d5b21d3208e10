"""Read a meter over a tty, as the hub does it: hal.unix' UART, and a session that says what to do. MicroPython only.

Arguments: iec62056, mbus or modbus; the tty; for iec62056 the registers that are wanted, none for a readout, for mbus
the address, for modbus the file of the map. Prints one JSON object: what the session ended with.
"""

import asyncio
import json
import sys

from meterhub.hal.unix import UART


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
    from meterhub.meters.modbus_map import RegisterMap
    from meterhub.meters.modbus_session import ModbusSession

    with open(words[0]) as file:
        return ModbusSession(RegisterMap.from_text(file.read()))


class Link:
    """Carries a session's actions out."""

    def __init__(self, path):
        self._path = path
        self._uart = None
        self._wait_ms = 0
        self.ended = None

    async def do(self, actions):
        """Do all of `actions`; "done" and "failed" end it."""
        for action in actions:
            what, value = action[0], action[1]
            if what == "line":
                self._set(value, action[2])
            elif what == "pause":
                await asyncio.sleep_ms(value)
            elif what == "wait":
                self._wait_ms = value
            elif what == "send":
                await self._uart.send(value)
                await asyncio.sleep_ms(len(value) * 11000 // self._baud + 5)  # a pty does not say when it is out
            else:
                self.ended = action

    def _set(self, baud, form):
        if self._uart is not None:
            self._uart.close()
        self._baud = baud
        self._uart = UART(self._path, baud, int(form[0]), {"N": None, "E": 0, "O": 1}[form[1]], int(form[2]))

    async def read(self, buf):
        """Return how many bytes have come into `buf`, 0 when the wait is over."""
        try:
            return await asyncio.wait_for_ms(self._uart.read_into(buf), self._wait_ms)
        except asyncio.TimeoutError:
            return 0


async def main(kind, path, words):
    session, link, buf = session_for(kind, words), Link(path), bytearray(256)
    await link.do(session.start())
    while link.ended is None:
        count = await link.read(buf)
        await link.do(session.on_bytes(buf, count) if count else session.on_timeout())
    what, value = link.ended
    if what == "done":
        value = [[list(r) for r in telegram.readings] for telegram in value]
    print(json.dumps([what, value]))  # noqa: T201 - read by the test


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
