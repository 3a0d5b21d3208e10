"""The way to the broker that the settings name: over the network, with TLS or without, or through the cable.

Errors   HubError LINK_DOWN whose field begins with the step that failed: dns, tcp, clock, ca; ConfigError for a CA
         that cannot be used.
Runs on  the unix port and the boards

What fails later, in the TLS handshake or at the broker, links/wan.py names.
"""

import asyncio

from . import lazy
from .codec import base64url
from .crypto.steps import slowly
from .errors import ConfigError, HubError
from .links.wan import Wan
from .store import files
from .trust import identity

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_CONNECT_S = 20
_MOST_CA = 4096  # bytes
_CLOCK_S = 15  # how long a meter may take to tell the time after a start


def build(hub) -> Wan:
    """Return the WAN link of the settings; ConfigError when they cannot be carried out."""
    get = hub.settings.get
    opener = hub.cable.tunnel.open if get("wan.url") == "cable:" else _Network(hub).open
    login = (get("wan.user"), get("wan.password"))
    return Wan(hub.identity.hub, login, opener, hub.receive, hub.greet, hub.journal, hub.drbg)


def authority(folder: str, name: str) -> bytes:
    """Return the CA certificate in the file `name`, in DER; ConfigError when there is none."""
    try:
        der = files.read(folder + "/" + name, _MOST_CA)
    except OSError:
        der = None
    if der is None:
        raise ConfigError("wan.ca", "names no file of the hub")
    if der[:1] != b"\x30" or len(der) > _MOST_CA:
        raise ConfigError("wan.ca", "is not in DER")
    return der


class _Network:
    """Connections over the board's network."""

    def __init__(self, hub) -> None:
        get = hub.settings.get
        scheme, _, rest = get("wan.url").partition("://")
        self._host, _, port = rest.rstrip("/").partition(":")
        self._port = int(port or _PORTS[scheme])
        self._name = ""
        if scheme == "mqtts":
            authority(hub.board.data_dir, get("wan.ca"))
            self._name = get("wan.server_name") or self._host
        self._wifi = {name: get("wifi." + name) for name in ("ssid", "password", "country")}
        self._hub = hub

    async def open(self):
        """Return (reader, writer) of a new connection to the broker."""
        await self._hub.board.network_up(self._wifi, self._tell)
        context = await self._context() if self._name else None
        self._look_up()
        try:
            # the stubs do not know the fourth argument
            opening = asyncio.open_connection(self._host, self._port, context, self._name)  # pyright: ignore
            return await asyncio.wait_for(opening, _CONNECT_S)
        except asyncio.TimeoutError:
            raise HubError("LINK_DOWN", "tcp no answer")

    def _tell(self, words):
        self._hub.wan.trouble = words
        self._hub.journal.add("event", "LINK_DOWN", "wan " + words)

    def _look_up(self):
        """Ask for the broker's address; it blocks, for at most 5 s on a board."""
        import socket  # noqa: PLC0415 - a board without a network has none

        try:
            socket.getaddrinfo(self._host, self._port)
        except OSError:
            raise HubError("LINK_DOWN", "dns the broker's name is not known: " + self._host[:60])

    async def _context(self):
        import tls  # noqa: PLC0415 - 20 KB, and a board without a network has none

        await self._wait_for_clock()
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue] - stubs lack it
        try:
            context.load_verify_locations(authority(self._hub.board.data_dir, self._hub.settings.get("wan.ca")))
        except (ValueError, ConfigError):
            raise HubError("LINK_DOWN", "ca the hub's file is no certificate")
        return context

    async def _wait_for_clock(self):
        """Return when the time is known: without it no certificate can be judged."""
        for _ in range(_CLOCK_S):
            if self._hub.clock.state != "unset":
                return
            await asyncio.sleep(1)
        raise HubError("LINK_DOWN", "clock nobody has told the time")


async def announce(hub) -> None:
    """Keep the card on the broker up to date: at each connection, with the first reading, and every hour.

    What waits in the outbox goes out as well.
    """
    told = None
    while True:
        await asyncio.sleep(1)
        state = (hub.clock.now() // 3600, hub.intervals.have() is not None)
        if hub.wan.is_up and (hub.card_due or state != told):
            hub.card_due = False
            told = state
            await _send_card(hub)
        if hub.wan.is_up and hub.events is not None:
            hub.events.deliver()


async def _send_card(hub):
    """Publish who this hub is, and which range it has, signed and retained."""
    claims = {"v": 1, "hub": hub.identity.hub, "key": base64url.encode(hub.identity.public), "at": hub.clock.now()}
    claims["name"] = hub.settings.get("name")
    claims["have"] = hub.intervals.have()
    before = lazy.loaded()
    token = await slowly(hub.identity.sign("mhx-card", claims))
    if hub.export is None:  # else it signs too
        lazy.let_go(lazy.parts(identity.SIGNING) - before)
    hub.wan.post("card", token.encode(), True)
