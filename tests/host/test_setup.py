"""The set-up itself: what it repeats, what it leaves alone, and what it says where it cannot go on."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fresh_home import newcomer

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "host_tools/setup"


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The module of the steps, at work in an empty folder."""
    monkeypatch.syspath_prepend(str(SETUP))
    import steps

    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "_STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(steps, "_LOGS", tmp_path / "logs")
    return steps


class Work:
    """A step that counts how often it has been done."""

    def __init__(self, steps, folder: Path) -> None:
        self.done = 0
        self.source, self.product = folder / "source", folder / "product"
        self.source.mkdir()
        (self.source / "a").write_text("1")
        self._step = steps.Step("work", "working", (self.source,), (self.product,), self.do)
        self._run = steps.run

    def do(self) -> None:
        self.done += 1
        self.product.write_text("made")

    def set_up(self) -> int:
        self._run((self._step,))
        return self.done


@pytest.fixture
def work(steps, tmp_path: Path) -> Work:
    return Work(steps, tmp_path)


def test_nothing_is_done_twice_when_nothing_changed(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    assert work.set_up() == 1
    capsys.readouterr()
    assert work.set_up() == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["a", "b", "deeper/c"])
def test_a_changed_or_new_input_is_worked_in(work: Work, name: str) -> None:
    work.set_up()
    (work.source / name).parent.mkdir(exist_ok=True)
    (work.source / name).write_text("2")
    assert work.set_up() == 2


def test_a_removed_input_is_seen(work: Work) -> None:
    work.set_up()
    (work.source / "a").unlink()
    assert work.set_up() == 2


def test_a_missing_product_is_made_again(work: Work) -> None:
    work.set_up()
    work.product.unlink()
    assert work.set_up() == 2


def test_generated_folders_are_no_inputs(work: Work) -> None:
    work.set_up()
    (work.source / "node_modules").mkdir()
    (work.source / "node_modules/x").write_text("x")
    assert work.set_up() == 1


def test_a_step_that_was_cut_short_is_done_again(steps, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    work.set_up()
    (work.source / "a").write_text("2")

    def fail() -> None:
        raise steps.SetupError("no network")

    broken = steps.Step("work", "working", (work.source,), (work.product,), fail)
    with pytest.raises(steps.SetupError):
        steps.run((broken,))
    (work.source / "a").write_text("1")  # as it was when it last went well: the product is still in doubt
    assert work.set_up() == 2


def test_lanes_go_side_by_side_and_one_that_fails_ends_the_others(steps) -> None:
    both, done, failed = threading.Barrier(2, timeout=60), [], threading.Event()

    def fail() -> None:
        both.wait()
        raise steps.SetupError("no network")

    def step(name: str, action) -> object:
        return steps.Step(name, name, (), (), action)

    with pytest.raises(steps.SetupError, match="no network"):
        steps.run((step("fails", fail),), (step("meets it", both.wait),))
    both.abort()
    with pytest.raises(threading.BrokenBarrierError):
        steps._run_lane((step("fails", fail),), failed)
    steps._run_lane((step("another", lambda: done.append(1)),), failed)
    assert done == []


def test_a_failing_program_is_shown_by_its_last_words(steps) -> None:
    with pytest.raises(steps.SetupError, match="ended with 3") as caught:
        steps.command("sample", sys.executable, "-c", "print('the reason'); raise SystemExit(3)")
    assert "the reason" in str(caught.value)
    with pytest.raises(steps.SetupError, match="not installed"):
        steps.command("sample", "no-such-program")


def empty_checkout(folder: Path) -> Path:
    """A checkout with the set-up and nothing else."""
    checkout = folder / "checkout"
    shutil.copytree(SETUP, checkout / "host_tools/setup", ignore=shutil.ignore_patterns("__pycache__"))
    return checkout / "host_tools/setup/run"


def set_up(run: Path, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(path), "HOME": str(path)}
    return subprocess.run(["/bin/sh", run, *words], env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with Python and little else: no Debian."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dirname", "sh"):
        (folder / name).symlink_to(shutil.which(name) or "/bin/sh")
    (folder / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    return folder


def script(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # never write through a link to a real program
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_another_system_is_told_what_is_needed(tmp_path: Path, programs: Path) -> None:
    ended = set_up(empty_checkout(tmp_path), programs)
    assert ended.returncode == 1
    assert "MicroPython 1.24 or newer is needed on PATH" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_another_system_is_told_the_command_to_type(tmp_path: Path, programs: Path) -> None:
    script(programs / "brew", "exit 0")
    ended = set_up(empty_checkout(tmp_path), programs)
    assert "type:  brew install micropython" in ended.stderr


def test_an_old_micropython_on_path_is_not_taken(tmp_path: Path, programs: Path) -> None:
    script(programs / "micropython", "exit 1")  # what an interpreter older than asked answers
    ended = set_up(empty_checkout(tmp_path), programs)
    assert "is needed on PATH" in ended.stderr


def test_a_new_micropython_on_path_is_taken(steps, tmp_path: Path, programs: Path, monkeypatch) -> None:
    import interpreters

    script(programs / "micropython", "exit 0")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(interpreters, "TOOLCHAIN", tmp_path / "toolchain")
    interpreters.install_64()
    assert (tmp_path / "toolchain/mp64/bin/micropython").readlink() == programs / "micropython"


def test_no_python_is_said_in_one_line(tmp_path: Path, programs: Path) -> None:
    script(programs / "python3", "exit 1")
    ended = set_up(empty_checkout(tmp_path), programs)
    assert ended.returncode == 1
    assert "Python 3.11 or newer" in ended.stderr


def test_wrong_usage_ends_with_2(tmp_path: Path, programs: Path) -> None:
    assert set_up(empty_checkout(tmp_path), programs, "nonsense").returncode == 2


def test_who_may_not_install_the_tests_programs_is_told_the_command_at_once() -> None:
    with newcomer("chromium", "sudo") as place:
        run = empty_checkout(place.folder)
        place.own()
        ended = place.run("sh", run, "tests", cwd=place.folder, timeout_s=30)
        assert ended.returncode == 1
        assert "type:  sudo apt-get install --yes --no-install-recommends chromium" in ended.stderr
        assert not os.path.exists(run.parents[2] / ".venv")
