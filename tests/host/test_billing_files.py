"""The files of private billing: what is read back is what was written, and what is none is told."""

import json

import pytest
from billing_house import CHAIN, HUB, JANUARY, House, household
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from meterhub_tools.billing import files
from meterhub_tools.billing.refusals import Refused
from meterhub_tools.billing.verifier import signer_id
from meterhub_tools.errors import ToolError
from meterhub_tools.tariffs import series

from meterhub.codec import base64url  # isort: skip

HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def house():
    return House(2, household("files", True), step_s=HOUR)


def test_batches_are_those_that_were_written(house, tmp_path):
    raw = files.pack_batches(house.batches)
    assert raw[:2] == len(house.batches[0]).to_bytes(2, "little") and raw[2:6] == b"mhb1"
    assert files.batches_of(raw) == house.batches
    path = tmp_path / "a.mhb"
    for cut in (1, 2, 50, len(raw) - 1):
        path.write_bytes(raw[:cut])
        with pytest.raises(ToolError, match=r"is no file of batches \(.mhb\), from byte"):
            files.read_batches([path])
    path.write_bytes(raw + b"\0\0")
    with pytest.raises(ToolError, match=f"from byte {len(raw)} on"):
        files.read_batches([path])


@pytest.mark.parametrize(
    ("start", "stop", "count"),
    [
        (None, None, 2),
        (JANUARY, JANUARY + DAY, 1),
        (JANUARY + HOUR, JANUARY + 2 * HOUR, 1),
        (JANUARY + 23 * HOUR, JANUARY + 25 * HOUR, 2),
        (JANUARY + DAY, None, 1),
        (JANUARY - 1, None, 0),
        (0, JANUARY + DAY, 0),
        (None, JANUARY + 2 * DAY + 1, 0),
        (JANUARY + 2 * DAY, None, 0),
    ],
)
def test_the_batches_of_a_time_are_chosen(house, start, stop, count):
    if count:
        assert len(files.chosen(house.batches, start, stop)) == count
        assert files.chosen(house.batches, start, stop, CHAIN) == files.chosen(house.batches, start, stop)
        return
    with pytest.raises(Refused, match=r"BATCH_NONE.*2026-01-01 to 2026-01-02"):
        files.chosen(house.batches, start, stop)


def test_batches_of_another_chain_are_not_chosen(house):
    with pytest.raises(Refused, match=r"BATCH_NONE"):
        files.chosen(house.batches, None, None, b"another chain...")


def test_keys_of_others_are_passed_over(house, tmp_path):
    hub, day = signer_id(HUB), house.first_day
    mine, other = tmp_path / "mine.mhk", tmp_path / "other.mhk"
    mine.write_bytes(house.keys())
    other.write_bytes(House(1, household("files"), step_s=HOUR, chain=b"another chain...").keys())
    assert files.read_keys([other, mine], hub, CHAIN, [day + 1, day]) == house.keys()
    assert files.read_keys([mine], hub, CHAIN, [day]) == house.keys(1)
    with pytest.raises(Refused, match=r"KEYS_OTHER.*none for 2026-01-01"):
        files.read_keys([other], hub, CHAIN, [day])
    mine.write_bytes(house.keys()[:-1])
    with pytest.raises(Refused, match="KEYS_FORMAT"):
        files.read_keys([mine], hub, CHAIN, [day])


# -- public keys -----------------------------------------------------------------------------------------------------


def pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def test_a_public_key_has_many_forms(tmp_path):
    text = base64url.encode(HUB)
    path = tmp_path / "key"
    contents = (
        text,
        text + "\n",
        json.dumps({"key": text, "name": "a"}),
        pem(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), HUB)),
    )
    for content in contents:
        path.write_text(content)
        assert files.public_key(str(path), "--hub-key") == HUB
        assert files.public_key(content, "--hub-key") == HUB


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nothing",
        "{}",
        "{",
        '{"key": 3}',
        base64url.encode(HUB)[:-1],
        base64url.encode(HUB[:33]),
        base64url.encode(HUB[:-1] + bytes((HUB[-1] ^ 1,))),  # not on the curve
        "-----BEGIN PUBLIC KEY-----",
        pem(ec.generate_private_key(ec.SECP384R1()).public_key()),
        pem(ed25519.Ed25519PrivateKey.generate().public_key()),
        "\ufffd",
    ],
)
def test_what_is_no_public_key(content, tmp_path):
    path = tmp_path / "key"
    path.write_text(content)
    for one in (content, str(path)):
        with pytest.raises(ToolError, match=r"(?s)--hub-key .* is neither"):
            files.public_key(one, "--hub-key")


def test_bytes_that_are_no_text_are_no_public_key(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ToolError, match="is neither"):
        files.public_key(str(path), "--hub-key")


# -- readings --------------------------------------------------------------------------------------------------------


def readings(tmp_path, *lines):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    return series.registers(path)


def test_the_websites_table_tells_what_was_read_before_its_first_line(tmp_path):
    both = ",".join(f"{obis} [Wh] {what}" for obis in ("1-0:1.8.0", "1-0:2.8.0") for what in ("register", "interval"))
    lines = [
        f"interval_end_utc,quality,{both}",
        "2026-01-01T01:00:00Z,measured,1300,300,20,5",
        "2026-01-01T02:00:00Z,missing,,,,",
        "2026-01-01T03:00:00Z,meter exchanged,7,,1,",
    ]
    found = readings(tmp_path, *lines)
    assert found == {JANUARY: (1000, 15), JANUARY + HOUR: (1300, 20), JANUARY + 3 * HOUR: (7, 1)}
    lines[1] = "2026-01-01T01:00:00Z,measured,1300,,20,5"
    assert JANUARY not in readings(tmp_path, *lines)
    lines[1] = "2026-01-01T01:00:00Z,measured,1300,300,20,"
    assert readings(tmp_path, *lines)[JANUARY] == (1000, None)


def test_registers_are_wanted_and_not_energies(tmp_path):
    with pytest.raises(ToolError, match=r"no column wh or 1-0:1\.8\.0"):
        readings(tmp_path, "end,wh", f"{JANUARY},3")
    with pytest.raises(ToolError, match="no column interval_end_utc"):
        readings(tmp_path, "when,1-0:1.8.0", f"{JANUARY},3")
    assert readings(tmp_path, "end,1-0:1.8.0", f"{JANUARY},3") == {JANUARY: (3, None)}
