"""The outbox: what is to be sent and was not acknowledged yet, in order, through power cuts and months without WAN.

Source   this file. Little endian. In the outbox's folder:
         LNNNNNNNN.ob  a segment, at most 4096 bytes. L: its lane, 0 or 1; N: the id of its first item, 8 hex digits
             head  4 bytes magic "MHO1", 4 bytes box, u32 id of its first item, u8 n, addressee (n bytes: the kid),
                   u16 CRC-16/ARC (from 0xFFFF) over all that stands before it
             item  u8 mark 0xB1, u8 n, u32 id, u64 at, u32 source, u8 length of the name, name, detail (n bytes from
                   the name's length on), u16 CRC as above, but from the box's first two bytes: an item of another
                   box is none; an item is added behind the one before
         state.0, .1   a two-slot record (record.py): u8 1, 4 bytes box, u32 acknowledged: all ids up to it are, u32
             last: no id up to it is given again, u32 source, u32 dropped of lane 0, u32 of lane 1, u8 lane and u32
             first id of the segment that was dropped last (removed again at a start), addressee
         box: 4 random bytes, made anew whenever all is emptied; (box, id) is never given to two items.
         source: the number of the journal's entry that an item was made from; what is newer is still to be taken.
Units    at: Unix seconds, 0 when the clock was not set
Memory   a few numbers, whatever the outbox holds; 1 KB while items are read.
Errors   ValueError for a name or detail that is too long; OSError from the file system.
Runs on  both

One item costs one write to flash, a batch of acknowledged ones a small record. 64 KB hold 1500 items of the usual 42
bytes: 50 a day for 30 days. When there is no room for another the oldest segment of lane 0 goes, and only when lane 0
is empty that of lane 1; `dropped` counts the items. A torn item was never sent; its id is not given again.
"""

import os
import struct
from collections import namedtuple

from micropython import const

from ..codec.crc import crc16_arc
from ..errors import StoreError
from . import files
from .record import Record
from .window import Window

LIMIT = 65536
_SEGMENT = const(4096)
_MAGIC = const(b"MHO1")
_MARK = const(0xB1)
_FIXED = const(20)  # bytes of an item but for what n counts
_HEAD = const(15)  # of a head but for the addressee
_NAME_BYTES = const(32)
_DETAIL_BYTES = const(160)
_KID_BYTES = const(64)
_MOST = const(216)  # longest item
_SEED = const(0xFFFF)
_STATE = "<B4sIIIIIBI"
_STATE_BYTES = const(30)

# id: rises in the order of adding, holes are ids that were given up; at: Unix s or 0; name, detail: str
Item = namedtuple("Item", ("id", "at", "source", "name", "detail"))


class Outbox:
    """The outbox in the folder `path` for the recipient `addressee` (a kid).

    new_box(): 4 random bytes; source: the number of the newest entry that is not to be sent, when the outbox begins;
    told(lane, n): hears of n items of a lane that had to go. Items for another addressee are removed: `abandoned`.
    """

    def __init__(self, path: str, addressee: str, source: int, new_box, told, limit: int = LIMIT) -> None:
        files.ensure_dir(path)
        self._path = path
        self._limit = limit
        self._new_box = new_box
        self._told = told
        self._record = Record(path + "/state", 128)
        self.addressee = addressee
        self.box = b""
        self.acknowledged = self.last = self.source = self._bytes = 0
        self.dropped = [0, 0]
        self._doomed = (0, 0)
        self._newest = {}  # lane -> [first id, bytes, last id] of the segment that is added to
        self.abandoned = 0
        self._open(source)

    # -- the start -----------------------------------------------------------------------------------

    def _open(self, source):
        whose = self._load_state()
        is_lost = whose is None
        if is_lost:
            whose = self._recover()
        self._look()
        if whose != self.addressee:
            self.abandoned = self.empty(source)
            return
        if is_lost:
            self.source = self.source or source
            self._save()
        self.source = min(self.source, source)  # a journal that has begun anew
        self._sweep()

    def _load_state(self):
        """Take over the state; return whose it is, None when there is none to be read."""
        try:
            raw = self._record.load()
        except StoreError:
            return None
        if raw is None or len(raw) < _STATE_BYTES or raw[0] != 1:
            return None
        _, self.box, self.acknowledged, self.last, self.source, low, high, lane, first = struct.unpack_from(
            _STATE, raw
        )
        self.dropped = [low, high]
        self._doomed = (lane, first)
        for lane, first, name in self._segments():
            head = self._head(name)
            if (lane, first) == self._doomed or (head and head[0] != self.box):
                files.remove(name)
        return str(raw[_STATE_BYTES:], "utf-8")

    def _recover(self):
        """Take over what the segments say of themselves; return whose they are. What was acknowledged goes again."""
        found = [head for head in [self._head(name) for _, _, name in self._segments()] if head]
        if not found:
            return ""
        self.box, whose, _ = found[0]
        for box, other, _ in found:
            if (box, other) != (self.box, whose):
                return ""  # of two lives, and which is the newer one is not known
        self.acknowledged = min([first for _, _, first in found]) - 1
        return whose

    def _look(self):
        """Find the end of each lane, and how much there is."""
        self._bytes = 0
        self._newest = {}
        for lane, first, name in self._segments():
            size = os.stat(name)[6]
            self._bytes += size
            self._newest[lane] = [first, size, first - 1]
        for lane, newest in self._newest.items():
            torn = self._find_end(self._file(lane, newest[0]), newest)
            self.last = max(self.last, newest[2] + torn)

    def _find_end(self, name, newest):
        """Note the last item of a segment; return 1 when something torn stands behind it."""
        whole = 0
        for item, end in self._items(name):
            newest[2] = item.id
            self.source = max(self.source, item.source)
            whole = end
        return 1 if whole < newest[1] else 0

    # -- adding --------------------------------------------------------------------------------------

    def add(self, name: str, detail: str, at: int, source: int, lane: int) -> int:
        """Keep an item for sending, made from entry `source`; lane 1: for what matters most. Return its id."""
        number = self.last + 1
        raw = _pack(number, at, source, name.encode(), detail.encode(), self._seed())
        newest = self._newest.get(lane)
        if newest is None or newest[1] + len(raw) > _SEGMENT:
            newest = None
            raw = _pack_head(self.box, number, self.addressee) + raw
        if self._make_room(len(raw)) and newest is not None and lane not in self._newest:
            newest = None  # it was the one that had to go
            raw = _pack_head(self.box, number, self.addressee) + raw
        if newest is None:
            files.replace(self._file(lane, number), raw)
            self._newest[lane] = [number, len(raw), number]
        else:
            with open(self._file(lane, newest[0]), "ab") as file:
                file.write(raw)
            newest[1] += len(raw)
            newest[2] = number
        self._bytes += len(raw)
        self.last = number
        self.source = max(self.source, source)
        return number

    def _make_room(self, size):
        """Let go of the oldest of the lower lane until `size` bytes fit; return whether anything had to go."""
        went = False
        while self._bytes + size > self._limit:
            segments = self._segments()
            if not segments:
                break
            lane, first, name = segments[0]  # lane 0 comes first
            n = 0
            for item, _ in self._items(name):
                n += item.id > self.acknowledged
            self.dropped[lane] += n
            self._doomed = (lane, first)
            self._save()  # told once too often rather than never, should the power be cut now
            self._remove(lane, first, name)
            went = True
            if n:
                self._told(lane, n)
        return went

    # -- sending -------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether there may be something to send."""
        return self._bytes > 0 and self.last > self.acknowledged

    def oldest(self, most: int, most_bytes: int) -> list:
        """Return the oldest items that wait: at most so many, and as many as have so many bytes on flash, or one."""
        found = []
        for item in self.waiting():
            most_bytes -= _FIXED + 1 + len(item.name) + len(item.detail)
            if len(found) >= most or (found and most_bytes < 0):
                break
            found.append(item)
        return found

    def waiting(self):
        """Generate the Items that are not acknowledged, in the order of adding."""
        lanes = [self._lane(0), self._lane(1)]
        heads = [next(lane, None) for lane in lanes]
        while True:
            low, high = heads
            which = 0 if high is None or (low is not None and low.id < high.id) else 1
            item = heads[which]
            if item is None:
                return
            yield item
            heads[which] = next(lanes[which], None)

    def _lane(self, lane):
        for one, _, name in self._segments():
            if one == lane:
                for item, _ in self._items(name):
                    if item.id > self.acknowledged:
                        yield item

    def acknowledge(self, number: int) -> None:
        """Let go of all items up to the id `number`: whom they were for has them."""
        if not self.acknowledged < number <= self.last:
            raise ValueError("outbox")
        self.acknowledged = number
        self._save()
        self._sweep()

    def empty(self, source: int) -> int:
        """Let go of everything, and begin anew behind entry `source`; return how many items were not acknowledged."""
        n = 0
        for lane in (0, 1):
            for _ in self._lane(lane):
                n += 1
        self.box = self._new_box()
        self.acknowledged = self.last = 0
        self.source = source
        self.dropped = [0, 0]
        self._doomed = (0, 0)
        self._save()
        for lane, first, name in self._segments():
            self._remove(lane, first, name)
        return n

    def remove(self) -> None:
        """Remove the outbox itself, which is empty; a folder with anything else in it stays."""
        self._record.erase()
        try:
            os.rmdir(self._path)
        except OSError:
            pass

    def _sweep(self):
        """Remove the segments of which every item is acknowledged."""
        segments = self._segments()
        for i, (lane, first, name) in enumerate(segments):
            newest = self._newest[lane]
            last = newest[2] if first == newest[0] else segments[i + 1][1] - 1
            if last <= self.acknowledged:
                self._remove(lane, first, name)

    def _remove(self, lane, first, name):
        self._bytes -= os.stat(name)[6]
        files.remove(name)
        if lane in self._newest and self._newest[lane][0] == first:
            del self._newest[lane]

    # -- files ---------------------------------------------------------------------------------------

    def _save(self):
        state = (1, self.box, self.acknowledged, self.last, self.source) + tuple(self.dropped) + self._doomed
        self._record.save(struct.pack(_STATE, *state) + self.addressee.encode())

    def _segments(self):
        """Return [(lane, first id, path)] in the order of lanes and ids."""
        found = []
        for name in files.names(self._path):
            if len(name) == 12 and name.endswith(".ob") and name[0] in "01":
                try:
                    found.append((int(name[0]), int(name[1:9], 16), self._path + "/" + name))
                except ValueError:
                    pass
        return found

    def _file(self, lane, first):
        return "%s/%d%08x.ob" % (self._path, lane, first)

    def _head(self, name):
        """Return (box, addressee, first id) of a segment, None when its head is damaged."""
        with open(name, "rb") as file:
            raw = file.read(_HEAD + _KID_BYTES)
        if len(raw) < _HEAD or raw[:4] != _MAGIC:
            return None
        size = _HEAD + raw[12]
        if size > len(raw) or crc16_arc(raw[:size], size, _SEED) != 0:
            return None
        return bytes(raw[4:8]), str(raw[13 : size - 2], "utf-8"), struct.unpack_from("<I", raw, 8)[0]

    def _seed(self):
        return struct.unpack("<H", self.box[:2])[0]

    def _items(self, name):
        """Generate (Item, where it ends) of the whole items of a segment."""
        window = Window(name)
        pos = 0
        while pos < window.end:
            at = window.show(pos, _MOST)
            length = _length(window.buf, at, window.limit(), self._seed())
            if length:
                pos += length
                yield _unpack(window.buf, at), pos
            else:
                pos += 1


def _pack(number, at, source, name, detail, seed):
    if not 0 < len(name) <= _NAME_BYTES or len(detail) > _DETAIL_BYTES:
        raise ValueError("outbox")
    raw = bytearray(struct.pack("<BBIQIB", _MARK, 1 + len(name) + len(detail), number, at, source, len(name)))
    raw.extend(name)
    raw.extend(detail)
    return _close(raw, seed)


def _pack_head(box, first, addressee):
    raw = bytearray(_MAGIC) + box + struct.pack("<IB", first, len(addressee.encode()))
    raw.extend(addressee.encode())
    return _close(raw, _SEED)


def _close(raw, seed):
    raw.extend(struct.pack("<H", crc16_arc(raw, len(raw), seed)))
    return raw


def _length(buf, at, limit, seed):
    """Return the length of the item at buf[at], 0 when it is none."""
    if at + _FIXED > limit or buf[at] != _MARK:
        return 0
    length = _FIXED + buf[at + 1]
    if at + length > limit or not 0 < buf[at + 18] < buf[at + 1]:
        return 0
    raw = bytes(memoryview(buf)[at : at + length])
    return length if crc16_arc(raw, length, seed) == 0 else 0


def _unpack(buf, at):
    _, n, number, when, source, width = struct.unpack_from("<BBIQIB", buf, at)
    body = bytes(memoryview(buf)[at + 19 : at + 18 + n])
    return Item(number, when, source, str(body[:width], "utf-8"), str(body[width:], "utf-8"))
