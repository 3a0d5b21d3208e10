"""The generated comb tables: derived again, and each entry worked out once more by another library."""

from pathlib import Path

import pytest
from Crypto.PublicKey.ECC import EccPoint

from meterhub.crypto import p256, p256_tables, spake2, spake2_tables
from meterhub_tools.dev import p256_tables as generator

CRYPTO = Path(p256.__file__).parent
TABLES = {
    "G": (p256_tables.G, p256.G, 7, 37),
    "M": (spake2_tables.M, spake2.M, 6, 43),
    "N": (spake2_tables.N, spake2.N, 6, 43),
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
