"""What one hub is to become: the options of `meterhub provision`, or one line of its batch file.

Errors   ToolError naming the option. Secrets stand in files or are typed; they are read when the document is made, and
         are in no field, message or repr.
"""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ToolError, UsageError
from . import ca, document, zones

METERS: dict[str, list[dict]] = {  # on the boards' own inputs; what else a meter needs stands in a file of settings
    "p1": [{"protocol": "p1", "input": "p1"}],
    "p1-9600": [{"protocol": "p1", "input": "p1", "baud": 9600, "format": "7E1"}],
    **{name: [{"protocol": name, "input": "serial"}] for name in ("sml", "dlms", "iec62056", "mbus", "auto")},
    "pulse": [{"protocol": "pulse", "input": "pulse0"}],
    "none": [],
}
NO_BROKER = "none"
_CA_FILE = "ca.der"  # the hub puts its own name for the file there
_SCHEMES = ("mqtt", "mqtts")


@dataclass(frozen=True)
class Wishes:
    """The fields are the options; None leaves a setting as it is on a hub that is ours already."""

    port: str = ""
    name: str = ""
    wifi: str | None = None
    wifi_password_file: Path | None = None
    broker: str | None = None
    ca: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    recipient: tuple[str, ...] = ()
    meter: str | None = None
    zone: str | None = None
    settings: Path | None = None
    note: str = ""

    def check(self) -> None:
        """Raise ToolError for what can be seen to be wrong before there is a hub."""
        if not 0 < len(self.name) <= 32:
            raise UsageError("--name: a hub's name has 1 to 32 characters")
        if self.meter is not None and self.meter not in METERS:
            raise UsageError(f"--meter: there is no {self.meter!r}; choose one of {', '.join(METERS)}")
        if self.zone is not None:
            zones.rule(self.zone)
        if self.broker is not None:
            _check_url(self.broker)
        if self.user is None and self.password_file is not None:
            raise UsageError("--password-file is the password of --user, which is missing")
        if self.wifi is None and self.wifi_password_file is not None:
            raise UsageError("--wifi-password-file is the password of --wifi, which is missing")
        for path in (self.wifi_password_file, self.password_file):
            if path is not None:
                _read_secret(path)
        self.document({}, ask=False)
        self.ca_der()

    def ca_der(self) -> bytes | None:
        """Return the CA to be installed, None for none."""
        return ca.load(self.ca) if self.ca is not None else None

    def document(self, base: dict, ask: bool = True) -> dict:
        """Return the settings document: `base`, then the file, then the options. ask: type what has no file."""
        made = document.merged({"schema": 1}, base, document.load(self.settings) if self.settings else {})
        made["name"] = self.name
        if self.zone is not None:
            made["zone"] = zones.rule(self.zone)
        if self.meter is not None:
            made["meters"] = METERS[self.meter]
        if self.recipient:
            made["recipients"] = [one for text in self.recipient for one in _recipients(text)]
            told = made.get("events", {}).get("to")
            if told == base.get("events", {}).get("to") and told not in [one["kid"] for one in made["recipients"]]:
                made.pop("events", None)  # who was told of events is no recipient any more
        made = document.merged(made, self._wifi(made.get("wifi", {}), ask), self._wan(made.get("wan", {}), ask))
        return made

    def _wifi(self, before: dict, ask: bool) -> dict:
        if self.wifi is None:
            return {}
        stays = before.get("password") is True and before.get("ssid") == self.wifi
        password = _secret(self.wifi_password_file, stays, f"the Wi-Fi {self.wifi}", "--wifi-password-file", ask)
        return {"wifi": {"ssid": self.wifi, "password": password}}

    def _wan(self, before: dict, ask: bool) -> dict:
        url = before.get("url", "") if self.broker is None else "" if self.broker == NO_BROKER else self.broker
        if not url and self.broker is None and ask:
            raise UsageError(f"--broker is missing: where is the hub to connect to? (--broker {NO_BROKER}: nowhere)")
        made: dict[str, Any] = {"url": url}
        if url.startswith("mqtts:"):
            if self.ca is not None:
                made["ca"] = _CA_FILE
            elif ask and (url != before.get("url") or not before.get("ca")):
                raise UsageError("--ca is missing: a hub believes an mqtts broker by its CA's certificate")
        elif self.ca is not None and ask:
            raise UsageError("--ca goes with a broker of mqtts://; without TLS there is nothing to check")
        if self.user is not None:
            stays = before.get("password") is True and (before.get("user"), before.get("url")) == (self.user, url)
            what = f"the broker's user {self.user}"
            made |= {"user": self.user, "password": _secret(self.password_file, stays, what, "--password-file", ask)}
        return {"wan": made}


def _check_url(text: str) -> None:
    """Raise ToolError unless a hub can take the text for its broker."""
    if text in (NO_BROKER, "cable:"):
        return
    try:
        url = urlsplit(text)
        good = url.scheme in _SCHEMES and bool(url.hostname) and not url.path.strip("/") and url.port != 0
        secret = url.username is not None
    except ValueError:  # a port that is no number
        good = secret = False
    if not good:
        raise UsageError("--broker wants mqtt://HOST[:PORT], mqtts://HOST[:PORT], cable: or none")
    if secret:
        raise UsageError(
            "--broker: give the user with --user, the password with --password-file; everybody sees this line"
        )


def _secret(path: Path | None, stays: bool, what: str, option: str, ask: bool) -> str | bool:
    """Return the secret from its file, True for the one that the hub has, or what is typed."""
    if path is not None:
        return _read_secret(path)
    if stays or not ask:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{option} is missing: the password of {what} (it is typed only at a terminal)")
    return getpass.getpass(f"password of {what}: ")


def _read_secret(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; the file of a password is wanted") from None
    except UnicodeDecodeError:
        raise ToolError(f"{path} is no text; the file of a password is wanted") from None
    if "\n" in text or len(text) > 128:
        raise ToolError(f"{path} has more than one line or 128 characters; it is to hold a password and nothing else")
    return text


def _recipients(text: str) -> list[dict]:
    """Return the recipients in a file, or in the text itself, as `meterhub website key` prints them."""
    source = "--recipient"
    try:
        if not text.lstrip().startswith(("{", "[")):
            source, text = text, Path(text).read_text(encoding="utf-8")
        found = json.loads(text)
    except OSError as error:
        raise ToolError(f"{source}: {error.strerror}; `meterhub website key > FILE` makes one") from None
    except ValueError:
        raise ToolError(f"{source} is no recipient; `meterhub website key` prints one") from None
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) and one.keys() == {"kid", "name", "key"} for one in found):
        raise ToolError(f"{source} is no recipient: {{kid, name, key}} is wanted, as `meterhub website key` prints it")
    return found
