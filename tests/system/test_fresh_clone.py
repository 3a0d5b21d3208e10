"""What a newcomer does: a fresh clone, an unprivileged user with an empty home, no MicroPython and no Node."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresh_home import Newcomer, newcomer

ROOT = Path(__file__).parents[2]
SET_UP_S = 600
ONCE_S = 300


@pytest.fixture(scope="module")
def place() -> Iterator[Newcomer]:
    """A newcomer with a clone of this checkout in `folder`/meterhub."""
    with newcomer("micropython", "node", "npm", "npx") as made:
        clone(made.folder / "meterhub")
        made.own()
        yield made


def clone(dest: Path) -> None:
    """Clone this checkout's HEAD, and bring along what has not been committed yet."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, dest], check=True)
    words = ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        target = dest / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, target)
        else:
            target.unlink(missing_ok=True)


def test_a_newcomer_sets_up_and_sees_the_whole_flow(place: Newcomer) -> None:
    checkout = place.folder / "meterhub"
    assert not shutil.which("micropython", path=place.env["PATH"])
    assert not shutil.which("node", path=place.env["PATH"])

    made = place.run("make", "setup", cwd=checkout, timeout_s=SET_UP_S)
    assert made.returncode == 0, made.stdout + made.stderr
    assert os.access(checkout / ".toolchain/mp64/root/usr/bin/micropython", os.X_OK)
    assert os.access(checkout / ".venv/bin/node", os.X_OK)

    again = place.run("make", "setup", cwd=checkout, timeout_s=10)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    once = place.run(".venv/bin/meterhub", "demo", "--once", "--json", cwd=checkout, timeout_s=ONCE_S)
    assert once.returncode == 0, once.stdout + once.stderr
    said = json.loads(once.stdout)
    assert len(said["hub_id"]) == 16
    assert said["telegrams_read"] >= 393 * 48
    assert said["intervals_stored"] >= 393 * 48
    assert set(said["modes"]) == {"server", "private"}
    for mode in said["modes"].values():
        assert mode["intervals_decrypted"] >= 393 * 48
        assert mode["first_import_wh"] == 9_972_948  # what the household's meter shows at its start
        assert mode["last_import_wh"] > mode["first_import_wh"] + 4_000_000
        assert mode["wrong_pins_refused"] == 1
        assert mode["readable_after_logoff"] is False
        assert mode["seconds"]["prove_and_fetch"] > 0
    assert "the hub reads thirteen months" in once.stderr
