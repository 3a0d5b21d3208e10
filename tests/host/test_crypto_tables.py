"""The generated comb tables: derived again, and each entry worked out once more by another library."""

from pathlib import Path

import pytest
from Crypto.PublicKey.ECC import EccPoint

from meterhub.crypto import p256, p256_comb, p256_tables, pedersen, pedersen_tables, spake2, spake2_tables
from meterhub.crypto.steps import run
from meterhub_tools.dev import hash_to_curve
from meterhub_tools.dev import p256_tables as generator

CRYPTO = Path(p256.__file__).parent
TABLES = {
    "G": (p256_tables.G, p256.G, 7, 37),
    "M": (spake2_tables.M, spake2.M, 6, 43),
    "N": (spake2_tables.N, spake2.N, 6, 43),
    "H": (pedersen_tables.H, pedersen.H, 6, 43),
}


def test_the_files_are_what_the_generator_writes(tmp_path):
    room = tmp_path / "meterhub" / "crypto"
    room.mkdir(parents=True)
    assert generator.main([str(tmp_path)]) == 0
    for name in generator.MODULES:
        assert (room / name).read_text() == (CRYPTO / name).read_text(), name


def test_the_generator_wants_a_firmware_folder(tmp_path, capsys):
    assert generator.main([]) == generator.main([str(tmp_path)]) == 2
    assert "FIRMWARE_FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize("name", TABLES)
def test_every_entry_is_the_signed_sum_of_its_row_points(name):
    raw, point, rows, columns = TABLES[name]
    assert len(raw) == 64 << rows - 1
    bases = [EccPoint(*point) * (1 << columns * row) for row in range(rows)]
    for c in range(1 << rows - 1):
        entry = bases[-1]
        for row in range(rows - 1):
            entry = entry + (bases[row] if c >> row & 1 else -bases[row])
        assert raw[64 * c : 64 * c + 64] == int(entry.x).to_bytes(32, "big") + int(entry.y).to_bytes(32, "big")


@pytest.mark.parametrize("k", [1, 2, 3, 1 << 43, 1 << 215, (p256.N + 1) // 2, p256.N - 1, p256.N - 2, 12345 << 200])
def test_a_table_that_the_hub_makes_is_what_the_generator_writes(k):
    point = run(p256.mul_base(k))
    assert run(p256_comb.table_of(point)) == generator.table(point, 6, 43)


def test_the_halves_are_odd_multiples_of_half_of_g():
    half = EccPoint(*p256.G) * ((p256.N + 1) // 2)
    for i in range(8):
        point = half * (2 * i + 1)
        raw = pedersen_tables.HALVES[64 * i : 64 * i + 64]
        assert raw == int(point.x).to_bytes(32, "big") + int(point.y).to_bytes(32, "big")
    assert len(pedersen_tables.HALVES) == 512


def test_points_are_hashed_as_rfc_9380_says():
    text = (Path(__file__).parents[1] / "vectors/hash_to_curve_p256.txt").read_text()
    blocks = [dict(line.split(" ") for line in block.splitlines()[-5:]) for block in text.strip().split("\n\n")]
    for block in blocks:
        message = b"" if block["msg"] == "-" else bytes.fromhex(block["msg"])
        x, y, u0, u1 = (int(block[name], 16) for name in ("x", "y", "u0", "u1"))
        tag = b"QUUX-V01-CS02-with-P256_XMD:SHA-256_SSWU_RO_"
        assert hash_to_curve.hash_to_field(message, tag) == (u0, u1)
        assert hash_to_curve.hash_to_curve(message, tag) == (x, y)
    assert len(blocks) == 3


def test_h_is_the_hash_that_it_is_said_to_be():
    assert hash_to_curve.hash_to_curve(pedersen.MESSAGE, pedersen.TAG) == pedersen.H
    assert pedersen.TAG != b"QUUX-V01-CS02-with-P256_XMD:SHA-256_SSWU_RO_"


@pytest.mark.parametrize("length", [0, 256])
def test_a_tag_of_a_wrong_length_is_refused(length):
    with pytest.raises(ValueError, match="length"):
        hash_to_curve.expand_message(b"", b"t" * length, 32)
