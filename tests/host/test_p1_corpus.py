"""The firmware's P1 decoder over real captures, under MicroPython and CPython, against what they must decode to.

The captures are not part of this repository: METERHUB_CORPUS or ../shared/data beside the checkout. Where there are
none, the telegrams of our own simulated meter still go through both interpreters.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import line_corpus
import pytest

from meterhub_tools import toolchain
from meterhub_tools.simulators import p1_meter
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.p1_meter import P1Meter

ROOT = Path(__file__).parents[2]
DECODE = Path(__file__).with_name("p1_decode.py")
UNITS = {"kWh": ("Wh", 3), "kW": ("W", 3), "kVAr": ("var", 3), "kVArh": ("varh", 3), "kVA": ("VA", 3), "GJ": ("J", 9)}
UNITS["kwh"] = UNITS["kWh"]
ODD_LINES = {"esphome_dsmr/01_": 3}  # texts with brackets in them
REFUSED = {  # what is no whole good telegram, and what makes it so
    "esphome_dsmr/07_": ("damaged", "no CRC, and an OBIS group above 255"),
    "esphome_dsmr/15_": ("damaged", "no CRC, and a line without its end"),
    "esphome_dsmr/16_": ("garbage", "no maker in the ident line"),
    "esphome_dsmr/17_": ("garbage", "no maker in the ident line"),
    "esphome_dsmr/22_": ("damaged", "no CRC, and brackets the wrong way round"),
    "esphome_dsmr/38_": ("damaged", "no CRC, and brackets in brackets"),
    "issues/danieljong_35": ("crc", "lost bytes"),
    "issues/smeterd_11": ("crc", "edited by who posted it"),
}
TWICE = 1761440399  # 2025-10-26 02:59:59 in summer time; a second later it is 02:00:00
MOMENTS = [1735689600, 1743296400, 1750420800, TWICE, TWICE + 1, 1767222000]


def decode(words: list[str], paths: list[Path]) -> list[dict]:
    env = toolchain.environment() | {"PYTHONPATH": f"{ROOT}/firmware:{ROOT}/host_tools/shims"}
    said = subprocess.run([*words, DECODE, *paths], env=env, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in said.stdout.splitlines()]


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of captures. It is an error when METERHUB_CORPUS names none; without it, the test is skipped."""
    named = os.environ.get("METERHUB_CORPUS")
    place = Path(named or ROOT / "../shared/data")
    if not (place / "expected/p1.json").is_file():
        if named:
            pytest.fail(f"no captures at METERHUB_CORPUS={named}: expected/p1.json is not there")
        pytest.skip("no captures on this machine: only the simulated meter's telegrams were decoded")
    return place


def reason_to_refuse(name: str) -> tuple[str, str]:
    return next((why for start, why in REFUSED.items() if name.startswith(start)), ("", ""))


# -- what a capture must decode to ---------------------------------------------------------------------------


def disagreements(found: dict, expected: dict) -> list[str]:
    """Return what of `expected` (p1.json: obis -> [text, unit], or a list of those) is not in the telegram `found`."""
    wrong = []
    for obis, value in expected.items():
        if obis.startswith("_") or is_odd(value):
            continue
        groups = [value] if value and not isinstance(value[0], list) else value
        if not agrees(found, obis, groups):
            wrong.append(obis)
    return wrong


def is_odd(value: list) -> bool:
    """Return whether this is a text with a bracket in it, from a line with brackets in brackets."""
    return isinstance(value[0], str) and "(" in value[0]


def agrees(found: dict, obis: str, groups: list) -> bool:
    if obis == "0-0:1.0.0":
        return found["at"] == unix(groups[0][0])
    if obis.endswith(":24.3.0"):  # version 2: the value is the named register's
        obis, groups = groups[4][0], [groups[0], [groups[6][0], groups[5][0]]]
    texts = found["texts"]
    if obis in texts:
        return texts[obis] in (
            groups[0][0],
            bytes.fromhex(groups[0][0]).decode("latin-1") if is_hex(groups[0][0]) else None,
        )
    got = [(Decimal(r[1]).scaleb(r[2]), r[3], r[6]) for r in found["readings"] if r[0] == obis]
    return got == list(numbers(groups, found["at"]))


def numbers(groups: list, at: int | None):
    """Yield (value, unit, time) of each number in a line's groups; a profile begins with a count and has names."""
    is_profile = len(groups) > 1 and not is_time(groups[0][0])
    for text, unit in groups[1:] if is_profile else groups:
        if ":" in text:
            continue
        if is_time(text):
            at = unix(text)
        else:
            name, power = UNITS.get(unit, (unit or "", 0))
            yield Decimal(text).scaleb(power), name, at


def is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and all(c in "0123456789ABCDEFabcdef" for c in text)


def is_time(text: str) -> bool:
    return len(text) in (12, 13) and text[:12].isdigit() and (len(text) == 12 or text[12] in "SW")


def unix(text: str) -> int | None:
    try:
        wall = datetime.strptime(text[:12], "%y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    summer = text[12:] == "S" or (not text[12:] and 4 <= wall.month <= 9)  # no capture without a flag is in between
    return int((wall - timedelta(hours=1 + summer)).timestamp())


@pytest.mark.parametrize("words", line_corpus.interpreters())
def test_every_capture_gives_the_values_it_must(words, captures, capsys):
    expected = json.loads((captures / "expected/p1.json").read_text())
    found = decode(words, [captures / "open/p1" / name for name in expected])
    lines, bad = [], []
    for name, result in zip(expected, found, strict=True):
        reason, why = reason_to_refuse(name)
        if reason:
            good = not result["telegrams"] and result["errors"] == {reason: 1}
            lines.append(f"  {name[:52]:52} {'refused' if good else 'WRONG':8} {reason}: {why}")
        else:
            wrong = ["no telegram"] if len(result["telegrams"]) != 1 else []
            wrong = wrong or disagreements(result["telegrams"][0], expected[name])
            odd = next((n for start, n in ODD_LINES.items() if name.startswith(start)), 0)
            good = not wrong and result["errors"] == ({"line": odd} if odd else {})
            count = sum(not obis.startswith("_") for obis in expected[name])
            lines.append(f"  {name[:52]:52} {'right' if good else 'WRONG':8} {count} lines {' '.join(wrong)}")
        if not good:
            bad.append(name)
    with capsys.disabled():
        print("\n" + "\n".join(lines))  # noqa: T201 - the table is what one runs this for
    assert not bad


@pytest.mark.parametrize("words", line_corpus.interpreters())
@pytest.mark.parametrize("is_checked", [True, False], ids=["tag checked", "tag not checked"])
def test_encrypted_captures_give_the_text_inside(words, is_checked, captures, tmp_path):
    keys = json.loads((captures / "keys.json").read_text())
    texts = json.loads((captures / "expected/dlms.json").read_text())
    for path in sorted((captures / "open/p1-encrypted").rglob("*.bin")):
        name = f"{path.parent.name}/{path.name}"
        kind = f"p1e:{keys[name]['encryption_key']}:{keys[name]['authentication_key'] if is_checked else ''}"
        (found,) = line_corpus.decode(words, kind, tmp_path, [path.read_bytes()])
        plain = tmp_path / "plain.txt"
        plain.write_text(texts[name]["_telegrams"][0]["_plaintext_p1"], newline="")
        assert found["errors"] == {}
        assert found["telegrams"] == decode(words, [plain])[0]["telegrams"]


# -- our own ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["5.0", "4.2", "2.2"])
@pytest.mark.parametrize("words", line_corpus.interpreters())
def test_the_simulated_meter_is_read_to_the_last_digit(words, version, tmp_path):
    start = MOMENTS[0]
    household = Household(start)
    paths = []
    for at in MOMENTS:
        paths.append(tmp_path / f"{at}.txt")
        paths[-1].write_bytes(P1Meter(household, version).telegram(at))
    for at, result in zip(MOMENTS, decode(words, paths), strict=True):
        assert result["errors"] == {}
        (found,) = result["telegrams"]
        truth = household.registers(at)
        got = {r[0]: r for r in found["readings"]}
        assert found["meter"] == p1_meter.EQUIPMENT
        assert found["at"] == (None if version == "2.2" else at)
        assert found["version"] == {"5.0": "50", "4.2": "42", "2.2": ""}[version]
        for code, wh in zip(("1.8.1", "1.8.2", "2.8.1", "2.8.2"), truth, strict=False):
            assert got["1-0:" + code][1:4] == [wh, 0, "Wh"]
        watts = got["1-0:1.7.0"][1] * 10 ** got["1-0:1.7.0"][2] - got["1-0:2.7.0"][1] * 10 ** got["1-0:2.7.0"][2]
        assert abs(watts - household.power_w(at)) < (10 if version == "2.2" else 1)
        gas = got["0-1:24.2.1"]
        assert gas[2:6] == [-3, "m3", p1_meter.GAS_EQUIPMENT, 1]
        if version == "2.2" and at == TWICE:
            continue  # its stamps have no flag: one in the hour that comes twice can be either
        assert gas[1] == household.registers(gas[6]).gas_dm3
        assert 0 <= at - gas[6] < 3600


def test_captures_that_should_be_there_and_are_not_fail_the_test(tmp_path):
    asked = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "capture and cpython", __file__]
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")} | {"METERHUB_CORPUS": str(tmp_path)}
    said = subprocess.run(asked, cwd=ROOT, env=env, capture_output=True, text=True)
    assert said.returncode == 1
    assert "no captures at METERHUB_CORPUS" in said.stdout
