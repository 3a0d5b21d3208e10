"""Somebody who can read everything that crosses the broker: subscribes to all of it and keeps what was seen."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt

HEAD = 160
_RETRY_S = 1.0


def broker_of(url: str, ca: Path | None = None) -> dict[str, Any]:
    """Return aiomqtt.Client's arguments for mqtt[s]://[user:password@]host[:port]; ca: PEM file for mqtts."""
    parts = urlsplit(url)
    secure = parts.scheme == "mqtts"
    found: dict[str, Any] = {"hostname": parts.hostname, "port": parts.port or (8883 if secure else 1883)}
    if parts.username:
        found |= {"username": unquote(parts.username), "password": unquote(parts.password or "")}
    if secure:
        found["tls_params"] = aiomqtt.TLSParameters(ca_certs=str(ca) if ca else None)
    return found


class Eavesdropper:
    """Listens to every topic at `broker` (URL); `seen` holds (topic, payload) in order, as long as `keep` is true."""

    def __init__(
        self, broker: str, on_message: Callable[[dict], None], keep: bool = False, ca: Path | None = None
    ) -> None:
        self._broker = broker_of(broker, ca)
        self._on_message = on_message
        self._keep = keep
        self.seen: list[tuple[str, bytes]] = []

    async def run(self) -> None:
        """Listen until cancelled; a broker that goes away is waited for."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(**self._broker) as client:
                    await client.subscribe("#")
                    async for message in client.messages:
                        self._take(str(message.topic), bytes(message.payload or b""))
            await asyncio.sleep(_RETRY_S)

    def _take(self, topic: str, payload: bytes) -> None:
        if self._keep:
            self.seen.append((topic, payload))
        # what kind of message it is can be read by anybody; it is what is in it that is sealed
        found = re.search(rb'"t": ?"([a-z]{1,12})"', payload)
        kind = found[1].decode() if found else topic.rpartition("/")[2]
        head = "".join(chr(b) if 32 <= b < 127 else "·" for b in payload[:HEAD])
        event = {"ev": "wire", "at": int(time.time()), "topic": topic, "kind": kind}
        self._on_message(event | {"size": len(payload), "head": head})
