"""The demo page: what it is told, what it may do, and what it looks like to a browser."""

import asyncio
import base64
import contextlib
import json
import shutil
import threading
import time

import httpx
import pytest
import websockets
from playwright.sync_api import expect, sync_playwright

from meterhub_tools.demo.feed import Feed, picture
from meterhub_tools.demo.page import PageServer, application
from meterhub_tools.errors import ToolError
from meterhub_tools.simulators.ssd1306 import SSD1306

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
METER = {
    "ev": "meter",
    "clock": "21-11-26 10:51",
    "import_wh": 18_389_238,
    "export_wh": 5_904_550,
    "power_w": -1250,
    "trace_w": [100, -1250, 300],
    "tariff": 1,
    "gas_dm3": 3_648_854,
    "extra_w": 0,
    "cable": True,
    "hub": True,
    "catching_up": None,
}


class Server:
    """The page's server in a thread of its own, as a browser meets it."""

    def __init__(self):
        self.feed = Feed()
        self.wishes = []
        self.arrived = threading.Event()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self):
        self.loop = asyncio.get_running_loop()
        self.page = PageServer()
        await self.page.start(application(self.feed, self._wish, "http://127.0.0.1:9"))
        self._ready.set()
        await self._stop.wait()
        await self.page.stop()

    def _wish(self, wish):
        self.wishes.append(wish)
        self.arrived.set()

    def publish(self, event):
        self.loop.call_soon_threadsafe(self.feed.publish, event)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@pytest.fixture
def server():
    with Server() as server:
        yield server


def taken(page):
    found = []
    with contextlib.suppress(asyncio.QueueEmpty):
        while True:
            found.append(json.loads(page.get_nowait()))
    return found


def test_a_page_that_opens_late_gets_the_newest_of_each_and_the_tail_of_the_logs():
    feed = Feed()
    for n in range(300):
        feed.publish({"ev": "status", "n": n})
        feed.publish({"ev": "journal", "n": n})
    with feed.subscribed() as page:
        found = taken(page)
    assert [event["n"] for event in found if event["ev"] == "status"] == [299]
    assert [event["n"] for event in found if event["ev"] == "journal"] == list(range(100, 300))


def test_what_has_not_changed_is_not_said_again_but_a_log_line_is():
    feed = Feed()
    with feed.subscribed() as page:
        for _ in range(3):
            feed.publish({"ev": "status", "n": 1})
            feed.publish({"ev": "journal", "n": 1})
        assert [event["ev"] for event in taken(page)] == ["status", "journal", "journal", "journal"]


def test_a_page_that_does_not_keep_up_loses_the_oldest_and_holds_nobody_up():
    feed = Feed()
    with feed.subscribed() as slow:
        for n in range(2000):
            feed.publish({"ev": "journal", "n": n})
        found = taken(slow)
    assert found[-1]["n"] == 1999 and len(found) <= 500


def test_the_picture_is_what_the_glass_shows():
    display = SSD1306()
    assert base64.b64decode(picture(display)["rows"]) == bytes(1024)
    display.write(bytes((0x00, 0x8D, 0x14, 0xAF, 0xA1, 0xC8, 0xA5)))  # charge pump, on, upright, all pixels lit
    assert base64.b64decode(picture(display)["rows"]) == b"\xff" * 1024


def test_the_page_may_be_framed_by_nobody_and_load_from_nowhere_else(server):
    answer = httpx.get(server.page.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "frame-src http://127.0.0.1:9;" in policy
    for outside in ("http://", "https://", "//"):
        assert f'src="{outside}' not in answer.text and f'href="{outside}' not in answer.text


def test_a_name_that_points_here_is_not_this_server(server):
    assert httpx.get(server.page.url, headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9", None])
def test_only_this_page_may_press_the_buttons(server, origin):
    async def connect():
        async with websockets.connect(f"ws://127.0.0.1:{server.page.port}/feed", origin=origin) as socket:
            await socket.recv()

    with pytest.raises(websockets.exceptions.InvalidStatus):
        asyncio.run(connect())


def test_wishes_that_make_no_sense_are_let_go(server):
    async def send():
        origin = server.page.url.rstrip("/")
        async with websockets.connect(f"ws://127.0.0.1:{server.page.port}/feed", origin=origin) as socket:
            for text in ("", "[]", '"x"', "{", '{"do": 1}', '{"do": "load", "pad": "' + "x" * 600 + '"}'):
                await socket.send(text)
            await socket.send('{"do": "load", "watts": 500}')
            await asyncio.to_thread(server.arrived.wait, 5)

    asyncio.run(send())
    assert server.wishes == [{"do": "load", "watts": 500}]


def test_a_port_that_is_taken_is_said_in_one_sentence(server):
    with pytest.raises(ToolError, match="choose another --port"):
        PageServer(server.page.port)


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser, server, **options):
    """Open the page; return it and the list of what it complained about or fetched from elsewhere."""
    page = browser.new_page(**options)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(server.page.url) else wrong.append(r.url))
    page.goto(server.page.url)
    return page, wrong


@pytest.mark.parametrize("width", [1400, 900, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_browser_shows_what_it_is_told_and_nothing_overflows(browser, server, width, scheme):
    for event in (
        METER,
        {"ev": "start", "hub": "7K3QX9M2HVTA41BC"},
        {"ev": "status", "telegrams": 19058, "errors": {"crc": 2}, "intervals": 19056, "wan": "up", "heap": 150000},
        {
            "ev": "journal",
            "kind": "security",
            "seq": 1,
            "at": 1795253401,
            "name": "WRONG_PIN",
            "detail": "<b>2 left</b>",
        },
        {"ev": "wire", "at": 1, "topic": "m/h/up/export", "kind": "chunk", "size": 5611, "head": '{"jwe":"<i>"'},
        {"ev": "steps", "done": ["signup"]},
    ):
        server.publish(event)
    page, wrong = opened(browser, server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    expect(page.locator("#imported")).to_have_text("018389.238")
    expect(page.locator("#wire-lines .up")).to_have_count(1)
    assert page.locator("#direction").text_content().startswith("to the grid")
    assert page.locator("#hub-id").text_content() == "7K3QX9M2HVTA41BC"
    assert page.locator("#telegrams").text_content() == "19,058 (2 bad)"
    assert "<b>2 left</b>" in page.locator("#journal-lines").text_content()
    assert page.locator(".guide .done").count() == 1 and page.locator("#step-link.now").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not wrong


def test_what_is_pressed_on_the_page_arrives(browser, server):
    server.publish(METER)
    page, wrong = opened(browser, server)
    expect(page.locator("#imported")).to_have_text("018389.238")
    page.locator("#button-b").click()  # a tap: the button is held long enough for the hub all the same
    page.wait_for_timeout(300)
    page.keyboard.press("a", delay=200)
    page.locator("#load").fill("3500")
    page.locator("#cable").set_checked(False, force=True)
    page.locator("#hub-power").set_checked(False, force=True)
    page.wait_for_timeout(300)
    assert server.wishes == [
        {"do": "button", "name": "B", "down": True},
        {"do": "button", "name": "B", "down": False},
        {"do": "button", "name": "A", "down": True},
        {"do": "button", "name": "A", "down": False},
        {"do": "load", "watts": 3500},
        {"do": "cable", "in": False},
        {"do": "power", "on": False},
    ]
    assert not wrong


def test_the_pixels_on_the_canvas_are_those_of_the_display(browser, server):
    display = SSD1306()
    display.write(bytes((0x00, 0x8D, 0x14, 0xAF, 0xA1, 0xC8, 0x20, 0x00)))
    display.write(bytes((0x40, 0x81, *(0 for _ in range(126)), 0x03)))
    server.publish(picture(display))
    page, _ = opened(browser, server)
    lit = """([x, y]) => {
        const c = document.getElementById('display'), k = c.width / 128;
        return c.getContext('2d').getImageData(x * k + k / 2, y * k + k / 2, 1, 1).data[1] > 60;
    }"""
    due = time.monotonic() + 5
    while not page.evaluate(lit, [0, 0]) and time.monotonic() < due:
        page.wait_for_timeout(50)
    shown = display.pixels()
    spots = [(0, 0), (0, 1), (0, 7), (1, 0), (127, 0), (127, 1), (127, 2), (64, 32), (127, 63)]
    assert [page.evaluate(lit, list(spot)) for spot in spots] == [shown[y][x] for x, y in spots]
    assert sum(shown[y][x] for x, y in spots) == 4


def test_the_switches_rest_while_history_is_read(browser, server):
    server.publish(METER | {"catching_up": {"done": 10, "total": 19057}})
    page, _ = opened(browser, server)
    page.wait_for_selector("#catching-up:not([hidden])")
    assert page.locator("#cable").is_disabled() and page.locator("#load").is_disabled()
    assert page.locator("#catch-says").text_content() == "10 of 19,057 half-hours"
