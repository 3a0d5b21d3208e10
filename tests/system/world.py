"""A home and who asks it, for the system tests: every part is the real one, started as a user would.

The hub is the firmware on the MicroPython unix port, its meter a pty, its display and buttons the simulated bench, the
broker mosquitto (or the embedded one), the recipient meterhub_tools.recipient over paho.
"""

import asyncio
import contextlib
import datetime
import getpass
import ipaddress
import json
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from meterhub.codec import checkdigit
from meterhub_tools.broker import free_port
from meterhub_tools.demo.meter import DemoMeter
from meterhub_tools.hub import Hub
from meterhub_tools.recipient import Exchange, Recipient, data_wish, link_wish, read_card
from meterhub_tools.simulators import display_reader
from meterhub_tools.simulators.bench import Bench
from meterhub_tools.simulators.serial_line import SerialLine

HISTORY_S = 3 * 86400
REGS = ["1-0:1.8.0", "1-0:2.8.0"]
SUB = "anna"


# -- the broker --------------------------------------------------------------------------------------------------


class Mosquitto:
    """A real broker on loopback; kill() and start() again as often as a test likes. tls: with its own certificate."""

    def __init__(self, folder: Path, tls: bool = False) -> None:
        self.port = free_port()
        self.tls = tls
        self.config = folder / "mosquitto.conf"
        self.log = folder / "mosquitto.log"
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence false", "log_type all"]
        lines.append("max_queued_messages 0")  # what a flood throws away is the hub's to say
        lines.append(f"user {getpass.getuser()}")
        if tls:
            certificates(folder)
            lines += [f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
        self.config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen | None = None

    def start(self) -> "Mosquitto":
        """Start it, and wait until it listens."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", self.config], stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it at once."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def certificates(folder: Path) -> None:
    """Write ca.pem, ca.der, server.pem and server.key for localhost into `folder`; stranger.der is another CA."""
    now = datetime.datetime.now(datetime.UTC)

    def certificate(name, issuer, key, signer, ca):
        build = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
        build = build.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        build = build.not_valid_after(now + datetime.timedelta(days=30))
        build = build.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        build = build.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return build.sign(signer, hashes.SHA256())

    def named(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    for who in ("ca", "stranger"):
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificate(named(who), named(who), key, key, True)
        (folder / f"{who}.der").write_bytes(made.public_bytes(serialization.Encoding.DER))
        if who == "ca":
            (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
            server = ec.generate_private_key(ec.SECP256R1())
            signed = certificate(named("localhost"), named("ca"), server, key, False)
            (folder / "server.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
            (folder / "server.key").write_bytes(
                server.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )


# -- the home ----------------------------------------------------------------------------------------------------


class Home:
    """A meter, a display and a hub. url: the broker's; recipients: who the hub has been told of."""

    def __init__(self, folder: Path, url: str, recipients: list, *, history_s: int = HISTORY_S, clock="meter", **hub):
        self.folder = folder
        self.bench = Bench()
        self.line = SerialLine()
        self.meter = DemoMeter(self.line, history_s)
        self.settings = {
            "schema": 1,
            "meters": [{"protocol": "p1", "input": "p1"}],
            "wan": {"url": url},
            "recipients": [one.public() for one in recipients],
        }
        self._clock = clock
        self._options = hub
        self.hub: Hub
        self._live: asyncio.Task | None = None

    async def __aenter__(self):
        await self.bench.start()
        self.hub = Hub(
            *(self.folder / "hub", self.settings),
            **{"uart": {"p1": self.line.path}, "bench": self.bench.address, "clock": self._clock, **self._options},
        )
        await self.hub.start()
        return self

    async def __aexit__(self, *_):
        if self._live:
            self._live.cancel()
        await self.hub.stop()
        await self.bench.stop()
        self.line.close()

    async def live_through(self):
        """Let the household's history pass, then send a telegram every second."""
        await asyncio.wait_for(self.meter.catch_up(), 120)
        await self.hub.wait_status("the history", lambda s: s["telegrams"] >= self.meter.expected, 60)
        self._live = asyncio.create_task(self.meter.live())
        await self.hub.wait_status("a telegram of now", lambda s: s["telegrams"] > self.meter.expected, 30)
        # the hub's clock is the meter's: a history that ended just now was less than a jump ago, and is caught up with
        await self.hub.wait_status("the time", lambda s: not s["at"] or abs(s["at"] - time.time()) <= 2, 40)

    async def press(self, button, long=False):
        await self.bench.press(button, long)

    async def pin(self, timeout_s=20):
        """Read the PIN from the display's pixels."""
        return await self.bench.wait_for(display_reader.read_pin, timeout_s)

    async def turned(self, words, timeout_s=3):
        """Return whether the page with these words goes; it stays when the press fell into a display's restart."""

        def gone(pixels):
            return words not in " ".join(display_reader.read_text(pixels)).lower()

        with contextlib.suppress(TimeoutError):
            return await self.bench.wait_for(gone, timeout_s)
        return False

    async def reads(self, *words, timeout_s=20):
        """Wait until the display shows all `words`; return its lines."""

        def shown(pixels):
            lines = display_reader.read_text(pixels)
            text = " ".join(lines).lower()
            return lines if all(word.lower() in text for word in words) else None

        try:
            return await self.bench.wait_for(shown, timeout_s)
        except TimeoutError:
            shows = display_reader.read_text(self.bench.display.pixels())
            raise AssertionError(f"waited for {words}, the display shows {shows}") from None


# -- who asks ----------------------------------------------------------------------------------------------------


class Asker:
    """A recipient on the broker; everything the broker carries for it lands in one queue."""

    def __init__(self, recipient: Recipient, port: int, ca: Path | None = None) -> None:
        self.recipient = recipient
        self.queue: asyncio.Queue = asyncio.Queue()
        self.seen: list = []  # (topic, payload) of everything on the broker
        self.cards: dict = {}
        self.availability: dict = {}
        self._loop = asyncio.get_running_loop()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="asker" + secrets.token_hex(4))
        if ca:
            self._client.tls_set(str(ca))
        self._client.reconnect_delay_set(1, 2)
        self._client.on_connect = lambda client, *_: client.subscribe("meterhub/#", 1)
        self._client.on_message = lambda _c, _u, m: self._loop.call_soon_threadsafe(self._take, m.topic, m.payload)
        self._client.connect_async("localhost", port)
        self._client.loop_start()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, topic, payload):
        self.seen.append((topic, payload))
        _, hub, direction, kind = topic.split("/")
        if kind == "card" and payload:
            self.cards[hub] = payload.decode()
        elif kind == "availability":
            self.availability[hub] = payload.decode()
        elif (direction, kind) == ("up", "export"):
            self.queue.put_nowait(payload)

    def publish(self, hub, payload, kind="export"):
        self._client.publish(f"meterhub/{hub}/down/{kind}", payload, 1)

    async def card(self, hub, timeout_s=30, want=lambda card: True):
        """Return the hub's card, checked, as soon as `want` likes it."""
        async with asyncio.timeout(timeout_s):
            while True:
                if hub in self.cards:
                    card = read_card(self.cards[hub], hub)
                    if want(card):
                        return card
                await asyncio.sleep(0.05)

    async def exchange(self, card, wish, person, timeout_s=60, now=time.time):
        """Run one exchange; `person(exchange)` is awaited at each new state ("asked", "pin") and may return a PIN."""
        while not self.queue.empty():
            self.queue.get_nowait()
        run = Exchange(self.recipient, card, SUB, wish, int(now()))
        self._send(card, run.start())
        acted = None
        async with asyncio.timeout(timeout_s):
            while not run.settled:
                turn = (run.state, run.tried)
                if turn != acted and (run.state == "pin" or turn == ("asked", 0)):
                    acted = turn
                    pin = await person(run)
                    if pin:
                        self._send(card, run.enter_pin(pin))
                await self._next(card, run, now)
        return run

    async def _next(self, card, run, now):
        try:
            message = await asyncio.wait_for(self.queue.get(), 0.5)
        except asyncio.TimeoutError:
            self._send(card, run.tick(int(now())))
            return
        with contextlib.suppress(Exception):
            self._send(card, run.feed(message, int(now())))

    def _send(self, card, messages):
        for message in messages:
            self.publish(card.hub, message)


def agreeing(home, pins=None):
    """Return a person who agrees on the display and types what it shows; pins: what they type instead, first."""
    typed = list(pins or [])

    async def person(run):
        if run.state == "asked":
            await home.reads("who asks")
            while True:
                await asyncio.sleep(1)  # a press right away is not believed to mean this page
                await home.press("B")
                if await home.turned("who asks"):
                    return None
        shown = await home.pin()
        return typed.pop(0)(shown) if typed else shown

    return person


def another(pin):
    """Return a PIN that is not `pin`, with a right check digit."""
    return checkdigit.append("%08d" % ((int(pin[:8]) + 1) % 10**8))


async def link(home, asker, card):
    """Link the hub; return the exchange."""
    until = int(time.time()) + 365 * 86400
    run = await asker.exchange(card, link_wish(REGS, "half-hour", until), agreeing(home))
    assert run.outcome == "linked", run.error
    return run


def everything(mode, have, res="half-hour"):
    """Return the wish for all that the hub has."""
    return data_wish(mode, REGS, res, *have)


def new_recipient(name="Green Co-op"):
    return Recipient(name, Recipient.new_pem())


def claims(message):
    """Return the claims of a signed message, unverified."""
    import base64

    body = json.loads(message)["jws"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
