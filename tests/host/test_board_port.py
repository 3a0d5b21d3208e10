"""The board on a serial port: its service line and its REPL, and what is said when there is none of it."""

import errno
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from far_end import FarEnd

from meterhub_tools import toolchain
from meterhub_tools.board import port as ports
from meterhub_tools.board.port import BoardError, CablePulled, Line, NotStartedError, Refused, Repl, wait_for_hub
from meterhub_tools.errors import ToolError
from meterhub_tools.hub import Hub, on_a_cable

RAW_REPL = Path(__file__).parents[1] / "lib/raw_repl.py"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with on_a_cable(tmp_path_factory.mktemp("hub") / "hub", {"schema": 1, "name": "bench"}) as running:
        yield running


def micropython(folder: Path) -> FarEnd:
    """A board that runs MicroPython and nothing else; `folder` is its "/"."""
    program = [toolchain.micropython(), RAW_REPL, folder]
    return FarEnd(program=program, env=toolchain.environment())


def complaint(kind: type, port: str) -> str:
    """What is said when a Line or a Repl cannot be had on `port`: one sentence."""
    with pytest.raises(ToolError) as caught, kind(port):
        pytest.fail("it could be had")
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- no port, no board, another board ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Line, Repl])
def test_a_port_that_does_not_exist_is_named_and_those_that_do(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    pico = serial.tools.list_ports_common.ListPortInfo("/dev/ttyACM3")
    pico.vid, pico.product = 0x2E8A, "Board in FS mode"
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: [pico])
    said = complaint(kind, "/dev/ttyNOWHERE7")
    assert said == "there is no port /dev/ttyNOWHERE7; there are: /dev/ttyACM3 (Board in FS mode)"


@pytest.mark.parametrize("kind", [Line, Repl])
def test_without_any_board_the_cable_is_asked_for(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: [])
    assert "no board is connected" in complaint(kind, "/dev/ttyNOWHERE7")


@pytest.mark.parametrize("kind", [Line, Repl])
def test_a_file_that_is_no_port_is_said_to_be_none(kind: type, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no port")
    assert "is no serial port" in complaint(kind, str(tmp_path / "notes"))


@pytest.mark.parametrize("kind", [Line, Repl])
@pytest.mark.parametrize("url", ["socket://127.0.0.1:1", "nonsense://x"])
def test_an_address_where_nobody_is_is_said(kind: type, url: str) -> None:
    assert url in complaint(kind, url)


@pytest.mark.parametrize("kind", [Line, Repl])
def test_a_port_that_another_program_has_is_busy(kind: type) -> None:
    with FarEnd() as board, serial.serial_for_url(board.port, exclusive=True):
        assert "busy" in complaint(kind, board.port)


def test_a_port_that_one_may_not_use_says_how_to_get_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:  # root may use every port: the system's refusal cannot be had here
        raise serial.SerialException(errno.EACCES, "could not open port /dev/ttyACM0: Permission denied")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    assert "dialout" in complaint(Line, "/dev/ttyACM0")


def test_a_board_that_is_silent_is_said_to_be() -> None:
    with FarEnd() as board:
        assert "nobody answers" in complaint(Line, board.port)
        assert board.heard.count(b'"hello"') == 5
        assert "no MicroPython answers" in complaint(Repl, board.port)


def test_a_board_that_is_something_else_is_said_to_be() -> None:
    with FarEnd(answer=b"login: \r\n") as board:
        assert "neither a hub nor MicroPython" in complaint(Line, board.port)
        assert board.heard.count(b'"hello"') == 2  # what has answered is no hub: there is nothing to wait for
        assert "no MicroPython answers" in complaint(Repl, board.port)


def test_micropython_without_a_hub_is_told_what_comes_next(tmp_path: Path) -> None:
    with micropython(tmp_path) as board:
        said = complaint(Line, board.port)
        assert said.endswith(f"next: meterhub deploy --port {board.port}")


def test_a_hub_that_does_not_answer_is_told_apart() -> None:
    with FarEnd(answer=b'{"ev": "status", "telegrams": 1}\r\n') as board:
        assert "a hub runs there" in complaint(Line, board.port)


# -- the service line ----------------------------------------------------------------------------------------------


def test_a_hub_is_greeted_and_asked(hub: Hub) -> None:
    with Line(hub.cable) as line:
        assert line.hub["hub"] == hub.id and line.hub["name"] == "bench"
        assert line.ask("info")["version"] == line.hub["version"]


def test_a_hub_that_is_busy_for_some_seconds_is_waited_for(hub: Hub) -> None:
    assert hub.pid is not None
    os.kill(hub.pid, signal.SIGSTOP)  # as a TLS handshake does
    wakes = threading.Timer(5, os.kill, (hub.pid, signal.SIGCONT))
    wakes.start()
    with Line(hub.cable) as line:
        assert line.hub["hub"] == hub.id
    wakes.join()


def test_what_somebody_before_us_has_asked_is_ended_before_the_greeting(hub: Hub) -> None:
    with Line(hub.cable) as line:
        line.send(b'{"id": 1, "do": "selftest", "part": "clock"}\n')  # which takes it two seconds
    with Line(hub.cable) as line:
        assert line.hub["hub"] == hub.id


def test_the_hubs_refusal_is_in_its_own_words(hub: Hub) -> None:
    with Line(hub.cable) as line, pytest.raises(Refused) as caught:
        line.ask("make coffee")
    assert (caught.value.error, caught.value.field) == ("UNSUPPORTED", "make coffee")
    assert "make coffee: this firmware does not know it (UNSUPPORTED)" in str(caught.value)


def test_a_long_text_goes_through_the_tray_in_short_lines(hub: Hub) -> None:
    document = {"schema": 1, "name": 'a "quoted" name', "zone": "CET-1CEST,M3.5.0,M10.5.0/3", "currency": "EUR"}
    with Line(hub.cable) as line:
        sent: list[bytes] = []
        send = line.send
        line.send = lambda data: (sent.append(data), send(data))[1]  # type: ignore[method-assign]
        line.put(json.dumps(document))
        complete = line.ask("settings")["settings"]
        line.put(json.dumps(complete | document))
        assert line.ask("check") == {}
        assert len(sent) > 4 and max(map(len, sent)) <= 256


def test_what_comes_before_a_reply_is_not_lost() -> None:
    with FarEnd() as board:
        line = Line(board.port)
        line.open()

        def answer() -> None:
            request = b""
            while b"do" not in request:
                time.sleep(0.01)
                request = bytes(board.heard)
            number = json.loads(request.split(b"\n")[-2])["id"]
            board.say(b'{"ev": "journal", "seq": 1}\r\nnoise\r\n~open\r\n{"ev": "reply", "id": 7, "ok": true}\r\n')
            board.say(b'{"ev": "part", "id": %d, "part": "p1"}\r\n' % number)
            board.say(b'{"ev": "status"}\r\n{"ev": "reply", "id": %d, "ok": true, "at": 5}\r\n' % number)

        tunnel: list[str] = []
        parts: list[dict] = []
        line.on_tunnel = tunnel.append
        threading.Thread(target=answer, daemon=True).start()
        assert line.ask("clock", on_part=parts.append, at=5) == {"at": 5}
        assert [event["ev"] for event in (line.event(1), line.event(1)) if event] == ["journal", "status"]
        assert (tunnel, list(line.text), [part["part"] for part in parts]) == (["open"], ["noise"], ["p1"])
        line.close()


def test_a_hub_that_falls_silent_is_said_to() -> None:
    with FarEnd() as board:
        line = Line(board.port)
        line.open()
        with pytest.raises(ToolError, match="did not answer 'info'"):
            line.ask("info", patience_s=0.2)
        assert line.event(0.1) is None
        line.close()


@pytest.mark.parametrize("do", [lambda line: line.ask("info"), lambda line: line.event(5), lambda line: line.put("x")])
def test_a_cable_that_is_pulled_is_one_sentence(do) -> None:
    with FarEnd() as board:
        line = Line(board.port)
        line.open()
        threading.Timer(0.2, board.pull).start()
        with pytest.raises(CablePulled, match="was the cable pulled"):
            do(line)
        line.close()


def test_a_port_that_is_closed_while_somebody_writes_is_a_pulled_cable() -> None:
    with FarEnd() as board:
        line = Line(board.port)
        line.open()
        assert line._wire is not None
        line._wire._serial.fd = None  # as pyserial's close() leaves it, in another thread
        with pytest.raises(CablePulled):
            line.send(b"x")


def test_a_socket_that_closes_is_a_pulled_cable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = Line(f"socket://127.0.0.1:{server.getsockname()[1]}")
        line.open()
        server.accept()[0].close()
        with pytest.raises(CablePulled):
            line.event(5)
        line.close()


def test_a_restart_is_waited_for(hub: Hub) -> None:
    with Line(hub.cable) as line:
        line.ask("restart")
    assert wait_for_hub(hub.cable, 20)["hub"] == hub.id


def test_firmware_that_ends_at_its_start_is_shown_with_its_error() -> None:
    crash = b"Traceback (most recent call last):\r\n  File \"main.py\"\r\nImportError: no module named 'x'\r\n"
    banner = b"MicroPython v1.25.0 on 2025-04-15; a board\r\n>>> "
    with (
        FarEnd(answer=crash + banner) as board,
        pytest.raises(NotStartedError, match="does not start: ImportError: no module named 'x'"),
    ):
        wait_for_hub(board.port, 10)


def test_a_board_that_does_not_come_back_is_said_to() -> None:
    with FarEnd() as board, pytest.raises(ToolError, match="has not come back"):
        wait_for_hub(board.port, 1.5)


# -- the REPL ------------------------------------------------------------------------------------------------------


def test_python_runs_on_the_board(tmp_path: Path) -> None:
    with micropython(tmp_path) as board, Repl(board.port) as repl:
        repl.exec("a = 6", "to count")
        assert repl.exec("print(a * 7, end='')", "to count") == "42"
        assert repl.eval("[a, 'x', b'\\x00']") == [6, "x", b"\0"]


def test_what_fails_on_the_board_is_said_with_its_error(tmp_path: Path) -> None:
    with micropython(tmp_path) as board, Repl(board.port) as repl:
        with pytest.raises(BoardError) as caught:
            repl.exec("1 // 0", "to divide")
        assert (caught.value.text, str(caught.value)) == (
            "ZeroDivisionError: divide by zero",
            "the board failed to divide: ZeroDivisionError: divide by zero",
        )


def test_an_answer_that_is_no_value_is_no_traceback(tmp_path: Path) -> None:
    with (
        micropython(tmp_path) as board,
        Repl(board.port) as repl,
        pytest.raises(ToolError, match="not to be understood"),
    ):
        repl.eval("object()")


def test_a_cable_pulled_while_the_board_works_is_one_sentence(tmp_path: Path) -> None:
    with micropython(tmp_path) as board, Repl(board.port) as repl:
        threading.Timer(0.3, board.pull).start()
        with pytest.raises(CablePulled):
            repl.exec("import time\ntime.sleep(5)", "to wait")


def test_the_board_is_reset_at_the_end_and_only_then(tmp_path: Path) -> None:
    with micropython(tmp_path) as board:
        with Repl(board.port) as repl:
            repl.exec("open('/still', 'w').close()", "to write")
            assert board._process.poll() is None
        assert board._process.wait(5) == 3


def test_nothing_that_mpremote_prints_gets_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FarEnd(answer=b"login: ") as board:
        complaint(Repl, board.port)
    assert capsys.readouterr().out == ""


def test_ports_are_words_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    built_in = serial.tools.list_ports_common.ListPortInfo("/dev/ttyS0")
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: [built_in])
    assert "no board" in ports.ports_in_words()
