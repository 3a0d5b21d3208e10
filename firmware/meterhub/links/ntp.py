"""One question to an NTP server. Anybody on the way can forge the answer: hal/discipline.py judges it.

Source   RFC 5905 7.3 (the packet), 6 (eras); RFC 4330 5 (what a client checks). The transmit time of the question is
         random (as draft-ietf-ntp-data-minimization has it): an answer that does not bring it back is somebody else's.
Units    Unix seconds, UTC; good from 2020 to 2155, whatever the era
Errors   HubError NOT_AVAILABLE (no answer), MALFORMED (field: what is not as it must be); OSError of the network
Runs on  both; boards with a network. The look-up of the name blocks, for at most 5 s on a board.
"""

import asyncio
import socket
import struct

from micropython import const

from ..errors import HubError
from ..hal.ticks import now_ms, since

_PORT = const(123)
_BYTES = const(48)
_CLIENT = b"\x23"  # version 4, mode 3
_WAIT_MS = const(3000)
_LOOK_MS = const(20)
_TO_1970_S = 2208988800  # from 1900, the start of era 0
_EARLIEST_S = 3786825600  # 2020-01-01 in era 0: what is less is of era 1
_ERA_S = 4294967296


async def ask(server: str, drbg, port: int = _PORT, wait_ms: int = _WAIT_MS) -> int:
    """Return the time by `server` (a name or an address), now, without the half of the round trip."""
    info = socket.getaddrinfo(server, port)[0]
    line = socket.socket(info[0], socket.SOCK_DGRAM)
    try:
        line.setblocking(False)
        line.connect(info[-1])  # what another address sends is not heard
        cookie = drbg.read(8)
        asked = now_ms()
        line.send(_CLIENT + bytes(39) + cookie)
        answer = await _answer(line, asked, wait_ms)
        return unix_s(answer, cookie) + (since(now_ms(), asked) // 2 + _milliseconds(answer)) // 1000
    finally:
        line.close()


async def _answer(line, asked, wait_ms):
    while since(now_ms(), asked) < wait_ms:
        await asyncio.sleep_ms(_LOOK_MS)
        try:
            answer = line.recv(_BYTES)
        except OSError as err:
            if err.args[0] != 11:  # EAGAIN: not yet
                raise
            continue
        if answer:
            return answer
    raise HubError("NOT_AVAILABLE", "no answer")


def unix_s(answer: bytes, cookie: bytes) -> int:
    """Return the Unix seconds in the packet `answer`, if it answers the question with this `cookie` (8 bytes)."""
    if len(answer) < _BYTES:
        raise HubError("MALFORMED", "length")
    if answer[0] & 7 != 4 or not 3 <= answer[0] >> 3 & 7 <= 4:
        raise HubError("MALFORMED", "mode")
    if answer[0] >> 6 == 3 or not 0 < answer[1] < 16:  # it does not know the time itself; stratum 0: go away
        raise HubError("MALFORMED", "stratum")
    if answer[24:32] != cookie:
        raise HubError("MALFORMED", "originate")
    seconds = struct.unpack_from("!I", answer, 40)[0]
    if not seconds:
        raise HubError("MALFORMED", "transmit")
    return seconds - _TO_1970_S + (0 if seconds >= _EARLIEST_S else _ERA_S)


def _milliseconds(answer):
    return (answer[44] << 8 | answer[45]) * 1000 >> 16
