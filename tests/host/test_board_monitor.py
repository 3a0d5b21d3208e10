"""`meterhub monitor` and `meterhub bridge`: a hub on the cable, shown, and connected with its broker."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from cabled_hub import CabledHub
from far_end import FarEnd

from meterhub_tools import toolchain
from meterhub_tools.board.bridge import Tunnel
from meterhub_tools.board.monitor import follow, words
from meterhub_tools.board.port import Line
from meterhub_tools.broker import Broker, User
from meterhub_tools.errors import ToolError
from meterhub_tools.hub import Hub, on_a_cable

METERHUB = toolchain.ROOT / ".venv/bin/meterhub"
SETTINGS = {"schema": 1, "name": "bench", "wan": {"url": "cable:", "user": "hub", "password": "secret"}}


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker([User("hub", "secret"), User("reader", "secret")]) as running:
        yield running


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with on_a_cable(tmp_path / "hub", SETTINGS) as running:
        yield running


class Running:
    """A subcommand at work; what it prints is kept. It ends with its `with`, so that it takes nobody else's bytes."""

    def __init__(self, *typed: str) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        # whoever started us may have told us to ignore Ctrl-C
        self._process = subprocess.Popen([METERHUB, *typed], text=True, **pipes)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._changed:
                self.lines.append(line.rstrip())
                self._changed.notify_all()

    def wait(self, *parts: str) -> str:
        """Return the first line with all of `parts` in it."""

        def found() -> list[str]:
            return [line for line in self.lines if all(part in line for part in parts)]

        with self._changed:
            assert self._changed.wait_for(found, 30), f"waited for {parts}: {self.lines}"
            return found()[0]

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit status."""
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(30)
        self._thread.join()
        return code


# -- monitor -------------------------------------------------------------------------------------------------------


def test_the_hubs_events_are_shown_as_lines_until_control_c(tmp_path: Path) -> None:
    with CabledHub(tmp_path, {"schema": 1, "name": "bench"}) as hub, Running("monitor", "--port", hub.port) as running:
        while not running.lines:  # what a hub said before anybody listened is gone
            hub.cut_power()
            time.sleep(1)
        running.wait("start", "'bench'")
        running.wait("status", "0 telegrams, 0 errors, 0 intervals")
        running.wait("journal", "event", "start")
        assert running.interrupt() == 0


def test_json_is_one_event_a_line() -> None:
    with FarEnd() as board, Running("monitor", "--port", board.port, "--json") as running:
        while not board.heard:
            time.sleep(0.01)
        board.say(b'{"ev": "status", "telegrams": 5}\r\nTraceback\r\n~open\r\n{"ev": "start", "hub": "X"}\r\n')
        running.wait('"start"')
        assert running.interrupt() == 0
    assert [json.loads(line) for line in running.lines] == [
        {"ev": "text", "text": "Traceback"},
        {"ev": "status", "telegrams": 5},
        {"ev": "start", "hub": "X"},
    ]


def test_a_port_that_does_not_exist_is_one_line_and_ends_it() -> None:
    ended = subprocess.run(
        [METERHUB, "monitor", "--port", "/dev/ttyNOWHERE7"], capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1 and "there is no port" in ended.stderr


def test_a_cable_that_was_pulled_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"socket://127.0.0.1:{server.getsockname()[1]}"
        told: list[str] = []
        events = follow(port, told.append)

        def play() -> None:
            for number in (1, 2):
                line = server.accept()[0]
                for _ in range(20):  # pyserial drops what comes while it opens
                    line.sendall(b'{"ev": "status", "telegrams": %d}\r\n' % number)
                    time.sleep(0.02)
                line.close()

        player = threading.Thread(target=play, daemon=True)
        player.start()
        assert next(events)["telegrams"] == 1
        while (event := next(events))["telegrams"] == 1:
            pass
        assert event["telegrams"] == 2
        player.join()
    assert "was the cable pulled" in told[0] and told[1] == f"{port}: back"


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"ev": "start", "hub": "H", "name": "home", "version": "1.0"}, "start     hub H 'home' runs version 1.0"),
        (
            {"ev": "journal", "kind": "security", "at": 0, "name": "REPLAY", "detail": "seq"},
            "journal   ---------- --:--:--  security  REPLAY  seq",
        ),
        (
            {
                "ev": "status",
                "at": 0,
                "telegrams": 5,
                "errors": 0,
                "intervals": 7,
                "clock": "meter",
                "wan": "up",
                "heap": 98304,
            },
            "status    ---------- --:--:--  5 telegrams, 0 errors, 7 intervals; clock meter, WAN up, 96 KB free",
        ),
        (
            {
                "ev": "status",
                "at": 0,
                "telegrams": 5,
                "errors": {"crc": 2, "junk": 1},
                "clock": "unset",
                "wan": "down",
            },
            "status    ---------- --:--:--  5 telegrams, 3 errors, None intervals; clock unset, WAN down",
        ),
        ({"ev": "part", "part": "p1", "ok": True}, 'part      {"part": "p1", "ok": true}'),
        ({"ev": "text", "text": "Traceback"}, "  | Traceback"),
    ],
)
def test_an_event_is_one_readable_line(event: dict, shown: str) -> None:
    assert words(event) == shown


@pytest.mark.parametrize("kind", ["start", "journal", "status", "part", "new one"])
def test_an_event_without_its_fields_is_a_line_too(kind: str) -> None:
    assert words({"ev": kind}).startswith(kind)


# -- bridge --------------------------------------------------------------------------------------------------------


def test_a_hub_speaks_with_its_broker_through_the_cable(hub: Hub, broker: Broker) -> None:
    heard: dict[str, bytes] = {}
    came = threading.Event()

    def message(client: mqtt.Client, data: object, got: mqtt.MQTTMessage) -> None:
        heard[got.topic] = got.payload
        if got.topic.endswith("/card"):
            came.set()

    reader = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    reader.username_pw_set("reader", "secret")
    reader.on_connect = lambda client, *_: client.subscribe("meterhub/#", 1)
    reader.on_message = message
    reader.connect("127.0.0.1", broker.port)
    reader.loop_start()
    with Running("bridge", "--port", hub.cable, "--broker", f"mqtt://127.0.0.1:{broker.port}", "--events") as running:
        assert came.wait(60), running.lines
        assert running.interrupt() == 0
    reader.loop_stop()
    assert any(hub.id in topic for topic in heard)


def test_a_broker_that_is_not_there_is_named_and_the_hub_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with FarEnd() as board:
        line = joined(Tunnel("mqtt", "127.0.0.1", 1), board)
        board.say(b"~open\r\n")
        line.event(0.5)
        assert bytes(board.heard).split() == [b"~close", b"~close"]
        line.close()
    assert "the broker at 127.0.0.1:1 cannot be reached" in capsys.readouterr().err


def joined(tunnel: Tunnel, board: FarEnd) -> Line:
    line = Line(board.port)
    line.open()
    tunnel.join(line)
    return line


@pytest.fixture
def far_broker() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_bytes_go_both_ways_and_the_end_of_either_side_ends_the_other(far_broker: socket.socket) -> None:
    with FarEnd() as board:
        tunnel = Tunnel("mqtt", "127.0.0.1", far_broker.getsockname()[1])
        line = joined(tunnel, board)
        board.say(b"~open\r\n")
        line.event(0.3)
        broker_end = far_broker.accept()[0]
        board.say(b"~AAEC\r\n")
        line.event(0.3)
        assert broker_end.recv(10) == b"\0\1\2"
        broker_end.sendall(bytes(1000))
        broker_end.close()
        line.event(0.5)
        open_, *chunks, close = bytes(board.heard).split()[1:]
        assert (open_, close, tunnel.connections) == (b"~open", b"~close", 1)
        assert len(chunks) >= 2 and max(map(len, chunks)) <= 1 + 684
        line.close()


def test_a_broker_that_answers_no_handshake_does_not_hold_the_line(
    far_broker: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterhub_tools.board.bridge._CONNECT_S", 0.3)
    with FarEnd() as board:
        line = joined(Tunnel("mqtts", "127.0.0.1", far_broker.getsockname()[1]), board)
        board.say(b"~open\r\n")
        line.event(0.3)
        assert bytes(board.heard).split()[-1] == b"~close"
        line.close()


def test_a_new_connection_ends_the_old_one(far_broker: socket.socket) -> None:
    with FarEnd() as board:
        line = joined(Tunnel("mqtt", "127.0.0.1", far_broker.getsockname()[1]), board)
        board.say(b"~open\r\n~open\r\n")
        line.event(0.5)
        first, second = far_broker.accept()[0], far_broker.accept()[0]
        assert first.recv(1) == b""
        board.say(b"~close\r\n")
        line.event(0.5)
        assert second.recv(1) == b""
        line.close()


def test_what_is_no_base64_ends_the_connection(far_broker: socket.socket, capsys) -> None:
    with FarEnd() as board:
        line = joined(Tunnel("mqtt", "127.0.0.1", far_broker.getsockname()[1]), board)
        board.say(b"~open\r\n~no base64!\r\n")
        line.event(0.5)
        assert far_broker.accept()[0].recv(1) == b""
        assert bytes(board.heard).split()[-1] == b"~close"
        line.close()


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "mqtt://user:pw@x", "mqtt://x:99999", "x"])
def test_a_url_that_is_none_of_a_broker_is_wrong_usage(url: str) -> None:
    ended = subprocess.run(
        [METERHUB, "bridge", "--port", "x", "--broker", url], capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 2 and "mqtt[s]://host[:port]" in ended.stderr


def test_a_ca_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"none\.pem"):
        Tunnel("mqtts", "x", 1, tmp_path / "none.pem")
