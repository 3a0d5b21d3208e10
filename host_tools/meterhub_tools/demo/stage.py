"""Everything the demo consists of, put together and taken apart again: broker, website, bench, meter, hub, page.

All of it listens on 127.0.0.1 alone, and all its files lie in one folder that goes when the stage is left.

Errors   ToolError when a part does not start, or when the hub ends by itself.
"""

import asyncio
import contextlib
import shutil
import ssl
import tempfile
import time
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from ..broker import Broker
from ..decode import decoders, files
from ..errors import ToolError
from ..hub import Hub
from ..owner import keys, registry
from ..owner.own import own
from ..simulators.bench import Bench
from ..simulators.serial_line import SerialLine
from ..website.service import Website
from .eavesdropper import Eavesdropper
from .feed import Feed, picture
from .meter import HISTORY_S, DemoMeter
from .page import PageServer, application
from .progress import Progress

CA = "ca.der"
ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"
REGISTERS = ["1-0:1.8.0", "1-0:2.8.0"]
INTERVAL_S = 1800
LINE = "p1"
NAME = "home"  # of the hub, in the registry
P1 = {"protocol": "p1", "input": LINE}
PUSHED = ("p1", "sml", "dlms", "iec62056")
_RESTART_S = 1.0
_BEAT_S = 0.25
_CAPTURE_S = 120
_T = TypeVar("_T")


@dataclass(frozen=True)
class Plan:
    """What to build. broker: URL of one that is there, "" for our own; ca: PEM file of the CA of its certificate;
    replay: captured serial stream in place of the household; folder: where the files go and stay, None for one that
    goes; port: of the page, 0 for any."""

    broker: str = ""
    ca: Path | None = None
    replay: Path | None = None
    folder: Path | None = None
    port: int = 0
    history_s: int = HISTORY_S


def meter_of(capture: Path) -> dict:
    """Return the hub's setting for the meter whose serial stream was captured: what it sends, it sends unasked."""
    found = decoders.decode([files.streams(capture)], decoders.Told())[0]
    protocol = found.protocol
    if not found.framed:
        raise ToolError(f"{capture}: these {protocol} messages are without the frames in which a line carries them")
    if protocol not in PUSHED:
        raise ToolError(f"{capture}: a {protocol} meter speaks when it is asked; that cannot be replayed")
    return {"protocol": protocol, "input": LINE} | ({"every_s": 0} if protocol == "iec62056" else {})


def settings(broker: str, recipient: dict, has_ca: bool = False, meter: dict = P1) -> dict:
    """Return the hub's settings document for the demo: one recipient, one meter, Dutch time and money.

    broker: URL, with user and password if need be; has_ca: the CA of its certificate is in the hub's data folder.
    """
    url = urlsplit(broker)
    wan = {"url": f"{url.scheme}://{url.netloc.rpartition('@')[2]}", "user": unquote(url.username or "")}
    wan["password"] = unquote(url.password or "")
    if has_ca:
        wan |= {"ca": CA, "server_name": url.hostname or ""}
    return {
        "schema": 1,
        "name": "Home",
        "zone": ZONE,
        "currency": "EUR",
        "price": {"import_e5": 28500, "export_e5": 9000},
        "meters": [meter],
        "profile": {"registers": REGISTERS, "interval_s": INTERVAL_S},
        "wan": wan,
        "recipients": [recipient],
    }


class Stage:
    """Use as an asynchronous context manager; then all attributes are there and the meter's past is in the hub."""

    broker: str
    website: Website
    bench: Bench
    line: SerialLine
    hub: Hub
    meter: DemoMeter | None
    ear: Eavesdropper
    page: PageServer

    def __init__(self, plan: Plan, progress: Progress, patient: bool) -> None:
        """patient: a hub that ends by itself is started again, as a board would; else it is an error."""
        self.plan = plan
        self.progress = progress
        self.feed = Feed()
        self.folder = Path()
        self._patient = patient
        self._stack = contextlib.AsyncExitStack()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._power = True
        self._power_changed = asyncio.Event()
        self._done: list[str] = []

    async def __aenter__(self) -> "Stage":
        try:
            await self._build()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def during(self, work: Awaitable[_T]) -> _T:
        """Return what `work` returns; whatever breaks in the background meanwhile breaks it off."""
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait({doing, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in self._tasks:
                if task.done() and not doing.done():
                    task.result()
                    raise ToolError("a part of the demo has stopped")
            return await doing
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)

    # -- putting it together -----------------------------------------------------------------------------

    async def _build(self) -> None:
        step = self.progress.step
        self.folder = self._folder()
        there = urlsplit(self.plan.broker).hostname
        with step("broker", f"using the broker at {there}" if there else "starting the broker"):
            self.broker = await self._start_broker()
            self.ear = Eavesdropper(self.broker, self._overheard, keep=not self._patient, ca=self.plan.ca)
            self._spawn(self.ear.run())
        with step("website", "starting the website"):
            self.page = self._leave_with(PageServer(self.plan.port))
            await self._start_website(f"http://127.0.0.1:{self.page.port}")
        with step("hub", "starting the hub"):
            await self._start_bench()
            await self._start_hub()
        await self.page.start(application(self.feed, self._wish, self.website.url))

    def _folder(self) -> Path:
        folder = self.plan.folder
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="meterhub-"))
            self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            (folder / "hub").mkdir(parents=True, exist_ok=True)
            if self.plan.ca:
                (folder / "hub" / CA).write_bytes(ssl.PEM_cert_to_DER_cert(self.plan.ca.read_text()))
        except OSError as error:
            raise ToolError(f"{error.filename}: {error.strerror}") from error
        except ValueError as error:
            raise ToolError(f"{self.plan.ca}: this is no certificate in PEM form") from error
        return folder

    def _leave_with(self, page: PageServer) -> PageServer:
        self._stack.push_async_callback(page.stop)
        return page

    async def _start_broker(self) -> str:
        if self.plan.broker:
            return self.plan.broker
        broker = Broker()
        self._stack.push_async_callback(asyncio.to_thread, broker.stop)
        await asyncio.to_thread(broker.start)
        return broker.url()

    async def _start_website(self, origin: str) -> None:
        log = self.folder / "website.log"
        self.website = Website(self.broker, self.folder / "website", frame_ancestor=origin, log=log, ca=self.plan.ca)
        self._stack.push_async_callback(asyncio.to_thread, self.website.stop)
        await asyncio.to_thread(self.website.start)
        self.feed.publish({"ev": "website", "url": self.website.url + "/"})

    async def _start_bench(self) -> None:
        self.bench = Bench()
        await self.bench.start()
        self._stack.push_async_callback(self.bench.stop)
        self.bench.on_frame.append(lambda: self.feed.publish(picture(self.bench.display)))

    async def _start_hub(self) -> None:
        meter = await asyncio.to_thread(meter_of, self.plan.replay) if self.plan.replay else P1
        self.line = SerialLine()
        self._stack.callback(self.line.close)
        self.meter = None if self.plan.replay else DemoMeter(self.line, self.plan.history_s)
        self.hub = Hub(
            self.folder / "hub",
            settings(self.broker, self.website.recipient, self.plan.ca is not None, meter),
            uart={LINE: self.line.path},
            bench=self.bench.address,
            clock="board" if self.plan.replay else "meter",
        )
        await asyncio.to_thread(self._own)
        self.hub.listeners.append(self._heard)
        self._stack.push_async_callback(self.hub.stop)
        await self.hub.start()
        self._spawn(self._keep_power())
        self._spawn(self._show_meter())

    def _own(self) -> None:
        """Let the hub have an owner, whose key lies in the folder: market roles can be granted."""
        own(self.hub.data, keys.load(self.keys, may_ask=False), NAME, self.keys / registry.FILE)

    @property
    def keys(self) -> Path:
        """The folder of the owner's key and registry, and of the keys of market roles."""
        return self.folder / "keys"

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(end)

    # -- the meter's past ---------------------------------------------------------------------------------

    async def read_history(self) -> None:
        """Let the hub read everything there is to read; then, with a household, the meter goes on living."""
        if self.plan.replay:
            await self._read_capture(self.plan.replay)
        elif self.meter:
            with self.progress.step("read", "the hub reads thirteen months of its meter") as far:
                await self._read_household(self.meter, far)
                self._spawn(self.meter.live())
                # the hub's clock is its meter's: from now on it is right
                now = int(time.time())
                await self.hub.wait_status("a telegram of this minute", lambda s: s["at"] >= now, 30)

    async def _read_household(self, meter: DemoMeter, far: Any) -> None:
        watching = asyncio.create_task(self._watch_reading(meter, far))
        try:
            await meter.catch_up()
            last = meter.last_boundary
            await self.hub.wait_status("the last telegram", lambda s: bool(s["have"]) and s["have"][1] >= last, 60)
        finally:
            watching.cancel()

    async def _watch_reading(self, meter: DemoMeter, far: Any) -> None:
        while True:
            far(self.hub.status.get("intervals", 0), meter.expected)
            await asyncio.sleep(_BEAT_S)

    async def _read_capture(self, path: Path) -> None:
        captured = await asyncio.to_thread(files.raw, path)
        with self.progress.step("read", f"the hub reads {path.name}"):
            # what ends a telegram is that something follows: a meter that goes on sending, or a line end
            await self.line.catch_up(captured + b"\r\n")
            await self._until_read()
            if not self.hub.status.get("telegrams"):
                raise ToolError(f"{path}: no good telegram in it; the hub counted {self.hub.status.get('errors')}")
            await self.hub.wait_status("a reading in the store", lambda s: bool(s["have"]), 30)

    async def _until_read(self) -> None:
        """Return when the hub has taken everything from the line and its status has stood still for two seconds."""
        before = None
        deadline = time.monotonic() + _CAPTURE_S
        while self.line.unread() or before is None or before != self.hub.status.get("telegrams"):
            if time.monotonic() > deadline:
                raise ToolError(f"the hub has not read it all after {_CAPTURE_S} s")
            before = self.hub.status.get("telegrams")
            await asyncio.sleep(2)

    # -- what happens, for the page -----------------------------------------------------------------------

    def _heard(self, event: dict) -> None:
        if event["ev"] == "end":
            self._power_changed.set()
        else:
            self.feed.publish(event)
        if event["ev"] == "journal" and event["kind"] == "consent":
            self._reached({"linked": "link", "done": "data"}.get(event["name"]))

    def _overheard(self, event: dict) -> None:
        self.feed.publish(event)
        if event["kind"] == "request":
            self._reached("signup")
        elif event["kind"] == "offer" and "link" in self._done:
            self._reached("agree")

    def _reached(self, step: str | None) -> None:
        if step and step not in self._done:
            self._done.append(step)
            self.feed.publish({"ev": "steps", "done": self._done})

    async def _show_meter(self) -> None:
        while self.meter:
            meter = self.meter
            done = {"done": self.hub.status.get("intervals", 0), "total": meter.expected}
            self.feed.publish(
                {**meter.event(), "hub": self._power, "catching_up": done if meter.catching_up else None}
            )
            await asyncio.sleep(_BEAT_S if meter.catching_up else 1)
        await asyncio.Event().wait()

    # -- what is pressed on the page ----------------------------------------------------------------------

    def _wish(self, wish: dict) -> None:
        """Do what the page asks for; what makes no sense is ignored."""
        do, busy = wish["do"], self.meter is None or self.meter.catching_up
        if do == "button" and wish.get("name") in ("A", "B"):
            self.bench.set_button(wish["name"], wish.get("down") is True)
        elif busy:
            return
        elif do == "load" and isinstance(wish.get("watts"), int) and self.meter:
            self.meter.draw_more(wish["watts"])
        elif do == "cable":
            self.line.connected = wish.get("in") is True
        elif do == "power":
            self._power = wish.get("on") is True
            self._power_changed.set()

    async def _keep_power(self) -> None:
        """Switch the hub as the power switch stands."""
        while True:
            self._power_changed.clear()
            if self._power and not self.hub.running:
                if not self._patient:
                    raise ToolError(f"the hub ended by itself{self.hub.last_words()}")
                await asyncio.sleep(_RESTART_S)
                self.line.forget_unread()
                await self.hub.start()
            elif self.hub.running and not self._power:
                await self.hub.kill()
                self.bench.display.reset()
                self.feed.publish(picture(self.bench.display))
            await self._power_changed.wait()
