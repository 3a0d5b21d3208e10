"""Is the journal still what the hub wrote? Goes along the seals of each kind (format: journal.py), entry by entry.

Memory   one record; a caller that lets other tasks run between two steps holds nothing else.
Errors   OSError from the file system. What is wrong is told, never raised.
Runs on  both

Seen     an entry altered, removed from the middle, put in, put elsewhere or moved to another kind; the oldest ones
         removed while they had to be kept; the newest ones removed as far as the anchor knows of them (all at the
         last start, and all but the last 15 of a kind since); an entry without a seal after one with it.
Not seen the newest entries removed that no anchor knows of (at most 15 of a kind); the hub's whole flash put back to
         an older state, journal and anchor alike: only what has left the house shows that (store/outbox.py). Whoever
         can read the flash has the key as well: the seals hold against who can write files, not against who can read
         the identity. Entries of the first version and those from before the hub had a key are held to their numbers
         and to one another, not to a key.
Without the key, on a host, numbers and CRCs are all that can be held against anything: Verdict.keyed says so.
"""

import struct
from collections import namedtuple

from ..crypto.equal import equal
from .journal import HEAD, KEPT, KINDS, NO_SEAL, OLD, SEALED, UNKEYED, seal_of, stored_seal

# entries: how many there are; keyed: whether they were held against the key; breaks: how many places are wrong;
# first, why: the number of the first entry after such a place (0: none), and what is wrong; newest: that of the last
Verdict = namedtuple("Verdict", ("entries", "keyed", "breaks", "first", "why", "newest"))


class _Chain:
    """The chain of one kind, as far as it has been followed."""

    def __init__(self, journal, kind: str) -> None:
        self.kind = kind
        self.key = journal.key
        self.anchor = tuple(journal.anchors.get(kind, (0, NO_SEAL)))[:2]
        self.entries = self.breaks = self.first = self.newest = 0
        self.why = ""
        self.seq = None  # of the entry before; None: not known
        self.seal = None
        self._best = OLD  # the best seal so far

    def broken(self, seq: int, why: str) -> None:
        if not self.breaks:
            self.first, self.why = seq, why
        self.breaks += 1
        self.newest = max(self.newest, seq)

    def take(self, raw: bytes) -> None:
        """Follow the chain over one record."""
        mark = raw[0]
        seq = struct.unpack_from("<I", raw, 2)[0]
        why = self._why_not(raw, mark, seq)
        if why:
            self.broken(seq, why)
        self.entries += 1
        self.seq, self.seal = seq, stored_seal(self.kind, raw)
        if mark == SEALED or self._best == OLD:
            self._best = mark

    def _why_not(self, raw, mark, seq):
        """Return what is wrong with a record, "" when nothing is."""
        if self.seq is not None and seq != self.seq + 1:
            return "%d missing before it" % (seq - self.seq - 1) if seq > self.seq else "out of order"
        if seq == self.anchor[0] and not equal(stored_seal(self.kind, raw), self.anchor[1]):
            return "is another than it was"
        if mark == OLD:
            return "has no seal" if self._best != OLD else ""
        if mark == UNKEYED and self._best == SEALED:
            return "is not sealed with the key"
        return self._why_not_sealed(raw, mark)

    def _why_not_sealed(self, raw, mark):
        if self.seal is None:
            return "what it follows is not known"
        if mark == SEALED and not self.key:
            return ""
        sealed = seal_of(self.key if mark == SEALED else b"", self.kind, self.seal, memoryview(raw)[:-10])
        return "" if equal(sealed, raw[-10:-2]) else "altered"


def check(journal, kind: str):
    """Generate a step for each entry of a kind; return the Verdict, None when the ring has turned meanwhile."""
    chain = _Chain(journal, kind)
    order = journal.order(kind)
    begins = {}  # what the first head of each file that has one says: the number of the entry before
    older_end = 0
    for which in order:
        older_end = chain.seq or 0
        for buf, at, length in journal.records(kind, which):
            raw = bytes(memoryview(buf)[at : at + length])
            if raw[0] == HEAD:
                begins.setdefault(which, struct.unpack_from("<I", raw, 2)[0])
                _begin(chain, raw, which == order[1])
            else:
                chain.take(raw)
            yield
            if journal.order(kind) != order:
                return None
    if order[0] in begins and (chain.seq or 0) > older_end:
        lacking = KEPT[kind] - begins.get(order[1], older_end) + begins[order[0]]
        if lacking > 0:
            chain.broken(begins[order[0]] + 1, "%d missing before it" % lacking)
    lacking = chain.anchor[0] - (chain.seq or 0)
    if lacking > 0:
        chain.broken(chain.anchor[0] + 1, "%d missing before it" % lacking)
    return Verdict(chain.entries, bool(chain.key), chain.breaks, chain.first, chain.why, chain.newest)


def _begin(chain, raw, is_newer):
    """Take the head of a file: what its first entry follows, unless that is known from the file before."""
    if chain.seq is None:
        seq = struct.unpack_from("<I", raw, 2)[0]
        if is_newer and seq:
            chain.broken(seq + 1, "all missing before it")
        chain.seq, chain.seal = seq, raw[6:14]


def report(journal):
    """Generate the steps of a check of all kinds; return what is to be journalled, and has not been told before."""
    lines = []
    if journal.anchor_fault:
        lines.append("journal anchor " + journal.anchor_fault)
    for kind in KINDS:
        verdict = yield from check(journal, kind)
        if verdict is None:
            continue  # it is checked again at the next start
        kept = journal.anchors.get(kind)
        if kept is None:
            continue
        if verdict.breaks and (verdict.newest > kept[2] or verdict.breaks > kept[3]):
            lines.append("journal %s %d %s" % (kind, verdict.first, verdict.why))
        kept[2], kept[3] = verdict.newest, min(verdict.breaks, 255)
    if journal.key:
        journal.keep_anchor()
    return lines
