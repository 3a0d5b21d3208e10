"""An MQTT 3.1.1 broker inside this process, for the demo and for tests: amqtt, in a thread of its own.

One household's worth: a real deployment has a real broker. Errors: ToolError when it cannot listen.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from amqtt.broker import Broker as AmqttBroker  # type: ignore[import-untyped]
from amqtt.contexts import Action  # type: ignore[import-untyped]
from amqtt.errors import BrokerError  # type: ignore[import-untyped]
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin  # type: ignore[import-untyped]
from amqtt.session import Session  # type: ignore[import-untyped]

from .errors import ToolError

_PATIENCE_S = 15
_PORTS = range(20_000, 32_000)
_PORT_TRIES = 100


def _drop_of_a_client(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell what went wrong in a task, but not that a client has gone while it was being refused."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


@dataclass(frozen=True)
class User:
    """Who may connect. publish and subscribe: topic filters with + and #; an empty tuple allows nothing."""

    name: str
    password: str = field(repr=False)
    publish: tuple[str, ...] = ("#",)
    subscribe: tuple[str, ...] = ("#",)


def hub_user(hub: str, password: str) -> User:
    """Return the user for a hub: it speaks on its own up topics and hears its own down topics, nothing else."""
    return User(hub, password, (f"meterhub/{hub}/up/#",), (f"meterhub/{hub}/down/#",))


def recipient_user(name: str, password: str, kid: str = "") -> User:
    """Return the user for a recipient: it asks every hub, hears what hubs tell recipients, and acknowledges that.

    kid: its key's id; with it, it hears letters to itself, and sends hubs what a household has decided about them.
    """
    heard = ["card", "availability", "export", "outbox", "batch"]
    said = ["export", "receipt", "batch"]
    if kid:
        heard.append(f"role-{kid}")
        said += ["received", "order"]
    publish = tuple(f"meterhub/+/down/{kind}" for kind in said)
    return User(name, password, publish, tuple(f"meterhub/+/up/{kind}" for kind in heard))


def role_user(name: str, password: str, kid: str) -> User:
    """Return the user for the market role `kid`: it commands every hub, and hears letters to itself and hubs' cards.

    A head-end that shares its letters with others subscribes to the same topics, at a broker that can share.
    """
    publish = ("meterhub/+/down/command", "meterhub/+/down/received")
    return User(name, password, publish, (f"meterhub/+/up/role-{kid}", "meterhub/+/up/card"))


class Passwords(BaseAuthPlugin):  # type: ignore[misc]
    """Lets in those who are in the list; amqtt makes it from its configuration."""

    @dataclass
    class Config:
        """users: by name."""

        users: dict = field(default_factory=dict)

    async def authenticate(self, *, session: Session) -> bool | None:
        """Return whether the session's name and password are right."""
        user = self.config.users.get(session.username)
        given = (session.password or "").encode()
        return user is not None and hmac.compare_digest(user.password.encode(), given)


class Topics(BaseTopicPlugin):  # type: ignore[misc]
    """Lets users publish and subscribe to what is theirs; amqtt makes it from its configuration."""

    @dataclass
    class Config:
        """users: by name."""

        users: dict = field(default_factory=dict)

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        """Return whether the session may do that with the topic."""
        user = self.config.users.get(session.username if session else None)
        if user is None or not topic:
            return False
        if action == Action.PUBLISH:
            return any(covers(allowed, topic) for allowed in user.publish)
        return any(covers(allowed, topic) for allowed in user.subscribe)


def covers(allowed: str, wanted: str) -> bool:
    """Return whether everything that filter or topic `wanted` means lies within the filter `allowed`."""
    may, wish = allowed.split("/"), wanted.split("/")
    for i, level in enumerate(may):
        if level == "#":
            return True
        if i >= len(wish) or wish[i] == "#":
            return False
        if level not in ("+", wish[i]):
            return False
    return len(may) == len(wish)


def free_port() -> int:
    """Return a TCP port that nobody listens on just now; ToolError when there is none.

    It lies below the ports that systems give to outgoing connections: there, a client that tries to come back while
    the broker is away may be given the broker's own port, and the broker finds it taken.
    """
    for port in random.sample(_PORTS, _PORT_TRIES):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ToolError("no free TCP port between %d and %d" % (_PORTS[0], _PORTS[-1]))


class _RetainingBroker(AmqttBroker):  # type: ignore[misc]  # amqtt has no types
    """amqtt 0.12.1 offers who connects the retained messages of everybody's subscriptions; this one, of their own."""

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        subscribers = self._subscriptions.get(subscription[0], [])
        if any(subscriber is session for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class Broker:
    """A broker on 127.0.0.1. users: None lets everybody in; else only those. It keeps nothing when it is stopped.

    start() and stop() may be called again and again: the port stays the same, so that clients find it again.
    """

    def __init__(self, users: list[User] | None = None, port: int = 0) -> None:
        self.port = port or free_port()
        self._users = {user.name: user for user in users} if users is not None else None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def url(self, name: str = "", password: str = "") -> str:
        """Return the broker's address, with the credentials of a user if a name is given."""
        who = f"{quote(name, safe='')}:{quote(password, safe='')}@" if name else ""
        return f"mqtt://{who}127.0.0.1:{self.port}"

    def start(self) -> Broker:
        """Listen; return when clients can connect. A port that is not free yet after a stop() is waited for."""
        deadline = time.monotonic() + _PATIENCE_S
        while failure := self._try_to_start():
            if time.monotonic() > deadline:
                raise ToolError(f"the broker cannot listen on port {self.port}: {failure}")
            time.sleep(0.2)
        return self

    def _try_to_start(self) -> str:
        """Return why it cannot listen, "" when it does."""
        started = threading.Event()
        failure: list[str] = []
        self._thread = threading.Thread(target=self._run, args=(started, failure), name="broker", daemon=True)
        self._thread.start()
        if not started.wait(_PATIENCE_S):
            return "no answer"
        return failure[0] if failure else ""

    def stop(self) -> None:
        """Close every connection and stop."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_PATIENCE_S)
        self._thread = None

    def _run(self, started: threading.Event, failure: list[str]) -> None:
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        asyncio.run(self._serve(started, failure))

    async def _serve(self, started: threading.Event, failure: list[str]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(_drop_of_a_client)
        broker = _RetainingBroker(self._config())
        try:
            await broker.start()
        except BrokerError as error:
            failure.append(str(error))
            started.set()
            return
        started.set()
        await self._stop.wait()
        await broker.shutdown()

    def _config(self) -> dict:
        plugins: dict = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        if self._users is not None:
            users = {"users": self._users}
            plugins = {f"{__name__}.{plugin.__name__}": users for plugin in (Passwords, Topics)}
        return {"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}}, "plugins": plugins}

    def __enter__(self) -> Broker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
