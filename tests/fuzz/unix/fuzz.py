"""One decoder under damaged bytes. Runs under both interpreters; campaign.py starts it.

Words    inputs DECODER LIFE INPUTS [FILE ...]   so many inputs from the seed LIFE; FILE: a good frame more
         linear DECODER BYTES                    the seconds that streams of so many bytes take
Says     one JSON line for the life, or for each stream; {"failed": ...} for what should not be

What must hold for every input, which is fed to one decoder at once and to another one in pieces of 1 to 64 bytes:
    no exception (on MicroPython in a small heap: so neither one for want of memory)
    both decoders tell the same; where their counts of errors differ that is counted, as "uneven": a count of what was
    noise depends a little on how it came
    a telegram that is none of the good ones is told only where the damage is HEAVY and nothing better than a CRC
    protects it: those are counted; campaign.py knows how many there may be by chance
    behind it, after a silence, the next good frame is read
and what the decoders keep does not grow: the heap in use is measured early and at the end.
"""

import binascii
import gc
import json
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../../unix")
sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../../bench/unix")
sys.path.insert(0, __file__.rsplit("/", 1)[0])

import in_place  # noqa: F401 - first: where the firmware comes from
from answers import elapsed_us, now_us
from mutate import LIGHT, Dice, damaged
from subjects import SUBJECTS, SUM, TAG, streams

_MOST_REASONS = 40
_EARLY = 200  # inputs
_MOST_KEPT = 24 << 10  # bytes more than early, of each: names that decoders remember, of which there is a most
_PIECE = 512


class Failed(Exception):
    """A property does not hold; args: which, and more about it."""


def told(decoder, raw, step):
    """Return the Telegrams that `raw` gives in pieces of `step` bytes, and then a silence."""
    found = []
    for pos in range(0, len(raw), step):
        piece = raw[pos : pos + step]
        found.extend(decoder.feed(piece, len(piece)))
    found.extend(decoder.silence())
    return found


def truth_of(subject):
    """Return the Telegrams of all samples: nothing else may ever be told."""
    found = []
    for sample in subject.samples:
        for first in (subject.samples[0], b""):
            decoder = subject.make()
            told(decoder, first, 64)
            subject.fresh(decoder)
            for telegram in told(decoder, sample, 64):
                if telegram not in found:
                    found.append(telegram)
    return found


class Life:
    """Two decoders, and what they are given."""

    def __init__(self, subject, truth, seed):
        self.subject = subject
        self.truth = truth
        self.dice = Dice(seed)
        self.whole = subject.make()
        self.pieces = subject.make()
        self.raw = b""
        self.kept = self.inputs = self.bytes = self.good = self.wrong = self.uneven = 0
        self.reasons = set()
        self.after = told(subject.make(), subject.samples[0], 64)
        self._both(subject.samples[0], 64)

    def live(self, inputs):
        early = 0
        for i in range(inputs):
            if i == _EARLY:
                early = left()
            self.raw, damage = damaged(self.dice, self.subject.samples, self.subject.tokens)
            found = self._both(self.raw, 1 + self.dice.below(64))
            self._judge(found, damage)
            if self._both(self.subject.samples[0], 1 + self.dice.below(64)) != self.after:
                raise Failed("the next good frame is not read", self.whole.errors)
            self.bytes += len(self.raw)
            self.inputs += 1
        if early:
            self.kept = max(0, left() - early) // 2
        if self.kept > _MOST_KEPT:
            raise Failed("%d bytes more are kept" % self.kept)
        if len(self.reasons) > _MOST_REASONS:
            raise Failed("reasons without end", self.reasons)

    def _both(self, raw, step):
        subject = self.subject
        for decoder in (self.whole, self.pieces):
            decoder.errors.clear()
            subject.fresh(decoder)
        found = told(self.whole, raw, len(raw) or 1)
        other = told(self.pieces, raw, step)
        if found != other:
            raise Failed("in pieces of %d another telegram" % step, [found, other])
        self.uneven += self.whole.errors != self.pieces.errors
        self.reasons.update(self.whole.errors)
        return found

    def _judge(self, found, damage):
        for telegram in found:
            if telegram in self.truth:
                self.good += 1
                continue
            protection = self.subject.protection
            if protection == TAG or (protection != SUM and damage == LIGHT):
                raise Failed("a wrong telegram is told", telegram)
            self.wrong += 1


def left():
    """Return the bytes of the heap that are in use, 0 where nobody knows."""
    gc.collect()
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    getattr(sys.stdout, "flush", int)()


def fuzz(name, seed, inputs, paths):
    subject = SUBJECTS[name]()
    for path in paths:
        with open(path, "rb") as file:
            subject.samples.append(file.read())
    life = Life(subject, truth_of(subject), seed)
    try:
        life.live(inputs)
    except Exception as error:  # noqa: BLE001 - that there is one is what is looked for
        reason = error.args[0] if isinstance(error, Failed) else repr(error)
        raw = str(binascii.hexlify(life.raw), "ascii")
        say({"failed": reason, "life": seed, "input": raw, "more": repr(error.args[1:])[:2000]})
        if not isinstance(error, Failed) and hasattr(sys, "print_exception"):
            sys.print_exception(error, sys.stderr)
    counts = {"life": seed, "inputs": life.inputs, "bytes": life.bytes, "uneven": life.uneven, "kept": life.kept}
    counts.update({"good": life.good, "wrong": life.wrong})
    say(counts)


def linear(name, size):
    subject = SUBJECTS[name]()
    for kind, unit in streams(subject).items():
        raw = unit * (1 + _PIECE // len(unit))
        decoder = subject.make()
        start = now_us()
        pos = done = 0
        while done < size:
            piece = raw[pos : pos + _PIECE]
            decoder.feed(piece, len(piece))
            done += len(piece)
            pos = (pos + _PIECE) % len(unit)
        say({"stream": kind, "bytes": done, "s": elapsed_us(now_us(), start) / 1e6})


if sys.argv[1] == "linear":
    linear(sys.argv[2], int(sys.argv[3]))
else:
    fuzz(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
