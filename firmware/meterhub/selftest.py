"""The self-test: a plain verdict on every part of the hub, asked for on the service line.

Source   SP 800-90B 4.4.1 (the repetition count test of the entropy source); crypto/known_answers.py
Errors   HubError UNSUPPORTED for a part that does not exist. What fails is a verdict, never an exception.
Runs on  MicroPython

A verdict is (True, False or None: it cannot be judged here, and a sentence).
"""

import asyncio
import os

from . import lazy
from .codec.crc import crc16_arc, crc16_x25
from .crypto import known_answers
from .crypto.steps import slowly
from .errors import HubError
from .hal.epoch import EARLIEST
from .store import files

_METER_S = 12  # DSMR 2 and 3 send a telegram every ten seconds
_PRESS_S = 10
_PICTURE_S = 2
_RETRY_S = 6  # a display that did not answer is asked again every five
_FLASH_BYTES = 4096
_SAMPLES = 1024
_CUTOFF = 21  # 1 + 20 / H: a false alarm once in 2^20 samples for a source of H = 1 bit a byte


async def run(hub, part: "str | None", tell) -> list:
    """Test one part, or all; tell() each verdict, and return the names of those that failed."""
    if part is not None and part not in NAMES:
        raise HubError("UNSUPPORTED", str(part)[:32])
    failed = []
    before = lazy.loaded()
    for name in NAMES:
        if part is None or name == part:
            ok, says = await _judge(hub, name, tell)
            tell({"part": name, "ok": ok, "says": says})
            if ok is False:
                failed.append(name)
            lazy.let_go(lazy.loaded() - before)  # one after the other, so that a small heap holds them all
    return failed


async def _judge(hub, name, tell):
    try:
        if name in _PARTS:
            return await _PARTS[name](hub)
        if name.startswith("button "):
            return await _button(hub, name[-1], tell)
        return _verdict(await slowly(_KNOWN[name]()), "gives what the standard says", "gives wrong results")
    except (OSError, HubError, MemoryError) as err:
        return False, "failed: %s" % (err if isinstance(err, HubError) else type(err).__name__)


def _verdict(ok, good, bad):
    return ok, good if ok else bad


async def _within(seconds, happened):
    """Return whether `happened()` becomes true within so many seconds."""
    for _ in range(10 * seconds):
        if happened():
            return True
        await asyncio.sleep_ms(100)
    return happened()


# -- what is soldered to the board -------------------------------------------------------------------------------


async def _flash(hub):
    path = hub.board.data_dir + "/selftest"
    written = hub.drbg.read(_FLASH_BYTES)
    try:
        files.replace(path, written)
        same = files.read(path, _FLASH_BYTES) == written
    finally:
        files.remove(path + ".new")
        files.remove(path)
    return _verdict(same, "4 KB written, read back and deleted", "what was read is not what was written")


async def _random(hub):
    if is_stuck(os.urandom(_SAMPLES)):
        return False, "the entropy source repeats itself"
    return _verdict(hub.drbg.read(32) != hub.drbg.read(32), "no repetition", "the generator repeats itself")


def is_stuck(samples: bytes) -> bool:
    """Return whether one value comes so often in a row that the source must be broken (SP 800-90B 4.4.1)."""
    last, times = -1, 0
    for sample in samples:
        times = times + 1 if sample == last else 1
        last = sample
        if times >= _CUTOFF:
            return True
    return False


async def _clock(hub):
    if hub.clock.state == "unset":
        return False, "nobody has told the time yet"
    before = hub.clock.now()
    await asyncio.sleep_ms(2100)
    moved = hub.clock.now() - before
    return _verdict(before >= EARLIEST and 1 <= moved <= 4, "runs; told by: " + hub.clock.state, "does not run")


# -- what is wired to it -----------------------------------------------------------------------------------------


async def _meter(hub):
    """Judge the meters on serial lines; what is wrong with the first that is not well."""
    meters = [meter for meter in hub.meters if meter.protocol != "pulse"]
    if not meters:
        return None, "the settings name no meter on a serial line"
    before = {meter.name: meter.telegrams for meter in meters}
    for meter in meters:
        meter.wanted = True
    await _within(_METER_S, lambda: all([meter.telegrams != before[meter.name] for meter in meters]))
    for meter in meters:
        if meter.telegrams == before[meter.name] and not (meter.busy and meter.telegrams):
            return False, meter.name + ": " + _why_not(meter)
    return True, "telegrams come"


def _why_not(meter):
    if meter.quiet_ms >= _METER_S * 1000:
        return "no byte in %d s: is the cable in, and the port enabled?" % _METER_S
    if meter.protocol == "auto":
        return "bytes come, but what they are is not known yet"
    return "bytes come, but no telegram: are protocol, baud, format, inverted and key right?"


async def _pulse(hub):
    meters = [meter for meter in hub.meters if meter.protocol == "pulse"]
    if not meters:
        return None, "the settings name no pulse input"
    before = [meter.pulses for meter in meters]
    seen = await _within(_METER_S, lambda: all([meter.pulses != n for meter, n in zip(meters, before)]))
    return (True, "pulses come") if seen else (None, "no pulse in %d s: is anything switched on?" % _METER_S)


async def _display(hub):
    driver = hub.settings.get("display.driver")
    if driver == "none":
        return None, "the settings name no display"
    await _within(_RETRY_S, lambda: hub.ihd.works)  # one that has just been plugged in is found by then
    hub.ihd.notice(("SELF-TEST", "0123456789 ABCDEFGHIJ", "abcdefghijklmnopqrstu", "▲ ● ◐ ○ ↑"), _PICTURE_S)
    await asyncio.sleep(_PICTURE_S)
    return _verdict(bool(hub.ihd.works), driver + " shows a picture", driver + " does not answer: see its wires")


async def _button(hub, name, tell):
    tell({"part": "button " + name, "hint": "press button %s within %d s" % (name, _PRESS_S)})
    hub.ihd.notice(("PRESS " + name, "self-test"), _PRESS_S)
    pressed = []
    usual, hub.take_press = hub.take_press, lambda which, kind: pressed.append(which)
    try:
        await _within(_PRESS_S, lambda: pressed)
    finally:
        hub.take_press = usual
        hub.ihd.notice(("thank you",), 1)
    if not pressed:
        return False, "was not pressed within %d s" % _PRESS_S
    return _verdict(pressed[0] == name, "pressed", "another button answered: are A and B interchanged?")


async def _wan(hub):
    if not hub.settings.get("wan.url"):
        return None, "the settings name no broker"
    if hub.wan is None:
        return False, "the settings cannot be carried out; the journal says why"
    return _verdict(hub.wan.is_up, "connected", "not connected: " + (hub.wan.trouble or "still trying"))


# -- what it computes --------------------------------------------------------------------------------------------


def _crc():
    """The check value of both CRCs in the catalogue: over "123456789"."""
    yield
    return crc16_arc(b"123456789", 9) == 0xBB3D and crc16_x25(b"123456789", 9) == 0x906E


_PARTS = {
    "flash": _flash,
    "random": _random,
    "clock": _clock,
    "meter": _meter,
    "pulse": _pulse,
    "wan": _wan,
    "display": _display,
}
_KNOWN = dict(known_answers.ALL + (("CRC", _crc),))
NAMES = (
    ("flash", "random", "clock")
    + tuple([name for name, _ in known_answers.ALL])
    + ("CRC", "meter", "pulse", "wan", "display", "button A", "button B")
)
