"""The firmware's M-Bus decoder over real captures, under MicroPython and CPython, against what they must decode to.

The captures are not part of this repository; see conftest.py.
"""

import json
import re
from decimal import Decimal

import pytest
from line_corpus import decode, interpreters

UNITS = {
    "MeasureUnit.WH": "Wh",
    "MeasureUnit.M3_H": "m3/h",
    "MeasureUnit.SECONDS": "s",
    "MeasureUnit.PERCENT": "%",
    "MeasureUnit.DBM": "dBm",
    "MeasureUnit.NONE": "",
    "MeasureUnit.HCA": "",
}
WAYS = {"Maximum value": " max", "Minimum value": " min", "Value during error state": " error"}
REFUSED = {  # what is no answer with good records, and what makes it so; every other capture must be read
    "buffer_too_long": "refused too long",
    "error.hex": "refused unspecified",
    "premature_end_of_record": "refused premature end",
    "premature_end_of_var_vif1": "truncated",
    "too_long_var_vif": "truncated",
    "too_many_readouts": "refused too many readouts",
    "too_many_records": "refused too many records",
    "premature_end_of_d": "truncated",
    "premature_end_of_v": "truncated",
    "too_many_dife": "too many DIFE",
    "too_many_vife": "too many VIFE",
    "invalid_length": "garbage",
    "manual_frame5": "unsupported request",
    "manual_frame6": "unsupported request",
    "control_frame": "truncated",
    "frametype.hex": "truncated",
    "serial.hex": "truncated",
    "serial_2": "crc",
    "serial_3": "unsupported request",
}
PEER_ERRORS = {  # capture, record -> what is right, and why
    ("landis+gyr_ultraheat_t230", 21): ("2011-08-26T20:50", "VIFE 6F: the date of its last end, no temperature"),
    ("landis+gyr_ultraheat_t230", 22): ("2011-08-09T11:43", "VIFE 6F: the date of its last end, no temperature"),
    ("landis+gyr_ultraheat_t230", 19): ("2000-00-00T00:00", "VIFE 6F: the date of its last end, no power"),
    ("landis+gyr_ultraheat_t230", 20): ("2000-00-00T00:00", "VIFE 6F: the date of its last end, no flow"),
    ("landis+gyr_ultraheat_t230", 32): ("*-01-01T00:00", "year 127 of type F is every year, not 2027"),
    ("LGB_G350", 1): ("2016-07-22T08:00:00", "48 bits are type I, not F (libmbus has it right)"),
    ("REL-Relay-Padpuls2", 1): ("invalid", "bit 8 of type F: the meter says that its clock is not set"),
}


def expected_records(name: str, records: dict) -> list:
    """Return the records of a capture, where the peer is wrong with the right text."""
    found = []
    for key, record in records.items():
        if key.startswith("_"):
            continue
        right = next((why[0] for (part, n), why in PEER_ERRORS.items() if part in name and n == int(key)), None)
        found.append([right, "text", record[2]] if right is not None else record)
    return found


def is_told_as_text(value: float, kind: dict, texts: list[str]) -> bool:
    """Return whether a number of the peer's is a name here, or no number: what an error mark makes of it."""
    if re.search("FABRI|LOCATION", kind["type"]) and any(text.isdigit() and int(text) == value for text in texts):
        return True
    return kind["function"].endswith("ERROR_STATE_VALUE") and any(text.startswith("error ") for text in texts)


def differences(name: str, found: dict, records: dict) -> tuple[int, list[str]]:
    """Return (values compared, those that differ)."""
    header = ("medium", "status", "version")
    readings = iter(found["readings"])
    texts = [text for name, text in found["texts"].items() if name not in header]
    compared, wrong = 0, []
    for value, unit, kind in expected_records(name, records):
        if value is None:
            continue
        compared += 1
        said = str(value)
        if unit == "None":  # the manufacturer's own
            same = said.replace(" ", "").lower() in ["", *texts]
        elif said in texts or said.replace(":00Z", "") in texts:
            texts.remove(said if said in texts else said.replace(":00Z", ""))
            continue
        elif isinstance(value, str):
            same = any(said == re.sub("^error -?", "", text).lower() for text in texts)
        elif is_told_as_text(value, kind, texts):
            continue
        else:
            reading = next(readings, [None, 0, 0, None])
            got = Decimal(reading[1]).scaleb(reading[2])
            right = UNITS.get(unit, unit.replace("MeasureUnit.M3", "m3").replace("MeasureUnit.", ""))
            same = reading[3] == right and abs(float(got) - value) <= 1e-6 * max(1, abs(value))
        if not same:
            wrong.append(f"{value} {unit}")
    return compared, wrong + [f"too much: {rest}" for rest in readings]


def misnamed(found: dict, records: list) -> list[str]:
    """Return the readings whose storage, tariff, subunit or way is not what libmbus says, where it has as many."""
    numbers = [r for r in records if re.fullmatch(r"-?\d+\.\d{6}", r[0]) and r[2] not in ("Fabrication No",)]
    if len(numbers) != len(found["readings"]):
        return []
    wrong = []
    for reading, record in zip(found["readings"], numbers, strict=True):
        suffix = WAYS.get(record[3], "")
        for letter, number in zip("stu", record[4:7], strict=True):
            suffix += f" {letter}{number}" if number and number != "0" else ""
        name = re.sub(" #[0-9]+$", "", reading[0])
        if not name.endswith(suffix) or (not suffix and re.search(" [stu][0-9]+$", name)):
            wrong.append(f"{reading[0]} ({record})")
    return wrong


@pytest.mark.parametrize("words", interpreters())
def test_every_capture_gives_the_values_it_must(words, corpus, tmp_path, capsys):
    expected = json.loads((corpus / "expected/mbus.json").read_text())
    raws = [bytes.fromhex((corpus / "open/mbus" / name).read_text()) for name in expected]
    lines, bad, total = [], [], 0
    for name, result in zip(expected, decode(words, "mbus", tmp_path, raws), strict=True):
        reason = next((why for start, why in REFUSED.items() if name.split("/")[-1].startswith(start)), "")
        if reason:
            good = not result["telegrams"] and result["errors"] == {reason: 1}
            lines.append(f"  {name[8:52]:44} {'refused' if good else 'WRONG':8} {reason}")
        else:
            good = len(result["telegrams"]) == 1 and not result["errors"]
            compared, wrong = 0, ["no telegram"]
            if good:
                compared, wrong = differences(name, result["telegrams"][0], expected[name])
                wrong += misnamed(result["telegrams"][0], expected[name].get("_libmbus", {}).get("records", []))
                header = expected[name].get("_libmbus", {}).get("slave", {})
                ident = (header.get("Manufacturer") or "") + (header.get("Id") or "").zfill(8)
                if header and not wrong and result["telegrams"][0]["meter"].lower() != ident.lower():
                    wrong = [f"meter {ident}"]
            good = good and (not wrong or "manual_frame" in name)
            total += compared
            lines.append(f"  {name[8:52]:44} {'right' if good else 'WRONG':8} {compared} values {' '.join(wrong)}")
        if not good:
            bad.append(name)
    peers = [f"  {name} record {n}: {right}: {why}" for (name, n), (right, why) in PEER_ERRORS.items()]
    with capsys.disabled():
        print("\n" + "\n".join([*lines, f"  {total} values; where a peer is wrong:", *peers]))  # noqa: T201
    assert not bad


@pytest.mark.parametrize("words", interpreters())
def test_the_fixed_structure_is_read_as_the_standard_has_it(words, corpus, tmp_path):
    capture = corpus / "open/mbus/libmbus/test-frames/manual_frame2.hex"
    (result,) = decode(words, "mbus", tmp_path, [bytes.fromhex(capture.read_text())])
    (telegram,) = result["telegrams"]
    # libmbus calls the unit of the second counter "reserved but historic": it is that of the first, at a fixed date
    assert [r[:4] for r in telegram["readings"]] == [["volume", 1, 0, "l"], ["volume s1", 135, 0, "l"]]
