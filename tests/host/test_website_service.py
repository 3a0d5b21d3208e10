"""The website as a process: a broker between it and the hub, both modes, what the broker sees, restarts, the CLI."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import pytest
from recipient_fake_hub import REGS, STEP, FakeHub, b64, history, unb64
from test_recipient import wrong
from website_hub_on_mqtt import HubOnMqtt

from meterhub_tools import cli, proof
from meterhub_tools.broker import Broker, User, recipient_user
from meterhub_tools.errors import ToolError
from meterhub_tools.website import service
from meterhub_tools.website.visitor import Visitor

NOW = int(time.time()) // STEP * STEP
PASSWORD = "correct horse 12"
HEADLESS = Path(service.__file__).parent / "frontend" / "headless.mjs"


class Tap:
    """Everything that crosses the broker."""

    def __init__(self, port):
        self.seen = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("ear", "e")
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_message = lambda _c, _d, message: self.seen.append(message.payload)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker():
    users = [recipient_user("site", "p@ss/word"), User("ear", "e"), User("hub", "h")]
    with Broker(users) as broker:
        yield broker


@pytest.fixture
def site(broker, tmp_path):
    data = tmp_path / "data"
    with service.Website(broker.url("site", "p@ss/word"), data, log=tmp_path / "site.log") as site:
        yield site


@pytest.fixture
def hub(broker, site):
    point = unb64(site.recipient["key"])
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
    hub = FakeHub(jwk, history(NOW - 9000 * STEP, NOW))
    hub.clock = NOW
    hub.wire = HubOnMqtt(hub, broker.port, "hub", "h")
    yield hub
    hub.wire.stop()


@pytest.fixture
def anna(site):
    visitor = Visitor(site.url)
    visitor.sign_up("EMT2041", "anna", PASSWORD)
    yield visitor
    visitor.close()


def link(visitor, hub):
    address = visitor.link(hub.hub, REGS)
    visitor.wait(address, "pin")
    visitor.pin(address, hub.pin)
    assert visitor.wait(address, "done")["state"] == "done"


def day(at):
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def ask(visitor, hub):
    return visitor.ask(hub.hub, day(NOW - 900 * STEP), day(NOW), REGS)


def headless(site, hub, pins, **more):
    wish = {"url": site.url, "user": "anna", "password": PASSWORD, "hub": hub.hub, "regs": REGS, "proof": True}
    wish |= {"from": day(NOW - 900 * STEP), "to": day(NOW)} | more
    told = "\n".join([json.dumps(wish), *pins]) + "\n"
    done = subprocess.run(
        [shutil.which("node"), str(HEADLESS)], input=told, capture_output=True, text=True, timeout=60
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def needles(hub):
    """A reading as text, and as the packed series has it."""
    wanted = [str(value).encode() for _, _, values in hub.readings for value in values if value > 10**7]
    return wanted + [chunk[24:60] for chunk in hub.chunks] + [hub.pin.encode()]


def leaks(hub, contents):
    return [needle for needle in needles(hub) for content in contents if needle in content]


def files(folder):
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def test_server_mode_from_sign_up_to_log_off(anna, hub, tmp_path):
    link(anna, hub)
    address = ask(anna, hub)
    anna.wait(address, "pin")
    anna.pin(address, hub.pin)
    status = anna.wait(address, "done")
    found = anna.readings(status)
    assert [tuple(entry["values"]) for entry in found["entries"]] == [
        values for at, _, values in hub.readings if hub.request["from"] < at <= hub.request["to"]
    ]
    assert leaks(hub, files(tmp_path)) == []
    answer = anna.log_off()
    assert "storage" in answer.headers["clear-site-data"]
    assert anna.http.get(f"/data/{status['data']}/readings").status_code == 302


def test_private_mode_shows_nobody_a_reading(anna, hub, site, broker, tmp_path):
    link(anna, hub)
    tap = Tap(broker.port)
    code, said = headless(site, hub, [hub.pin], **{"from": day(NOW - 8900 * STEP)})  # its proof is longer than a pipe
    tap.close()
    assert code == 0
    assert [line["ev"] for line in said] == ["asked", "pin", "receiving", "done"]
    due = [values[0] for at, _, values in hub.readings if hub.request["from"] <= at <= hub.request["to"]]
    assert (said[-1]["entries"], said[-1]["first_wh"], said[-1]["last_wh"]) == (len(due) - 1, due[0], due[-1])
    assert proof.verify_proof(said[-1]["proof"]).entries[-1].values[0] == due[-1]
    assert len(tap.seen) > 8
    assert leaks(hub, tap.seen) == []
    assert leaks(hub, files(tmp_path)) == []


def test_private_mode_counts_wrong_pins_and_sees_typos_itself(anna, hub, site):
    link(anna, hub)
    typo = hub.pin[:8] + str((int(hub.pin[8]) + 1) % 10)
    code, said = headless(site, hub, [typo, wrong(hub.pin), hub.pin])
    assert code == 0
    assert [line["ev"] for line in said] == ["asked", "pin", "typo", "wrong", "asked", "pin", "receiving", "done"]
    assert said[3]["left"] == 2
    code, said = headless(site, hub, [wrong(hub.pin)] * 3)
    assert code == 1
    assert said[-1] == {"ev": "refused", "error": "PIN_DEAD"}


def test_broker_that_goes_away_in_the_middle_does_not_end_it(anna, hub, broker):
    link(anna, hub)
    address = ask(anna, hub)
    anna.wait(address, "pin")
    broker.stop()
    anna.pin(address, hub.pin)
    assert anna.status(address)["state"] == "proving"
    broker.start()
    assert anna.wait(address, "done", timeout_s=60)["state"] == "done"


def test_restart_ends_sessions_and_deletes_the_data(anna, hub, site):
    link(anna, hub)
    address = ask(anna, hub)
    anna.wait(address, "pin")
    anna.pin(address, hub.pin)
    status = anna.wait(address, "done")
    key = site.recipient
    site.stop()
    site.start()
    with Visitor(site.url).http as http:
        http.cookies = anna.http.cookies
        answer = http.get(f"/data/{status['data']}/readings")
        assert answer.status_code == 302
        assert answer.headers["location"].startswith("/log-in/")
    again = Visitor(site.url)
    again.log_in("anna", PASSWORD)
    assert again.http.get(f"/data/{status['data']}/readings").status_code == 404
    assert site.recipient == key
    again.close()


def test_site_stops_while_a_page_waits(anna, hub, site):
    link(anna, hub)
    address = ask(anna, hub)
    version = anna.wait(address, "pin")["version"]
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(anna.http.get, address + "status", params={"seen": version})
        time.sleep(0.5)
        assert not waiting.done()
        begun = time.monotonic()
        site.stop()
        assert time.monotonic() - begun < 6


def test_static_files_are_served_with_the_same_care(site):
    answer = httpx.get(site.url + "/static/dist/page.js")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert httpx.get(site.url + "/static/../options.py").status_code == 404


def test_foreign_host_name_is_refused(site):
    assert httpx.get(site.url + "/log-in/", headers={"host": "evil.example"}).status_code == 400


def test_site_starts_without_a_broker(tmp_path):
    with service.Website("mqtt://127.0.0.1:9", tmp_path) as site:
        visitor = Visitor(site.url)
        visitor.sign_up("EMT2041", "anna", PASSWORD)
        assert "no connection to its broker" in visitor.http.get("/").text
        with pytest.raises(ToolError, match="no connection to its broker"):
            visitor.link("0" * 16, REGS)
        visitor.close()


def test_broker_password_is_on_no_command_line(site):
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert any(b"meterhub_tools.website" in line for line in lines)
    assert not any(b"p%40ss" in line or b"p@ss" in line for line in lines)


def test_key_is_made_once_and_is_nobody_elses_to_read(tmp_path, capsys):
    data = tmp_path / "new"
    words = ["website", "key", "--data", str(data), "--name", "Blue Co-op"]
    assert cli.main(words) == 0
    first = json.loads(capsys.readouterr().out)
    assert cli.main(words) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert first["name"] == "Blue Co-op"
    assert len(unb64(first["key"])) == 65
    (key,) = data.iterdir()
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert b"PRIVATE" in key.read_bytes()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--data", "d"], 2, "no broker"),
        (["--data", "d", "--broker", "http://x"], 2, "expected mqtt"),
        (["--data", "d", "--broker", "mqtts://x", "--ca", "nothing.pem"], 2, "--ca"),
        (["--data", "file/in/the/way", "--broker", "mqtt://x"], 1, "another --data"),
        (["--data", "d", "--broker", "mqtt://x", "--port", "TAKEN"], 1, "another --port"),
    ],
)
def test_operators_mistake_is_one_line(tmp_path, words, status, said):
    (tmp_path / "file").write_text("")
    environment = {name: value for name, value in os.environ.items() if name != "METERHUB_BROKER"}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = [str(listener.getsockname()[1]) if word == "TAKEN" else word for word in words]
        command = [sys.executable, "-m", "meterhub_tools.cli", "website", *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60)
    assert done.returncode == status
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
