"""`meterhub backup` and `meterhub restore`: what is kept, what comes back, what is refused, a cable that is cut.

The hub is the firmware on the unix port; its raw REPL stands in for the one that port has not (tests/lib/raw_repl.py).
"""

import json
import shutil
import time
import zipfile

import pytest
from cabled_hub import CabledHub
from operator_desk import BROKER, WIFI, Desk, leaks

from meterhub_tools.board.port import BoardError, CablePulled, Line, Repl
from meterhub_tools.errors import ToolError
from meterhub_tools.owner import archive

from meterhub.codec.load_profile import Entry  # isort: skip
from meterhub.store.columns import column_of  # isort: skip
from meterhub.store.journal import Journal  # isort: skip
from meterhub.store.profile import Profile  # isort: skip

STEP = 1800
NOW = int(time.time()) // STEP * STEP
GAS = "profile-gas"
SETTINGS = {
    "schema": 1,
    "name": "cellar",
    "price": {"import_e5": 31000},
    "wifi": {"ssid": "home", "password": WIFI},
    "wan": {"url": "mqtt://127.0.0.1:1", "user": "u", "password": BROKER},
}


class Clock:
    def now(self):
        return NOW


def write_history(data, start, count, events=3):
    """Let a hub's folder have `count` intervals from `start` on, and five of a further meter, for gas."""
    data.mkdir(parents=True, exist_ok=True)
    columns = [column_of(obis) for obis in ("1-0:1.8.0", "1-0:2.8.0")]
    profile = Profile(str(data / "profile"), columns)
    for i in range(count):
        profile.append(Entry(start + i * STEP, 1, (12_345_678 + 140 * i, 4_000 + 3 * i)))
    gas = Profile(str(data / GAS), [column_of("7-0:3.0.0")])
    for i in range(5):
        gas.append(Entry(start + i * STEP, 1, (777_000 + i,)))
    journal = Journal(str(data / "journal"), Clock())
    for i in range(events):
        journal.add("event", "start", str(i))


def history(data):
    """Return the profiles' files as they lie in a hub's folder."""
    return {str(path.relative_to(data)): path.read_bytes() for path in sorted(data.glob("profile*/*"))}


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")


@pytest.fixture
def hub(tmp_path):
    write_history(tmp_path / "hub/data", NOW - 4000 * STEP, 4000)
    with CabledHub(tmp_path / "hub", SETTINGS) as hub:
        yield hub


def asked(hub, verb, **words):
    for _ in range(20):
        try:
            with Line(hub.port) as line:
                return line.ask(verb, **words)
        except ToolError as error:  # the lock of who has just closed the port may outlive it for a moment
            if "is busy" not in str(error):
                raise
            time.sleep(0.1)
    raise AssertionError("the port stays busy")


def backed_up(desk, hub, name="backup.zip"):
    path = desk.folder / name
    status, said = desk.run("backup", "--port", hub.port, path)
    assert status == 0, said
    return path


def lose_history(hub):
    """As after a new flash chip: the hub's key is there, its history is not."""
    with Repl(hub.port):
        shutil.rmtree(hub.data / "profile")
        shutil.rmtree(hub.data / GAS)


def test_backup_holds_the_history_and_no_secret(desk, hub):
    before = history(hub.data)
    path = backed_up(desk, hub)
    found = archive.load(path)
    assert {name: raw for name, raw in found.files.items() if name.startswith("profile")} == before
    assert {name.partition("/")[0] for name in before} == {"profile", GAS}
    assert found.about["hub"] == asked(hub, "hello")["hub"]
    assert (found.settings["name"], found.settings["wifi"]["password"]) == ("cellar", True)
    with zipfile.ZipFile(path) as opened:
        texts = [opened.read(name).decode("latin-1") for name in opened.namelist()]
        assert all(
            name in ("manifest.json", "settings.json") or archive.is_history(name) for name in opened.namelist()
        )
    assert leaks(desk.shown, hub.text(), *texts) == []
    assert "4,000 intervals" in desk.shown


def test_info_tells_what_was_used_by_days_weeks_and_months(desk, hub):
    with Line(hub.port) as line:
        line.ask("clock", at=NOW // 86400 * 86400 - 43200)  # a noon: at midnight itself no day is whole
    status, said = desk.run("info", "--port", hub.port, "--history", "--json")
    assert status == 0, said
    found = json.loads(said)
    assert [len(found[name]) for name in ("days", "weeks", "months")] == [9, 6, 14]
    assert found["days"][1][1] == 48 * 140
    status, said = desk.run("info", "--port", hub.port, "--history")
    assert status == 0, said
    assert "6,720 Wh" in said
    assert "not known" in said


def test_restore_brings_a_lost_history_back(desk, hub):
    before = history(hub.data)
    path = backed_up(desk, hub)
    lose_history(hub)
    status, said = desk.run("restore", "--port", hub.port, path)
    assert status == 0, said
    assert "4,000 intervals" in said
    assert "the hub reads the same" in said
    assert history(hub.data) == before
    assert asked(hub, "info")["intervals"] == 4000
    assert json.loads((hub.data / "settings.json").read_text())["wifi"]["password"] == WIFI  # kept, not restored
    assert leaks(desk.shown, hub.text()) == []


def test_restore_brings_settings_back_but_not_trust(desk, hub):
    path = backed_up(desk, hub)
    assert desk.run("settings", "set", "--port", hub.port, "name=attic", "wan.url=mqtt://127.0.0.1:2")[0] == 0
    status, said = desk.run("restore", "--port", hub.port, path)
    assert status == 0, said
    assert "for `meterhub provision` to change: wan.url" in said
    found = asked(hub, "settings")["settings"]
    assert (found["name"], found["wan"]["url"]) == ("cellar", "mqtt://127.0.0.1:2")


def test_restore_twice_writes_nothing_the_second_time(desk, hub):
    path = backed_up(desk, hub)
    status, said = desk.run("restore", "--port", hub.port, path, "--json")
    assert status == 0, said
    assert json.loads(said)["entries"] == 4000
    assert "wrote" not in desk.run("restore", "--port", hub.port, path)[1]


def test_newer_history_is_kept_unless_forced(desk, hub, tmp_path):
    path = backed_up(desk, hub)
    with Repl(hub.port):
        write_history(hub.data, NOW, 5)
    before = history(hub.data)
    status, said = desk.run("restore", "--port", hub.port, path)
    assert status == 1
    assert "the hub's own history is newer" in said
    assert "--force" in said
    assert history(hub.data) == before
    status, said = desk.run("restore", "--port", hub.port, path, "--force")
    assert status == 0, said
    assert asked(hub, "info")["intervals"] == 4000


def test_newer_journal_is_kept_unless_forced(desk, hub):
    path = backed_up(desk, hub)
    backup = len(archive.load(path).files["journal/event.0"])
    lose_history(hub)
    assert "the hub's journal is newer and was kept" in desk.run("restore", "--port", hub.port, path)[1]
    assert (hub.data / "journal/event.0").stat().st_size > backup


def test_another_hubs_history_wants_to_be_meant(desk, hub, tmp_path):
    path = backed_up(desk, hub)
    with CabledHub(tmp_path / "other") as other:
        status, said = desk.run("restore", "--port", other.port, path)
        assert status == 1
        assert "--replace-hub" in said
        assert history(other.data) == {}
        status, said = desk.run("restore", "--port", other.port, path, "--replace-hub")
        assert status == 0, said
        assert history(other.data) == history(hub.data)
        assert asked(other, "settings")["settings"]["price"]["import_e5"] == 31000


def test_month_that_the_backup_has_not_goes_when_forced(desk, hub):
    path = backed_up(desk, hub)
    with Repl(hub.port):
        write_history(hub.data, NOW + 40 * 86400, 5)
    assert desk.run("restore", "--port", hub.port, path, "--force")[0] == 0
    assert history(hub.data).keys() <= archive.load(path).files.keys()


# -- the cable is pulled, the flash is full ----------------------------------------------------------------------


@pytest.mark.parametrize("doing", ["to write", "to replace"])
@pytest.mark.parametrize("count", [1, 30])
def test_restore_cut_off_half_way_is_completed_by_the_next(desk, hub, monkeypatch, doing, count):
    before = history(hub.data)
    path = backed_up(desk, hub)
    lose_history(hub)
    true, left = Repl.exec, [count]

    def execute(repl, code, about, *more):
        if about.startswith(doing):
            left[0] -= 1
            if left[0] == 0 or (doing == "to replace" and left[0] == count - 2):
                raise CablePulled(repl.port)
        return true(repl, code, about, *more)

    with monkeypatch.context() as patch:
        patch.setattr(Repl, "exec", execute)
        status, said = desk.run("restore", "--port", hub.port, path)
        assert status == 1
        assert "was the cable pulled" in said
    status, said = desk.run("restore", "--port", hub.port, path)
    assert status == 0, said
    assert history(hub.data) == before


def test_full_flash_is_said_and_nothing_was_replaced(desk, hub, monkeypatch):
    path = backed_up(desk, hub)
    with Repl(hub.port):
        (newest,) = sorted((hub.data / "profile").iterdir())[-1:]
        newest.unlink()
    before = history(hub.data)
    true = Repl.exec

    def execute(repl, code, about, *more):
        if code.startswith("f.write"):
            raise BoardError(about, "OSError: 28")
        return true(repl, code, about, *more)

    with monkeypatch.context() as patch:
        patch.setattr(Repl, "exec", execute)
        status, said = desk.run("restore", "--port", hub.port, path)
    assert status == 1
    assert "the board's flash is full; nothing on the hub was replaced" in said
    assert {name: raw for name, raw in history(hub.data).items() if name.endswith(".lp")} == before


def test_piece_that_is_changed_on_the_way_is_noticed(desk, hub, monkeypatch):
    path = backed_up(desk, hub)
    lose_history(hub)
    true = Repl.exec

    def execute(repl, code, about, *more):
        return true(repl, code.replace("unhexlify('4d48", "unhexlify('4d49"), about, *more)

    with monkeypatch.context() as patch:
        patch.setattr(Repl, "exec", execute)
        status, said = desk.run("restore", "--port", hub.port, path)
    assert status == 1
    assert "did not arrive whole; nothing on the hub was replaced" in said


def test_board_without_pins_is_said(desk, hub):
    (hub.folder / "pins.json").unlink()
    status, said = desk.run("backup", "--port", hub.port, desk.folder / "b.zip")
    assert status == 1
    assert "there is no /pins.json on this board" in said
    assert not (desk.folder / "b.zip").exists()
    assert asked(hub, "hello")["hub"]  # it runs again


def test_backup_overwrites_nothing(desk, hub):
    path = backed_up(desk, hub)
    raw = path.read_bytes()
    status, said = desk.run("backup", "--port", hub.port, path)
    assert status == 1
    assert "is there already" in said
    assert path.read_bytes() == raw


# -- a backup that is none ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small good backup, written by the tool's own code."""
    folder = tmp_path_factory.mktemp("saved")
    write_history(folder / "data", NOW - 60 * STEP, 50)
    files = {str(path.relative_to(folder / "data")): path.read_bytes() for path in (folder / "data").glob("*/*")}
    about = {"hub": "0" * 16, "name": "n", "board": "UNIX", "version": "0", "at": NOW}
    archive.save(folder / "good.zip", archive.Backup(about, {"schema": 1}, files))
    return folder / "good.zip"


def rewritten(saved, path, change):
    """Write the backup again after `change(contents)`."""
    with zipfile.ZipFile(saved) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    change(contents)
    with zipfile.ZipFile(path, "w") as new:
        for name, raw in contents.items():
            new.writestr(name, raw)
    return path


def in_manifest(change):
    def rewrite(contents):
        manifest = json.loads(contents["manifest.json"])
        change(manifest)
        contents["manifest.json"] = json.dumps(manifest).encode()

    return rewrite


def first(contents, folder="profile"):
    return min(name for name in contents if name.startswith(folder))


def add_stranger(contents):
    contents["main.py"] = b"print('hello')"


def list_stranger(contents):
    raw = b"print('hello')"
    contents["../main.py"] = raw
    in_manifest(lambda m: m["files"].update({"../main.py": {"size": len(raw), "sha256": archive.sha256(raw)}}))(
        contents
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update({first(c): c[first(c)][:-1] + b"x"}), "is not what was backed up"),
        (lambda c: c.update({"settings.json": b"{}"}), "settings.json is not what was backed up"),
        (lambda c: c.pop(first(c)), "is no backup, or damaged"),
        (lambda c: c.pop("manifest.json"), "is no backup, or damaged"),
        (add_stranger, "of which its manifest knows nothing"),
        (list_stranger, "which is no history"),
        (in_manifest(lambda m: m.pop("hub")), "has no manifest of a backup"),
        (in_manifest(lambda m: m.update({"v": 2})), "has no manifest of a backup"),
        (in_manifest(lambda m: m["files"].pop("settings.json")), "has no manifest of a backup"),
        (lambda c: c.update({"manifest.json": b"[]"}), "is no backup of a hub"),
        (lambda c: c.update({first(c): bytes(2 << 20)}), "is too long"),
    ],
)
def test_damaged_backup_is_refused_before_the_hub_is_touched(desk, saved, tmp_path, change, said):
    path = rewritten(saved, tmp_path / "bad.zip", change)
    status, shown = desk.run("restore", "--port", "/nowhere", path)
    assert status == 1
    assert said in shown
    assert "nothing was restored" in shown


@pytest.mark.parametrize("raw", [b"", b"no zip", None])
def test_file_that_is_no_backup_is_refused(desk, tmp_path, raw):
    if raw is not None:
        (tmp_path / "x.zip").write_bytes(raw)
    status, said = desk.run("restore", "--port", "/nowhere", tmp_path / "x.zip")
    assert status == 1
    assert "backup" in said


def test_every_cut_of_a_backup_is_refused(saved, tmp_path):
    raw = saved.read_bytes()
    for length in range(0, len(raw), 97):
        (tmp_path / "cut.zip").write_bytes(raw[:length])
        with pytest.raises(ToolError):
            archive.load(tmp_path / "cut.zip")


def test_a_backups_journal_is_held_to_its_numbers_and_that_is_said(tmp_path):
    write_history(tmp_path, NOW, 1, events=20)
    name = "journal/event.0"
    raw = (tmp_path / name).read_bytes()
    assert "journal: 20 entries, no number is missing (only the hub" in archive.journal_in_words({name: raw})
    begins = [at for at in range(len(raw)) if raw.startswith(b"\xe3", at) and raw[at + 15 :].startswith(b"start")]
    without_the_sixth = raw[: begins[5]] + raw[begins[6] :]
    assert "broken at event 7: 1 missing before it" in archive.journal_in_words({name: without_the_sixth})
