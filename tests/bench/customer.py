"""A recipient and a customer at the applet of one hub: one exchange after the other, without a broker between.

Errors   Broken when an exchange does not end as it should, or when the hub's process ends.
"""

import base64
import json
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from history import END, INTERVALS, REGISTERS
from worker import BUILD, Broken, on_port

from meterhub.codec import base64url
from meterhub_tools import toolchain
from meterhub_tools.recipient import Card, Exchange, Recipient, data_wish, link_wish

NOW = END + 60
SUB = "anna"
_DAY_S = 86400


@cache
def _recipient() -> Recipient:
    return Recipient("Green Co-op", Recipient.new_pem())


@dataclass
class Export:
    """What one export took and gave. up, down: the messages, as the broker would see them."""

    seconds: float = 0.0  # from the request to the receipt that is verified
    hub_s: float = 0.0  # of the hub's processor
    entries: list = field(default_factory=list)
    up: list[bytes] = field(default_factory=list)
    down: list[bytes] = field(default_factory=list)
    most_bytes: int = 0  # in use on the hub at the most, where that was watched
    busiest: str = ""  # what it was busy with then


class Customer:
    """Use as a context manager. profile: the hub's profile, filled.

    bits: 32 stands for a board: the firmware runs in place; heapsize: "" for the port's own.
    """

    def __init__(self, profile: Path, bits: int = 64, heapsize: str = "") -> None:
        self._recipient = _recipient()
        known = self._recipient.public()
        words = (profile, BUILD / "records", known["kid"], "Green", known["key"], NOW)
        code = toolchain.firmware_image() if bits == 32 else None
        self._hub = on_port("export_hub.py", *words, bits=bits, heapsize=heapsize, code=code)

    def __enter__(self) -> "Customer":
        try:
            said = self._hub.answer()
            self._card = Card(said["hub"], base64url.decode(said["key"]), "", said["have"], NOW)
            self._exchange(link_wish(REGISTERS, "half-hour", NOW + 365 * _DAY_S))
        except BaseException:
            self._hub.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._hub.__exit__()

    def export(self, mode: str, days: int) -> Export:
        """Let the recipient have the last `days` days."""
        found = self._exchange(data_wish(mode, REGISTERS, "half-hour", END - days * _DAY_S, END))
        check(found.entries, days)
        return found

    def idle(self) -> int:
        """Return the bytes in use while nothing happens."""
        return self._hub.ask("idle")[0]

    def leave(self, free: int) -> None:
        """Take the hub all memory but one piece of `free` bytes."""
        self._hub.ask("leave", free)

    def watch(self) -> None:
        """Look at the hub's heap all the time from now on."""
        self._hub.ask("watch")

    def _exchange(self, wish: dict) -> Export:
        run = Exchange(self._recipient, self._card, SUB, wish, NOW)
        found = Export()
        started = time.monotonic()
        waiting = run.start()
        self._turn(run, found, waiting.pop(), waiting)
        self._turn(run, found, b"accept", waiting)
        waiting += run.enter_pin(self._hub.ask("pin"))
        while waiting:
            self._turn(run, found, waiting.pop(0), waiting)
            found.seconds = found.seconds or (time.monotonic() - started if run.settled else 0.0)
        if run.state != "done":
            raise Broken(f"the export ended with {run.state}: {run.error}")
        found.entries = run.result.entries if run.result else []
        return found

    def _turn(self, run: Exchange, found: Export, order: bytes, waiting: list[bytes]) -> None:
        """Give the hub one message or press of a button, and the recipient what comes of it."""
        if order[:1] == b"{":
            found.down.append(order)
        self._hub.send(order)
        while (line := self._hub.line())[:1] == b"{":
            found.up.append(line)
            if not run.settled:  # what comes after the receipt is nothing new
                waiting += run.feed(line, NOW)
        us, alive = json.loads(line)
        found.hub_s += us / 1e6
        if alive > found.most_bytes:
            found.most_bytes = alive
            found.busiest = json.loads(order)["t"] if order[:1] == b"{" else order.decode()


def check(entries: list, days: int) -> None:
    """Raise Broken unless these are all half-hours of the last `days` days."""
    rows = (BUILD / "history.csv").read_text().splitlines()[INTERVALS + 1 - days * 48 :]
    if [f"{entry.at},{entry.values[0]},{entry.values[1]}" for entry in entries] != rows:
        raise Broken("what arrived is not what was stored")


def jwe_bytes(messages: list[bytes]) -> int:
    """Return the bytes of the chunks and the receipt among `messages` before base64: header, iv, ciphertext, tag."""
    tokens = [json.loads(message)["jwe"] for message in messages if message.startswith(b'{"t":"chunk"')]
    return sum(len(base64.urlsafe_b64decode(part + "==")) for token in tokens for part in token.split("."))


def mqtt_bytes(messages: list[bytes], direction: str) -> int:
    """Return the bytes of `messages` as MQTT packets of QoS 1, on the topic of a hub; with their acknowledgements."""
    topic = len(f"meterhub/0123456789ABCDEF/{direction}/export")
    total = 0
    for message in messages:
        length = 2 + topic + 2 + len(message)
        total += 1 + (1 if length < 128 else 2 if length < 16384 else 3) + length + 4
    return total
