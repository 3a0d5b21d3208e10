"""The head-end's way to the broker: paho inside asyncio, acknowledging what comes only when it is told to.

Source   MQTT 5 (OASIS): 4.8.2 shared subscriptions, 3.3.4 Receive Maximum; MQTT 3.1.1 without shared subscriptions.
Errors   ToolError for an address that is none. A broker that goes away is waited for, and what was given to it and not
         acknowledged goes out again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ..errors import UsageError

IN_FLIGHT = 500  # letters that are not acknowledged yet, and commands that the broker has not taken yet
_KEEPALIVE_S = 30
_PATIENCE_S = 10
_SILENT_S = 2
_PAUSES_S = (1, 2, 4, 8, 15, 30)
Message = mqtt.MQTTMessage


class Line:
    """One connection to the broker at `url` (mqtt[s]://[user:password@]host[:port]), made again whenever it breaks.

    topics: what is subscribed to (QoS 1); one that begins with $share/ makes it MQTT 5.
    on_message: must lead to ack() at some time. on_taken: hears the tags of what the broker has taken.
    """

    def __init__(
        self,
        url: str,
        ca: Path | None,
        topics: Iterable[str],
        on_message: Callable[[Message], None],
        on_taken: Callable[[Any], None],
    ) -> None:
        self._where = _address(url)
        self._topics = list(topics)
        self._modern = any(topic.startswith("$share/") for topic in self._topics)
        self._hint = "; if it does not speak MQTT 5, try --group ''" if self._modern else ""
        self._tags: dict[int, Any] = {}
        self._on_taken = on_taken
        self.connected = asyncio.Event()
        self.trouble = ""
        self._lost = asyncio.Event()
        version = MQTTProtocolVersion.MQTTv5 if self._modern else MQTTProtocolVersion.MQTTv311
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version, manual_ack=True)
        parts = urlsplit(url)
        if parts.username:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            client.tls_set(str(ca) if ca else None, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self._in_flight = IN_FLIGHT
        client.max_inflight_messages_set(IN_FLIGHT)
        client.connect_timeout = _PATIENCE_S
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = lambda _client, _data, message: on_message(message)
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    async def run(self) -> None:
        """Stay connected until cancelled."""
        self._loop = asyncio.get_running_loop()
        misc = asyncio.create_task(self._misc())
        attempts = 0
        try:
            while True:
                self._lost.clear()
                try:
                    await asyncio.to_thread(self._connect)
                    await self._lost.wait()
                except (OSError, ValueError) as error:
                    self.trouble = str(error) or type(error).__name__
                attempts = 0 if self.connected.is_set() else attempts
                self.connected.clear()
                if self._in_flight == self._client.max_inflight_messages:
                    await asyncio.sleep(_PAUSES_S[min(attempts, len(_PAUSES_S) - 1)])
                attempts += 1
        finally:
            misc.cancel()
            self._client.disconnect()

    def publish(self, topic: str, payload: bytes | str, tag: Any = None, qos: int = 1) -> None:
        """Send now, or when there is a broker; on_taken(tag) follows when it has taken it (QoS 1)."""
        info = self._client.publish(topic, payload, qos)
        if tag is not None:
            self._tags[info.mid] = tag

    def subscribe(self, topic: str) -> None:
        """Subscribe for as long as this connection lasts."""
        self._client.subscribe(topic, 0)

    def unsubscribe(self, topic: str) -> None:
        """End that."""
        self._client.unsubscribe(topic)

    def ack(self, message: Message) -> None:
        """Tell the broker that the message needs not come again."""
        self._client.ack(message.mid, message.qos)

    # -- asyncio -----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        more: dict[str, Any] = {}
        if self._in_flight != self._client.max_inflight_messages:
            self._client.max_inflight_messages_set(self._in_flight)
        if self._modern:
            more["properties"] = properties = Properties(PacketTypes.CONNECT)
            properties.ReceiveMaximum = IN_FLIGHT
            more["clean_start"] = True
        self._client.connect(*self._where, keepalive=_KEEPALIVE_S, **more)

    async def _misc(self) -> None:
        silent_s = 0
        while True:
            await asyncio.sleep(1)
            self._client.loop_misc()
            silent_s = 0 if self.connected.is_set() or self.trouble else silent_s + 1
            if silent_s == _SILENT_S:
                self.trouble = "no answer" + self._hint

    def _on_socket_open(self, _client: object, _data: object, line: Any) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # no waiting for more (Nagle)
        self._loop.call_soon_threadsafe(self._loop.add_reader, line, self._read)

    def _read(self) -> None:
        self._client.loop_read()
        # what TLS has taken from the socket already, the loop does not see
        while isinstance(line := self._client.socket(), ssl.SSLSocket) and line.pending():
            self._client.loop_read()

    def _on_socket_close(self, _client: object, _data: object, line: Any) -> None:
        for remove in (self._loop.remove_reader, self._loop.remove_writer):
            with contextlib.suppress(ValueError):  # closed already
                remove(line)

    def _on_register_write(self, _client: object, _data: object, line: Any) -> None:
        self._loop.call_soon_threadsafe(self._loop.add_writer, line, self._client.loop_write)

    def _on_unregister_write(self, _client: object, _data: object, line: Any) -> None:
        with contextlib.suppress(ValueError):
            self._loop.remove_writer(line)

    # -- paho --------------------------------------------------------------------------------------------------------

    def _on_connect(self, _client: object, _data: object, _flags: object, code: Any, properties: Any) -> None:
        if code.is_failure:
            self.trouble = f"the broker refuses: {code}"
            return
        most = getattr(properties, "ReceiveMaximum", self._in_flight)
        if most < self._in_flight:  # paho wants to know that before it connects
            self._in_flight = most
            self._client.disconnect()
        elif self._topics:
            self._client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._up()

    def _on_subscribe(self, _client: object, _data: object, _mid: int, codes: list[Any], _properties: object) -> None:
        refused = [code for code in codes if code.is_failure]
        if refused:
            self.trouble = f"the broker refuses the subscription: {refused[0]}"
        else:
            self._up()

    def _up(self) -> None:
        self.trouble = ""
        self.connected.set()

    def _on_disconnect(self, *_: object) -> None:
        if not self.connected.is_set() and not self.trouble:
            self.trouble = "it hangs up" + self._hint
        self._lost.set()

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        tag = self._tags.pop(mid, None)
        if tag is not None:
            self._on_taken(tag)


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("mqtt", "mqtts"):
        raise UsageError("--broker wants mqtt[s]://[USER:PASSWORD@]HOST[:PORT]; METERHUB_BROKER hides the password")
    return host, port or (8883 if parts.scheme == "mqtts" else 1883)


def background(work: Coroutine[Any, Any, None], failed: Callable[[BaseException], None]) -> asyncio.Task[None]:
    """Run `work` as a task; what ends it, other than being cancelled, is told to `failed`."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            failed(error)

    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(ended)
    return task
