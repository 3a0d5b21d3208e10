"""What the pages compute themselves, held against the firmware's own codecs and the website's CSV."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from meterhub_tools import recipient

from meterhub.codec import base32, base64url, checkdigit, series  # isort: skip
from meterhub.codec.load_profile import Column, Entry  # isort: skip
from meterhub.crypto.hkdf import hkdf  # isort: skip
from meterhub.errors import HubError  # isort: skip

HERE = Path(__file__).parent
WEBSITE = Path(recipient.__file__).parent / "website"
STEP = 1800
START = 1_790_000_000 // 86400 * 86400
COLUMNS = [Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30)]


class Pages:
    def __init__(self):
        command = [shutil.which("node"), str(HERE / "website_pages.mjs"), str(WEBSITE / "frontend")]
        environment = {**os.environ, "TZ": "UTC"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __call__(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise HubError(answer["error"], answer["field"])
        return answer["is"]


@pytest.fixture(scope="module")
def pages():
    pages = Pages()
    yield pages
    pages.process.stdin.close()
    pages.process.wait(10)
    pages.process.stdout.close()


def some_entries(rng, count, step=STEP):
    at, values = START, [rng.randrange(10**8), rng.randrange(10**6)]
    for _ in range(count):
        at += step or rng.choice((86400, 90000, 82800))
        quality = rng.choice((0, 1, 1, 1, 1, 2, 3))
        if rng.random() < 0.02:
            values = [rng.randrange(1000), rng.randrange(1000)]
        values = [value + rng.choice((0, 1, 130, 70_000)) for value in values]
        read = tuple(value if rng.random() > 0.1 else None for value in values)
        yield Entry(at, quality, read if quality else (None, None))


def packed(entries, step=STEP, base=(5, None)):
    packer = series.Packer(COLUMNS, step, START, base)
    for entry in entries:
        packer.add(entry)
    return bytes(packer.close())


def plain(found):
    columns, _, start, base, entries = found
    entries = [{"at": e.at, "quality": e.quality, "values": list(e.values)} for e in entries]
    columns = [column._asdict() for column in columns]
    return {"columns": columns, "start": start, "base": list(base), "entries": entries}


@pytest.mark.parametrize("seed", range(20))
def test_page_reads_a_series_as_the_firmware_does(pages, seed):
    rng = random.Random(seed)
    step = rng.choice((STEP, 0))
    raw = packed(some_entries(rng, rng.randrange(1, 400), step), step)
    assert pages("unpack", raw=base64url.encode(raw)) == plain(series.unpack(raw))


def judged(read, raw):
    try:
        return read(raw)
    except HubError as error:
        return error.name


def test_damaged_series_are_read_or_refused_alike(pages):
    rng = random.Random(1)
    good = packed(some_entries(rng, 60))
    for _ in range(1500):
        raw = bytearray(good[: rng.randrange(1, len(good) + 1)])
        for _ in range(rng.randrange(3)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        theirs = judged(lambda raw: plain(series.unpack(raw)), bytes(raw))
        ours = judged(lambda raw: pages("unpack", raw=base64url.encode(raw)), bytes(raw))
        if theirs != ours:  # a number of more than 53 bits is one for Python only
            assert ours == "MALFORMED"
            assert any(value > 2**53 - 1 for value in numbers(theirs))


def numbers(found):
    if isinstance(found, dict):
        return [n for value in found.values() for n in numbers(value)]
    if isinstance(found, list):
        return [n for value in found for n in numbers(value)]
    return [found] if isinstance(found, int) else []


def test_check_digit_is_the_firmwares(pages):
    rng = random.Random(2)
    for _ in range(300):
        pin = f"{rng.randrange(10**9):09d}"
        try:
            assert pages("pin", typed=f"{pin[:3]} {pin[3:6]} {pin[6:]}") == pin
            ours = True
        except HubError as error:
            ours = error.name != "INVALID_VALUE"
        assert ours == checkdigit.valid(pin)


@pytest.mark.parametrize("typed", ["", "12345678", "1234567890", "12345678x", "１２３４５６７８９"])
def test_what_is_no_pin_is_malformed(pages, typed):
    with pytest.raises(HubError, match="MALFORMED"):
        pages("pin", typed=typed)
    with pytest.raises(HubError, match="MALFORMED"):
        recipient.clean_pin(typed)


def test_encodings_are_the_firmwares(pages):
    rng = random.Random(3)
    for length in range(1, 41):
        raw = rng.randbytes(length)
        assert pages("base64url", text=base64url.encode(raw)) == list(raw)
        assert pages("base32", raw=base64url.encode(raw)) == base32.encode(raw)
    for bad in ("A", "AB=", "A+/A", "AB", "A A"):
        for read in (lambda text: pages("base64url", text=text), base64url.decode):
            with pytest.raises(HubError, match="MALFORMED"):
                read(bad)


def test_hkdf_is_the_firmwares(pages):
    parts = {"ikm": b"key", "salt": bytes(32), "info": b"mhx1 w"}
    asked = {name: base64url.encode(part) for name, part in parts.items()}
    due = hkdf(parts["ikm"], parts["salt"], parts["info"], 48)
    assert pages("hkdf", length=48, **asked) == base64url.encode(due)


# -- figures ---------------------------------------------------------------------------------------------


def made(values, quality=None, step=STEP, base=100):
    entries = [
        {"at": START + step * (i + 1), "quality": 0 if value is None else (quality or 1), "values": [value]}
        for i, value in enumerate(values)
    ]
    return {"columns": [COLUMNS[0]._asdict()], "start": START, "base": [base], "entries": entries}


def test_interval_beside_a_gap_is_not_known(pages):
    found = pages("intervals", data=made([110, None, 150, 160]), column=0)
    assert [item["value"] for item in found] == [10, None, None, 10]
    assert [item["reading"] for item in found] == [110, None, 150, 160]


def test_nothing_is_made_up_at_a_meter_exchange(pages):
    found = pages("intervals", data=made([110, 3, 8]), column=0)
    assert [item["value"] for item in found] == [10, None, 5]
    whole = pages("totals", data=made([110, 3, 8]), column=0)
    assert (whole["total"], whole["changed"], whole["missing"]) == (15, True, 1)


def test_first_interval_without_a_base_is_not_known(pages):
    found = pages("intervals", data=made([110, 120], base=None), column=0)
    assert [item["value"] for item in found] == [None, 10]


def test_what_began_before_the_first_reading_of_all_was_not_missed(pages):
    data = made([110, None, 130], base=None)
    assert pages("totals", data=data, column=0)["missing"] == 2
    assert [bar["missing"] for bar in pages("bars", data=data, view="month", at=START + 60)] == [2]
    data = made([None, 120, 130], base=None)  # nothing was read at its end either
    assert pages("totals", data=data, column=0)["missing"] == 2


def test_total_is_what_the_register_says_and_the_gap_is_told_apart(pages):
    whole = pages("totals", data=made([110, None, None, 190, 200]), column=0)
    assert whole == {"first": 100, "last": 200, "total": 100, "known": 20, "missing": 3, "changed": False}


def test_day_with_a_gap_is_not_shown_as_measured(pages):
    values = [100 + 10 * (i + 1) for i in range(96)]
    values[50] = None
    bars = pages("bars", data=made(values), view="month", at=START + 60)
    assert [(bar["value"], bar["missing"], bar["quality"]) for bar in bars] == [(480, 0, 1), (460, 2, 2)]


def test_day_without_a_reading_is_a_gap_and_no_zero(pages):
    values = [100 + i for i in range(48)] + [None] * 48 + [300 + i for i in range(48)]
    bars = pages("bars", data=made(values), view="month", at=START + 60)
    assert [bar["value"] for bar in bars][1] is None


@pytest.mark.usefixtures("site")
def test_csv_of_the_page_is_the_csv_of_the_website(pages):
    from meterhub_tools.recipient import Result
    from meterhub_tools.website.views import data

    rng = random.Random(4)
    raw = packed(some_entries(rng, 300))
    columns, _, start, base, entries = series.unpack(raw)
    result = Result(columns, start, base, entries, "", [raw], "", b"")
    theirs = "".join(",".join(map(str, row)) + "\r\n" for row in data.rows(result))
    assert pages("csv", data=plain(series.unpack(raw))) == theirs


def test_words_of_pin_errors_are_the_same_on_page_and_server():
    from meterhub_tools.website import words

    script = (WEBSITE / "frontend" / "pin.js").read_text()
    for sentence in words.PIN.values():
        assert f'"{sentence}"' in script


def test_every_error_of_the_firmware_that_ends_a_request_has_words():
    from meterhub_tools.website import words

    source = (Path(recipient.firmware.FIRMWARE) / "meterhub" / "applets" / "export.py").read_text()
    named = {word for word in words.ERRORS if f'"{word}"' in source}
    assert {"CONSUMER_DECLINED", "PIN_DEAD", "PIN_EXPIRED", "BUSY", "REVOKED"} <= named
    for error in words.ERRORS:
        said = words.error(error)
        assert said["happened"].endswith(".")
        assert said["left"] == "Nothing left your house."
        assert said["todo"].endswith(".")


def test_lock_file_names_no_registry_and_pins_what_is_bundled():
    lock = json.loads((WEBSITE / "frontend" / "package-lock.json").read_text())
    assert not any("resolved" in package for package in lock["packages"].values())
    wanted = lock["packages"][""]
    for version in [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]:
        assert version[0].isdigit()
