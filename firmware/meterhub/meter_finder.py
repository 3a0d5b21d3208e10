"""Finds out what is on the line of a meter whose protocol is "auto", and remembers it for the next start.

Memory   loaded only for such a meter. Its decoders are made at the start, while a small heap has pieces of 4 KB: one
         of each protocol, 11 KB, or 19 KB with a key. The one that has found its meter stays, the others are let go.
         While less than 64 KB are free, a meter has to wait until another one has been found.
Runs on  the unix port and the boards
"""

import asyncio
import gc

from . import lazy
from .hal.ticks import now_ms
from .meters import kinds

_BUFFER = 512
_LOOK_MS = 100
_ROOM_BYTES = 65536
_PROTOCOLS = ("p1", "encrypted", "sml", "dlms", "iec62056")
_unknown = []  # names of the meters that are being searched for


def prepare(hub, meter) -> None:
    """Make what will be needed for `meter`: its decoder where it is known from before, else one of each protocol."""
    known = _parsed(hub.record("line-" + meter.name).load())
    if known:
        _take(meter, known, _decoder(hub, meter, "encrypted" if known[3] else known[0]))
    elif _is_room():
        meter.candidates = _candidates(hub, meter)


async def find(hub, meter, uart) -> None:
    """Find out what is on the line of `meter`, unless that is known, and set the line for it."""
    if meter.decoder is None:
        while not meter.candidates and _unknown and not _is_room():
            await asyncio.sleep(1)
        found = await _search(meter, uart, meter.candidates or _candidates(hub, meter))
        meter.candidates = None
        known = (found.protocol, found.baud, found.format, found.is_encrypted)
        hub.record("line-" + meter.name).save(("%s %d %s %d" % known).encode())
        hub.journal.add("event", "meter found", meter.name + " %s %d %s" % known[:3])
        _take(meter, known, found.decoder)
        await uart.set_line(*meter.line[:2])
        for telegram in found.telegrams:
            hub.household.take(meter, telegram)
        if not _unknown:
            lazy.let_go([name for name in lazy.loaded() if name.startswith("meterhub.meters.detect")])
    else:
        await uart.set_line(*meter.line[:2])


def forget(hub, meter) -> None:
    """Let the next find() search again: what was found is not there any more."""
    hub.record("line-" + meter.name).save(b"")
    meter.protocol = "auto"
    meter.decoder = None


def _is_room():
    gc.collect()
    return gc.mem_free() > _ROOM_BYTES


def _take(meter, known, decoder):
    meter.protocol, baud, form, _ = known
    meter.line = (baud, form, meter.line[2])
    meter.decoder = decoder
    decoder.errors.clear()


def _candidates(hub, meter):
    """Return {protocol: decoder}; without a key none for P1 that is encrypted."""
    has_key = bool(meter.setting.get("key"))
    return {name: _decoder(hub, meter, name) for name in _PROTOCOLS if has_key or name != "encrypted"}


def _decoder(hub, meter, protocol):
    """Return the decoder that the meter had if somebody had named its protocol."""
    own = dict(meter.setting)
    own.update({"protocol": "p1" if protocol == "encrypted" else protocol, "every_s": 0})
    if protocol == "p1":
        own["key"] = ""
    return kinds.decoder(own, hub.zone)


async def _search(meter, uart, candidates):
    """Return what is on the line (meters.detect.Found), as soon as a good frame has come."""
    from .meters.detect import Detector  # noqa: PLC0415 - let go when all have been found

    _unknown.append(meter.name)
    try:
        detector = Detector(candidates, now_ms())
        await uart.set_line(*detector.line)
        buf = bytearray(_BUFFER)
        while detector.found is None:
            try:
                count = await asyncio.wait_for_ms(uart.read_into(buf), _LOOK_MS)
            except asyncio.TimeoutError:
                is_new = detector.on_quiet(now_ms())
            else:
                meter.heard(buf, count)
                is_new = detector.on_bytes(buf, count, now_ms())
            if is_new:
                gc.collect()
                await uart.set_line(*detector.line)
        return detector.found
    finally:
        _unknown.remove(meter.name)


def _parsed(raw):
    """Return (protocol, baud, format, is_encrypted) of a record, None when there is nothing in it."""
    if not raw:
        return None
    protocol, baud, form, encrypted = raw.decode().split()
    return protocol, int(baud), form, encrypted == "1"
