"""The WAN: MQTT 3.1.1, for months, on a line that may hang at any moment.

Source   MQTT 3.1.1 (OASIS); umqtt.simple of micropython-lib writes and reads the packets.
Memory   one packet of at most 4 KB coming in, the outbox going out (8 messages, 24 KB).
Errors   HubError OUTBOX_FULL to who sends; LINK_DOWN in the journal, once per outage and reason, which begins with
         the step that failed: wifi, cable, dns, tcp, clock, ca, host name, tls, credentials, mqtt.
Runs on  both

umqtt.simple waits inside its calls: for the line, and for the broker's answer. A hub that waited there would lose
meter telegrams. So it never sees the line: it is given a `_Pipe`, which keeps what it writes and lets it read one
packet that has arrived whole, and the line belongs to asyncio streams. Where umqtt.simple wants an acknowledgement
at once it gets one from the pipe; the broker's own is awaited by `_on_packet`, and only that empties the outbox.
"""

import asyncio
import errno
import struct
import sys
import time

from micropython import const

from ..errors import HubError

# umqtt.simple gets its socket from us: a board without a network has no such module
sys.modules["usocket"] = None  # pyright: ignore[reportArgumentType]
from umqtt import simple  # noqa: E402

sys.modules.pop("usocket")

_MAX_IN = const(4096)
_MOST = const(8)
_MOST_BYTES = const(24576)
_KEEPALIVE_S = const(60)
_CONNECT_S = const(20)
_WRITE_S = const(20)
_ACK_S = const(30)
_FIRST_WAIT_S = const(1)
_LONGEST_WAIT_S = const(60)
_NO_ENTRY = (4, 5)  # MQTT 3.1.1, 3.2.2.3: bad user name or password, not authorized
_FAULTS = (  # mbedTLS library/x509_crt.c, x509_crt_verify_strings; the worst first
    ("trusted CA", "ca the broker's certificate is not signed by wan.ca"),
    ("in the future", "clock the broker's certificate is not valid yet"),
    ("has expired", "clock the broker's certificate has expired"),
    ("expected CN", "host name the broker's certificate is for another name"),
)
_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 0x20, 0x30, 0x40, 0x90


class _Pipe:
    """What umqtt.simple takes for its socket (and, having `socket` and `getaddrinfo`, for the socket module)."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._in = b""

    def socket(self, *_args):
        return self

    def getaddrinfo(self, host, port, *_args):
        return [(0, 0, 0, "", (host, port))]

    def give(self, packet) -> None:
        """Let the next reads return `packet`."""
        self._in = packet

    def read(self, size):
        found = self._in[:size]
        self._in = self._in[size:]
        return found

    def write(self, data, size=-1):
        self.out.extend(data if size < 0 else data[:size])

    def connect(self, address):
        self.out = bytearray()

    def setblocking(self, flag):
        pass

    def settimeout(self, seconds):
        pass

    def close(self):
        pass


class _Item:
    """A message in the outbox; `pid` is its packet identifier since it was written to this connection, else 0."""

    def __init__(self, topic: bytes, payload: bytes, retain: bool) -> None:
        self.topic = topic
        self.payload = payload
        self.retain = retain
        self.pid = 0


class Wan:
    """The link.

    hub: the hub's id; login: (user, password); open_stream(): coroutine function that returns (reader, writer), as
    asyncio.open_connection() does; receive(kind: bytes, payload: bytes): called with each message for this hub, `kind`
    the last level of its topic; greet(): called at each new connection, to send what is retained.
    """

    def __init__(self, hub: str, login: tuple, open_stream, receive, greet, journal, drbg) -> None:
        self._root = "meterhub/" + hub + "/"
        self._open = open_stream
        self._receive = receive
        self._greet = greet
        self._journal = journal
        self._drbg = drbg
        self._pipe = _Pipe()
        simple.socket = self._pipe  # umqtt.simple looks its socket up there
        self._client = self._new_client(hub, *login)
        self._outbox = []
        self._work = asyncio.Event()
        self._oversized = False
        self.trouble = ""  # the outage that has been journalled
        self._ended = None  # what ended the listening
        self._heard = 0
        self._wait_s = _FIRST_WAIT_S
        self._pid = 0
        self.is_up = False

    def _new_client(self, hub, user, password):
        client = simple.MQTTClient(hub, "", 0, user or None, password, _KEEPALIVE_S)
        client.set_callback(self._on_publish)
        client.set_last_will(self._root + "up/availability", b"offline", True, 1)
        return client

    # -- sending -------------------------------------------------------------------------------------

    def post(self, kind: str, payload: bytes, retain: bool = False) -> None:
        """Put a message for topic up/<kind> into the outbox; HubError OUTBOX_FULL when there is no room.

        A retained message takes the place of an older one of its kind that has not gone out.
        """
        topic = (self._root + "up/" + kind).encode()
        if retain:
            self._outbox = [i for i in self._outbox if i.topic != topic or i.pid]
        if not self.has_room(len(payload)):
            raise HubError("OUTBOX_FULL", kind)
        self._outbox.append(_Item(topic, payload, retain))
        self._work.set()

    def has_room(self, size: int) -> bool:
        """Return whether a message of `size` bytes fits into the outbox now."""
        waiting = sum([len(item.payload) for item in self._outbox])
        return len(self._outbox) < _MOST and waiting + size <= _MOST_BYTES

    # -- the connection ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, serve, and connect again with growing pauses, for ever."""
        while True:
            writer = None
            try:
                reader, writer = await self._open()
                await self._hello(reader, writer)
                await self._serve(reader, writer)
            except (OSError, EOFError, ValueError, HubError) as err:
                self._say_down(_why(err))
            finally:
                self.is_up = False
                if writer is not None:
                    await self._hang_up(writer)
            wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, _LONGEST_WAIT_S)
            await asyncio.sleep_ms(wait_s * 1000 + self._drbg.read(1)[0] * 4)

    async def _hang_up(self, writer):
        try:
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), 2)
        except (OSError, asyncio.TimeoutError):
            pass

    async def _hello(self, reader, writer):
        for item in self._outbox:
            item.pid = 0
        self._pipe.give(b"\x20\x02\x00\x00")
        self._client.connect(False)
        await self._flush(writer)
        packet = await self._timed(self._read(reader), _CONNECT_S)
        if packet[0] != _CONNACK or len(packet) != 4:
            raise HubError("LINK_DOWN", "mqtt this is no broker")
        if packet[3] in _NO_ENTRY:
            raise HubError("LINK_DOWN", "credentials the broker refuses user or password")
        if packet[3]:
            raise HubError("LINK_DOWN", "mqtt refused %d" % packet[3])
        pid = self._next_pid()
        self._pipe.give(struct.pack("!BBHB", _SUBACK, 3, pid, 1))
        self._client.subscribe((self._root + "down/#").encode(), 1)
        self._publish((self._root + "up/availability").encode(), b"online", True)
        await self._flush(writer)
        self.is_up = True
        self._greet()

    def _next_pid(self):
        self._pid = self._pid % 65535 + 1
        self._client.pid = self._pid - 1  # umqtt.simple adds one, and would not wrap
        return self._pid

    def _publish(self, topic, payload, retain):
        pid = self._next_pid()
        self._pipe.give(struct.pack("!BBH", _PUBACK, 2, pid))
        self._client.publish(topic, payload, retain, 1)
        return pid

    async def _serve(self, reader, writer):
        self._heard = time.ticks_ms()
        self._ended = None
        listening = asyncio.create_task(self._listen(reader))
        try:
            while True:
                self._work.clear()
                if self._pipe.out:
                    await self._wait_for_company()
                for item in self._outbox:
                    if not item.pid:
                        item.pid = self._publish(item.topic, item.payload, item.retain)
                        item.sent = time.ticks_ms()
                        await self._flush(writer)
                await self._flush(writer)
                if self._ended is not None:
                    raise self._ended
                if not self._pipe.out:
                    await self._wait_for_work()
        finally:
            listening.cancel()

    async def _wait_for_company(self):
        """Give an acknowledgement 20 ms to go out together with the answer that what it acknowledges will have.

        TCP holds the second of two small writes back until the first is acknowledged (Nagle, RFC 896), which the peer
        may put off for 40 ms.
        """
        try:
            await asyncio.wait_for(self._work.wait(), 0.02)
        except asyncio.TimeoutError:
            pass

    async def _wait_for_work(self):
        """Wait until there is something to send; keep the connection alive meanwhile, or give it up."""
        try:
            await asyncio.wait_for(self._work.wait(), 5)
        except asyncio.TimeoutError:
            now = time.ticks_ms()
            quiet_ms = time.ticks_diff(now, self._heard)
            for item in self._outbox:
                if item.pid and time.ticks_diff(now, item.sent) > _ACK_S * 1000:
                    raise HubError("LINK_DOWN", "mqtt no acknowledgement")
            if quiet_ms > 1500 * _KEEPALIVE_S:
                raise HubError("LINK_DOWN", "mqtt silence")
            if quiet_ms > 400 * _KEEPALIVE_S:
                self._client.ping()

    async def _flush(self, writer):
        if self._pipe.out:
            data, self._pipe.out = self._pipe.out, bytearray()
            writer.write(data)
            await self._timed(writer.drain(), _WRITE_S)

    async def _timed(self, waiting, seconds):
        try:
            return await asyncio.wait_for(waiting, seconds)
        except asyncio.TimeoutError:
            raise HubError("LINK_DOWN", "mqtt no answer")

    def _say_down(self, why):
        if why != self.trouble:
            self.trouble = why
            self._journal.add("event", "LINK_DOWN", "wan " + why)

    # -- receiving -----------------------------------------------------------------------------------

    async def _listen(self, reader):
        try:
            while True:
                self._on_packet(await self._read(reader))
                self._heard = time.ticks_ms()
                self._work.set()
        except (OSError, EOFError, ValueError, HubError, MemoryError) as err:
            self._ended = err  # _serve raises it
            self.is_up = False  # by now: what is posted meanwhile goes nowhere
            self._work.set()

    async def _read(self, reader):
        """Return the next packet; of one that is too long the first 4 KB, as a shorter packet, and _oversized set."""
        first = await reader.readexactly(1)
        size = shift = 0
        while True:
            byte = (await reader.readexactly(1))[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
            if shift > 21:
                raise HubError("LINK_DOWN", "mqtt packet length")
        kept = min(size, _MAX_IN)
        body = await reader.readexactly(kept)
        self._oversized = size > kept
        left = size - kept
        while left:
            left -= len(await reader.readexactly(min(left, 512)))
        return first + _length(kept) + body

    def _on_packet(self, packet):
        kind = packet[0] & 0xF0
        if kind == _PUBACK and len(packet) == 4:
            pid = packet[2] << 8 | packet[3]
            self._outbox = [item for item in self._outbox if item.pid != pid]
        elif kind == _PUBLISH:
            if not _is_publish(packet):
                raise HubError("LINK_DOWN", "mqtt packet")
            self._pipe.give(packet)
            self._client.wait_msg()  # calls _on_publish, and writes the acknowledgement
        elif kind == _SUBACK:
            if packet[-1] == 128:
                raise HubError("LINK_DOWN", "mqtt subscription refused")
            self._wait_s = _FIRST_WAIT_S  # not before: a broker that takes us and hears nothing is no link
            if self.trouble:
                self.trouble = ""
                self._journal.add("event", "link up", "wan")

    def _on_publish(self, topic, payload, *_more):
        if self._oversized:
            self._journal.foreign("OVERSIZED", "wan message")
            return
        self._receive(topic.rsplit(b"/", 1)[-1], payload)


def _why(err):
    """Return the step that failed and a few words, for what ended a connection."""
    if isinstance(err, HubError):
        return err.field
    if isinstance(err, ValueError):
        return _why_not_verified(str(err))
    why = err.args[0] if err.args else 0
    if isinstance(err, EOFError) or why == 0:
        return "tcp closed by the broker"
    if why < 0:  # mbedTLS counts below zero
        return ("tls " + str(err.args[-1]))[:80]
    return "tcp " + str(errno.errorcode.get(why, why))


def _why_not_verified(text):
    """Return which step a certificate has failed at; `text` holds one of mbedTLS's sentences for each fault."""
    for words, step in _FAULTS:
        if words in text:
            return step
    return ("tls " + text.strip())[:80]


def _length(size):
    out = bytearray()
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    out.append(size)
    return out


def _is_publish(packet):
    """Return whether the lengths inside a PUBLISH packet fit it (QoS 0 or 1)."""
    at = 1
    while packet[at] & 128:
        at += 1
    at += 1
    qos = packet[0] & 6
    if qos > 2 or len(packet) < at + 2:
        return False
    return len(packet) >= at + 2 + (packet[at] << 8 | packet[at + 1]) + (2 if qos else 0)
