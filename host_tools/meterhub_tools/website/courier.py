"""The website's way to the hubs: one MQTT client, and what every hub has last said of itself.

Errors   none: what cannot be sent now is sent when the broker is back (at most QUEUE messages), and what hubs say is
         handed on unread.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ..recipient import MAX_UP, Card, read_card

from meterhub.errors import HubError  # isort: skip

QUEUE = 64
# the card first: what a hub tells is held against it
KINDS = ("card", "availability", "export", "outbox", "batch")
_log = logging.getLogger(__name__)
Listener = Callable[[str, bytes], None]


@dataclass
class Presence:
    """What is known of a hub. online: None before the broker has said anything; seen_at: when it was last heard."""

    card: Card | None = None
    online: bool | None = None
    seen_at: int = 0


class Courier:
    """Publishes to hubs and listens to those that were asked for with `watch`.

    listener: hears the messages of MHX 1; on_items: what hubs tell of their own accord; on_letter: letters to the
    key with the id `kid`; on_batch: the batches of private billing.
    """

    def __init__(
        self,
        broker: str,
        ca: Path | None,
        listener: Listener,
        on_items: Listener = lambda _hub, _raw: None,
        kid: str = "",
        on_letter: Listener = lambda _hub, _raw: None,
        on_batch: Listener = lambda _hub, _raw: None,
    ) -> None:
        url = urlsplit(broker)
        if url.scheme not in ("mqtt", "mqtts") or not url.hostname:
            raise ValueError(broker)
        self._where = (url.hostname, url.port or (8883 if url.scheme == "mqtts" else 1883))
        self._listeners = {"export": listener, "outbox": on_items, "batch": on_batch}
        if kid:
            self._listeners["role-" + kid] = on_letter
        self._kinds = KINDS + (("role-" + kid,) if kid else ())
        self._changed = threading.Condition()
        self._hubs: dict[str, Presence] = {}
        self._away = ""  # why the broker is not there, as it was said last
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if url.username:
            client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        nobody = "no connection"
        if url.scheme == "mqtts":
            nobody += ", or a certificate that is not believed"
            client.tls_set(str(ca) if ca else None, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.max_queued_messages_set(QUEUE)
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda *_: self._note_away(nobody)
        client.on_disconnect = self._on_disconnect
        client.on_socket_open = _send_at_once
        client.on_message = self._on_message

    def start(self) -> None:
        """Connect, now or as soon as there is a broker."""
        self._client.connect_async(*self._where, keepalive=30)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    def send(self, hub: str, message: bytes, kind: str = "export") -> None:
        """Publish one message to `hub`: of MHX 1, or what a letter, what was told, or a "batch" is answered with."""
        self._client.publish(f"meterhub/{hub}/down/{kind}", message, qos=1)

    def watch(self, hub: str) -> Presence:
        """Listen to `hub` from now on; return what is known of it."""
        with self._changed:
            known = hub in self._hubs
            presence = self._hubs.setdefault(hub, Presence())
        if not known and self.connected:
            self._subscribe(hub)
        return presence

    def wait_for_card(self, hub: str, timeout_s: float) -> Card | None:
        """Return the hub's card, waiting for it at most `timeout_s`; None when it does not come."""
        presence = self.watch(hub)
        with self._changed:
            self._changed.wait_for(lambda: presence.card is not None, timeout_s)
        return presence.card

    def _subscribe(self, hub: str) -> None:
        self._client.subscribe([(f"meterhub/{hub}/up/{kind}", 1) for kind in self._kinds])

    def _note_away(self, why: str) -> None:
        if why != self._away:
            self._away = why
            _log.warning("the broker %s:%d is away: %s; it is tried again", *self._where, why)

    def _on_disconnect(
        self, _client: mqtt.Client, _data: object, _flags: object, why: ReasonCode, _more: object
    ) -> None:
        if why.is_failure:
            self._note_away(self._away or str(why))

    def _on_connect(self, _client: object, _data: object, _flags: object, why: ReasonCode, _more: object) -> None:
        if why.is_failure:
            self._note_away(str(why))
            return
        if self._away:
            self._away = ""
            _log.warning("the broker %s:%d is there again", *self._where)
        with self._changed:
            hubs = list(self._hubs)
        for hub in hubs:
            self._subscribe(hub)

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        hub, kind = message.topic.split("/")[1::2]
        if hub not in self._hubs or len(message.payload) > MAX_UP:
            return
        try:
            if kind in self._listeners:
                self._hubs[hub].seen_at = int(time.time())
                self._listeners[kind](hub, bytes(message.payload))
            else:
                self._note(hub, kind, message)
        except HubError as error:
            _log.warning("hub %s: %s refused: %s", hub, kind, error)
        except Exception:  # noqa: BLE001  (it would end paho's thread: the website would hear no hub any more)
            _log.exception("hub %s: %s met an error of the website", hub, kind)

    def _note(self, hub: str, kind: str, message: mqtt.MQTTMessage) -> None:
        text = message.payload.decode("ascii", "replace")
        card = read_card(text, hub) if kind == "card" else None
        with self._changed:
            presence = self._hubs[hub]
            if card is None:
                presence.online = text == "online"
            elif presence.card is None or card.at >= min(presence.card.at, int(time.time())):
                presence.card = card
                presence.seen_at = max(presence.seen_at, min(card.at, int(time.time())))
            if not message.retain:
                presence.seen_at = int(time.time())
            self._changed.notify_all()


def _send_at_once(_client: object, _data: object, line: Any) -> None:
    """Hold no small packet back (Nagle, RFC 896): with every chunk an acknowledgement and a want follow each other."""
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
