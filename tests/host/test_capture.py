"""`meterhub capture` on a pty with a meter at its other end, and the file that it writes."""

import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from meterhub_tools import toolchain
from meterhub_tools.decode import capture_file, files
from meterhub_tools.decode.capture import Recorder
from meterhub_tools.errors import ToolError
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.p1_meter import P1Meter

START = 1735689600


class Script:
    """A port on which pieces come at their times, and the clock beside it; None: the port goes."""

    def __init__(self, *pieces: tuple[float, bytes | None]) -> None:
        self._pieces = list(pieces)
        self.now = 0.0

    @property
    def in_waiting(self) -> int:
        return 4096

    def read(self, size: int) -> bytes:
        if not self._pieces:
            self.now += 0.1
            return b""
        self.now, piece = self._pieces.pop(0)
        if piece is None:
            raise OSError("gone")
        return piece


def recorded(script: Script, seconds: float) -> str:
    file = io.StringIO(capture_file.heading("2026-03-01T12:00:00Z", "9600 8N1"))
    file.seek(0, io.SEEK_END)
    Recorder(script, file, lambda: script.now).record(seconds)
    return file.getvalue()


def test_the_format_is_what_its_docstring_says() -> None:
    said = recorded(Script((0.412, b"/ISK"), (0.418, bytes(range(70)))), 2)
    assert said.splitlines() == [
        "# meterhub capture 1",
        "# begun 2026-03-01T12:00:00Z, 9600 8N1",
        "0.412 2F49534B",
        "0.418 " + bytes(range(64)).hex().upper(),
        "0.418 404142434445",
    ]


def test_a_capture_is_cut_where_the_line_was_silent(tmp_path: Path) -> None:
    path = tmp_path / "meter.log"
    path.write_text(recorded(Script((0.9, b"a"), (1.0, b"b"), (1.999, b"c"), (2.999, b"d"), (9.0, b"e")), 10))
    (stream,) = files.streams(path)
    assert stream.pieces == (b"abc", b"d", b"e")
    assert files.raw(path) == b"abcde"


@pytest.mark.parametrize("line", ["1.5 00", "1.500 0", "1.500 0g", "-1.500 00", "1.500", "nonsense"])
def test_a_line_of_another_kind_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "meter.cap"
    path.write_text(f"{capture_file.FIRST_LINE}\n0.001 00\n\n{line}\n")
    with pytest.raises(ToolError, match=r"meter\.cap, line 4"):
        files.streams(path)


def test_what_came_before_the_port_went_is_saved() -> None:
    file = io.StringIO()
    script = Script((0.1, b"abc"), (0.2, None))
    with pytest.raises(ToolError, match="after 3 bytes, which are saved"):
        Recorder(script, file, lambda: script.now).record(0)
    assert file.getvalue() == "0.100 616263\n"


# -- the command -------------------------------------------------------------------------------------------------


def meterhub(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "meterhub_tools.cli", *(str(word) for word in words)]
    return subprocess.run(
        line, cwd=toolchain.ROOT / "host_tools", capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def meter():
    """A pty's device, and a meter at its other end that sends telegrams for ever."""
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    source, over = P1Meter(Household(START), "5.0"), threading.Event()

    def send() -> None:
        at = START
        while not over.wait(0.1):
            at += 1
            try:
                os.write(ours, source.telegram(at))
            except BlockingIOError:
                time.sleep(0.1)

    thread = threading.Thread(target=send)
    thread.start()
    yield os.ttyname(theirs)
    over.set()
    thread.join()
    os.close(ours)
    os.close(theirs)


def test_what_is_captured_is_what_decode_reads(meter: str, tmp_path: Path) -> None:
    path = tmp_path / "meter.cap"
    said = meterhub("capture", "--port", meter, "--out", path, "--seconds", "2")
    assert (said.returncode, said.stderr.count("\n")) == (0, 1)
    assert "your readings, its serial number" in said.stdout
    told = meterhub("decode", path)
    assert told.returncode == 0, told.stderr
    assert f"{path}: p1, " in told.stdout and "1-0:1.8.1" in told.stdout


def test_no_file_is_overwritten(meter: str, tmp_path: Path) -> None:
    path = tmp_path / "meter.cap"
    path.write_text("precious")
    said = meterhub("capture", "--port", meter, "--out", path, "--seconds", "1")
    assert (said.returncode, path.read_text()) == (1, "precious")
    assert "exists; name a new file" in said.stderr


def test_a_silent_line_leaves_no_file(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    path = tmp_path / "meter.cap"
    said = meterhub("capture", "--port", os.ttyname(theirs), "--out", path, "--seconds", "0.3")
    os.close(ours)
    os.close(theirs)
    assert said.returncode == 1
    assert "nothing came" in said.stderr
    assert not path.exists()


def test_a_port_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = meterhub("capture", "--port", "/dev/no-such-port", "--out", tmp_path / "a.cap")
    assert said.returncode == 1
    assert "/dev/no-such-port cannot be opened" in said.stderr
    assert not (tmp_path / "a.cap").exists()


@pytest.mark.parametrize("words", [("--format", "9N1"), ("--format", "8N"), ("--seconds", "-1"), ("--seconds", "x")])
def test_wrong_usage_ends_with_2(tmp_path: Path, words: tuple) -> None:
    assert meterhub("capture", "--port", "p", "--out", tmp_path / "a.cap", *words).returncode == 2
