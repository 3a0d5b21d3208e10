"""`meterhub decode` on files of every form, made here from telegrams that never were; and what it says of bad ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from meterhub_tools import toolchain
from meterhub_tools.decode import files, hexdump
from meterhub_tools.errors import ToolError

sys.path.append(str(toolchain.ROOT / "tests/unix"))
import dlms_samples
import mbus_samples
import meters_samples
import p1_encrypted_samples
import sml_samples

P1 = meters_samples.telegram()
SML = sml_samples.sml(*sml_samples.PLAIN)
MBUS = mbus_samples.EXAMPLE
RAW = bytes(range(0x60, 0xA0)) + b"\x00\xff"


def meterhub(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "meterhub_tools.cli", *(str(word) for word in words)]
    return subprocess.run(line, cwd=toolchain.ROOT / "host_tools", capture_output=True, text=True, check=False)


def decoded(*words: object) -> list[dict]:
    return [json.loads(line) for line in meterhub("decode", "--json", *words).stdout.splitlines()]


def hexed(raw: bytes, between: str = "", width: int = 16) -> str:
    rows = [raw[i : i + width] for i in range(0, len(raw), width)]
    return "\n".join(between.join(f"{byte:02x}" for byte in row) for row in rows)


# -- hexadecimal digits in the forms that people post them ------------------------------------------------------


def rows(line: str, width: int = 16) -> str:
    """Return RAW in lines of a form: {at:04x} and {row} are where the line begins, and its bytes."""
    parts = [(at, RAW[at : at + width]) for at in range(0, len(RAW), width)]
    return "\n".join(line.format(at=at, row=part.hex(" "), all=part.hex()) for at, part in parts)


@pytest.mark.parametrize(
    "text",
    [
        RAW.hex(),
        RAW.hex().upper() + "\r\n",
        hexed(RAW, " "),
        hexed(RAW, ":"),
        hexed(RAW, "-"),
        hexed(RAW, ", "),
        "0x" + hexed(RAW, " 0x").replace("\n", "\n0x"),
        "{" + ", ".join(f"0x{byte:02X}" for byte in RAW) + "};",
        ", ".join(f"0x{byte:x}" for byte in RAW),
        "b'" + "".join(f"\\x{byte:02x}" for byte in RAW) + "'",
        RAW.hex()[:33] + "\n" + RAW.hex()[33:],  # a line cut inside a byte
        RAW.hex() + "7",  # half a byte at the end
        "# a comment: be dead\n" + RAW.hex() + "  // and another\n; a third",
        "Captured from my meter on Sunday\n\n" + RAW.hex(" "),
        rows("{at:04x}: {row}"),
        rows("{at:08x}  {row}  |................|"),
        rows("{at:08x}: {row}  `abcdefghijklmno"),
        rows("[12:30:{at:02d}] {row}"),
        rows("12:30:{at:02d}.125 -> {row}", 8),
        rows("2026-03-01 12:30:{at:02d},500 {row}"),
        rows("2026-03-01T12:30:{at:02d}Z RX: {row}"),
        rows("RX: {row}"),
        rows(">> {all}"),
    ],
)
def test_hexadecimal_digits_in_every_form_give_the_same_bytes(text: str) -> None:
    assert hexdump.parsed(text) == RAW


def test_bytes_with_colons_are_no_time_of_day() -> None:
    assert hexdump.parsed("12:30:45\n10:11:12:13") == bytes.fromhex("12304510111213")


@pytest.mark.parametrize("text", ["", "\n\n", "nothing here", "# 68 03 03 68", "7"])
def test_what_has_no_digits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no hexadecimal digits"):
        hexdump.parsed(text)


# -- files -------------------------------------------------------------------------------------------------------


def raw_of(tmp_path: Path, name: str, content: bytes) -> bytes:
    path = tmp_path / name
    path.write_bytes(content)
    return files.raw(path)


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.bin", P1),
        ("a.txt", P1),
        ("a.TXT", b"\xef\xbb\xbf" + P1),
        ("a.txt", b"\xff\xfe" + P1.decode().encode("utf-16-le")),
        ("a.txt", P1.hex(" ").encode()),
        ("a.hex", P1.hex().encode()),
        ("a.hex", b"\xef\xbb\xbf" + P1.hex().encode()),
        ("a.json", json.dumps([P1[:99].decode(), P1[99:].decode()]).encode()),
        ("a.log", P1),
        ("a", hexed(P1, " ").encode()),
    ],
)
def test_the_same_telegram_in_every_kind_of_file(tmp_path: Path, name: str, content: bytes) -> None:
    assert raw_of(tmp_path, name, content) == P1


def test_requests_and_responses_are_pieces_with_silence_between_them(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    pairs = [{"request": "01 03", "response": "02 04", "comment": "x"}, {"request": "05", "response": "06"}]
    path.write_text(json.dumps({"good": pairs, "wrong": pairs[:1]}))
    (stream,) = files.streams(path)
    assert stream.pieces == (b"\x01\x03\x02\x04", b"\x05\x06", b"\x01\x03\x02\x04")


@pytest.mark.parametrize("content", [b"{", b"7", b"[]", b'[{"response": "xyz"}]'])
def test_json_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ToolError, match=r"a\.json: "):
        raw_of(tmp_path, "a.json", content)


# -- the command -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [(), ("--cpython",)])
@pytest.mark.parametrize(
    "protocol, name, content",
    [
        ("p1", "a.txt", P1 + P1),
        ("p1", "a.txt", meters_samples.bare()),
        ("sml", "a.bin", b"\x00\x01" + SML + SML),
        ("mbus", "a.hex", MBUS.hex().encode()),
        ("dlms", "a.hex", dlms_samples.hdlc(dlms_samples.LLC + dlms_samples.GOOD).hex().encode()),
        ("modbus", "a.hex", b"01 03 00 0c 00 02 04 08 01 03 04 42 c8 00 00 6f b5"),
    ],
)
def test_the_protocol_is_found_out(tmp_path: Path, engine: tuple, protocol: str, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (found,) = decoded(*engine, path)
    assert (found["protocol"], found["file"]) == (protocol, str(path))
    assert found["frames"] >= 1 and found["readings"]
    assert [found] == decoded("--protocol", protocol, path)


def test_a_text_that_an_editor_saved_with_lf_alone_is_read_as_it_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(P1.replace(b"\r\n", b"\n"))
    (found,) = decoded(path)
    assert (found["frames"], found["errors"]) == (1, {})


def test_a_text_whose_check_sum_is_over_lf_alone_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(meters_samples.telegram(eol="\n"))
    (found,) = decoded(path)
    assert (found["frames"], found["errors"]) == (1, {})


def test_what_json_says_of_a_reading_and_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(P1)
    (found,) = decoded(path)
    meter, at = meters_samples.METER, meters_samples.AT
    one = {"obis": "1-0:1.8.1", "value": 1234567, "scale": 0, "unit": "Wh", "meter": meter}
    assert one | {"channel": 0, "at": at, "frame": 0} in found["readings"]
    gas = {"obis": "0-1:24.2.1", "value": 987654, "scale": -3, "unit": "m3", "meter": meters_samples.GAS}
    assert gas | {"channel": 1, "at": at - 300, "frame": 0} in found["readings"]
    text = {"obis": "0-1:96.1.0", "text": meters_samples.GAS, "meter": meters_samples.GAS}
    assert text | {"channel": 1, "at": at, "frame": 0} in found["readings"]
    assert found["telegrams"] == [{"frame": 0, "meter": meter, "version": "50", "at": at}]


def test_a_quantity_that_has_no_obis_code_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "a.hex"
    path.write_text(MBUS.hex())
    (found,) = decoded(path)
    assert {"quantity": "volume"}.items() <= found["readings"][0].items()
    assert "obis" not in found["readings"][0]


def test_the_table_is_for_people(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(P1)
    said = meterhub("decode", path)
    assert said.returncode == 0
    assert said.stdout.startswith(f"{path}: p1, 1 good frame\n")
    assert "987.654  m3" in said.stdout and "2025-10-09 09:00:00" in said.stdout


def test_no_text_of_a_meter_moves_the_cursor(tmp_path: Path) -> None:
    lines = meters_samples.change(meters_samples.LINES, "48656C6C6F", "1B5B324A")
    path = tmp_path / "a.txt"
    path.write_bytes(meters_samples.telegram(lines))
    said = meterhub("decode", path)
    assert "0-0:96.13.0" in said.stdout
    assert "\x1b" not in said.stdout


def test_one_bad_file_fails_the_command_and_hides_no_other(tmp_path: Path) -> None:
    good, bad, empty = tmp_path / "good.txt", tmp_path / "bad.txt", tmp_path / "empty.bin"
    good.write_bytes(P1)
    bad.write_bytes(P1.replace(b"001234.567", b"001234.568"))
    empty.write_bytes(b"")
    missing, strange = tmp_path / "missing.hex", tmp_path / "strange.hex"
    strange.write_text("no bytes")
    said = meterhub("decode", "--json", bad, missing, good, empty, strange)
    assert said.returncode == 1
    found = [json.loads(line) for line in said.stdout.splitlines()]
    assert [one["frames"] for one in found] == [0, 0, 1, 0, 0]
    assert found[0]["errors"] == {"crc": 1} and found[0]["protocol"] == "p1"
    reasons = ["no good p1 frame: crc (1)", "No such file", "no decoder knows anything", "no hexadecimal digits"]
    complaints = said.stderr.splitlines()
    for one, path, reason, complaint in zip(
        [found[0], found[1], found[3], found[4]], [bad, missing, empty, strange], reasons, complaints, strict=True
    ):
        assert str(path) in one["reason"] and reason in one["reason"]
        assert complaint == f"meterhub decode: {one['reason']}"


def test_a_frame_with_nothing_in_it_is_no_good_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x02\x03\x03" * 2 + b"garbage")
    (found,) = decoded("--protocol", "iec62056", path)
    assert (found["frames"], found["errors"]["empty"]) == (0, 2)


# -- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [(), ("--cpython",)])
def test_an_encrypted_telegram_opens_with_its_keys_and_not_with_others(tmp_path: Path, engine: tuple) -> None:
    path, key_file = tmp_path / "a.bin", tmp_path / "key"
    path.write_bytes(p1_encrypted_samples.envelope())
    key, auth = p1_encrypted_samples.KEY.hex(), p1_encrypted_samples.AUTH.hex()
    key_file.write_text(key.upper() + "\n")
    assert decoded(*engine, path)[0]["errors"] == {"key missing": 1}
    for words in (("--key", key), ("--key", f"@{key_file}"), ("--key", key, "--auth-key", auth)):
        (found,) = decoded(*engine, *words, path)
        assert (found["protocol"], found["frames"], found["errors"]) == ("p1", 1, {})
    assert decoded(*engine, "--key", key, "--auth-key", key, path)[0]["errors"] == {"not authentic": 1}


@pytest.mark.parametrize("option", ["--key", "--auth-key"])
def test_a_key_is_never_repeated(tmp_path: Path, option: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(P1)
    for key in ("00112233445566778899aabbccddee", "00112233445566778899aabbccddeeffzz"):
        said = meterhub("decode", option, key, path)
        assert said.returncode == 2
        assert "a key is 32 hexadecimal digits" in said.stderr
        assert key not in said.stderr + said.stdout
    said = meterhub("decode", option, "0123456789abcdef" * 2, "--json", path)
    assert said.returncode == 0
    assert "0123456789abcdef" not in said.stderr + said.stdout


def test_a_map_names_the_registers_of_a_modbus_meter(tmp_path: Path) -> None:
    path, own = tmp_path / "a.hex", tmp_path / "own.json"
    path.write_text("01 04 00 00 00 02 71 CB / 01 04 04 43 66 33 34 1B 38".replace("/", "\n"))
    own.write_text('{"registers": [["1-0:52.7.0", 0, "float32", "V"]]}')
    for name, obis in (("sdm120", "1-0:32.7.0"), (own, "1-0:52.7.0")):
        (found,) = decoded("--map", name, path)
        (reading,) = found["readings"]
        assert (reading["obis"], reading["unit"]) == (obis, "V")
        assert abs(reading["value"] * 10.0 ** reading["scale"] - 230.2) < 1e-4


def test_a_zone_is_known_by_its_name_too(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(P1)
    assert decoded("--zone", "Europe/Amsterdam", path) == decoded("--zone", "CET-1CEST,M3.5.0,M10.5.0/3", path)


@pytest.mark.parametrize(
    "words", [("--protocol", "morse"), ("--map", "sdm999"), ("--zone", "not a zone"), ("--key", "@/no/such/file")]
)
def test_wrong_usage_ends_with_2(tmp_path: Path, words: tuple) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(P1)
    said = meterhub("decode", *words, path)
    assert said.returncode == 2
    assert "Traceback" not in said.stderr
