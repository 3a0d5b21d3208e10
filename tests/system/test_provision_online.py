"""From the cable to the broker: `meterhub provision` against mosquitto with TLS and passwords; each step that can fail
on the way is named in one line, and the next run with what was wrong put right succeeds.
"""

import json
import socket
import subprocess
import threading

import pytest
from cabled_hub import CabledHub
from operator_desk import BROKER, Desk, leaks
from world import Mosquitto

from meterhub_tools.board.port import Line


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")


@pytest.fixture
def hub(tmp_path):
    with CabledHub(tmp_path / "hub") as hub:
        yield hub


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broker")
    server = Mosquitto(folder, tls=True)
    passwords = folder / "passwords"
    done = ["mosquitto_passwd", "-b", "-c", str(passwords), "hub-user", BROKER]
    subprocess.run(done, check=True, capture_output=True)
    text = server.config.read_text().replace("allow_anonymous true", "allow_anonymous false")
    server.config.write_text(f"{text}password_file {passwords}\n")
    yield server.start()
    server.kill()


def provision(desk, hub, server, host="localhost", ca="ca.pem", **changed):
    options = {"broker": f"mqtts://{host}:{server.port}", "ca": server.config.parent / ca, "user": "hub-user"}
    options |= {"password-file": desk.folder / "broker.txt", "wait": 20} | changed
    return desk.provision(hub.port, *(text for name, value in options.items() for text in (f"--{name}", value)))


def test_from_the_cable_to_the_broker_and_again(desk, hub, broker):
    for _ in range(2):
        status, said = provision(desk, hub, broker)
        assert status == 0, said
        assert f"online       the hub has reached mqtts://localhost:{broker.port}" in said
    status, said = desk.provision(hub.port)  # all of it is known
    assert status == 0, said
    assert leaks(desk.shown, hub.text()) == []
    (ca,) = hub.data.glob("ca-*.der")
    assert ca.read_bytes() == (broker.config.parent / "ca.der").read_bytes()


@pytest.mark.parametrize("form", ["ca.pem", "ca.der"])
def test_the_ca_comes_in_either_form(desk, hub, broker, form):
    assert provision(desk, hub, broker, ca=form)[0] == 0


@pytest.mark.parametrize(
    ("changed", "step", "todo"),
    [
        ({"ca": "stranger.der"}, "CA", "give --ca the CA certificate"),
        ({"settings": "elsewhere"}, "host name", "use the name in --broker that stands in its certificate"),
        ({"host": "no-such-name.invalid"}, "DNS", "check --broker"),
        ({"broker": "mqtt://127.0.0.1:1", "ca": None}, "TCP", "check --broker and its port"),
        ({"password-file": "wrong.txt"}, "credentials", "check --user and --password-file"),
        ({"user": "nobody"}, "credentials", "check --user and --password-file"),
    ],
)
def test_the_step_that_fails_is_named_and_the_next_run_repairs_it(desk, hub, broker, changed, step, todo):
    wrong, right = dict(changed), {}
    if "settings" in wrong:
        name = {"schema": 1, "wan": {"server_name": "elsewhere.example"}}
        wrong["settings"] = desk.file("wrong.json", json.dumps(name))
        name["wan"]["server_name"] = ""
        right["settings"] = desk.file("right.json", json.dumps(name))
    if "password-file" in wrong:
        wrong["password-file"] = desk.folder / wrong["password-file"]
    if wrong.get("ca", "") is None:
        wrong.pop("ca")
        words = ("--broker", wrong["broker"], "--wait", "20")
        status, said = desk.provision(hub.port, *words)
    else:
        status, said = provision(desk, hub, broker, **wrong)
    assert status == 1
    last = said.splitlines()[-1]
    assert last.startswith(f"meterhub provision: online: {step}: ")
    assert todo in last
    status, said = provision(desk, hub, broker, **right)
    assert status == 0, said
    assert leaks(desk.shown, hub.text()) == []


def test_a_broker_without_tls_at_that_port_is_tls_or_tcp(desk, hub, broker, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    plain = Mosquitto(folder).start()
    try:
        status, said = provision(desk, hub, broker, broker=f"mqtts://localhost:{plain.port}")
    finally:
        plain.kill()
    assert status == 1
    assert said.splitlines()[-1].split(": ")[2] in ("TLS", "TCP")


def test_what_answers_but_is_no_broker_is_mqtt(desk, hub):
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        for _ in range(20):
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

    threading.Thread(target=answer, daemon=True).start()
    status, said = desk.provision(
        hub.port, "--broker", f"mqtt://127.0.0.1:{listener.getsockname()[1]}", "--wait", "20"
    )
    listener.close()
    assert status == 1
    assert said.splitlines()[-1].split(": ")[2] in ("MQTT", "TCP")


def test_a_hub_behind_the_cable_asks_for_the_bridge(desk, hub):
    status, said = desk.provision(hub.port, "--broker", "cable:", "--wait", "25")
    assert status == 0, said
    assert "meterhub bridge" in said
    with Line(hub.port) as line:
        assert line.ask("settings")["settings"]["wan"]["url"] == "cable:"
