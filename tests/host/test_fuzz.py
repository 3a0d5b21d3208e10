"""A few thousand inputs for each decoder, under both interpreters; `make fuzz` gives them a million each."""

import subprocess
import sys
from pathlib import Path

import pytest

from meterhub_tools import toolchain

sys.path.append(str(toolchain.ROOT / "tests/fuzz"))
import campaign

INPUTS = 1000
LIVES = (7001, 7002)


def life(decoder: str, engine: str, seed: int) -> campaign.Score:
    return campaign.fuzz(decoder, engine, seed, INPUTS, campaign.captures(decoder))


@pytest.mark.parametrize("decoder", campaign.DECODERS)
def test_damaged_bytes_do_no_harm_and_both_interpreters_agree(decoder: str) -> None:
    for seed in LIVES:
        on_cpython, on_micropython = (life(decoder, engine, seed) for engine in campaign.ENGINES)
        assert on_cpython.failures == on_micropython.failures == []
        assert on_cpython.counts["inputs"] == INPUTS
        assert on_cpython.counts == on_micropython.counts
        chance = on_cpython.most_by_chance(decoder)
        assert chance is None or on_cpython.counts["wrong"] <= chance


@pytest.mark.parametrize(
    "sound, broken, failure",
    [
        ("crc(raw, len(raw)) == stated", "True", "a wrong telegram is told"),
        ("    def _seek(self, buf, pos, n):", "    def _seek(self, buf, pos, n):\n        buf[n]", "IndexError"),
        ('self._end = own.find(b"!", at, self._len) + 1', 'self._end = own.find(b"!", at, at + n - 1) + 1', ""),
    ],
)
def test_a_decoder_that_is_broken_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: str, broken: str, failure: str
) -> None:
    source = (toolchain.FIRMWARE / "meterhub/meters/p1.py").read_text()
    assert source.count(sound) == 1
    subprocess.run(["cp", "-r", toolchain.FIRMWARE / "meterhub", tmp_path], check=True)
    (tmp_path / "meterhub/meters/p1.py").write_text(source.replace(sound, broken))
    monkeypatch.setattr(campaign.toolchain, "FIRMWARE", tmp_path)
    failures = life("p1", "cpython", LIVES[0]).failures
    assert failures and failure in failures[0]
    assert f"campaign.py p1 --on cpython --life {LIVES[0]}" in failures[0]
