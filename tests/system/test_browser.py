"""The whole, as a newcomer does it: `meterhub demo`, its page in Chromium, the PIN read off the display by OCR."""

import base64
import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageFilter, ImageOps
from playwright.sync_api import expect, sync_playwright

from meterhub.codec import checkdigit
from meterhub_tools.simulators import display_reader

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
FLAGS += ("--disable-component-update", "--disable-sync")


@contextlib.contextmanager
def demo():
    """Run `meterhub demo`; yield the address it prints."""
    command = [ROOT / ".venv/bin/meterhub", "demo"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+\S*", line)
            if found:
                break
        else:
            pytest.fail("".join(said))
        yield found[0]
    finally:
        process.terminate()
        rest = process.communicate(timeout=30)[0]
        sys.stdout.write("".join(said) + rest)


class Visitor:
    """A person in front of the page."""

    def __init__(self, page):
        self.page = page
        self.site = page.frame_locator("#frame")

    def display(self):
        """Return what the display shows, 128 x 64 in grey."""
        shot = self.page.locator("#display").evaluate("c => c.toDataURL('image/png').split(',')[1]")
        image = Image.open(io.BytesIO(base64.b64decode(shot))).convert("L")
        return image.resize((128, 64), Image.Resampling.BOX).point(lambda level: 255 * (level > 127))

    def read(self, box, *words):
        """Return what tesseract reads in a part of the display."""
        part = self.display().crop(box)
        large = part.resize((part.width * 3, part.height * 3), Image.Resampling.NEAREST)
        large = ImageOps.invert(large.filter(ImageFilter.GaussianBlur(1.5)))
        png = io.BytesIO()
        ImageOps.expand(large, 20, 255).save(png, "PNG")
        done = subprocess.run(
            ["tesseract", "-", "-", *words],
            input=png.getvalue(),
            capture_output=True,
            check=True,
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
        return done.stdout.decode()

    def lines(self):
        """Return the display's small print, one text a line."""
        bits = self.display().tobytes()
        return display_reader.read_text([[bit > 0 for bit in bits[128 * y : 128 * y + 128]] for y in range(64)])

    def shows(self, words):
        return words.lower() in " ".join(self.lines()).lower()

    def wait_until_it_shows(self, words):
        for _ in range(100):
            if self.shows(words):
                return
            self.page.wait_for_timeout(150)
        raise AssertionError(f"the display shows {self.lines()}, not {words}")

    def pin(self):
        """Wait for a PIN on the display and read it."""
        for _ in range(60):
            image_words = ("--psm", "6", "-c", "tessedit_char_whitelist=0123456789")
            left, right = self.read((0, 9, 128, 31), *image_words), self.read((0, 31, 64, 54), *image_words)
            digits = "".join((left + right).split())
            if len(digits) == 9 and checkdigit.valid(digits):
                return digits
            self.page.wait_for_timeout(250)
        raise AssertionError(f"no PIN on the display, but {digits!r}")

    def agree(self):
        self.wait_until_it_shows("who asks")
        self.page.wait_for_timeout(900)
        self.page.locator("#button-b").click()

    def type_pin(self, digits):
        for n in (1, 2, 3):
            self.site.locator(f"#pin{n}").fill(digits[3 * n - 3 : 3 * n])
        self.site.get_by_role("button", name=re.compile("Fetch the readings|Link the hub")).click()

    def sign_up(self):
        self.site.get_by_role("link", name="Sign up").click()
        self.site.locator("[name=meter_id]").fill("E0047000000000001")
        self.site.locator("[name=username]").fill("anna")
        self.site.locator("[name=password]").fill("correct horse battery")
        self.site.get_by_role("button", name="Sign up").click()

    def link(self):
        self.site.get_by_role("link", name="Link a hub").click()
        self.site.locator("[name=hub]").fill(self.page.locator("#hub-id").inner_text())
        self.site.get_by_role("button", name="Ask the hub").click()
        self.agree()
        self.type_pin(self.pin())
        expect(self.site.get_by_role("link", name="Get readings")).to_be_visible(timeout=20_000)

    def wait_until_it_may_be_linked_again(self):
        """Look at the hubs until the website has heard that the household has revoked."""
        again = self.site.get_by_role("link", name="Link it again")
        for _ in range(20):
            self.site.get_by_role("link", name="Hubs").click()
            try:
                expect(again).to_be_visible(timeout=1000)
                return
            except AssertionError:
                pass  # it has not heard of it yet
        expect(again).to_be_visible()

    def ask(self, mode):
        self.site.get_by_role("link", name="Get readings").click()
        self.site.get_by_role("button", name="All", exact=True).click()
        self.site.locator(f"[name=mode][value={mode}]").check()
        self.site.get_by_role("button", name="Ask my hub").click()
        self.agree()


def another(digits):
    return checkdigit.append("%08d" % ((int(digits[:8]) + 1) % 10**8))


@pytest.fixture(scope="module")
def visitor():
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1080}, color_scheme="light")
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        expect(page.locator("#hub-id")).not_to_have_text("…", timeout=60_000)
        expect(page.locator("#catching-up")).to_be_hidden(timeout=600_000)
        someone = Visitor(page)
        someone.sign_up()
        someone.link()
        yield someone
        assert not errors
        browser.close()


def picture(visitor, name):
    """Keep a screenshot where METERHUB_PICTURES says."""
    folder = os.environ.get("METERHUB_PICTURES")
    if folder:
        visitor.page.screenshot(path=Path(folder) / name)


def test_private_mode_by_hand(visitor):
    visitor.ask("private")
    digits = visitor.pin()
    picture(visitor, "pin.png")
    visitor.type_pin(digits[:-1] + str((int(digits[-1]) + 1) % 10))
    expect(visitor.site.locator("#pin-error")).to_contain_text(re.compile("digit|typ", re.I))
    visitor.type_pin(another(digits))
    expect(visitor.site.locator("#step-pin")).to_contain_text("2", timeout=20_000)
    visitor.page.wait_for_timeout(5000)  # the display says that it was wrong, then shows the PIN again
    assert visitor.pin() == digits
    visitor.type_pin(digits)
    expect(visitor.site.locator("#figures")).to_be_visible(timeout=60_000)
    expect(visitor.site.locator("#sum")).to_contain_text("kWh")
    visitor.page.wait_for_timeout(500)
    picture(visitor, "demo.png")
    canvas = visitor.site.locator("#plot canvas").first
    colours = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB").getcolors(1 << 20)
    assert len(colours) > 3, "the chart is empty"


def test_server_mode_by_hand_and_log_off_leaves_nothing(visitor):
    visitor.site.get_by_role("link", name="Hubs").click()
    visitor.ask("server")
    visitor.type_pin(visitor.pin())
    expect(visitor.site.locator("#figures")).to_be_visible(timeout=60_000)
    expect(visitor.site.locator("#sum")).to_contain_text("kWh")
    here = visitor.page.frame(url=re.compile("/data/")).url
    visitor.site.get_by_role("button", name="Log off").click()
    expect(visitor.site.get_by_role("button", name="Log in")).to_be_visible()
    visitor.site.locator("[name=username]").fill("anna")
    visitor.site.locator("[name=password]").fill("correct horse battery")
    visitor.site.get_by_role("button", name="Log in").click()
    expect(visitor.site.get_by_role("link", name="Get readings")).to_be_visible()
    answer = visitor.page.context.request.get(here)
    assert answer.status == 404
    assert "kWh" not in answer.text()


def test_the_household_reads_what_left_and_revokes_it_on_the_display(visitor):
    visitor.page.wait_for_timeout(9000)  # the notice of the last export has gone
    for _ in range(12):
        if visitor.shows("who may ask"):
            break
        visitor.page.locator("#button-a").click()
        visitor.page.wait_for_timeout(700)
    else:
        raise AssertionError(f"the display shows {visitor.lines()}")
    visitor.page.locator("#button-b").click()
    visitor.wait_until_it_shows("no longer let them ask")
    visitor.page.locator("#button-b").click()
    expect(visitor.page.locator("#journal-lines")).to_contain_text("revoked", timeout=20_000)
    visitor.wait_until_it_may_be_linked_again()
    visitor.site.get_by_role("link", name="Log", exact=True).click()
    expect(visitor.site.locator("main")).to_contain_text(re.compile("revoked|ended", re.I))
