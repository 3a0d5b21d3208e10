"""The command `meterhub` as an operator meets it: what it says, how it ends, and never a traceback."""

import argparse
import os
import subprocess
import sys
import types

import pytest

from meterhub_tools import broker, cli, toolchain
from meterhub_tools.errors import ToolError

METERHUB = toolchain.ROOT / ".venv/bin/meterhub"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([METERHUB, *words], capture_output=True, text=True, check=False, timeout=60)


def test_the_command_alone_tells_what_one_can_do_next() -> None:
    ended = run()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) <= 10
    for name in cli.COMMANDS:
        assert f"meterhub {name}" in ended.stdout


@pytest.mark.parametrize("words", [["nonsense"], ["--nonsense"], ["demo", "--nonsense"], ["website", "--port", "x"]])
def test_wrong_usage_ends_with_2_and_says_how_it_is_meant(words: list[str]) -> None:
    ended = run(*words)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: meterhub")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_subcommand_explains_itself(name: str) -> None:
    ended = run(name, "--help")
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"usage: meterhub {name}")
    assert "options:" in ended.stdout


def test_the_version_is_the_firmwares() -> None:
    version = toolchain.ROOT / "firmware/meterhub/version.py"
    assert run("--version").stdout.split()[1] in version.read_text()


def subcommand(work: object) -> types.ModuleType:
    module = types.ModuleType("sample")
    module.add_parser = lambda subparsers: subparsers.add_parser("sample")  # type: ignore[attr-defined]
    module.run = work  # type: ignore[attr-defined]
    return module


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch):
    """A subcommand "sample" that does `work(args)`."""

    def install(work: object) -> None:
        monkeypatch.setitem(sys.modules, "meterhub_tools.sample", subcommand(work))
        monkeypatch.setitem(cli.COMMANDS, "sample", ("sample", "a sample"))

    return install


def fail(exc: BaseException):
    def work(args: argparse.Namespace) -> int:
        raise exc

    return work


def test_what_the_operator_can_act_on_is_one_line_and_ends_with_1(sample, capsys: pytest.CaptureFixture[str]) -> None:
    sample(fail(ToolError("the port is taken;\n  choose another with --port")))
    assert cli.main(["sample"]) == 1
    assert capsys.readouterr().err == "meterhub sample: the port is taken; choose another with --port\n"


def test_the_exit_status_is_the_subcommands(sample) -> None:
    sample(lambda args: 0)
    assert cli.main(["sample"]) == 0
    sample(lambda args: 1)
    assert cli.main(["sample"]) == 1


def test_control_c_is_no_traceback(sample) -> None:
    sample(fail(KeyboardInterrupt()))
    assert cli.main(["sample"]) == 130


@pytest.mark.parametrize("words", [[], ["command", "--list"], ["bill", "nonce"]])
def test_an_output_that_nobody_reads_is_no_traceback(words: list[str]) -> None:
    command = [sys.executable, "-m", "meterhub_tools.cli", *words]
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, "")
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "meterhub: No space left on device\n")


@pytest.mark.parametrize("many", ["0", "-1", "some"])
def test_no_list_is_of_no_length(many: str) -> None:
    ended = run("head-end", "hubs", "--role", "SUP", "--limit", many)
    assert ended.returncode == 2 and "is no whole number above 0" in ended.stderr


def test_a_client_that_goes_while_it_is_refused_is_no_traceback() -> None:
    told: list[dict] = []
    loop = types.SimpleNamespace(default_exception_handler=told.append)
    broker._drop_of_a_client(loop, {"exception": OSError(107)})
    bug = {"exception": ZeroDivisionError()}
    broker._drop_of_a_client(loop, bug)
    assert told == [bug]


def test_a_bug_stays_a_traceback(sample) -> None:
    sample(fail(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["sample"])


def test_one_subcommand_does_not_load_another() -> None:
    asked = "import sys; from meterhub_tools import cli; cli._parser(['--help']); print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert not {"django", "meterhub_tools.demo", "meterhub_tools.website"} & set(ended.stdout.split())
