"""`meterhub tariff`: what it says of good and bad tariffs, and bills from the files that the other tools save."""

import json
from pathlib import Path

import pytest

from meterhub_tools import cli
from meterhub_tools.tariffs import command

from meterhub.codec import base64url, tariff  # isort: skip

START = 1768003200  # 2026-01-10T00:00Z, a Saturday
STEP = 1800
NAMES = ["flat", "economy7", "three-band", "blocks", "rising-steps", "half-hourly"]


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = cli.main(["tariff", *map(str, words)])
    said = capsys.readouterr()
    return status, said.out, said.err


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_are_good(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sorted(NAMES) == sorted(path.stem for path in command.EXAMPLES.glob("*.json"))
    status, out, _ = run(capsys, "check", name, "--json")
    found = json.loads(out)
    raw = command.packed(name)
    assert status == 0 and found["digest"] == base64url.encode(tariff.digest(raw)) and found["bytes"] == len(raw)
    assert tariff.packed(tariff.document(raw)) == raw
    assert run(capsys, "show", name, "--at", "2026-03-29")[0] == 0


def test_what_is_wrong_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good = json.loads((command.EXAMPLES / "economy7.json").read_text())
    good["bands"][1]["price"] = "29.80"
    path = written(tmp_path / "bad.json", json.dumps(good))
    status, out, err = run(capsys, "check", path)
    assert (status, out) == (1, "")
    assert err == f"meterhub tariff: {path}: tariff.bands[1].price is not as a tariff has it, or missing\n"
    good["bands"][1]["price"] = 3000000000
    path.write_text(json.dumps(good))
    assert "tariff.bands[1].price is outside its limits" in run(capsys, "check", path)[2]
    path.write_text("{")
    assert "is no JSON" in run(capsys, "check", path)[2]
    assert "No such file" in run(capsys, "check", tmp_path / "none.json")[2]
    path.write_text(" " * 70000)
    assert "too long" in run(capsys, "check", path)[2]


def test_a_day_is_shown_as_it_is_on_the_wall(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "economy7", "--at", "2026-07-01T03:10Z")
    assert out.splitlines() == [
        "economy7-1, GBP, prices for a kWh with 5 % tax",
        "  night     0.13860",
        "  day       0.31290",
        "  standing  £0.53 a day",
        "2026-07-01 on the wall:",
        "  from 00:00  day",
        "  from 00:30  night",
        "  from 07:30  day",
        "at 04:10: night until 2026-07-01 07:30",
    ]
    found = json.loads(run(capsys, "show", "economy7", "--at", "2026-10-25", "--json")[1])
    assert [begins for begins, *_ in found["day"]] == [1792882800, 1792884600, 1792913400]  # an hour more of night
    assert "0.22990 up to 500 Wh, 0.31460 up to 1500 Wh, 0.54450 beyond" in run(capsys, "show", "rising-steps")[1]
    assert "between 1970 and 2199" in run(capsys, "show", "flat", "--at", "99999999999")[2]
    with pytest.raises(SystemExit):
        run(capsys, "show", "flat", "--at", "tomorrow")


def test_pieces_make_the_tariff(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = run(capsys, "pack", "half-hourly")[1].splitlines()
    assert [base64url.decode(json.loads(line)["packed"]) for line in lines] == [command.packed("half-hourly")]
    document = json.loads((command.EXAMPLES / "half-hourly.json").read_text())
    document["days"] = document["days"] * 16
    path = written(tmp_path / "long.json", json.dumps(document))
    found = [json.loads(line) for line in run(capsys, "pack", path)[1].splitlines()]
    assert [one["part"] for one in found] == [[1, 2], [2, 2]]
    assert b"".join(base64url.decode(one["packed"]) for one in found) == command.packed(str(path))


def bill(capsys: pytest.CaptureFixture[str], name: str, path: Path) -> dict:
    status, out, err = run(capsys, "cost", name, "--data", path, "--json")
    assert (status, err) == (0, "")
    return dict(json.loads(out))


def test_a_bill_of_plain_intervals(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [f"{START + n * STEP},{100 + n},{n}" for n in range(1, 49)]
    path = written(tmp_path / "plain.csv", "end,wh,export_wh", *rows)
    found = bill(capsys, "economy7", path)
    night = sum(100 + n for n in range(2, 16))  # from 00:30 to 07:30
    day = sum(100 + n for n in range(1, 49)) - night
    assert found["wh"] == [night, day]
    exact = (night * 13200 + day * 29800) * 105  # 10^-10 GBP
    assert found["energy"] == (exact + 5 * 10**7) // 10**8
    assert (found["standing"], found["days"], found["gaps"]) == (53, 1, 0)
    assert found["total"] == (exact + 5010 * 10**4 * 105 + 5 * 10**7) // 10**8
    assert (found["export_wh"], found["income"], found["start"], found["stop"]) == (1176, 0, START, START + 86400)
    text = run(capsys, "cost", "economy7", "--data", path)[1]
    assert f"  night    {night / 1000:>12.3f} kWh" in text and "NOT WHOLE" not in text


def test_the_files_of_the_other_tools_give_the_same_bill(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    readings = [(START + n * STEP, 1000000 + 100 * n) for n in range(49)]
    quality = ["measured"] * 49
    quality[20] = "partial"
    quality[10] = "partial"
    told = list(zip(readings, quality, strict=True))
    plain = [f"{at},{word},{wh}" for (at, wh), word in told]
    proof = written(tmp_path / "proof.csv", "end_unix_s,quality,1-0:1.8.0", *plain)
    head = "interval_end_utc,quality,1-0:1.8.0 [Wh] register,1-0:1.8.0 [Wh] interval"
    site_rows = [
        f"2026-01-{10 + n // 48:02}T{n % 48 // 2:02}:{n % 2 * 30:02}:00Z,{told[n][1]},{told[n][0][1]},100"
        for n in range(49)
    ]
    site = written(tmp_path / "site.csv", head, *site_rows)
    head = "file,end,at,quality,obis,meter,value,scale,unit"
    dump = [
        f"f.lp,x,{at},{word},{obis},E1,{value},0,30"
        for (at, wh), word in told
        for obis, value in (("1-0:1.8.0", wh), ("1-0:2.8.0", 5))
    ]
    store = written(tmp_path / "dump.csv", head, *dump)
    found = [bill(capsys, "economy7", path) for path in (proof, site, store)]
    assert found[0] == found[1] == found[2] | {"export_wh": 0}
    # around interval 10 all is night; around 20 all is day
    assert (found[0]["wh"], found[0]["unpriced_wh"], found[0]["gaps"]) == ([1400, 3400], 0, 0)


def test_what_has_no_price_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [f"{START + n * STEP},measured,{1000 * n}" for n in (0, 1, 2, 20)]
    path = written(tmp_path / "gaps.csv", "end_unix_s,quality,1-0:1.8.0", *rows)
    found = bill(capsys, "economy7", path)
    assert (found["wh"], found["unpriced_wh"]) == ([1000, 1000], 18000)
    assert (
        "NOT WHOLE: 0 intervals without data, 18000 Wh without a price"
        in run(capsys, "cost", "economy7", "--data", path)[1]
    )
    exchanged = [f"{START},measured,5", f"{START + STEP},meter exchanged,7", f"{START + 2 * STEP},measured,9"]
    path = written(
        tmp_path / "exchange.csv", "end_unix_s,quality,1-0:1.8.0", *exchanged, f"{START + 3 * STEP},measured,19"
    )
    assert bill(capsys, "flat", path)["wh"] == [10]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "holds no intervals"),
        (["end,kwh", f"{START},1"], "has no column wh or 1-0:1.8.0"),
        (["when,wh", "1,1"], "has no column interval_end_utc, end_unix_s, at, end"),
        (["end,wh", "soon,1"], "line 2: 'soon' is no time"),
        (["end,wh", f"{START},1.5"], "line 2: '1.5' is no whole number of Wh"),
        (["end,wh", f"{START},-1"], "line 2: '-1' is no whole number of Wh"),
        (["end,wh", f"{START + STEP},1", f"{START + STEP},1"], "at of the data does not fit the tariff"),
        (
            ["end,wh", f"{START + 2 * STEP},1", f"{START + 4 * STEP},1"],
            "interval_s of the data does not fit the tariff",
        ),
    ],
)
def test_data_that_are_none(lines: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = written(tmp_path / "bad.csv", *lines)
    status, out, err = run(capsys, "cost", "flat", "--data", path)
    assert (status, out) == (1, "") and said in err
