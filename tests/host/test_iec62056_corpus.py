"""The firmware's IEC 62056-21 decoder over real captures, under both interpreters, against what they must decode to.

The captures are not part of this repository; see conftest.py. Most of them were edited by whoever posted them, which
their BCC shows: they must be refused, and read with a BCC that is right.
"""

import json
import re
from decimal import Decimal

import pytest
from line_corpus import decode, interpreters

UNITS = {
    "MWh": ("Wh", 6),
    "kWh": ("Wh", 3),
    "kW": ("W", 3),
    "m3ph": ("m3/h", 0),
    "kvarh": ("varh", 3),
    "kvar": ("var", 3),
}
HOURS = "h"
EDITED = "its BCC is wrong: whoever posted it changed the text"
REFUSED = {
    "smartmeter-obis/d0_SerialRequestResponseD0-20.json": ("crc", EDITED),
    "smartmeter-obis/d0_SerialRequestResponseD0BufferOverrun.json": ("crc", EDITED),
    "smartmeter-obis/d0_SerialRequestResponseD0End.json": ("crc", EDITED),
    "smartmeter-obis/d0_SerialResponseD0DSMR.json": ("unsupported P1", "a P1 telegram, and its CRC is wrong too"),
    "vzlogger/ace3000.json": ("crc", "noise on the line"),
}


def mended(raw: bytes) -> bytes:
    """Return the message with the BCC that its text should have, or without the CRC of a P1 telegram."""
    if b"\x03" not in raw:
        return re.sub(rb"![0-9A-F]{4}\r\n", b"!\r\n", raw)
    start, end = raw.find(b"\x02", raw.find(b"\n")) + 1, raw.rfind(b"\x03") + 1
    bcc = 0
    for byte in raw[start:end]:
        bcc ^= byte
    return raw[:end] + bytes([bcc])


def differences(found: dict, expected: dict) -> tuple[int, list[str]]:
    """Return (values compared, codes that differ)."""
    got = {}
    for reading in found["readings"]:
        got.setdefault(reading[0], reading)
    compared, wrong = 0, []
    for code, value in expected.items():
        if code.startswith(("_", "#cont")):
            continue
        plain = code.split("#")[0]  # the second message of a file has the same codes again
        text, unit = value if not isinstance(value[0], list) else value[0]
        compared += 1
        if not agrees(got, found, plain, text, unit):
            wrong.append(plain)
    return compared, wrong


def agrees(got: dict, found: dict, code: str, text: str, unit: str | None) -> bool:
    names = (code, "1-0:" + code, "1-0:" + code.replace("*", "."), code.replace("*255", ""))
    said = next((found["texts"][name] for name in names if name in found["texts"]), None)
    if said is not None:
        return said.split(" ")[0] == (text if unit is None else f"{text}*{unit}").split(" ")[0]
    reading = next((got[name] for name in names if name in got), None)
    if reading is None:
        return False
    name, power = UNITS.get(unit or "", (unit or "", 0))
    right = Decimal(text.strip().replace(",", ".")).scaleb(power)
    if unit == HOURS:
        name, right = "s", right * 3600
    return Decimal(reading[1]).scaleb(reading[2]) == right and reading[3] == name


@pytest.mark.parametrize("words", interpreters())
def test_every_capture_gives_the_values_it_must(words, corpus, tmp_path, capsys):
    expected = json.loads((corpus / "expected/modec.json").read_text())
    texts = [json.loads((corpus / "open/iec62056-21" / name).read_text()) for name in expected]
    raws = ["".join(text).encode("latin-1") for text in texts]
    as_posted = decode(words, "iec62056", tmp_path, raws)
    repaired = decode(words, "iec62056", tmp_path, [mended(raw) for raw in raws])
    lines, bad, total = [], [], 0
    for name, posted, mend in zip(expected, as_posted, repaired, strict=True):
        reason, why = REFUSED.get(name, ("", ""))
        good = bool(mend["telegrams"])
        if reason:
            good = good and not posted["telegrams"] and reason in posted["errors"]
        else:
            good = good and not posted["errors"]
        compared, wrong = differences(mend["telegrams"][-1], expected[name]) if mend["telegrams"] else (0, [])
        total += compared
        state = ("refused, and right when mended" if reason else "right") if good and not wrong else "WRONG"
        lines.append(f"  {name[:58]:58} {state} {compared} values {why} {' '.join(wrong)} {mend['errors'] or ''}")
        if not good or wrong:
            bad.append(name)
    with capsys.disabled():
        print("\n" + "\n".join([*lines, f"  {total} values"]))  # noqa: T201
    assert not bad


@pytest.mark.parametrize("words", interpreters())
def test_messages_of_the_peer_s_tests(words, corpus, tmp_path):
    given = json.loads((corpus / "open/iec62056-21/iec62056-21/vectors.json").read_text())
    names = ("answer_data", "readout", "readout_bad_bcc")
    found = decode(words, "iec62056", tmp_path, [given[name].encode() for name in names])
    assert found[0]["telegrams"][0]["texts"] == {"3:171.0": "0"}
    assert [r[:4] for r in found[1]["telegrams"][0]["readings"]] == [["3:14", 314, 3, "Wh"], ["4:15", 415, 3, "Wh"]]
    assert found[2] == {"telegrams": [], "errors": {"crc": 1}}
