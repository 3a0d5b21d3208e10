"""Is the hub on line, and if not, at which step does it fail? In plain words, from what the hub itself says.

Source   firmware/meterhub/links/wan.py: its `trouble` is the step's word and what came of it.
Errors   ToolError: the step, what happened, what to do.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import ToolError

if TYPE_CHECKING:
    from ..board.port import Line

_ONCE_MORE_S = 8  # a hub that has failed tries again after 1, 2 and 4 seconds
_LOOK_S = 0.5

# the step's word: (its name, what happened, what to do)
STEPS = {
    "wifi": (
        "Wi-Fi",
        "the hub does not get into the Wi-Fi {ssid!r}",
        "check --wifi and its password, and that the network is on 2.4 GHz and within reach",
    ),
    "dns": (
        "DNS",
        "the name of the broker, {host!r}, cannot be looked up",
        "check --broker, and that this network has a name server",
    ),
    "tcp": (
        "TCP",
        "nothing answers at {host}:{port}",
        "check --broker and its port, that the broker runs, and that no firewall stands between",
    ),
    "clock": (
        "clock",
        "by the hub's clock the broker's certificate is not valid",
        "run this again, which sets the clock; if it stays, the broker wants a new certificate",
    ),
    "ca": (
        "CA",
        "the broker's certificate was not signed by the CA that the hub was given",
        "give --ca the CA certificate that the broker's certificate leads to",
    ),
    "host name": (
        "host name",
        "the broker's certificate is not for {server!r}",
        "use the name in --broker that stands in its certificate, or set wan.server_name to that name",
    ),
    "tls": ("TLS", "no TLS connection comes about", "check that this port of the broker speaks TLS 1.2 or 1.3"),
    "credentials": (
        "credentials",
        "the broker refuses the hub's user or password",
        "check --user and --password-file against the broker's list of users",
    ),
    "mqtt": (
        "MQTT",
        "what answers at {host}:{port} does not serve the hub as an MQTT broker",
        "check the port in --broker, and the broker's log",
    ),
    "cable": (
        "cable",
        "nobody bridges the cable to a broker",
        "start it: meterhub bridge --port PORT --broker URL",
    ),
}


def explain(trouble: str, settings: dict) -> str:
    """Return the sentence for what a hub with these settings says of its WAN."""
    said = trouble.removeprefix("wan ").strip()
    wan, wifi = settings.get("wan", {}), settings.get("wifi", {})
    known = next((word for word in STEPS if said == word or said.startswith(word + " ")), "")
    host, port = _where(str(wan.get("url", "")))
    if not known:
        return f"broker: the line to {host}:{port} fails ({said}); look at the broker's log"
    name, happened, todo = STEPS[known]
    fields = {"ssid": wifi.get("ssid", ""), "host": host, "port": port, "server": wan.get("server_name") or host}
    more = said.removeprefix(known).strip()
    return f"{name}: {happened.format(**fields)}{f' ({more})' if more else ''}; {todo.format(**fields)}"


def _where(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rstrip("/").partition(":")
    return host, port or {"mqtt": "1883", "mqtts": "8883"}.get(scheme, "")


def wait(line: Line, settings: dict, patience_s: float) -> None:
    """Return when the hub says that the WAN is up; ToolError with the failing step when it does not come up."""
    end = time.monotonic() + patience_s
    trouble = ""
    while True:
        info = line.ask("info")
        if info["wan"] == "up":
            return
        if info["wan_trouble"] and not trouble:
            end = min(end, time.monotonic() + _ONCE_MORE_S)
        trouble = info["wan_trouble"] or trouble
        if time.monotonic() > end:
            break
        time.sleep(_LOOK_S)
    if trouble:
        raise ToolError(explain(trouble, settings))
    raise ToolError(
        f"the hub has not reached its broker within {patience_s:.0f} s and names no trouble; see `meterhub monitor`"
    )
