"""`meterhub bill` and `meterhub tariff sign`, typed as customer, supplier and verifier would."""

import io
import json
import stat
from pathlib import Path

import pytest
from billing_house import HUB, JANUARY, NONCE, House, blocks, household, linear

from meterhub_tools import cli
from meterhub_tools.billing import consent, files
from meterhub_tools.roles import keys

from meterhub.codec import base64url  # isort: skip

HOUR, DAY = 3600, 86400
NUMBER = NONCE.hex()
DOCUMENT = linear(interval_s=HOUR, days=[[0, 1, 60, 0, 420, 1]], export=[4100])


class Desk:
    """A folder with the files of eight days, and a terminal."""

    def __init__(self, folder: Path, capsys, monkeypatch) -> None:
        self.folder, self._capsys, self._patch = folder, capsys, monkeypatch
        self.bill = folder / "a.bill"

    def __call__(self, *words, answer="yes\n"):
        """Return (status, what it said, what it complained about)."""
        self._patch.setattr("sys.stdin", io.StringIO(answer))
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as wrong:
            status = wrong.code
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def own(self):
        return [
            "--batches", self.folder / "a.mhb", "--keys", self.folder / "a.mhk",
            "--readings", self.folder / "a.csv",
        ]  # fmt: skip

    def prove(self, *words, **more):
        tariff = ["--tariff", self.folder / "a.mht", "-o", self.bill]
        return self("bill", "prove", *self.own(), *tariff, "--nonce", NUMBER, *words, **more)

    def public(self):
        return ["--batches", self.folder / "a.mhb", "--hub-key", self.folder / "hub.key"]

    def verify(self, *words):
        terms = ["--tariff", self.folder / "a.mht", "--supplier-key", self.folder / "keys/roles/acme.json"]
        return self("bill", "verify", self.bill, *self.public(), *terms, *words)

    def disclose(self, *words, name="a.mhd", **more):
        return self("bill", "disclose", *words, *self.own(), "--for", "Green", "-o", self.folder / name, **more)

    @property
    def ledger(self):
        return self.folder / consent.FILE


@pytest.fixture(scope="module")
def house():
    return House(8, household("typed", True), step_s=HOUR, missing={JANUARY + 50 * HOUR})


@pytest.fixture
def desk(tmp_path, house, capsys, monkeypatch):
    (tmp_path / "a.mhb").write_bytes(files.pack_batches(house.batches))
    (tmp_path / "a.mhk").write_bytes(house.keys())
    (tmp_path / "hub.key").write_text(base64url.encode(HUB) + "\n")
    rows = [f"{at},measured,{wh},{fed}" for at, (wh, fed) in house.registers.items()]
    (tmp_path / "a.csv").write_text("\n".join(["end_unix_s,quality,1-0:1.8.0,1-0:2.8.0", *rows]))
    (tmp_path / "tariff.json").write_text(json.dumps(DOCUMENT))
    keys.new(tmp_path / "keys/roles", "acme", "SUP")
    desk = Desk(tmp_path, capsys, monkeypatch)
    assert sign(desk)[0] == 0
    return desk


def sign(desk, *words):
    given = ["--at", "2025-12-20", "--keys", desk.folder / "keys", "-o", desk.folder / "a.mht"]
    return desk("tariff", "sign", desk.folder / "tariff.json", *given, *words)


# -- bills ---------------------------------------------------------------------------------------------------------


def test_a_bill_is_made_verified_and_explained(desk, house):
    clear = house.clear(DOCUMENT)
    status, out, err = desk.prove("--for", "Acme")
    assert status == 0
    assert "With this Acme will know:" in err and "the fee, exactly" in err and str(desk.ledger) in err
    assert out.splitlines()[0] == "2026-01-01 00:00 to 2026-01-09 00:00 (8 days), by eco-1"
    total = f"{clear.total // 100}.{clear.total % 100:02} GBP"
    assert f"total, with tax {total:>18}".split() == out.splitlines()[3].split()
    status, out, _ = desk.verify("--nonce", NUMBER)
    assert status == 0 and out.startswith("the bill is right, hub ") and total in out
    assert out.count("not checked") == 1 and "not checked: that it is for the time" in out
    assert "not checked" not in desk.verify("--nonce", NUMBER, "--from", "2026-01-01", "--to", "2026-01-09")[1]
    assert "not checked: that it was made for you" in desk.verify()[1]
    found = json.loads(desk.verify("--json", "--nonce", NUMBER)[1])
    assert (found["right"], found["nonce_checked"], found["total"]) == (True, True, clear.total)
    assert found["period_checked"] is False
    assert found["gaps"] == 1 and len(found["checked"]) == 6
    own = [*desk.own(), "--tariff", desk.folder / "a.mht"]
    status, out, _ = desk("bill", "explain", desk.bill, *own, "--rows", "2")
    lines = out.splitlines()
    assert status == 0 and lines[1].split() == ["WHAT", "YOU", "HAVE", "WHAT", "THE", "SUPPLIER", "SEES"]
    first = house.rows[0][2]
    assert lines[2].startswith("2026-01-01 00:00") and f"{first} Wh" in lines[2] and lines[2].endswith("...")
    assert lines[4].split() == ["...", "and", "189", "more", "readings", "commitments"]
    assert lines[5].startswith("night") and lines[5].endswith("not seen")
    views = json.loads(desk("bill", "explain", desk.bill, *own, "--json")[1])
    assert [one["wh"] for one in views["yours"]["readings"]] == [row[2] for row in house.rows]
    assert len(views["theirs"]["commitments"]) == 191
    assert [one["wh"] for one in views["yours"]["bands"]] == clear.wh


@pytest.mark.parametrize(("place", "name"), [(72, "BILL_BATCHES"), (38, "BILL_TARIFF"), (144, "FEE")])
def test_a_bill_of_something_else_is_not_explained(desk, place, name):
    assert desk.prove()[0] == 0
    raw = desk.bill.read_bytes()
    desk.bill.write_bytes(raw[:place] + bytes((raw[place] ^ 1,)) + raw[place + 1 :])
    status, _, err = desk("bill", "explain", desk.bill, *desk.own(), "--tariff", desk.folder / "a.mht")
    assert status == 1 and f"{name}: " in err


def test_blocks_are_shown_as_they_are_seen(desk):
    bands = [{"name": "any", "prices": [7000, 9000], "limits": [9000]}]
    document = blocks(interval_s=HOUR) | {"bands": bands, "days": [[0, 0]], "blocks": ["weekly", 4]}
    (desk.folder / "tariff.json").write_text(json.dumps(document))
    assert "this is in the bill" in sign(desk)[1]
    week = ["--from", "2026-01-01", "--to", "2026-01-08"]
    _, out, err = desk.prove(*week, "--json")
    opened = json.loads(out)
    assert opened["totals_wh"] and "this is in the bill" in err
    own = [*desk.own(), "--tariff", desk.folder / "a.mht"]
    kwh = f"{opened['totals_wh'][0] / 1000:.3f} kWh"
    assert f"  {kwh}\n" in desk("bill", "explain", desk.bill, *own)[1]
    _, out, err = desk.prove(*week, "--hidden", "--bits", "20", "--json")
    assert json.loads(out)["totals_wh"] == [] and "this is in the bill" not in err
    assert desk.verify("--nonce", NUMBER)[0] == 0
    assert "not seen" in desk("bill", "explain", desk.bill, *own)[1]


@pytest.mark.parametrize("answer", ["no\n", "", "\n", "y\n", "yes please\n"])
def test_nothing_is_made_without_a_typed_yes(desk, answer):
    for status, out, err in (desk.prove("--json", answer=answer), desk.disclose("total", *ALL, answer=answer)):
        assert (status, out) == (1, "") and "nobody typed yes" in err
    assert not desk.bill.exists() and not (desk.folder / "a.mhd").exists() and not desk.ledger.exists()


def test_what_was_given_is_noted_before_the_file_is_there(desk):
    desk.bill.mkdir()  # the file cannot be written
    status, _, err = desk.prove()
    assert status == 1 and "name another file with -o" in err
    entries = json.loads(desk.ledger.read_text())
    assert [(one["what"], one["to"], one["start"]) for one in entries] == [("bill", "the supplier", JANUARY)]
    assert entries[0]["at"] > JANUARY
    assert stat.S_IMODE(desk.ledger.stat().st_mode) == 0o600


def test_a_place_that_there_is_not_is_found_out_before_anything_is_noted(desk):
    desk.bill = desk.folder / "no/a.bill"
    for status, _, err in (desk.prove(), desk.disclose("total", *ALL, name="no/a.mhd")):
        assert status == 1 and "its folder is not there" in err
    assert not desk.ledger.exists()


def test_a_second_bill_is_refused_and_the_same_one_is_not(desk):
    assert desk.prove()[0] == 0
    assert desk.prove("--for", "Other")[0] == 0
    status, out, err = desk.prove("--from", "2026-01-02", "--json")
    assert status == 1 and json.loads(out)["refused"] == "SECOND_BILL" and "SECOND_BILL" in err
    assert desk.prove("--from", "2026-01-02", "--even-so")[0] == 1
    assert len(json.loads(desk.ledger.read_text())) == 2
    status, out, _ = desk("bill", "list", "--ledger", desk.ledger)
    assert status == 0 and out.splitlines()[1].endswith("bill  2026-01-01 00:00 to 2026-01-09 00:00 UTC  the supplier")
    assert len(json.loads(desk("bill", "list", "--ledger", desk.ledger, "--json")[1])) == 2
    assert "nothing was given away" in desk("bill", "list", "--ledger", desk.folder / "none.json")[1]


def test_a_bill_for_fewer_days_than_were_asked_about_is_refused(desk):
    assert desk.prove("--to", "2026-01-08")[0] == 0
    assert desk.verify("--nonce", NUMBER)[0] == 0
    asked = ("--nonce", NUMBER, "--from", "2026-01-01", "--to")
    status, out, err = desk.verify(*asked, "2026-01-09")
    assert (status, out) == (1, "") and "BILL_PERIOD" in err
    status, out, _ = desk.verify(*asked, "2026-01-08", "--json")
    assert status == 0 and json.loads(out)["period_checked"] is True


def test_of_two_bills_that_are_made_at_once_only_one_is_given(desk):
    other = desk.folder / "other.bill"

    class Slow(io.StringIO):
        """A terminal at which the customer takes so long that another bill is made meanwhile."""

        def readline(self, *_):
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(desk, "bill", other)
                assert desk.prove("--to", "2026-01-08")[0] == 0
            return "yes\n"

    desk._patch.setattr(io, "StringIO", lambda answer: Slow() if answer == "slow" else type(Slow()).__base__(answer))
    status, _, err = desk.prove(answer="slow")
    assert status == 1 and "SECOND_BILL" in err
    assert other.exists() and not desk.bill.exists()


def test_a_ledger_that_is_none_stops_everything(desk):
    for wrong in ("{}", "", '[{"what": "bill"}]'):
        desk.ledger.write_text(wrong)
        status, _, err = desk.prove()
        assert status == 1 and "is no ledger" in err and not desk.bill.exists()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda raw: raw[:-1] + bytes((raw[-1] ^ 1,)), "FEE"),
        (lambda raw: raw[:-1], "PROOF_FORMAT"),
        (lambda raw: raw[:176] + bytes((raw[176] ^ 1,)) + raw[177:], "BILL_AMOUNT"),
        (lambda raw: raw[:38] + bytes(32) + raw[70:], "BILL_TARIFF"),
        (lambda raw: raw[:100], "BILL_FORMAT"),
        (lambda raw: raw[:240] + b"\xff" + raw[241:], "BILL_FORMAT"),
        (lambda raw: raw[:30] + bytes(4) + raw[34:], "BATCH_NONE"),
        (lambda raw: raw[:14] + bytes(16) + raw[30:], "BATCH_NONE"),
        (lambda raw: b"", "BILL_FORMAT"),
    ],
)
def test_a_bill_that_was_changed_is_refused_by_name(desk, change, name):
    assert desk.prove()[0] == 0
    raw = desk.bill.read_bytes()
    desk.bill.write_bytes(change(raw))
    status, out, err = desk.verify("--json", "--nonce", NUMBER)
    assert status == 1
    assert (json.loads(out)["right"], json.loads(out)["refused"]) == (False, name)
    assert f"meterhub bill: {name}: " in err


def test_a_bill_for_another_number_or_by_other_keys_is_refused(desk):
    assert desk.prove()[0] == 0
    assert "BILL_NONCE" in desk.verify("--nonce", "00" * 16)[2]
    assert "BATCH_HUB" in desk.verify("--hub-key", desk.folder / "keys/roles/acme.json")[2]
    assert "TARIFF_SIGNATURE" in desk.verify("--supplier-key", desk.folder / "hub.key")[2]
    assert desk.verify("--nonce", "00")[0] == 2
    assert len(desk("bill", "nonce")[1].strip()) == 32


def test_what_does_not_fit_is_refused_before_anybody_is_asked(desk, house):
    def refused(*words):
        status, _, err = desk.prove(*words)
        assert status == 1 and "Type yes" not in err and not desk.ledger.exists()
        return err

    assert "the files have the days 2026-01-01 to 2026-01-08" in refused("--to", "2026-02-01")
    assert "BATCH_NONE" in refused("--from", "2025-12-31")
    (desk.folder / "b.mhk").write_bytes(house.keys(3))
    assert "KEYS_OTHER" in refused("--keys", desk.folder / "b.mhk") and "none for 2026-01-04" in refused(
        "--keys", desk.folder / "b.mhk"
    )
    gone = files.pack_batches(house.batches[:3] + house.batches[4:])
    (desk.folder / "b.mhb").write_bytes(gone)
    assert "BATCH_MISSING: a batch is missing (2026-01-04)" in refused("--batches", desk.folder / "b.mhb")
    twice = files.pack_batches([*house.batches, house.batches[-1]])
    (desk.folder / "b.mhb").write_bytes(twice)
    assert "BATCH_ORDER" in refused("--batches", desk.folder / "b.mhb")
    other = House(1, household("typed"), step_s=HOUR, chain=b"another chain...")
    (desk.folder / "b.mhb").write_bytes(files.pack_batches([*house.batches, *other.batches]))
    assert "BATCH_CHAIN" in refused("--batches", desk.folder / "b.mhb")
    (desk.folder / "b.mhb").write_bytes(b"")
    assert "holds no batch" in refused("--batches", desk.folder / "b.mhb")
    lines = (desk.folder / "a.csv").read_text().splitlines()
    (desk.folder / "b.csv").write_text("\n".join(lines[:40] + lines[41:]))
    assert "READING_MISSING" in refused("--readings", desk.folder / "b.csv")
    at, quality, wh, fed = lines[40].split(",")
    (desk.folder / "b.csv").write_text("\n".join([*lines[:40], f"{at},{quality},{int(wh) + 1},{fed}", *lines[41:]]))
    assert "READING: a reading is not what the hub committed to (2026-01-02 15:00 UTC)" in refused(
        "--readings", desk.folder / "b.csv"
    )
    assert "TARIFF_FORMAT" in refused("--tariff", desk.folder / "a.csv")
    assert "No such file" in refused("--tariff", desk.folder / "none.mht")


def test_files_in_parts_are_put_together(desk, house):
    (desk.folder / "1.mhb").write_bytes(files.pack_batches(house.batches[:5]))
    (desk.folder / "2.mhb").write_bytes(files.pack_batches(house.batches[5:]))
    lines = (desk.folder / "a.csv").read_text().splitlines()
    (desk.folder / "1.csv").write_text("\n".join(lines[:100]))
    (desk.folder / "2.csv").write_text("\n".join([lines[0], *lines[100:]]))
    (desk.folder / "1.mhk").write_bytes(house.keys(5))
    parts = [[f"--{name}", *(desk.folder / f"{i}.{end}" for i in (1, 2))] for name, end in PARTS]
    (desk.folder / "2.mhk").write_bytes((desk.folder / "a.mhk").read_bytes())
    assert desk.prove(*parts[0], *parts[1], *parts[2])[0] == 0
    assert desk.verify("--nonce", NUMBER)[0] == 0


PARTS = (("batches", "mhb"), ("keys", "mhk"), ("readings", "csv"))

# -- disclosures ---------------------------------------------------------------------------------------------------

ALL = ["--from", "2026-01-01", "--to", "2026-01-09"]
DAY_2 = ["--from", "2026-01-02", "--to", "2026-01-03"]


def check(desk, *words, name="a.mhd"):
    return desk("bill", "check-disclosure", desk.folder / name, *desk.public(), *words)


def test_one_reading_a_total_and_a_bound_are_certified(desk, house):
    def used(first, last, way=2):
        return [row[way] for row in house.rows if JANUARY + first * HOUR <= row[0] < JANUARY + last * HOUR]

    status, out, err = desk.disclose("total", *DAY_2, "--nonce", NUMBER)
    kwh = f"{sum(used(24, 48)) / 1000:.3f} kWh"
    assert status == 0 and kwh in out and f"imported from 2026-01-02 00:00 to 2026-01-03 00:00 UTC: {kwh}" in err
    status, out, _ = check(desk, "--nonce", NUMBER)
    assert status == 0 and out.startswith("the disclosure is right, hub ") and kwh in out
    assert "DISCLOSURE_NONCE" in check(desk, "--nonce", "00" * 16)[2]
    assert "not checked" in check(desk)[1]
    assert desk.disclose("total", *DAY_2, "--export")[0] == 0
    assert json.loads(check(desk, "--json")[1])["wh"] == sum(used(24, 48, 3))
    assert desk.disclose("reading", "--at", "2026-01-05T18:00Z")[0] == 0
    assert json.loads(check(desk, "--json")[1])["wh"] == used(114, 115)[0]
    most = max(used(24, 48))
    limit = ["--bits", "12", *DAY_2]
    assert desk.disclose("never-above", most / 1000, *limit)[0] == 0
    assert f"never more than {most} Wh" in check(desk)[1]
    assert "READING_ABOVE" in desk.disclose("never-above", (most - 1) / 1000, *limit, "--even-so")[2]
    said = [(one["what"], one["export"], one["wh"]) for one in json.loads(desk.ledger.read_text())]
    assert said == [("total", False, 0), ("total", True, 0), ("total", False, 0), ("never above", False, most)]


def test_what_overlaps_is_refused_unless_it_is_meant(desk):
    assert desk.disclose("total", *DAY_2)[0] == 0
    status, out, err = desk.disclose("total", *ALL, "--json")
    assert status == 1 and json.loads(out)["refused"] == "OVERLAP" and "Type yes" not in err
    assert "the total of 2026-01-02 00:00 to 2026-01-03 00:00 UTC, to Green" in err
    assert "OVERLAP" in desk.prove()[2]
    status, _, err = desk.disclose("total", *ALL, "--even-so")
    assert status == 0
    assert "what lies from 2026-01-01 00:00 to 2026-01-02 00:00 UTC, beside the total that Green has" in err


def test_changed_and_confused_disclosures_are_refused(desk):
    assert desk.disclose("total", *DAY_2)[0] == 0
    path = desk.folder / "a.mhd"
    raw = path.read_bytes()
    path.write_bytes(raw[:95] + bytes((raw[95] ^ 1,)) + raw[96:])
    assert json.loads(check(desk, "--json")[1])["refused"] == "PROOF_OTHER"
    path.write_bytes(raw[:88] + b"\x07" + raw[89:])
    assert "DISCLOSURE_FORMAT" in check(desk)[2]
    path.write_bytes(raw[:50])
    assert "DISCLOSURE_FORMAT" in check(desk)[2]
    path.write_bytes(b"")
    assert "DISCLOSURE_FORMAT" in check(desk)[2]
    desk.bill.write_bytes(raw)
    assert "`meterhub bill check-disclosure` is for it" in desk.verify()[2]
    assert desk.prove("--even-so")[0] == 0
    path.write_bytes(desk.bill.read_bytes())
    assert "`meterhub bill verify` is for it" in check(desk)[2]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["total", "--from", "2026-01-03", "--to", "2026-01-03"], 2, "ends before it begins"),
        (["total", "--from", "2026-01-05", "--to", "2026-01-03"], 2, "ends before it begins"),
        (["total", "--from", "2026-01-08", "--to", "2026-01-10"], 1, "BATCH_NONE"),
        (["total", "--from", "2026-01-03T03:00", "--to", "2026-01-04"], 1, "DISCLOSURE_GAP"),
        (["reading", "--at", "2026-01-03T02:00"], 1, "DISCLOSURE_GAP"),
        (["reading", "--at", "2026-01-03T13:07"], 1, "no interval begins at 2026-01-03 13:07"),
        (["reading", "--at", "99999999997200"], 1, "BATCH_NONE"),
        (["reading", "--at", "noon"], 2, "is no day"),
        (["never-above", "-3", *DAY_2], 2, "is no power"),
        (["never-above", "much", *DAY_2], 2, "is no power"),
        (["never-above", "0.0001", *DAY_2], 2, "is no power"),
        (["total", "--to", "2026-01-03"], 2, "--from"),
    ],
)
def test_what_cannot_be_disclosed(desk, words, status, said):
    found = desk.disclose(*words)
    assert found[0] == status and said in found[2] and not desk.ledger.exists()


# -- the supplier ----------------------------------------------------------------------------------------------------


def test_a_tariff_is_signed(desk):
    status, out, _ = sign(desk, "--json")
    told = json.loads(out)
    assert status == 0 and told["signer"] == "acme" and told["signed_at"] == 1766188800
    assert told["key"] == keys.entry(desk.folder / "keys/roles", "acme").key
    _, out, _ = sign(desk)
    assert "signed 2025-12-20 00:00 UTC by acme" in out and told["key"] in out and "the fee, exactly" in out


def test_who_cannot_sign_is_told_why(desk):
    keys.new(desk.folder / "keys/roles", "net", "DNO")
    assert "must lie between" in sign(desk, "--at", "99999999999")[2]
    assert "net is no supplier" in sign(desk, "--role", "net")[2]
    known = keys.entry(desk.folder / "keys/roles", "acme")
    keys.revoked(desk.folder / "keys/roles", known, 1)
    assert "acme was revoked" in sign(desk, "--role", "acme")[2]
    assert "no role is called SUP" in sign(desk)[2]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"bands": [{"name": "a", "price": 1}, {"name": "b", "price": 21}]}, "TARIFF_PRICES"),
        ({"days": [[0, 1, 60, 0, 120, 1]]}, "TARIFF_BAND_TIME"),
        (
            {"kind": "block", "bands": [{"name": "a", "price": 9}], "days": [[0, 0]], "blocks": ["daily"]},
            "TARIFF_BAND",
        ),
    ],
)
def test_a_tariff_by_which_no_bill_would_be_accepted_is_not_signed(desk, change, name):
    (desk.folder / "a.mht").unlink()
    (desk.folder / "tariff.json").write_text(json.dumps(DOCUMENT | {"export": []} | change))
    status, _, err = sign(desk)
    assert status == 1 and name in err and not (desk.folder / "a.mht").exists()
