"""The service line: one line of text at a time over the cable (a board's USB serial line; standard input and output).

Whoever holds the cable looks after the hub with it: reads what it is doing, makes it an owner's, gives it settings,
tests it; and a hub without radio reaches its broker through it. Every line is ASCII and ends with a line feed; other
bytes below 0x20 count for nothing, nor does an empty line (a host begins with one: it ends what a pulled cable has
left half-way). A board takes the bytes 0x03 and 0x04 for itself: a host sends neither.

hub -> host     {"ev": "start" | "status" | "journal", ...}                      console.py says what stands in them
                {"ev": "part", "id": n, "part": name, ...}                       how far a request has come
                {"ev": "reply", "id": n, "ok": true, ...}
                {"ev": "reply", "id": n, "ok": false, "error": name of errors.py, "field": text, "says": plain words}
host -> hub     {"id": n, "do": verb, ...}   n: 0 .. 2^30 - 1. Every request gets one reply; there is one request at a
                time, a second one is BUSY. A line that is no request is answered too, without an id; of a line of more
                than 1024 bytes nothing is looked at (OVERSIZED). service_desk.py says what the verbs are.

A board whose cable ends in a chip of its own (ESP32) buffers 256 bytes while the hub computes, and nothing holds the
host back: there a host sends short lines, and the next one when the reply is there.

The tunnel      in which the hub talks MQTT to a broker, the host being the bridge. It is the hub that begins:
  hub -> host   ~open      connect to the broker that you know
  host -> hub   ~open      done; ~close instead: the broker cannot be had
  both          ~BASE64    bytes under way, RFC 4648 section 4, at most 512 of them in a line
  both          ~close     the connection has ended; what comes after it belongs to none. A bridge begins with it

Memory   one line of 1024 bytes, allocated once; a line of the tunnel
Errors   none: whatever comes in is answered or dropped. At the end of the input (a PC without a cable) run() returns.
Runs on  MicroPython
"""

import asyncio
import binascii
import json
import select
import sys

from micropython import const

from ..errors import ConfigError, HubError, StoreError

_LINE = const(1024)
_AT_ONCE = const(256)  # bytes taken before the other tasks have their turn
_TUNNEL_BYTES = const(384)
_IDLE_S = const(60)
_LARGEST_ID = const(0x3FFFFFFF)
_LF, _SPACE, _TILDE = const(0x0A), const(0x20), const(0x7E)


class Cable:
    """The line.

    console: what lines are written with (console.py). desk: answers requests; `await desk.answer(verb, request, tell)`
    returns the reply's fields, tell(part: dict) says how far it has come; desk.close() is called when nothing has
    been asked for a minute.
    """

    def __init__(self, console, desk) -> None:
        self._console = console
        self._desk = desk
        self._line = bytearray(_LINE)
        self._length = 0
        self._request = None  # the one that is being served
        self._asked = asyncio.Event()
        self.tunnel = Tunnel(console.line)

    # -- reading ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take lines from the standard input until its end."""
        try:
            await self._read(sys.stdin.buffer)
        except OSError:
            pass  # a PC's terminal that was closed

    async def _read(self, source):
        stream = asyncio.StreamReader(source)
        ready = select.poll()
        ready.register(source, select.POLLIN)
        byte = bytearray(1)
        while await stream.readinto(byte):
            left = _AT_ONCE
            while True:
                if byte[0] == _LF:
                    await self._end_line()
                else:
                    self._put(byte[0])
                left -= 1
                if not left or not ready.poll(0):
                    break
                if not source.readinto(byte):
                    return

    def _put(self, byte):
        if byte >= _SPACE and self._length <= _LINE:  # one more than fits says that it was too long
            if self._length < _LINE:
                self._line[self._length] = byte
            self._length += 1

    async def _end_line(self):
        length, self._length = self._length, 0
        if length > _LINE:
            self._console.say("reply", _refusal(None, "OVERSIZED", "line", "the line is longer than %d bytes" % _LINE))
        elif length and self._line[0] == _TILDE:
            await self.tunnel.take(bytes(memoryview(self._line)[1:length]))
        elif length:
            self._on_request(bytes(memoryview(self._line)[:length]))

    def _on_request(self, line):
        request = _parse(line)
        if request is None:
            says = 'this is no request: {"id": number, "do": verb, ...}'
            self._console.say("reply", _refusal(None, "MALFORMED", "line", says))
        elif self._request is not None:
            says = "still busy with " + self._request["do"]
            self._console.say("reply", _refusal(request["id"], "BUSY", "do", says))
        else:
            self._request = request
            self._asked.set()

    # -- answering ----------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._request is not None

    async def serve(self) -> None:
        """Answer requests for ever."""
        loaded = False
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), _IDLE_S if loaded else None)
            except asyncio.TimeoutError:
                self._desk.close()
                loaded = False
                continue
            self._asked.clear()
            loaded = True
            await self._serve(self._request)

    async def _serve(self, request):
        number = request["id"]
        reply = _refusal(number, "EXECUTE_FAILED", request["do"], "the hub has failed at this; its journal says more")
        try:
            answer = await self._desk.answer(request["do"], request, lambda part: self._tell(number, part))
            answer.update({"id": number, "ok": True})
            reply = answer
        except HubError as err:
            reply = _refusal(number, err.name, err.field, _WORDS.get(err.name) or err.name.lower().replace("_", " "))
        except ConfigError as err:
            reply = _refusal(number, "SETTING_REFUSED", err.args[0], "%s %s" % err.args)
        except StoreError as err:
            reply = _refusal(number, "INTEGRITY_FAILED", err.args[0], "the flash does not hold what was written")
        except MemoryError:
            reply = _refusal(number, "NOT_AVAILABLE", "memory", "there is no room in the hub's memory; restart it")
        except OSError as err:
            reply = _refusal(number, "RECORD_FAILED", "errno %s" % err.errno, "the hub's files cannot be written")
        finally:  # what is none of these is a fault of ours: the host hears of it, and the supervisor too
            self._request = None
            self._console.say("reply", reply)

    def _tell(self, number, part):
        part["id"] = number
        self._console.say("part", part)


def _parse(line):
    """Return the request in `line`, None when it is none."""
    try:
        request = json.loads(line)
    except (ValueError, UnicodeError):
        return None
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        return None
    number = request.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _LARGEST_ID:
        return None
    return request


def _refusal(number, name, field, says):
    reply = {"ok": False, "error": name, "field": field, "says": says}
    if number is not None:
        reply["id"] = number
    return reply


_WORDS = {
    "NOT_AUTHENTIC": "it is not signed by the key that this hub trusts",
    "NOT_AUTHORISED": "only a document signed by the hub's owner may change this",
    "REPLAY": "its number is not higher than that of what the hub has already taken",
    "WRONG_HUB": "it is for another hub",
    "MALFORMED": "it is not built as it should be",
    "OVERSIZED": "it is too long",
    "UNSUPPORTED": "this firmware does not know it",
    "WRONG_STATE": "not now",
    "INVALID_VALUE": "it lies outside what is allowed",
}


# -- the tunnel --------------------------------------------------------------------------------------------------


class Tunnel:
    """One connection to a broker through the cable. It is its own reader and writer, as asyncio's streams are.

    say(text): writes a line.
    """

    patience_s = 10

    def __init__(self, say) -> None:
        self._say = say
        self._alone = False  # nobody was there when it was last asked
        self._state = "closed"  # "asked", "open"
        self._chunk = b""  # what came in the last line and has not been read
        self._out = bytearray()
        self._change = asyncio.Event()  # of any of these

    async def open(self) -> "tuple[Tunnel, Tunnel]":
        """Have the host connect to the broker; return (reader, writer), or raise HubError LINK_DOWN.

        It is raised once when nobody is there; from then on this waits for a bridge, and asks anew now and then.
        """
        while True:
            self._chunk = b""
            self._out = bytearray()
            self._turn("asked")
            self._say("~open")
            try:
                await asyncio.wait_for(self._until(lambda: self._state != "asked"), self.patience_s)
            except asyncio.TimeoutError:
                if self._alone:
                    continue
                self._alone = True
                self._turn("closed")
                raise HubError("LINK_DOWN", "cable nobody bridges it")
            if self._state == "open":
                self._alone = False
                return self, self
            if not self._alone:
                raise HubError("LINK_DOWN", "cable the bridge cannot reach the broker")
            self._alone = False  # a bridge has come; it begins with a ~close, which was no answer

    def _turn(self, state):
        self._state = state
        self._change.set()

    async def _until(self, true):
        while not true():
            self._change.clear()
            await self._change.wait()

    async def take(self, text: bytes) -> None:
        """Take a line of the tunnel, without its "~"; waits until the line before it has been read."""
        if text == b"open":
            if self._state == "asked":
                self._turn("open")
        elif text == b"close":
            self._turn("closed")
        elif self._state == "open":
            try:
                chunk = binascii.a2b_base64(text)
            except ValueError:
                self.close()  # a byte stream with a hole is of no use
                return
            await self._until(lambda: not self._chunk or self._state != "open")
            self._chunk = chunk
            self._change.set()

    async def readexactly(self, n: int) -> bytes:
        """Return the next `n` bytes; EOFError when the connection ends before."""
        out = bytearray()
        while len(out) < n:
            await self._until(lambda: self._chunk or self._state != "open")
            if not self._chunk:
                raise EOFError
            want = n - len(out)
            out.extend(self._chunk[:want])
            self._chunk = self._chunk[want:]
            self._change.set()
        return bytes(out)

    def write(self, data: "bytes | bytearray") -> None:
        """Put `data` aside for drain()."""
        self._out.extend(data)

    async def drain(self) -> None:
        """Send what was written; OSError-free: EOFError when there is no connection."""
        out, self._out = self._out, bytearray()
        view = memoryview(out)
        for at in range(0, len(out), _TUNNEL_BYTES):
            if self._state != "open":
                raise EOFError
            text = binascii.b2a_base64(bytes(view[at : at + _TUNNEL_BYTES]), newline=False)
            self._say("~" + text.decode())
            await asyncio.sleep_ms(0)

    def close(self) -> None:
        """End the connection, on both sides."""
        if self._state != "closed":
            self._turn("closed")
            self._say("~close")

    async def wait_closed(self) -> None:
        """Nothing remains to be waited for."""
