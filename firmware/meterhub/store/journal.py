"""The journal: what happened, when, in order; it survives a power cut, and old entries make way for new ones.

Source   GB SMETS2 (at least 100 entries of each log); HMAC: RFC 2104. Format of a record, little endian:
             u8 mark, u8 n, u32 seq, u64 at, u8 length of the name, name, detail (n bytes from the name's length on),
             8 bytes seal (0xE2, 0xE3), u16 CRC-16/ARC (from 0xFFFF) over all that stands before it
         mark  0xE2 sealed with the hub's key, 0xE3 sealed when the hub had none yet (the key is empty),
               0xE1 of the first version: without a seal
         seal  HMAC-SHA-256(key, kind, seal of the entry before, record up to here), its first 8 bytes; before the
               first entry stand 8 zeros; the seal of an entry 0xE1 is made with the empty key, as if 8 zeros stood
               before it
         head  u8 0xE0, u8 8, u32 seq and 8 bytes seal of the entry before, u16 CRC: begins a file
         Each kind has two files, KIND.0 and KIND.1. The newer one is added to until it is full; then the other
         one is replaced and becomes the newer one.
         anchor.0, .1: a two-slot record (record.py): u8 1; for event, security and consent: u32 seq and 8 bytes seal
         of an entry, u32 seq of the newest break that was told, u8 how many were; 8 bytes
         HMAC-SHA-256(key, "anchor", all before). Written at a start and with every 16th entry of a kind.
Units    at: Unix seconds by the hub's clock, 0 while it was not set
Memory   one record; last() holds what it returns.
Errors   ValueError for an unknown kind or a name that is too long; OSError from the file system. An event or a
         security entry that cannot be written is only counted, in `unwritten`, and heard: the hub goes on without.
Runs on  both

No caller puts a PIN, a key or a reading into a detail. What the seals show, and what not: store/journal_check.py.
"""

import struct
from collections import namedtuple

from micropython import const

from ..codec.crc import crc16_arc
from ..crypto.equal import equal
from ..crypto.hmac import hmac_sha256
from ..errors import StoreError
from ..hal.ticks import age, now_ms
from . import files
from .record import Record
from .window import Window

KINDS = ("event", "security", "consent")
KEPT = {"event": 100, "security": 100, "consent": 200}  # at least so many, after the first so many
HEAD, OLD, SEALED, UNKEYED = 0xE0, 0xE1, 0xE2, 0xE3
NO_SEAL = b"\0\0\0\0\0\0\0\0"
_FIXED = const(16)  # bytes of a record but for what n counts and for the seal; of a head in all
_SEAL = const(8)
_MOST = const(232)  # longest record
_NAME_BYTES = const(32)
_DETAIL_BYTES = const(160)
_SEED = const(0xFFFF)
_FOREIGN = const(10)
_FOREIGN_MS = const(6000)
_ANCHORED = const(16)
_ANCHOR = "<I8sIB"

# seq: counts each kind from 1 without a hole; at: Unix s or 0; name: an error of errors.py or a word; detail: str;
# sealed: 2 with the hub's key, 1 when it had none yet, 0 not at all, by the first version
Entry = namedtuple("Entry", ("seq", "at", "name", "detail", "sealed"))
_SEALED_AS = {SEALED: 2, UNKEYED: 1, OLD: 0}


class Journal:
    """The journal in the folder `path`; clock: now() -> Unix s, 0 while unset; key: the hub's, b"" before it has one.

    listener(kind, entry), when set, hears of each entry; damaged counts the stretches of bytes that were no record.
    anchors: kind -> [seq, seal, newest break told, how many were told]; anchor_fault: why there was no good anchor.
    """

    def __init__(self, path: str, clock, key: bytes = b"") -> None:
        files.ensure_dir(path)
        self._path = path
        self._clock = clock
        self._state = {}  # kind -> (seq, which file, records in it, seal of the last one)
        self._anchor = Record(path + "/anchor", 128)
        self.key = b""
        self.anchors = {}
        self.anchor_fault = ""
        self.listener = lambda kind, entry: None
        self.damaged = 0
        self.suppressed = 0
        self.unwritten = 0
        self._tokens = _FOREIGN
        self._refilled = now_ms()
        sealed = False
        from . import journal_end  # noqa: PLC0415 - once a start

        for kind in KINDS:
            seq, which, count, raw = journal_end.find(self, kind)
            self._state[kind] = (seq, which, count, stored_seal(kind, raw) if raw else NO_SEAL)
            sealed = sealed or (len(raw) > 0 and raw[0] == SEALED)
        if key:
            self._open(key, sealed)

    # -- adding --------------------------------------------------------------------------------------

    def add(self, kind: str, name: str, detail: str = "", at: "int | None" = None) -> None:
        """Append an entry; a detail of more than 160 bytes is cut. at: when it was, if that was not now."""
        seq, which, count, seal = self._state[kind] if kind in self._state else _refuse(kind)
        at = self._clock.now() if at is None else at
        entry = Entry(seq + 1, at, name, _cut(detail), 2 if self.key else 1)
        raw = _pack(entry)
        sealed = seal_of(self.key, kind, seal, raw)
        raw.extend(sealed)
        _close(raw)
        try:
            if count >= KEPT[kind]:
                which, count = 1 - which, 0
                files.replace(self.file(kind, which), _head(seq, seal) + raw)
            else:
                with open(self.file(kind, which), "ab") as file:
                    file.write(raw if count else _head(seq, seal) + raw)
            self._state[kind] = (seq + 1, which, count + 1, sealed)
            if self.key and not (seq + 1) % _ANCHORED:
                self.keep_anchor()
        except OSError:
            if kind == "consent":  # what the household agrees to does not happen unless it is on record
                raise
            self.unwritten += 1
        self.listener(kind, entry)

    def foreign(self, name: str, detail: str = "") -> None:
        """Append a security entry that anybody outside can cause: ten at once, then one every six seconds.

        What is more is only counted, in `suppressed`: nobody can push the true entries out.
        """
        gained = age(now_ms(), self._refilled) // _FOREIGN_MS
        if gained:
            self._tokens = min(_FOREIGN, self._tokens + gained)
            self._refilled = now_ms()
        if self._tokens:
            self._tokens -= 1
            self.add("security", name, detail)
        else:
            self.suppressed += 1

    # -- reading -------------------------------------------------------------------------------------

    def last(self, kind: str, n: int) -> list:
        """Return the newest `n` entries of a kind (all that are kept, when fewer), newest first."""
        found = list(self.after(kind, self._state[kind][0] - n))
        found.reverse()
        return found

    def after(self, kind: str, seq: int):
        """Generate the entries of a kind whose number is higher than `seq`, oldest first."""
        order = self.order(kind)
        for buf, at, _ in self.records(kind, order[1]):
            if buf[at] == HEAD and struct.unpack_from("<I", buf, at + 2)[0] <= seq:
                order = order[1:]  # all that the older file holds is older
            break
        for which in order:
            for buf, at, _ in self.records(kind, which):
                if buf[at] != HEAD:
                    entry = unpack(buf, at)
                    if entry.seq > seq:
                        yield entry

    def end(self, kind: str) -> int:
        """Return the number of the newest entry of a kind, 0 when there is none."""
        return self._state[kind][0]

    def order(self, kind: str) -> tuple:
        """Return the numbers of a kind's two files, the older one first."""
        which = self._state[kind][1]
        return (1 - which, which)

    def records(self, kind: str, which: int):
        """Generate (buf, at, length) of the whole records and heads of a file, oldest first."""
        try:
            window = Window(self.file(kind, which))
        except OSError:
            return  # never written
        pos = 0
        whole = True
        while pos < window.end:
            at = window.show(pos, _MOST)
            length = length_at(window.buf, at, window.limit())
            if length:
                whole = True
                yield window.buf, at, length
                pos += length
            else:
                self.damaged += whole
                whole = False
                pos += 1

    # -- the anchor ----------------------------------------------------------------------------------

    def begin_sealing(self, key: bytes) -> None:
        """From now on seal with `key`: that of a hub which had none when the journal was opened."""
        self._open(key, False)

    def _open(self, key, sealed):
        """Take the key; look where the anchor says that the journal has been: a number is never given twice."""
        self.key = key
        raw = self._load_anchor(sealed)
        for i, kind in enumerate(KINDS):
            self.anchors[kind] = list(struct.unpack_from(_ANCHOR, raw, 1 + 17 * i)) if raw else [0, NO_SEAL, 0, 0]
            seq, which, count, seal = self._state[kind]
            self._state[kind] = (max(seq, self.anchors[kind][0]), which, count, seal)
        if raw is None and not self.anchor_fault:
            self.keep_anchor()

    def _load_anchor(self, sealed):
        """Return the anchor; None when there is no good one, with `anchor_fault` when there should be."""
        try:
            raw = self._anchor.load()
        except StoreError:
            self.anchor_fault = "damaged"
            return None
        if raw is None:
            self.anchor_fault = "missing" if sealed else ""
        elif len(raw) != 60 or raw[0] != 1 or not equal(raw[52:], seal_of(self.key, "anchor", raw[:52])):
            self.anchor_fault = "altered"
        else:
            return raw
        return None

    def keep_anchor(self) -> None:
        """Write down where the journal is now."""
        raw = bytearray((1,))
        for kind in KINDS:
            kept = self.anchors[kind]
            kept[0], kept[1] = self._state[kind][0], self._state[kind][3]
            raw.extend(struct.pack(_ANCHOR, *kept))
        raw.extend(seal_of(self.key, "anchor", raw))
        self._anchor.save(raw)
        self.anchor_fault = ""

    def file(self, kind: str, which: int) -> str:
        """Return the path of one of a kind's two files."""
        return "%s/%s.%d" % (self._path, kind, which)


def seal_of(key: bytes, kind: str, *parts: "bytes | bytearray | memoryview") -> bytes:
    """Return the seal (8 bytes) of an entry: `parts` are the seal of the one before it and its record."""
    return hmac_sha256(key, kind.encode(), *parts)[:_SEAL]


def stored_seal(kind: str, raw: bytes) -> bytes:
    """Return the seal that stands in the record `raw`; of an old one, that has none, what stands for it."""
    return seal_of(b"", kind, NO_SEAL, raw) if raw[0] == OLD else bytes(raw[-_SEAL - 2 : -2])


def unpack(buf: "bytes | bytearray", at: int) -> Entry:
    """Return the Entry in the record at buf[at]."""
    mark, n, seq, when, width = struct.unpack_from("<BBIQB", buf, at)
    body = bytes(memoryview(buf)[at + 15 : at + 14 + n])
    return Entry(seq, when, str(body[:width], "utf-8"), str(body[width:], "utf-8"), _SEALED_AS[mark])


def _refuse(kind):
    raise ValueError(kind)


def _cut(text):
    while len(text.encode()) > _DETAIL_BYTES:
        text = text[:-1]
    return text


def _pack(entry):
    """Return the record of an entry as far as its seal covers it."""
    name = entry.name.encode()
    if not 0 < len(name) <= _NAME_BYTES:
        raise ValueError("name")
    detail = entry.detail.encode()
    mark = SEALED if entry.sealed == 2 else UNKEYED
    raw = bytearray(struct.pack("<BBIQB", mark, 1 + len(name) + len(detail), entry.seq, entry.at, len(name)))
    raw.extend(name)
    raw.extend(detail)
    return raw


def _head(seq, seal):
    raw = bytearray(struct.pack("<BBI", HEAD, _SEAL, seq))
    raw.extend(seal)
    return _close(raw)


def _close(raw):
    raw.extend(struct.pack("<H", crc16_arc(raw, len(raw), _SEED)))
    return raw


def length_at(buf: "bytes | bytearray", at: int, limit: int) -> int:
    """Return the length of the record or head at buf[at], 0 when it is none."""
    if at + _FIXED > limit:
        return 0
    mark, n = buf[at], buf[at + 1]
    if mark == HEAD:
        length = _FIXED if n == _SEAL else 0
    elif OLD <= mark <= UNKEYED and 0 < buf[at + 14] < n:
        length = _FIXED + n + (0 if mark == OLD else _SEAL)
    else:
        return 0
    if not length or at + length > limit:
        return 0
    raw = bytes(memoryview(buf)[at : at + length])
    return length if crc16_arc(raw, length, _SEED) == 0 else 0
