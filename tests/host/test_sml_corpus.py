"""The firmware's SML decoder over real captures, under MicroPython and CPython, against what they must decode to.

The captures are not part of this repository; see conftest.py. Every good file of each capture is compared.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from line_corpus import decode_streams, interpreters

DECODE = Path(__file__).with_name("sml_decode.py")
BLANKED = "whoever posted it blanked the meter's number: the CRC of the message is no longer right (libsml: dropped)"
REFUSED = {
    "smllib/03_frames_frame_issue_8_ok.hex": ({"crc": 2}, BLANKED),
    "smllib/04_frames_frame_issue_8_err.hex": ({"crc": 2}, BLANKED),
    "smllib/11_frame_only_frame2.hex": ({"crc": 2}, BLANKED),
}
PEER_ERRORS = {  # what the expected values have from a peer that is wrong: capture, register -> what is right
    ("libsml-testing/DZG_DVS-7412.2_jmberg.bin", "1-0:16.7.0"): (
        "356.24",
        "smllib has no rule for DZG; libsml agrees",
    ),
}


def differences(capture: str, found: dict, expected: dict) -> list[str]:
    """Return the registers of one file that are not as expected: {"1-0:1.8.0*255": [value, unit, {"status": n}]}."""
    got = {r[0]: r for r in found["readings"]}
    wrong = []
    for code, value in expected.items():
        obis = code.replace("*255", "").replace("*", ".")
        if obis in got:
            right = PEER_ERRORS.get((capture, obis), [str(value[0])])[0]
            same = Decimal(got[obis][1]).scaleb(got[obis][2]) == Decimal(right) and got[obis][3] == (value[1] or "")
        else:
            text = found["texts"].get(obis)
            same = text is not None and value[0] in (text, text.encode().hex())
        if len(value) > 2 and found["texts"].get(f"{obis} status") != str(value[2]["status"]):
            same = False
        if not same:
            wrong.append(obis)
    return wrong


@pytest.mark.parametrize("words", interpreters())
def test_every_capture_gives_the_values_it_must(words, corpus, capsys):
    expected = json.loads((corpus / "expected/sml_all_frames.json").read_text())
    found = decode_streams(words, DECODE, [corpus / "open/sml" / name for name in expected])
    lines, bad, total = [], [], 0
    for name, result in zip(expected, found, strict=True):
        frames = expected[name]["frames"]
        if name in REFUSED:
            errors, why = REFUSED[name]
            good = not result["telegrams"] and result["errors"] == errors
            lines.append(f"  {name[:52]:52} {'refused' if good else 'WRONG':8} {why}")
        else:
            pairs = zip(result["telegrams"], frames, strict=False)
            wrong = [obis for telegram, frame in pairs for obis in differences(name, telegram, frame)]
            good = not wrong and len(result["telegrams"]) == len(frames)
            count = sum(len(frame) for frame in frames)
            total += count
            lines.append(
                f"  {name[:52]:52} {'right' if good else 'WRONG':8} {len(frames)} files, {count} values "
                f"{result['errors'] or ''} {' '.join(wrong)}"
            )
        if not good:
            bad.append(name)
    peers = [f"  {capture} {obis}: {right}; {why}" for (capture, obis), (right, why) in PEER_ERRORS.items()]
    with capsys.disabled():
        print("\n" + "\n".join([*lines, f"  {total} values; where a peer is wrong:", *peers]))  # noqa: T201
    assert not bad
