"""The firmware's DLMS decoder over real captures, under MicroPython and CPython, against what they must decode to.

The captures and the (test) keys of the encrypted ones are not part of this repository; see conftest.py.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from line_corpus import decode_streams, interpreters

DECODE = Path(__file__).with_name("dlms_decode.py")
NO_PUSH = {  # frames that are right and carry no push
    "dlms-cosem/hdlc_01_hdlc.hex": "a segment of an answer, without its beginning",
    "dlms-cosem/hdlc_02_hdlc.hex": "UA, the answer to SNRM",
    "dlms-cosem/hdlc_03_hdlc.hex": "AARE, the answer to an association",
    "dlms-cosem/hdlc_05_hdlc.hex": "AARQ, an association",
    "dlms-cosem/hdlc_06_other.hex": "AARQ without its frame",
    "dlms-cosem/hdlc_07_other.hex": "AARE without its frame",
    "dlms-cosem/data_notification_01_other.hex": "data without the notification around them",
    "dlms-cosem/security_03_getreq.hex": "a request",
} | {f"dlms-cosem/security_0{n}_other.hex": "a key, a counter or a tag by itself" for n in (1, 2, 4, 5, 6, 7)}
DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) dev=(-?\d+) st=(..)")


def unix(text: str) -> int | None:
    """Return the time of "2020-01-21 16:00:00 dev=-60 st=00"; without a zone it is Central European time."""
    match = DATE_TIME.match(text)
    if not match:
        return None
    wall = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    deviation, status = int(match[2]), int(match[3], 16)
    if status != 0xFF and status & 1:
        return None  # the meter says that its clock is wrong
    if deviation == -32768:
        deviation = -120 if status != 0xFF and status & 0x80 else -60
    return int((wall + timedelta(minutes=deviation)).timestamp())


def differences(found: dict, expected: dict, raw: dict) -> list[str]:
    """Return the registers that are not as expected: {"1.8.0": [value, unit]}."""
    wrong = []
    for code, (value, unit) in ((k, v) for k, v in expected.items() if not k.startswith("_")):
        numbers = [r for r in found["readings"] if r[0].partition(":")[2] == code]
        texts = [text for obis, text in found["texts"].items() if obis.partition(":")[2] == code]
        if code in ("1.0.0", "clock"):
            same = True  # below
        elif code == "meter_id":
            same = found["meter"] == value
        else:
            same = value in texts or any(
                Decimal(r[1]).scaleb(r[2]) == Decimal(str(value)) and r[3] == (unit or "") for r in numbers
            )
        if not same:
            wrong.append(code)
    telegram = raw["_telegrams"][0]
    clocks = [telegram["_datetime"], *[v[0] for k, v in telegram["values"].items() if k.endswith(":1.0.0*255")]]
    clocks += [v for v in telegram.get("_positional") or [] if DATE_TIME.match(str(v))]
    times = [at for at in (unix(clock or "") for clock in clocks) if at is not None]
    if found["at"] != (times[0] if times else None):
        wrong.append("at")
    return wrong


@pytest.mark.parametrize("words", interpreters())
def test_every_capture_gives_the_values_it_must(words, corpus, capsys):
    expected = json.loads((corpus / "expected/dlms_canonical.json").read_text())
    raw = json.loads((corpus / "expected/dlms.json").read_text())
    keys = json.loads((corpus / "keys.json").read_text())
    names = [*expected, *NO_PUSH]
    assert sorted(names) == sorted(str(p.relative_to(corpus / "open/dlms")) for p in corpus.glob("open/dlms/*/*.hex"))
    arguments = [f"{corpus / 'open/dlms' / n}={keys.get(n, {}).get('encryption_key') or ''}" for n in names]
    lines, bad, total = [], [], 0
    for name, result in zip(names, decode_streams(words, DECODE, arguments), strict=True):
        if name in NO_PUSH:
            good = not result["telegrams"] and len(result["errors"]) == 1
            lines.append(f"  {name[:52]:52} {'refused' if good else 'WRONG':8} {NO_PUSH[name]}")
        else:
            wrong = ["no telegram"] if len(result["telegrams"]) != 1 else []
            wrong = wrong or differences(result["telegrams"][0], expected[name], raw[name])
            good = not wrong and not result["errors"]
            count = sum(not code.startswith("_") for code in expected[name])
            total += count
            lines.append(f"  {name[:52]:52} {'right' if good else 'WRONG':8} {count} values {' '.join(wrong)}")
        if not good:
            bad.append(name)
    with capsys.disabled():
        print("\n" + "\n".join([*lines, f"  {total} values"]))  # noqa: T201 - the table is what one runs this for
    assert not bad


def test_the_gcm_envelope_of_a_p1_capture_opens_with_its_keys(corpus):
    from meterhub.meters.dlms_security import Envelope

    name = "esphome_dsmr/encrypted_packet.bin"
    keys = json.loads((corpus / "keys.json").read_text())[name]
    raw = bytearray((corpus / "open/p1-encrypted" / name).read_bytes())
    envelope = Envelope(bytes.fromhex(keys["encryption_key"]), bytes.fromhex(keys["authentication_key"]))
    start, end = envelope.open(raw, 0, len(raw))
    plain = json.loads((corpus / "expected/dlms.json").read_text())[name]["_telegrams"][0]["_plaintext_p1"]
    assert raw[start:end].decode() == plain
    assert envelope.is_authentic
