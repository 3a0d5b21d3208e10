"""A customer without a browser: does on the website, over HTTP, what people do there. For the demo and for tests.

Errors   ToolError with what the site said.
"""

from __future__ import annotations

import html
import re
import time
from typing import Any

import httpx

from ..errors import ToolError

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_SAID = re.compile(r'<(?:p class="(?:wrong|note error)"|h1)[^>]*>(.*?)</', re.DOTALL)
_SETTLED = ("done", "refused")


class Visitor:
    """One browser session at the site with address `url`."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)

    def close(self) -> None:
        """Forget the session without logging off."""
        self.http.close()

    def send(self, page: str, fields: dict[str, Any], target: str = "") -> httpx.Response:
        """Load `page`, send its form to `target` (the page itself by default); ToolError when the site refuses it."""
        token = _TOKEN.search(self.http.get(page).text)
        if token is None:
            raise ToolError(f"the website has no form at {page}")
        fields = {**fields, "csrfmiddlewaretoken": token[1]}
        answer = self.http.post(target or page, data=fields, headers={"Referer": str(self.http.base_url)})
        if answer.status_code >= 400:
            said = [re.sub(r"<[^>]*>", "", text).strip() for text in _SAID.findall(answer.text)]
            raise ToolError(f"the website refused {target or page}: {html.unescape(' '.join(filter(None, said)))}")
        return answer

    def sign_up(self, meter_id: str, name: str, password: str) -> None:
        """Make an account and be in."""
        self.send("/sign-up/", {"meter_id": meter_id, "username": name, "password": password})

    def log_in(self, name: str, password: str) -> None:
        """Log in."""
        self.send("/log-in/", {"username": name, "password": password})

    def log_off(self) -> httpx.Response:
        """Log off; return the site's answer."""
        return self.send("/", {}, "/log-out/")

    def link(self, hub: str, regs: list[str], res: str = "half-hour") -> str:
        """Ask `hub` to link itself to the account; return the request's address."""
        return self._address(self.send("/hubs/new/", {"hub": hub, "regs": regs, "res": res, "years": "1"}))

    def ask(
        self, hub: str, start: str, stop: str, regs: list[str], res: str = "half-hour", mode: str = "server"
    ) -> str:
        """Ask `hub` for the days start..stop (YYYY-MM-DD, UTC); return the request's address."""
        fields = {"start": start, "stop": stop, "regs": regs, "res": res, "mode": mode, "zone": "UTC"}
        return self._address(self.send(f"/hubs/{hub}/ask/", fields))

    def revoke(self, hub: str) -> str:
        """End what the account may ask `hub` for; return the request's address."""
        return self._address(self.send("/", {}, f"/hubs/{hub}/revoke/"))

    @staticmethod
    def _address(answer: httpx.Response) -> str:
        address: str = answer.headers.get("location", "")
        if "/requests/" not in address:
            raise ToolError("the website did not make a request of it")
        return address

    def status(self, address: str) -> dict:
        """Return {"state", "left", "deadline", "code", "received", "chunks", "error", "version", "data"}."""
        return dict(self.http.get(address + "status").raise_for_status().json())

    def wait(self, address: str, *states: str, timeout_s: float = 60) -> dict:
        """Return the status once its state is one of `states`; ToolError when it settles otherwise, or in time."""
        due = time.monotonic() + timeout_s
        seen: int | str = ""
        while time.monotonic() < due:
            status: dict = self.http.get(address + "status", params={"seen": seen}).raise_for_status().json()
            if status["state"] in states:
                return status
            if status["state"] in _SETTLED:
                raise ToolError(f"the request was {status['state']}: {status['error']}")
            seen = status["version"]
        raise ToolError(f"the request is still {status['state']} after {timeout_s} s")

    def pin(self, address: str, pin: str) -> None:
        """Type the PIN."""
        fields = {"pin1": pin[:3], "pin2": pin[3:6], "pin3": pin[6:]}
        self.send(address, fields, address + "pin")

    def readings(self, status: dict) -> dict:
        """Return {"columns", "start", "base", "entries"} of a request whose status is "done"."""
        return dict(self.http.get(f"/data/{status['data']}/readings").raise_for_status().json())
