"""My bill as a customer makes it: a browser, the website, a broker, and a hub with private billing behind it."""

import os
import re
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from billing_house import JANUARY, NONCE, SUPPLIER, House, blocks, household, linear, signed_tariff
from playwright.sync_api import expect, sync_playwright
from test_browser import CHROMIUM, FLAGS
from test_eavesdropper import decoded
from website_billing_hub import BillingHub

from meterhub_tools.billing import files, prover, verifier
from meterhub_tools.broker import Broker, User, recipient_user
from meterhub_tools.website import service

from meterhub.codec import base64url, billing, tariff, tariff_use  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.codec.rates import Rates  # isort: skip

DAY, DAYS = 86400, 21
TARIFF = linear(export=[5000, 9000], bands=[{"name": "night", "price": 7500}, {"name": "day", "price": 28500}])
PHONE = {"width": 390, "height": 844}


class Wire:
    """Puts the hub on the broker, and keeps all that crosses it."""

    def __init__(self, hub, port):
        self.hub, self.seen, self.receipts = hub, [], []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.username_pw_set("hub", "h")
        self.client.on_connect = self.connected
        self.client.on_message = self.heard
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def connected(self, client, *_):
        client.subscribe(f"meterhub/{self.hub.hub}/#", 1)
        self.say("card", self.hub.card().encode(), True)
        self.say("availability", b"online", True)

    def say(self, kind, payload, retain=False):
        self.client.publish(f"meterhub/{self.hub.hub}/up/{kind}", payload, qos=1, retain=retain)

    def heard(self, _client, _data, message):
        self.seen.append(message.payload)
        if message.topic.endswith("/down/export"):
            for answer in self.hub.handle(message.payload):
                self.say("export", answer)
        if message.topic.endswith("/down/batch"):
            self.receipts.append(self.hub.take_receipt(message.payload)["day"])

    def send_batches(self):
        """Send each batch once the one before is receipted, as a hub does."""
        days = [billing.Batch(raw).day for raw in self.hub.house.batches]
        for day, message in zip(days, self.hub.batches(), strict=True):
            self.say("batch", message)
            due = time.monotonic() + 30
            while day not in self.receipts:
                assert time.monotonic() < due, f"no receipt for day {day}"
                time.sleep(0.02)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def house():
    missing = {JANUARY + 9 * DAY + 1800 * i for i in (11, 12, 13, 14, 30)}
    return House(DAYS, household("browser", True), missing=missing)


@pytest.fixture(scope="module")
def place(house, tmp_path_factory):
    """A website with a hub behind a broker: (site, wire, folder)."""
    folder = tmp_path_factory.mktemp("site")
    with (
        Broker([recipient_user("site", "s"), User("hub", "h")]) as broker,
        service.Website(broker.url("site", "s"), folder, log=folder / "log") as site,
    ):
        point = base64url.decode(site.recipient["key"])
        x, y = base64url.encode(point[1:33]), base64url.encode(point[33:])
        hub = BillingHub({"kty": "EC", "crv": "P-256", "x": x, "y": y}, house)
        hub.clock = int(time.time())
        wire = Wire(hub, broker.port)
        yield site, wire, folder
        wire.stop()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Customer:
    """Somebody with a phone and no mouse: everything is reached by the keyboard or by a tap."""

    def __init__(self, browser, site, wire, scheme="light"):
        self.context = browser.new_context(
            viewport=PHONE, color_scheme=scheme, has_touch=True, locale="en-GB", accept_downloads=True
        )
        self.page = self.context.new_page()
        self.errors, self.posted = [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda one: self.posted.append((one.url, one.post_data_buffer or b"")))
        self.site, self.wire = site, wire
        self.page.goto(site.url)

    def sign_up(self, name):
        self.page.get_by_role("link", name="Sign up").tap()
        for field, value in (("meter_id", "E0047"), ("username", name), ("password", "correct horse battery")):
            self.page.locator(f"[name={field}]").fill(value)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="My hubs")).to_be_visible()

    def link(self):
        self.page.get_by_role("link", name="Link a hub").tap()
        self.page.locator("[name=hub]").fill(self.wire.hub.hub)
        self.page.get_by_role("button", name="Ask the hub").press("Enter")
        self.prove()
        expect(self.page.get_by_role("link", name="My bill")).to_be_visible(timeout=20_000)

    def prove(self):
        self.page.locator("#pin1").wait_for(timeout=20_000)
        for n in (1, 2, 3):
            self.page.locator(f"#pin{n}").fill(self.wire.hub.pin[3 * n - 3 : 3 * n])
        self.page.locator("form:has(#pin1) button").press("Enter")

    def switch_on(self):
        self.page.get_by_role("link", name="My bill").press("Enter")
        self.picture("bill-off.png")
        self.page.get_by_role("button", name="Switch private billing on").press("Enter")
        self.prove()
        expect(self.page.locator("main")).to_contain_text("Private billing is on", timeout=20_000)

    def choose_tariff(self, file):
        self.page.locator("#tariff-file").set_input_files(file)
        expect(self.page.locator("#tariff")).not_to_have_value("")
        self.page.get_by_role("button", name="Use this tariff").press("Enter")
        expect(self.page.locator("main")).to_contain_text("Signed by")

    def ask(self, mode, first="2026-01-01", last="2026-01-14"):
        self.page.locator("#id_start").fill(first)
        self.page.locator("#id_stop").fill(last)
        self.page.locator(f"[name=mode][value={mode}]").check()
        self.page.locator("#id_agreed").press("Space")
        if not self.page.locator("#id_nonce").is_visible():
            self.page.get_by_text("My supplier gave me a number").press("Enter")
        self.page.locator("#id_nonce").fill(NONCE.hex())
        self.picture("bill-on.png")
        self.page.get_by_role("button", name="Make the bill").press("Enter")
        self.prove()

    def saved(self, button):
        """Return what a button saves."""
        with self.page.expect_download() as download:
            self.page.locator(f"#{button}").press("Enter")
        return Path(download.value.path()).read_bytes(), download.value.suggested_filename

    def picture(self, name):
        """Keep a screenshot where METERHUB_PICTURES says."""
        folder = os.environ.get("METERHUB_PICTURES")
        if folder:
            self.page.screenshot(path=Path(folder) / name, full_page=True)

    def close(self):
        assert not self.errors
        self.context.close()


@pytest.fixture(scope="module")
def anna(browser, place, tmp_path_factory):
    site, wire, _ = place
    someone = Customer(browser, site, wire)
    someone.sign_up("anna")
    someone.link()
    someone.switch_on()
    wire.send_batches()
    someone.page.reload()
    someone.choose_tariff(tariff_file(tmp_path_factory, TARIFF))
    yield someone
    someone.close()


def tariff_file(folders, document):
    file = folders.mktemp("tariff") / "tariff.mht"
    file.write_bytes(signed_tariff(document))
    return file


def amount(pence):
    return f"£{pence // 100:,}.{pence % 100:02d}"


def billed(house, document, first, last):
    """Return the bill of some days in the clear."""
    span = JANUARY + first * DAY, JANUARY + last * DAY
    rows = [row for row in house.rows if span[0] <= row[0] < span[1]]
    return tariff_use.bill(Rates(tariff.packed(document)), rows, 1800)


def test_a_bill_made_by_the_browser_shows_nobody_a_reading(anna, place, house, tmp_path):
    _, wire, folder = place
    wire.seen.clear()
    anna.posted.clear()
    anna.ask("private")
    expect(anna.page.locator("#bill-done")).to_be_visible(timeout=120_000)
    clear = billed(house, TARIFF, 0, 14)
    expect(anna.page.locator("#bill-total")).to_have_text(amount(clear.total))
    expect(anna.page.locator("#bill-parts")).to_contain_text(amount(clear.standing))
    expect(anna.page.locator("#bill-parts")).to_contain_text(amount(clear.income))
    expect(anna.page.locator("#bill-checks li")).to_have_count(7)
    assert anna.page.locator("#bill-views svg path").count() == 14
    for scheme, width in (("light", 390), ("dark", 390), ("light", 1280)):
        anna.page.emulate_media(color_scheme=scheme)
        anna.page.set_viewport_size({"width": width, "height": 844})
        anna.page.wait_for_timeout(300)
        assert anna.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        anna.picture(f"bill-{scheme}-{width}.png")
    bill, name = anna.saved("save-bill")
    batches, _ = anna.saved("save-batches")
    signed, _ = anna.saved("save-tariff")
    keys, _ = anna.saved("save-keys")
    assert re.fullmatch(r"meterhub-\w{16}-2026-01\.bill", name)
    assert set(billing.keys_of(keys)[2]) == set(range(house.first_day, house.first_day + DAYS))
    raws = [batches[at : at + length] for at, length in places(batches)]
    assert raws == house.batches[:14]
    size = 242  # of a bill without totals of blocks
    verdict = verifier.check_bill(
        verifier.Batches(raws, wire.hub.point), signed, SUPPLIER, NONCE, bill[:size], bill[size:]
    )
    assert verdict.checked
    assert forms.bill_of(bill[:size]).total == clear.total
    # with what is saved, the household's own computer opens all of it, too
    readings = tmp_path / "readings.csv"
    readings.write_bytes(anna.saved("save-csv")[0])
    opened = prover.House(raws, keys, files.read_readings([readings]))
    assert (opened.start, opened.stop) == (JANUARY, JANUARY + 14 * DAY)
    # neither the broker nor the website has seen a reading, a key, or the fee
    seen = [decoded(payload) for payload in wire.seen] + [decoded(body) for _, body in anna.posted]
    seen += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    secrets = [keys[36 + 32 * i : 68 + 32 * i] for i in range(DAYS)] + [bill[144:160]]
    secrets += [str(reading[0]).encode() for reading in house.registers.values()]
    assert len(seen) > 20
    assert not any(secret in content for secret in secrets for content in seen)
    assert any(raws[3][200:230] in content for content in seen)  # what is public is found by such a search
    made = [body for url, body in anna.posted if url.endswith("/made")]
    assert made == [b""]


def places(file):
    at = 0
    while at < len(file):
        length = int.from_bytes(file[at : at + 2], "little")
        yield at + 2, length
        at += 2 + length


def test_what_the_hub_sends_wrong_gives_no_bill(anna, place):
    _, wire, _ = place
    good = list(wire.hub.readings)
    at, quality, values = good[100]
    wire.hub.readings[100] = (at, quality, (values[0] + 1, values[1]))
    try:
        anna.page.goto(f"{anna.site.url}/hubs/{wire.hub.hub}/bill/")
        anna.ask("private")
        expect(anna.page.locator("#bill-refused")).to_be_visible(timeout=120_000)
        said = anna.page.locator("#bill-refused").inner_text()
        assert "A reading is not what your hub has sealed." in said
        assert "nothing went on from here" in said
        expect(anna.page.locator("#bill-done")).to_be_hidden()
        anna.page.set_viewport_size(PHONE)
        anna.picture("bill-refused.png")
    finally:
        wire.hub.readings[:] = good


def test_a_bill_made_by_the_website_is_verified_by_the_page(anna, place, house):
    _, wire, _ = place
    anna.page.goto(f"{anna.site.url}/hubs/{wire.hub.hub}/bill/")
    anna.ask("server")
    expect(anna.page.locator("#bill-done")).to_be_visible(timeout=120_000)
    expect(anna.page.locator("#bill-total")).to_have_text(amount(billed(house, TARIFF, 0, 14).total))
    expect(anna.page.locator("#bill-verified")).to_contain_text("Verified by this page: 6 checks")
    bands = anna.page.locator("#bill-parts tbody tr").all_inner_texts()
    assert [re.split(r"\s", line)[0] for line in bands[:2]] == ["night", "day"]
    anna.picture("bill-server.png")


def test_a_bill_made_by_the_hub_comes_without_a_reading(anna, place, house):
    _, wire, _ = place
    anna.page.goto(f"{anna.site.url}/hubs/{wire.hub.hub}/bill/")
    anna.ask("hub")
    pounds, pence = divmod(billed(house, TARIFF, 0, 14).total, 100)
    expect(anna.page.locator("#bill-parts .pay")).to_contain_text(f"{pounds}.{pence:02} GBP", timeout=60_000)
    expect(anna.page.locator("main")).to_contain_text("no reading behind it")
    assert anna.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    anna.picture("bill-hub.png")


def test_a_bill_by_blocks_is_the_websites_and_the_page_says_so(anna, place, house, tmp_path_factory):
    _, wire, _ = place
    document = blocks(export=[4100]) | {"blocks": ["weekly", 4]}
    anna.page.goto(f"{anna.site.url}/hubs/{wire.hub.hub}/bill/")
    anna.page.get_by_text("Use another one").press("Enter")
    anna.choose_tariff(tariff_file(tmp_path_factory, document))
    anna.ask("server", "2026-01-15", "2026-01-21")
    expect(anna.page.locator("#bill-done")).to_be_visible(timeout=120_000)
    expect(anna.page.locator("#bill-total")).to_have_text(amount(billed(house, document, 14, 21).total))
    expect(anna.page.locator("#bill-verified")).to_contain_text("The website has verified the proof")
    expect(anna.page.locator("#bill-checks li")).to_have_count(1)
