"""The notices that are kept for the household: their words, and what has become of them.

Source   this file. The words of a notice are written once, into the file FOLDER/<id>: a JSON object, then u16
         CRC-16/ARC (from 0xFFFF) over it, little endian. What becomes of all of them is one two-slot record: JSON
         {v 1, next: the next id, rows: [row, ..]}, oldest first, a row being the list
             [id, kid, ref, priority, asks, made, start, expiry, state, changed, said, count, due, told]
             kid, ref: of the sender, and the sender's own name of it; asks: "", "accept" or "override";
             made, start, expiry, changed: Unix s, 0 for not known, at once, never;
             said: "" or the answer; count: of its decisions; due: [[n, decision, by, at], ..], decisions of which
             somebody has not heard yet; told: "state:said" as the website has heard it, "" for not at all
         The record is the moment: a file that no row names is thrown away, and a row without its file is told and
         thrown away.
Memory   the rows, 200 bytes each
Errors   OSError from the file system; StoreError from words() when a file is not what was written
Runs on  both
"""

import json
import struct

from micropython import const

from ..codec.crc import crc16_arc
from ..errors import StoreError
from . import files

MOST = const(16)
# the places in a row
ID, KID, REF, PRIORITY, ASKS, MADE, START = const(0), const(1), const(2), const(3), const(4), const(5), const(6)
EXPIRY, STATE, CHANGED, SAID, COUNT, DUE = const(7), const(8), const(9), const(10), const(11), const(12)
TOLD = const(13)
_LIMIT = const(2048)
_SEED = const(0xFFFF)


class NoticeBox:
    """record: a store.record.Record; folder: of the files; tell(detail): hears of what was lost."""

    def __init__(self, record, folder: str, tell) -> None:
        self._record = record
        self._folder = folder
        raw = record.load()
        state = json.loads(raw) if raw else {"next": 1, "rows": []}
        self._next = state["next"]
        self.rows = state["rows"]
        wrong = files.open_dir(folder)
        if wrong:
            tell(wrong)
        there = files.names(folder)
        self._sweep(there)
        lost = [row for row in self.rows if str(row[ID]) not in there and not is_over(row)]
        if lost:
            self.rows = [row for row in self.rows if row not in lost]
            tell("%d notices" % len(lost))

    def _sweep(self, there):
        """Throw away the words that nobody needs any more."""
        needed = [str(row[ID]) for row in self.rows if not is_over(row)]
        for name in there:
            if name not in needed:
                files.remove(self._folder + "/" + name)

    def row(self, number: int) -> "list | None":
        """Return the row of a notice, None when there is none."""
        for row in self.rows:
            if row[ID] == number:
                return row
        return None

    def words(self, number: int) -> dict:
        """Return the words of a notice as they were put; StoreError when flash does not hold them."""
        raw = files.read("%s/%d" % (self._folder, number), _LIMIT)
        if raw is None or len(raw) < 3 or crc16_arc(raw, len(raw), _SEED) != 0:
            raise StoreError("notices/%d" % number)
        return json.loads(raw[:-2])

    def write(self, words: dict) -> int:
        """Write the words of a new notice, and return its id; it is none before keep() has saved a row of it."""
        raw = bytearray(json.dumps(words).encode())
        raw += struct.pack("<H", crc16_arc(raw, len(raw), _SEED))
        if len(raw) > _LIMIT:
            raise ValueError("notice")
        files.replace("%s/%d" % (self._folder, self._next), raw)
        return self._next

    def keep(self, rows: list, transaction=None) -> None:
        """Let `rows` be what has become of all notices; in a store.transaction.Transaction, when one is given."""
        following = max([self._next] + [row[ID] + 1 for row in rows])
        raw = json.dumps({"v": 1, "next": following, "rows": rows}).encode()
        if transaction is None:
            self._record.save(raw)
        else:
            transaction.save(self._record, raw)
            transaction.commit()
        gone = [row[ID] for row in self.rows if is_over(row) or row[ID] not in [kept[ID] for kept in rows]]
        gone += [row[ID] for row in rows if is_over(row)]
        self._next, self.rows = following, rows
        for number in gone:
            try:
                files.remove("%s/%d" % (self._folder, number))
            except OSError:  # it is swept away at the next start
                pass


def is_over(row: list) -> bool:
    """Return whether nobody will see a notice again, nor hear of it: only its row is there, for who asks."""
    return row[STATE] in ("deleted", "expired", "withdrawn") and not row[DUE]
