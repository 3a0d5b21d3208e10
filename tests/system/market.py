"""A home and the market roles around it, for the tests of the use cases: every part is the real one.

The hub is the firmware on the MicroPython unix port, the broker mosquitto, the roles sign and open as head-ends do. A
test talks to it without asyncio: the home lives on a loop of its own, in a thread.
"""

import asyncio
import contextlib
import json
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric import ec
from world import Home, Mosquitto

from meterhub.codec import base64url
from meterhub.crypto.drbg import Drbg
from meterhub.errors import HubError
from meterhub.store.record import Record
from meterhub_tools.headend import wire
from meterhub_tools.roles.keys import Role
from meterhub_tools.simulators import display_reader

ROLES = ("SUP", "DNO", "ADM", "LC", "ESP", "EFF", "INST", "TCOS")
_DRBG = Drbg(b"the keys of tests are no secrets, and the same each time")


@dataclass
class Party:
    """Somebody with a key that holds a role, or with one that holds none."""

    role: str
    scalar: int
    ctr: int = 0
    deaf: bool = False  # says of no letter that it was received

    def __post_init__(self):
        self.key = Role(self.role.lower(), self.role, ec.derive_private_key(self.scalar, ec.SECP256R1()))

    @property
    def kid(self) -> str:
        return self.key.kid

    @property
    def public(self) -> bytes:
        return self.key.point

    def entry(self, since: int = 0, until: int = 0) -> list:
        """The entry of this key as the hub keeps it (trust/roles.py)."""
        return [self.kid, self.role, base64url.encode(self.public), "The " + self.role, since, until]

    def sign(self, claims: dict, typ: str = "cmd+jws") -> str:
        return self.key.sign(typ, claims)


@dataclass
class Sent:
    """A command that is on its way."""

    party: Party
    token: str
    ctr: int
    re: str = field(init=False)

    def __post_init__(self):
        self.re = wire.reference(self.token)


def new_party(role: str) -> Party:
    return Party(role, _DRBG.scalar())


def files(folder: Path) -> dict[Path, bytes]:
    """Return what the files below a folder hold, without those that the hub removes while we look."""
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            found[path] = path.read_bytes()
    return found


class Market:
    """A hub with a key of each role. settings: more of its settings; hub: more of what hub.Hub takes."""

    def __init__(self, settings: dict | None = None, *, history_s: int = 3600, **hub):
        self.folder = Path(tempfile.mkdtemp(prefix="market"))
        self.parties = {role: new_party(role) for role in ROLES}
        self.broker = Mosquitto(self.folder)
        self.letters: list[dict] = []  # all that were opened, in the order of their coming
        self.foreign: list[bytes] = []  # what nobody could open
        self._settings, self._history_s, self._hub = settings or {}, history_s, hub
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._came = threading.Condition()
        self.home: Home
        self._client: mqtt.Client

    # -- the beginning and the end -----------------------------------------------------------------------------------

    def __enter__(self) -> "Market":
        self._thread.start()
        self.broker.start()
        data = self.folder / "hub"
        data.mkdir()
        Record(str(data / "roles")).save(json.dumps([party.entry() for party in self.parties.values()]).encode())
        self._on_loop(self._enter)
        self._listen()
        self._on_loop(self.home.live_through)
        return self

    async def _enter(self):
        url = f"mqtt://127.0.0.1:{self.broker.port}"
        self.home = Home(self.folder, url, [], history_s=self._history_s, **self._hub)
        for name, value in self._settings.items():
            self.home.settings[name] = self.home.settings.get(name, {}) | value if isinstance(value, dict) else value
        await self.home.__aenter__()

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()
        self._on_loop(lambda: self.home.__aexit__(None, None, None))
        self.broker.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _on_loop(self, coroutine, timeout_s=180):
        return asyncio.run_coroutine_threadsafe(coroutine(), self._loop).result(timeout_s)

    def _listen(self):
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("meterhub/+/up/#", 1)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", self.broker.port)
        self._client.loop_start()

    # -- letters -----------------------------------------------------------------------------------------------------

    def _take(self, _client, _data, message):
        kind = message.topic.rsplit("/", 1)[-1]
        if not kind.startswith("role-"):
            return
        for party in list(self.parties.values()):
            if party.kid == kind[5:]:
                self._open(party, message.payload)

    def _open(self, party, payload):
        hub = self.home.hub
        public = Record(str(hub.data / "identity")).load()[32:]
        try:
            unsealed = wire.unseal(payload, party.key)
            opened = wire.read(unsealed, hub.id, party.kid, wire.public_key(public))
        except HubError as err:
            self.foreign.append(str(err).encode() + payload)
            return
        claims = json.loads(base64url.decode(unsealed.token.split(".")[1]))
        with self._came:
            if not any(one["n"] == claims["n"] and one["at"] == claims["at"] for one in self.letters):
                self.letters.append(claims | {"party": party.role})
            self._came.notify_all()
        if not party.deaf:
            self.publish("received", wire.receipt(opened))

    def letter(self, want, timeout_s: float = 40.0) -> dict:
        """Return the first letter that `want` likes, also one that has come before."""
        deadline = time.monotonic() + timeout_s
        with self._came:
            while True:
                for claims in self.letters:
                    if want(claims):
                        return claims
                left = deadline - time.monotonic()
                if left <= 0:
                    said = [(e["name"], e["detail"]) for e in self.home.hub.journal[-6:]]
                    raise AssertionError(f"no such letter; {self.letters[-3:]}; journal {said}")
                self._came.wait(left)

    def alert(self, role: str, event: str, timeout_s: float = 40.0) -> dict:
        """Return the first alert of this name to `role`."""
        return self.letter(lambda c: c["kind"] == "alert" and c["event"] == event and c["party"] == role, timeout_s)

    # -- commands ----------------------------------------------------------------------------------------------------

    def publish(self, kind: str, payload: str | bytes) -> None:
        """Publish on meterhub/<hub id>/down/<kind>."""
        self._client.publish(f"meterhub/{self.home.hub.id}/down/{kind}", payload, 1)

    def command(self, role: str | Party, cmd: str, arg: dict | None = None, **claims) -> Sent:
        """Return a signed command; claims: what stands in the place of the usual ones."""
        party = role if isinstance(role, Party) else self.parties[role]
        now = int(time.time())
        body = {"v": 1, "hub": self.home.hub.id, "ctr": party.ctr + 1, "iat": now, "exp": now + 600}
        body |= {"cmd": cmd, "arg": arg or {}} | claims
        party.ctr = max(party.ctr, body["ctr"])
        return Sent(party, party.sign(body), body["ctr"])

    def send(self, role: str | Party, cmd: str, arg: dict | None = None, **claims) -> Sent:
        """Sign a command and publish it."""
        sent = self.command(role, cmd, arg, **claims)
        self.publish("command", sent.token)
        return sent

    def answer(self, sent: Sent, *outcomes: str, timeout_s: float = 40.0) -> dict:
        """Return the first answer to a command with one of `outcomes`, or the very first one."""
        return self.letter(
            lambda c: c["kind"] == "answer" and c["re"] == sent.re and (not outcomes or c["outcome"] in outcomes),
            timeout_s,
        )

    def ask(self, role: str | Party, cmd: str, arg: dict | None = None, **claims) -> dict:
        """Send a command and return its first answer."""
        return self.answer(self.send(role, cmd, arg, **claims))

    def refused(self, role: str | Party, cmd: str, arg: dict | None = None, **claims) -> str:
        """Send a command that must be refused; return "NAME field"."""
        answer = self.ask(role, cmd, arg, **claims)
        assert answer["outcome"] == "refused", answer
        return (answer["error"] + " " + answer["field"]).strip()

    # -- the household and the hub -----------------------------------------------------------------------------------

    def press(self, button: str, pause_s: float = 0.8, *, long: bool = False) -> None:
        """Press a button, after a pause: a press right away is not believed to mean this page."""
        time.sleep(pause_s)
        self._on_loop(lambda: self.home.press(button, long))

    def agree(self) -> None:
        """Press B until it has meant yes: on a page of several leaves it turns them first."""
        while "more" in self.display()[-1]:
            self.press("B")
            time.sleep(0.5)
        self.press("B")

    def run(self, coroutine):
        """Run coroutine() where the home lives; return what it returns."""
        return self._on_loop(coroutine)

    def reads(self, *words: str, timeout_s: float = 20.0) -> list[str]:
        """Wait until the display shows all `words`; return its lines."""
        return self._on_loop(lambda: self.home.reads(*words, timeout_s=timeout_s))

    def display(self) -> list[str]:
        """Return the lines that the display shows now."""
        return display_reader.read_text(self.home.bench.display.pixels())

    def journal(self, name: str, words: str = "", timeout_s: float = 30.0) -> dict:
        """Return the newest journal entry of this name whose detail has `words`, as soon as there is one."""
        deadline = time.monotonic() + timeout_s
        while True:
            for entry in reversed(self.home.hub.journal):
                if entry["name"] == name and words in entry["detail"]:
                    return entry
            if time.monotonic() > deadline:
                said = [(e["name"], e["detail"]) for e in self.home.hub.journal[-8:]]
                raise AssertionError(f"no {name} {words}: {said}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Cut the power."""
        self._on_loop(self.home.hub.kill)

    def start(self) -> None:
        """Power on again; return when the meter is heard."""

        async def run():
            self.home.hub.status = None
            self.home.line.forget_unread()  # a hub without power hears nothing
            await self.home.hub.start()
            await self.home.hub.wait_status("telegrams", lambda s: s["telegrams"] > 1, 20)

        self._on_loop(run)

    @contextlib.contextmanager
    def deaf(self, role: str):
        """While it lasts, a role says of no letter that it was received."""
        self.parties[role].deaf = True
        try:
            yield
        finally:
            self.parties[role].deaf = False

    def waiting(self) -> list[Path]:
        """Return the files of the letters that the hub keeps because nobody has said that they were received."""
        return [path for path, raw in files(self.home.hub.data / "letters").items() if raw]

    def all_received(self, timeout_s: float = 60.0) -> None:
        """Wait until no letter waits for its receipt."""
        deadline = time.monotonic() + timeout_s
        while self.waiting():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def received_late(self, role: str, cmd: str, arg: dict | None = None) -> dict:
        """Ask, and receive the answer only when it is sent again; return it after all was receipted."""
        with self.deaf(role):
            answer = self.ask(role, cmd, arg)
            self.journal("NOT_RECEIVED", f"letter {answer['n']} to {self.parties[role].kid}", 45)
            assert self.waiting()
        self.broker.kill()  # the next time it would be sent is in two minutes, or as soon as the link is there again
        self.journal("LINK_DOWN")
        self.broker.start()
        self.all_received()
        assert [c["data"] for c in self.letters if c["n"] == answer["n"]] == [answer["data"]]
        return answer

    def told(self, sent: Sent, action: str) -> dict:
        """Return the letter about what the household has done with the message: "read", "accept"..."""
        return self.letter(lambda c: c.get("re") == sent.re and c["data"].get("action") == action)

    def state(self, name: str) -> object:
        """Return what the hub's record `name` holds now, as JSON; None when there is none."""
        raw = Record(str(self.home.hub.data / name)).load()
        return None if raw is None else json.loads(raw)
