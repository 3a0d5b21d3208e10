"""The whole flow without a browser, in both modes: sign up, link, ask, a wrong PIN, the right one, fetch, log off.

Nothing is taken for granted: the PIN is read from the display's pixels, what arrives is compared with what the meter
showed, and afterwards nothing readable may be left on the website or have crossed the broker.

Errors   ToolError naming the step that failed.
"""

import asyncio
import csv
import datetime
import io
import json
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .. import firmware, proof, toolchain  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError
from ..recipient import Card, read_card
from ..website.visitor import Visitor
from .kitchen import Kitchen
from .stage import INTERVAL_S, REGISTERS, Stage
from .truth import Readings, Traces, check, readings

from meterhub.codec import checkdigit  # isort: skip
from meterhub.codec.load_profile import Column, Entry  # isort: skip
from meterhub.errors import HubError  # isort: skip

HEADLESS = toolchain.ROOT / "host_tools/meterhub_tools/website/frontend/headless.mjs"
_CARD_S = 30
_EXCHANGE_S = 120
_T = TypeVar("_T")


def another_pin(pin: str) -> str:
    """Return a PIN that is not `pin` and whose check digit is right: only the hub can tell that it is wrong."""
    return checkdigit.append(f"{(int(pin[:8]) + 1) % 10**8:08d}")


class Once:
    """One run on `stage`; `report` grows into what is printed."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.kitchen = Kitchen(stage.bench)
        self.account = ("demo-" + secrets.token_hex(4), secrets.token_urlsafe(12))
        self.visitor = Visitor(stage.website.url)
        self.report: dict[str, Any] = {"hub_id": stage.hub.id, "modes": {}}
        self._laps = Laps()

    async def run(self) -> dict[str, Any]:
        """Do everything; return the report."""
        try:
            await self._step("link", "signing up and linking the hub", self._link())
            self.report["modes"]["server"] = await self._mode("server", self._server)
            self.report["modes"]["private"] = await self._mode("private", self._private)
        finally:
            self.visitor.close()
        status = self.stage.hub.status
        self.report |= {"telegrams_read": status["telegrams"], "intervals_stored": status["intervals"]}
        self.report["seconds"] = self.stage.progress.seconds
        return self.report

    async def _step(self, name: str, doing: str, work: Awaitable[_T]) -> _T:
        with self.stage.progress.step(name, doing):
            return await work

    # -- linking -------------------------------------------------------------------------------------------

    async def _link(self) -> None:
        name, password = self.account
        await asyncio.to_thread(self.visitor.sign_up, "E0045007152086017", name, password)
        address = await asyncio.to_thread(self.visitor.link, self.stage.hub.id, REGISTERS)
        await self._agree_and_prove(address, wrong_first=False)

    async def _agree_and_prove(self, address: str, wrong_first: bool) -> dict:
        status = await self._wait(address, "asked")
        pin = await self.kitchen.agree(status["code"])
        status = await self._wait(address, "pin")
        self._laps.end("ask_and_agree")
        if wrong_first:
            await asyncio.to_thread(self.visitor.pin, address, another_pin(pin))
            status = await self._wait_second_offer(address)
            pin = await self.kitchen.read_pin(status["code"])
            self._laps.end("wrong_pin")
        await asyncio.to_thread(self.visitor.pin, address, pin)
        status = await self._wait(address, "done")
        self._laps.end("prove_and_fetch")
        return status

    async def _wait_second_offer(self, address: str) -> dict:
        async with asyncio.timeout(_EXCHANGE_S):
            while True:
                status = await self._wait(address, "pin")
                if status["left"] == 2:
                    return status
                await asyncio.sleep(0.1)

    async def _wait(self, address: str, state: str) -> dict:
        return await asyncio.to_thread(self.visitor.wait, address, state, timeout_s=_EXCHANGE_S)

    # -- the two modes --------------------------------------------------------------------------------------

    async def _mode(self, name: str, exchange: Callable[[str, str], Awaitable[Readings]]) -> dict[str, Any]:
        """Run one mode from the request to the search for what was left; return its part of the report."""
        progress, before = self.stage.progress, set(self.stage.progress.seconds)
        refused_before = self._wrong_pins()
        self._laps = Laps()
        with progress.step(f"{name}_exchange", f"{name} mode: asking, a wrong PIN, the right one, fetching"):
            found = await exchange(*await self._days())
        with progress.step(f"{name}_check", f"{name} mode: comparing with what the meter showed"):
            await asyncio.to_thread(self._compare, found)
        with progress.step(f"{name}_log_off", f"{name} mode: logging off, searching for what was left"):
            left = await self._left_over(found)
        if left:
            raise ToolError(f"{name} mode: readings can still be read after logging off: {left}")
        seconds = self._laps.seconds | {
            key.removeprefix(f"{name}_"): s for key, s in progress.seconds.items() if key not in before
        }
        imported = found.imported()
        return {
            "intervals_decrypted": len(imported),
            "first_import_wh": imported[0],
            "last_import_wh": imported[-1],
            "wrong_pins_refused": self._wrong_pins() - refused_before,
            "readable_after_logoff": False,
            "seconds": seconds,
        }

    def _wrong_pins(self) -> int:
        return len(self.stage.hub.journalled("WRONG_PIN"))

    async def _card(self) -> Card:
        """Return the hub's newest card, once it says which range there is."""
        async with asyncio.timeout(_CARD_S):
            while True:
                for topic, payload in reversed(self.stage.ear.seen):
                    if topic == f"meterhub/{self.stage.hub.id}/up/card":
                        card = read_card(payload.decode("ascii"), self.stage.hub.id)
                        if card.have and self._is_new(card):
                            return card
                        break
                await asyncio.sleep(0.2)

    def _is_new(self, card: Card) -> bool:
        return self.stage.meter is None or card.at >= self.stage.meter.last_boundary

    async def _days(self) -> tuple[str, str]:
        try:
            have = (await self._card()).have or [0, 1]
        except TimeoutError:
            raise ToolError(f"the hub did not announce its range; its console says {self.stage.hub.status}") from None
        days = [datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d") for at in have]
        return days[0], days[1]

    async def _server(self, start: str, stop: str) -> Readings:
        address = await asyncio.to_thread(self.visitor.ask, self.stage.hub.id, start, stop, REGISTERS, mode="server")
        status = await self._agree_and_prove(address, wrong_first=True)
        self._data_id = status["data"]
        got = await asyncio.to_thread(self.visitor.readings, status)
        found = readings([Column(**c) for c in got["columns"]], [Entry(**e) for e in got["entries"]])
        await asyncio.to_thread(self._check_csv, found)
        return found

    def _check_csv(self, found: Readings) -> None:
        """The table for people must say the same."""
        text = self.visitor.http.get(f"/data/{self._data_id}/csv").raise_for_status().text
        rows = list(csv.reader(io.StringIO(text)))[1:]
        shown = [tuple(int(cell) if cell else None for cell in row[2::2]) for row in rows]
        if shown != [values for _, _, values in found.entries]:
            raise ToolError("the CSV does not hold the readings that the website draws")

    async def _private(self, start: str, stop: str) -> Readings:
        page = Page(self.kitchen, self._laps)
        name, password = self.account
        wish: dict[str, Any] = {
            "url": self.stage.website.url,
            "user": name,
            "password": password,
            "hub": self.stage.hub.id,
        }
        wish |= {"from": start, "to": stop, "regs": REGISTERS, "res": "half-hour", "proof": True}
        evidence = await page.run(wish)
        try:
            result = proof.verify_proof(evidence)
        except HubError as error:
            raise ToolError(f"the hub's proof does not hold: {error}") from error
        return readings(result.columns, result.entries)

    # -- the checks -----------------------------------------------------------------------------------------

    def _compare(self, found: Readings) -> None:
        if not found.imported():
            raise ToolError("not a single interval came")
        if self.stage.meter is None:
            return  # a capture: nobody knows the truth
        check(found, self.stage.meter.household, INTERVAL_S)

    async def _left_over(self, found: Readings) -> str:
        """Log off and in again; return where readings can still be read, "" when nowhere."""
        await asyncio.to_thread(self.visitor.log_off)
        traces = Traces(found)
        left = await asyncio.to_thread(self._on_the_site, traces)
        if not left and any(traces.in_bytes(payload) for _, payload in self.stage.ear.seen):
            left = "on the broker"
        return left

    def _on_the_site(self, traces: Traces) -> str:
        self.visitor.log_in(*self.account)
        for kind in ("", "readings", "csv", "proof"):
            if self.visitor.http.get(f"/data/{self._data_id}/{kind}").status_code < 400:
                return f"/data/.../{kind}"
        for page in ("/", "/log/"):
            if traces.in_bytes(self.visitor.http.get(page).content):
                return page
        for place in (self.stage.folder / "website", self.stage.folder / "website.log"):
            file = traces.in_folder(place)
            if file:
                return str(file)
        return ""


class Laps:
    """The seconds of an exchange's parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def end(self, name: str) -> None:
        """The part called `name` has ended, the next begins."""
        now = time.monotonic()
        self.seconds[name] = round(now - self._since, 2)
        self._since = now


class Page:
    """Private mode's page, run by Node: talks to the website by itself, asks for the PIN when it needs it."""

    def __init__(self, kitchen: Kitchen, laps: "Laps") -> None:
        self._kitchen = kitchen
        self._laps = laps
        self._pin = ""
        self._tried = 0

    async def run(self, wish: dict) -> dict:
        """Do `wish` (headless.mjs says what that is), first with a wrong PIN; return the proof of what came."""
        process = await asyncio.create_subprocess_exec(
            *(_node(), str(HEADLESS)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        try:
            async with asyncio.timeout(_EXCHANGE_S):
                return await self._converse(process, wish)
        except TimeoutError:
            raise ToolError("the page in private mode did not come to an end") from None
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _converse(self, process: asyncio.subprocess.Process, wish: dict) -> dict:
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        if not stdin or not stdout or not stderr:
            raise ToolError("Node was started without pipes")
        stdin.write(json.dumps(wish).encode() + b"\n")
        async for line in stdout:
            event = json.loads(line)
            if event["ev"] == "asked" and not self._pin:
                self._pin = await self._kitchen.agree(event["code"])
            elif event["ev"] == "pin":
                self._tried += 1
                self._laps.end("ask_and_agree" if self._tried == 1 else "wrong_pin")
                pin = another_pin(self._pin) if self._tried == 1 else await self._kitchen.read_pin(event["code"])
                stdin.write(pin.encode() + b"\n")
            elif event["ev"] == "refused":
                raise ToolError(f"private mode was refused: {event.get('error')}")
            elif event["ev"] == "done":
                self._laps.end("prove_and_fetch")
                return dict(event["proof"])
        said = (await stderr.read()).decode("utf-8", "replace").strip().splitlines()
        raise ToolError(f"the page in private mode ended: {said[-1] if said else 'without a word'}")


def _node() -> str:
    own = toolchain.ROOT / ".toolchain/node/bin/node"
    found = str(own) if own.exists() else shutil.which("node")
    if not found:
        raise ToolError("there is no Node; type: make setup")
    return found
