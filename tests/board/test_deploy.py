"""`meterhub deploy` to the real MicroPython image: what it sends, and what an interruption leaves behind."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from house import P1, House

from meterhub_tools import cli, toolchain
from meterhub_tools.board import deploy, flash
from meterhub_tools.board.bundle import Bundle, pack
from meterhub_tools.board.port import BoardError, CablePulled, Line, Repl, wait_for_hub
from meterhub_tools.board.slots import Slots, digest_of
from meterhub_tools.demo.progress import Progress
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.errors import ToolError

from meterhub.version import VERSION  # isort: skip

METERHUB = toolchain.ROOT / ".venv/bin/meterhub"
START_S = 60
TELEGRAMS = 3
A_SECOND_MS = 1000  # from one to the next


def board(flash_content: bytes | None, stock_image: Path) -> EmulatedPico:
    """A board with this flash; its buttons' pull-ups are the chip's own."""
    return EmulatedPico(stock_image, flash=flash_content)


@pytest.fixture(scope="module")
def deployed(stock_image: Path) -> tuple[bytes, dict]:
    """The flash of a board to which the firmware has been deployed once, and what the command reported."""
    with board(None, stock_image) as pico:
        report = run_deploy(pico)
        pico.power_cut()
        return pico.flash, report


def run_deploy(pico: EmulatedPico, *words: str) -> dict:
    """Run the command as it is typed; return its report."""
    ended = subprocess.run(
        [METERHUB, "deploy", "--port", pico.port, "--json", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


LEFT_OUT = ("services/", "applets/", "meters/dlms", "meters/mbus", "meters/modbus", "meters/sml", "meters/iec62056")
LEAN = tuple("meterhub/" + name for name in (*LEFT_OUT, "demand", "tariff", "letter", "schedule", "diagnosis"))


def leave_out(patch: pytest.MonkeyPatch) -> None:
    """Have less deployed, in less time: a hub that starts, without what is loaded when it is wanted."""
    compiled = deploy.firmware_for

    def less(found: deploy.About) -> dict[str, bytes]:
        return {name: data for name, data in compiled(found).items() if not name.startswith(LEAN)}

    patch.setattr(deploy, "firmware_for", less)


@pytest.fixture
def lean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less is deployed in this test."""
    leave_out(monkeypatch)


@pytest.fixture(scope="module")
def before(stock_image: Path) -> tuple[bytes, dict]:
    """The flash of a board that has the lean firmware, and what the command reported."""
    with pytest.MonkeyPatch.context() as patch, board(None, stock_image) as pico:
        leave_out(patch)
        report = deploy_here(pico)
        pico.power_cut()
        return pico.flash, report


def deploy_here(pico: EmulatedPico) -> dict:
    """Deploy from within this process, which may have less to send; return the report."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert cli.main(["deploy", "--port", pico.port, "--json"]) == 0
    return json.loads(said.getvalue())


def refused(capsys: pytest.CaptureFixture[str], *words: str, status: int = 1) -> str:
    """Run a command that must say no in one line; return the line."""
    assert cli.main(list(words)) == status
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("meterhub ")]
    assert len(said) == 1
    return said[0]


@pytest.fixture
def other_version(lean: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file of the lean firmware has changed: it says another version."""
    source = tmp_path / "version.py"
    source.write_text('VERSION = "9.9.9"\n')
    compiled = deploy.firmware_for

    def changed(found: deploy.About) -> dict[str, bytes]:
        new = toolchain._compiled("meterhub/version.py", source, "armv6m")
        return compiled(found) | {"meterhub/version.mpy": new}

    monkeypatch.setattr(deploy, "firmware_for", changed)


# -- what is sent --------------------------------------------------------------------------------------------------


def test_a_fresh_board_gets_everything_and_the_hub_starts(deployed: tuple[bytes, dict]) -> None:
    report = deployed[1]
    assert (report["board"], report["micropython"], report["slot"]) == ("RPI_PICO", "1.25.0", "a")
    assert report["hub"] and report["version"]
    sent = report["sent"]
    assert {"meterhub/app.mpy", "meterhub/codec/_crc_native.mpy", "umqtt/simple.mpy", "/pins.json", "/main.py"} <= set(
        sent
    )
    assert not [name for name in sent if name.endswith(("unix.mpy", "bench.mpy"))]


def test_a_second_run_sends_nothing(before: tuple[bytes, dict], lean: None, stock_image: Path) -> None:
    with board(before[0], stock_image) as pico:
        report = deploy_here(pico)
        assert (report["sent"], report["copied"], report["slot"]) == ([], 0, "a")
        assert report["hub"] == before[1]["hub"]


def test_one_changed_file_sends_one_file(before, stock_image: Path, other_version: None) -> None:
    with board(before[0], stock_image) as pico:
        report = deploy_here(pico)
    assert (report["sent"], report["slot"], report["version"]) == (["meterhub/version.mpy"], "b", "9.9.9")
    assert report["copied"] == len(before[1]["sent"]) - 3  # less what stands outside the slots, and the one


def test_its_own_board_file_is_put_right(before, lean: None, stock_image: Path) -> None:
    with board(before[0], stock_image) as pico:
        with Repl(pico.port) as repl:
            repl.exec("with open('/pins.json', 'w') as file: file.write('{')", "to write")
        assert deploy_here(pico)["sent"] == ["/pins.json"]


def test_the_hub_reads_its_meter_and_lights_its_display_out_of_the_slot(deployed, stock_image: Path) -> None:
    with board(deployed[0], stock_image) as pico:
        house = House(pico)
        house.greeted()
        assert house.meterhub("settings", "set", P1) == 0
        for _ in range(TELEGRAMS):
            house.telegram(house.now())
            house.pico.wait_ms(A_SECOND_MS)
        said = house.greeted()
        for _ in range(20):  # in files the firmware takes its time to start
            if said["meters"][0]["telegrams"] == TELEGRAMS:
                break
            house.pico.wait_ms(A_SECOND_MS)
            said = house.greeted()
        assert [(meter["telegrams"], meter["errors"]) for meter in said["meters"]] == [(TELEGRAMS, {})]
        house.sees("import", "kWh")
        assert house.meterhub("info") == 0


def test_a_board_with_the_firmware_in_its_image_is_told_its_wiring_and_no_more(frozen_image: Path) -> None:
    with EmulatedPico(frozen_image, pace=None) as pico:
        report = run_deploy(pico)
        assert (report["sent"], report["slot"], report["version"]) == (["/pins.json"], "", VERSION)
        assert run_deploy(pico)["sent"] == []
        assert run_deploy(pico, "--as-files")["slot"] == "a"
        report = run_deploy(pico)
        assert (report["sent"], report["slot"], report["version"]) == ([], "", VERSION)
        with Repl(pico.port) as repl:
            assert repl.eval("__import__('os').listdir('/fw')") == []


def test_a_board_with_little_memory_is_said_to_have_it(capsys: pytest.CaptureFixture[str]) -> None:
    report = {"board": "RPI_PICO_W", "slot": "a", "heap": 190 * 1024, "sent": [], "hub": "X", "version": "1"}
    for change, said in (({}, True), ({"slot": ""}, False), ({"heap": 256 * 1024}, False)):
        deploy._tell(report | change, "PORT", False, Progress(sys.stdout))
        assert ("190 KB of memory" in capsys.readouterr().out) is said


# -- interruptions -------------------------------------------------------------------------------------------------


def interrupted(pico: EmulatedPico, how: Callable[[], object], at: float) -> None:
    """Run a deploy and do `how` when this part of the bytes is through; it must end with one sentence."""

    def fill(self: Slots, plan: object, wanted: Bundle, tell: Callable[[int, int], None]) -> None:
        done: list[bool] = []

        def told(so_far: int, total: int) -> None:
            tell(so_far, total)
            if so_far > at * total and not done:
                done.append(True)
                how()

        real(self, plan, wanted, told)

    real = Slots.fill
    Slots.fill = fill  # type: ignore[method-assign]
    try:
        with pytest.raises(ToolError) as caught, Repl(pico.port) as repl:
            deploy.deploy(repl, "", Quiet())
    finally:
        Slots.fill = real  # type: ignore[method-assign]
    assert "\n" not in str(caught.value)


class Quiet(deploy.Progress):
    """Says nothing."""

    def __init__(self) -> None:
        super().__init__(open(os.devnull, "w"))  # noqa: SIM115 - as long as the test


def test_a_power_cut_half_way_leaves_the_old_firmware_and_the_next_run_sends_the_rest(
    before, stock_image: Path, other_version: None
) -> None:
    with board(before[0], stock_image) as pico:
        interrupted(pico, pico.power_cut, 0.6)
        pico.start()
        assert wait_for_hub(pico.port, START_S)["version"] == before[1]["version"]
        assert cli.main(["deploy", "--port", pico.port]) == 0
        assert wait_for_hub(pico.port, START_S)["version"] == "9.9.9"


def test_what_a_first_deploy_had_sent_is_not_sent_again(lean: None, stock_image: Path) -> None:
    with board(None, stock_image) as pico:
        interrupted(pico, pico.power_cut, 0.6)
        pico.start()
        report = deploy_here(pico)
    assert report["copied"] > 20 and "meterhub/app.mpy" not in report["sent"]
    assert report["hub"]


def test_a_killed_tool_leaves_a_board_that_boots_and_the_next_run_completes_it(stock_image: Path) -> None:
    with board(None, stock_image) as pico:
        tool = subprocess.Popen([METERHUB, "deploy", "--port", pico.port], stdout=subprocess.PIPE, text=True)
        assert tool.stdout is not None
        while "comparing" not in tool.stdout.readline():
            pass
        time.sleep(1.5)
        tool.send_signal(signal.SIGKILL)
        tool.wait()
        assert run_deploy(pico)["hub"]


def test_control_c_restarts_the_old_firmware(before, stock_image: Path, other_version: None) -> None:
    with board(before[0], stock_image) as pico:
        real = Slots.check
        Slots.check = lambda self, wanted: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
        try:
            assert cli.main(["deploy", "--port", pico.port]) == 130
        finally:
            Slots.check = real  # type: ignore[method-assign]
        assert wait_for_hub(pico.port, START_S)["version"] == before[1]["version"]


SMALL = {"meterhub/__init__.mpy": b"", "meterhub/app.mpy": bytes(range(256)) * 4, "x.mpy": b"x" * 300}


def small(version: str) -> Bundle:
    return pack(version, SMALL | {"meterhub/version.mpy": version.encode()})


def slot_is_whole(pico: EmulatedPico, allowed: dict[str, Bundle]) -> str:
    """Return which slot boots; what stands in it must be just one of `allowed`."""
    with Repl(pico.port) as repl:
        slots = Slots(repl)
        assert slots.hash(f"/fw/{slots.in_use}") == digest_of(allowed[slots.in_use].data)
        return slots.in_use


def test_a_power_cut_at_any_flash_operation_leaves_a_whole_slot_in_force(stock_image: Path) -> None:
    old, new = small("1"), small("2")
    with board(None, stock_image) as pico:
        with Repl(pico.port) as repl:
            update(Slots(repl), old)
        wait_until_back(pico)
        pico.power_cut()
        before, ends = pico.flash, []
    with EmulatedPico(stock_image, flash=before, pace=None) as pico:
        for cut in range(1, 200):
            pico.cut_after(cut, torn=cut % 2 == 0)
            if not cut_off(pico, new):
                break
            pico.start()
            ends.append(slot_is_whole(pico, {"a": old, "b": new}))
            pico.power_cut()
            pico.flash = before
            pico.start()
    assert ends == sorted(ends) and {"a", "b"} == set(ends) and len(ends) > 10


def cut_off(pico: EmulatedPico, new: Bundle) -> bool:
    """Update a slot; return whether the power went before it was done."""
    try:
        with Repl(pico.port) as repl:
            update(Slots(repl), new)
    except CablePulled:
        pico.wait_off()
        return True
    return False


def update(slots: Slots, wanted: Bundle) -> None:
    plan = slots.plan(wanted)
    assert plan is not None
    slots.fill(plan, wanted, lambda done, total: None)
    slots.check(wanted)
    slots.switch(plan.slot)


def wait_until_back(pico: EmulatedPico) -> None:
    with Repl(pico.port):
        pass


BALLAST = """\
import os
free = os.statvfs('/')[3]
with open('/ballast', 'wb') as file:
    for _ in range(free - 4):
        file.write(bytes(4096))
        print('.', end='')
"""


# -- what is in the way --------------------------------------------------------------------------------------------


def test_a_full_file_system_is_one_line_and_leaves_the_old_firmware_and_no_rubbish(
    before, lean: None, stock_image: Path, capsys, monkeypatch
) -> None:
    with board(before[0], stock_image) as pico:
        with Repl(pico.port) as repl:
            repl.exec(BALLAST, "to fill it")
        compiled = deploy.firmware_for
        more = {"meterhub/more.mpy": os.urandom(120_000)}
        monkeypatch.setattr(deploy, "firmware_for", lambda found: compiled(found) | more)
        assert "file system is full" in refused(capsys, "deploy", "--port", pico.port)
        assert wait_for_hub(pico.port, START_S)["version"] == before[1]["version"]
        with Repl(pico.port) as repl:
            assert sorted(repl.eval("__import__('os').listdir('/fw')")) == ["a"]


def test_a_board_of_another_kind_is_one_line(before, stock_image: Path, capsys) -> None:
    with board(before[0], stock_image) as pico:
        said = refused(capsys, "deploy", "--port", pico.port, "--board", "RPI_PICO_W")
        assert "this is not a RPI_PICO_W (Pico W): it is a Raspberry Pi Pico with RP2040; nothing was changed" in said
        assert "is not a ESP32_GENERIC" in refused(capsys, "deploy", "--port", pico.port, "--board", "ESP32_GENERIC")
        assert "there is no board PICO" in refused(capsys, "deploy", "--port", pico.port, "--board", "PICO", status=2)
        assert wait_for_hub(pico.port, START_S)["hub"] == before[1]["hub"]


def test_a_compiler_that_does_not_fit_is_one_line(stock_image: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(toolchain, "mpy_version", lambda: (7, 0))
    with board(None, stock_image) as pico:
        said = refused(capsys, "deploy", "--port", pico.port)
    assert "wants .mpy files of version 6.3" in said and "mpy-cross makes 7.0" in said


def test_firmware_that_does_not_start_is_shown_with_its_error(stock_image: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(deploy, "firmware_for", lambda found: {"meterhub/nothing.mpy": b""})
    with board(None, stock_image) as pico:
        said = refused(capsys, "deploy", "--port", pico.port)
    assert "does not start: ImportError: no module named 'meterhub" in said


def test_micropython_without_a_hub_is_told_what_comes_next(stock_image: Path) -> None:
    with (
        board(None, stock_image) as pico,
        pytest.raises(ToolError, match="no hub; next: meterhub deploy"),
        Line(pico.port),
    ):
        pass


def test_a_pico_is_asked_to_its_boot_mode_only_if_it_is_the_one_that_is_meant(stock_image: Path, capsys) -> None:
    from meterhub_tools.emulator import image

    with board(None, stock_image) as pico:
        with pytest.raises(ToolError, match="this is not a RPI_PICO_W"):
            flash._ask_for_drive(flash.kinds.named("RPI_PICO_W"), pico.port, Quiet())
        with Repl(pico.port) as repl, pytest.raises(BoardError):
            repl.exec("import nothing", "to go on")
    assert image.uf2("stock").exists()
