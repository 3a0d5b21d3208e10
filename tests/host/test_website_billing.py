"""My bill on the website: consent, batches, tariff, what is refused before anything is asked for, and server mode."""

import hashlib
import json
import re
import time

import pytest
from billing_house import (
    HUB_KEY,
    JANUARY,
    NONCE,
    SUPPLIER,
    SUPPLIER_KEY,
    House,
    blocks,
    household,
    linear,
    sign,
    signed_tariff,
)
from recipient_fake_hub import b64
from test_website import account_of, link, pin_of
from website_billing_hub import BillingHub
from website_site import PASSWORD

from meterhub_tools.billing import refusals, verifier
from meterhub_tools.billing.files import batches_of as files_of
from meterhub_tools.billing.files import split_bill

from meterhub.codec import base32, base64url, billing  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

DAY = 86400
DAYS = 8
_names = (f"billed{i}" for i in range(1000))


@pytest.fixture(scope="module")
def house():
    missing = {JANUARY + 2 * DAY + 1800 * i for i in (12, 13)}
    return House(DAYS, household("here", True), missing=missing)


@pytest.fixture
def hub(desk, house):
    point = desk.recipient.point
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
    hub = BillingHub(jwk, house)
    hub.clock = int(time.time())
    desk.courier.add(hub)
    return hub


@pytest.fixture
def anna(browser):
    return browser(next(_names))


@pytest.fixture(autouse=True)
def clean(desk):
    from meterhub_tools.website.models import Batch, Billing

    yield
    Batch.objects.all().delete()
    Billing.objects.all().delete()


TARIFF = linear(export=[5000, 9000])
LONG = linear(
    bands=[{"name": f"band {band:02}", "price": 100 + band} for band in range(48)],
    days=[[number for band in range(48) for number in (30 * band, band)]],
)


def proved(client, hub, address):
    client.post(address + "pin", pin_of(hub.pin))
    return client.get(address)


def switched_on(client, hub):
    link(client, hub)
    return proved(client, hub, client.post(f"/hubs/{hub.hub}/bill/on").url)


def sealed(client, hub, desk, document=TARIFF):
    """Switch private billing on, receive all batches, choose a tariff."""
    switched_on(client, hub)
    for message in hub.batches():
        desk.on_batch(hub.hub, message)
    return choose(client, hub, document)


def choose(client, hub, document, **more):
    text = base64url.encode(signed_tariff(document, **more))
    return client.post(f"/hubs/{hub.hub}/bill/tariff", {"tariff": text})


def date(days):
    return time.strftime("%Y-%m-%d", time.gmtime(JANUARY + days * DAY))


def ask_bill(client, hub, mode="server", start=0, stop=DAYS - 1, **more):
    fields = {"start": date(start), "stop": date(stop), "mode": mode, "agreed": "on", "nonce": NONCE.hex()}
    return client.post(f"/hubs/{hub.hub}/bill/ask", {**fields, **more})


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def config_of(answer, name):
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', answer.content.decode(), re.S)
    return json.loads(found[1])


# -- consent -----------------------------------------------------------------------------------------------------


def test_it_is_switched_on_with_the_pin_and_off_again(anna, hub):
    assert "Switch private billing on" in text_of(anna.get(f"/hubs/{hub.hub}/bill/")) or link(anna, hub)
    assert switched_on(anna, hub).url == f"/hubs/{hub.hub}/bill/"
    made = account_of(anna).billings.get()
    assert made.live
    assert hub.billed == {account_of(anna).links.get().sub}
    assert hub.request["regs"] == made.regs == ["1-0:1.8.0", "1-0:2.8.0"]
    assert "res" not in hub.request
    assert "none yet" in text_of(anna.get(f"/hubs/{hub.hub}/bill/"))
    address = anna.post(f"/hubs/{hub.hub}/bill/off").url
    assert "Private billing is off" in text_of(anna.get(address, follow=True))
    assert hub.billed == set()
    assert not account_of(anna).billings.get().live
    assert account_of(anna).links.get().live  # the link is as it was
    assert ask_bill(anna, hub).status_code == 404
    assert "Private billing on" in text_of(anna.get("/log/"))


def test_the_household_ends_it_on_the_display(anna, hub, desk):
    switched_on(anna, hub)
    sub = account_of(anna).links.get().sub
    token = hub.sign("mhx-consent", {"sub": sub, "result": "revoked", "of": "bill", "at": hub.clock})
    desk.on_message(hub.hub, json.dumps({"t": "consent", "jws": token}).encode())
    assert not account_of(anna).billings.get().live
    assert account_of(anna).links.get().live
    assert "Private billing ended on the display" in text_of(anna.get("/log/"))


def test_who_may_not_ask_for_half_hours_is_told(anna, hub, desk):
    address = anna.post("/hubs/new/", {"hub": hub.hub, "regs": ["1-0:1.8.0"], "res": "day", "years": "1"}).url
    proved(anna, hub, address)
    desk.courier.sent.clear()
    assert "may not ask for half-hours" in text_of(anna.post(f"/hubs/{hub.hub}/bill/on", follow=True))
    assert desk.courier.sent == []


def test_another_account_sees_nothing_of_it(anna, hub, desk, browser):
    sealed(anna, hub, desk)
    other = browser("other" + str(time.monotonic_ns()))
    for page in ("", "batches"):
        assert other.get(f"/hubs/{hub.hub}/bill/{page}").status_code == 404
    assert ask_bill(other, hub).status_code == 404
    assert other.post(f"/hubs/{hub.hub}/bill/on").status_code == 404


# -- batches -----------------------------------------------------------------------------------------------------


def test_batches_are_stored_once_and_receipted_each_time(anna, hub, desk, house):
    from meterhub_tools.website.models import Batch

    desk.on_batch(hub.hub, hub.batches()[0])
    assert desk.courier.sent == []  # nobody here has asked for it
    switched_on(anna, hub)
    for message in (*hub.batches(), hub.batches()[2]):
        desk.on_batch(hub.hub, message)
        assert desk.courier.kinds[-1] == "batch"
        token = desk.courier.sent[-1]
        assert mhx.batched_claims(token.decode())[0] == desk.recipient.kid
        hub.take_receipt(token)
    wanted = [b64(billing.Batch(raw).digest()) for raw in house.batches]
    assert [claims["digest"] for claims in hub.receipts] == [*wanted, wanted[2]]
    assert Batch.objects.count() == DAYS
    assert "8: 1 Jan 2026 to 8 Jan 2026" in text_of(anna.get(f"/hubs/{hub.hub}/bill/"))
    file = anna.get(f"/hubs/{hub.hub}/bill/batches")
    assert b"".join(len(raw).to_bytes(2, "little") + raw for raw in house.batches) == file.content


def test_batches_of_those_who_live_there_afterwards_are_not_for_an_account_that_has_ended(anna, hub, desk):
    from meterhub_tools.website.models import Batch, Billing

    switched_on(anna, hub)
    for message in hub.batches()[:2]:
        desk.on_batch(hub.hub, message)
    address = f"/hubs/{hub.hub}/bill/batches"
    whole = anna.get(address).content
    ended = int(time.time()) - 86400
    Billing.objects.filter(hub=hub.hub).update(since=ended - 86400, revoked_at=ended)
    assert (bool(whole), anna.get(address).content) == (True, b"")
    Batch.objects.filter(hub=hub.hub).update(received_at=ended - 60)
    assert anna.get(address).content == whole


def test_what_is_no_batch_of_this_hub_is_neither_stored_nor_receipted(anna, hub, desk, house):
    from meterhub_tools.website.models import Batch

    switched_on(anna, hub)
    good = house.batches[0]
    sent = len(desk.courier.sent)
    body = billing.Batch(good).body
    for raw, name in (
        (good[:-1] + bytes((good[-1] ^ 1,)), "NOT_AUTHENTIC"),
        (sign(SUPPLIER_KEY, body), "NOT_AUTHENTIC"),
        (sign(HUB_KEY, body[:4] + bytes(10) + body[14:]), "NOT_AUTHENTIC"),
        (sign(HUB_KEY, body[:-32] + b"\xff" * 32), "NOT_AUTHENTIC"),
        (good[:-1], "MALFORMED"),
        (b"", "MALFORMED"),
    ):
        with pytest.raises(HubError, match=name):
            desk.on_batch(hub.hub, raw)
    for raw in (b"[" * 3000, b" " * 8193):
        with pytest.raises(HubError):
            desk.on_batch(hub.hub, raw)
    assert not Batch.objects.exists()
    desk.on_batch(hub.hub, good)
    with pytest.raises(HubError, match="REPLAY"):  # the same day of the same chain, but another one
        desk.on_batch(hub.hub, sign(HUB_KEY, body[:76] + b"\1" * 32 + body[108:]))
    assert len(desk.courier.sent) == sent + 1


# -- tariffs -----------------------------------------------------------------------------------------------------


def test_a_tariff_is_shown_with_who_signed_it_and_what_a_bill_by_it_tells(anna, hub, desk):
    switched_on(anna, hub)
    choose(anna, hub, TARIFF)
    page = text_of(anna.get(f"/hubs/{hub.hub}/bill/"))
    signer = base32.encode(verifier.signer_id(SUPPLIER))
    assert " ".join(signer[i : i + 4] for i in range(0, 16, 4)) in page
    assert "0.29925 GBP a kWh" in page  # 0.28500 and 5 % tax
    assert "the fee, exactly" in page
    assert "what is paid for the energy fed in, exactly" in page


def test_what_is_no_tariff_of_the_one_who_signed_it_is_refused(anna, hub, desk):
    switched_on(anna, hub)
    good = signed_tariff(TARIFF)
    flipped = good[:25] + bytes((good[25] ^ 1,)) + good[26:]
    for text in ("hello", "?", base64url.encode(good[:-1]), base64url.encode(flipped), "A" * 9000):
        answer = anna.post(f"/hubs/{hub.hub}/bill/tariff", {"tariff": text})
        assert answer.status_code == 400
        assert "Nothing was sent anywhere." in text_of(answer)
    assert account_of(anna).billings.get().tariff == ""


# -- what is refused before anything is asked for ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": 4, "stop": 2}, "first day is after the last"),
        ({"start": -1}, "not sealed every day"),
        ({"stop": DAYS}, "not sealed every day"),
        ({"nonce": "12 34"}, "32 digits"),
        ({"nonce": "zz" * 16}, "32 digits"),
        ({"agreed": ""}, "Please read it first"),
        ({"mode": "open"}, "Private billing"),
    ],
)
def test_a_bill_that_makes_no_sense_is_not_asked_for(anna, hub, desk, change, words):
    sealed(anna, hub, desk)
    desk.courier.sent.clear()
    answer = ask_bill(anna, hub, **change)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert desk.courier.sent == []


@pytest.mark.parametrize(
    ("document", "more", "mode", "words"),
    [
        (TARIFF, {"at": JANUARY + 1}, "private", "had begun. No bill was made. Nothing left your house."),
        (TARIFF | {"from": JANUARY + DAY}, {}, "server", "had begun. No bill was made. Nothing left your house."),
        (blocks(), {}, "private", "nor a hub can prove that. No bill was made. Nothing left your house."),
        (blocks(), {}, "hub", "nor a hub can prove that. No bill was made. Nothing left your house."),
        (LONG, {}, "hub", "too long to be sent to your hub."),
    ],
)
def test_a_tariff_that_cannot_be_billed_by_is_said_before_anything_leaves_the_house(
    anna, hub, desk, document, more, mode, words
):
    sealed(anna, hub, desk)
    choose(anna, hub, document, **more)
    desk.courier.sent.clear()
    assert words in text_of(ask_bill(anna, hub, mode))
    assert desk.courier.sent == []


def test_an_offline_hub_is_not_asked(anna, hub, desk):
    sealed(anna, hub, desk)
    desk.courier.add(hub, online=False)
    desk.courier.sent.clear()
    assert "offline" in text_of(ask_bill(anna, hub))
    assert "offline" in text_of(anna.post(f"/hubs/{hub.hub}/bill/on", follow=True))
    assert desk.courier.sent == []


# -- server mode -------------------------------------------------------------------------------------------------


def made(client, hub, **more):
    """Return the page of a bill that the website has made."""
    return client.get(proved(client, hub, ask_bill(client, hub, **more).url).url)


def test_the_website_makes_a_bill_that_anybody_can_verify(anna, hub, desk, house):
    sealed(anna, hub, desk)
    page = made(anna, hub)
    assert hub.request["keys"] is True
    told = config_of(page, "bill-config")["bill"]
    bill, proof = base64url.decode(told["bill"]), base64url.decode(told["proof"])
    batches = verifier.Batches(house.batches, hub.point)
    assert verifier.check_bill(batches, signed_tariff(TARIFF), SUPPLIER, NONCE, bill, proof).checked
    said, clear = forms.bill_of(bill), house.clear(TARIFF)
    assert (said.total, said.income, said.gaps) == (clear.total, clear.income, house.gaps)
    assert base64url.decode(told["keys"]) == house.keys()
    batches_at = re.search(r'data-batches="([^"]+)"', page.content.decode())[1]
    assert anna.get(batches_at).content.endswith(house.batches[-1])
    packed = forms.tariff_of(signed_tariff(TARIFF)).raw
    assert account_of(anna).bills.get().tariff == hashlib.sha256(packed).hexdigest()
    assert "Bills made" in text_of(anna.get(f"/hubs/{hub.hub}/bill/"))


def test_a_second_bill_that_would_show_is_refused_and_the_same_is_not(anna, hub, desk):
    sealed(anna, hub, desk)
    made(anna, hub)
    assert made(anna, hub).status_code == 200
    choose(anna, hub, linear(id="eco-2"))
    desk.courier.sent.clear()
    answer = ask_bill(anna, hub)
    assert "There is another bill for part of this time already" in text_of(answer)
    assert "Nothing left your house." in text_of(answer)
    assert desk.courier.sent == []
    choose(anna, hub, TARIFF)
    assert "There is another bill" in text_of(ask_bill(anna, hub, start=1))


def test_blocks_are_for_the_website_too(anna, hub, desk):
    document = blocks(export=[4100]) | {"blocks": ["weekly", 4], "billing": ["weekly", 4]}
    sealed(anna, hub, desk, document)
    page = made(anna, hub, stop=6)  # the first of January is a Thursday
    assert config_of(page, "bill-config")["bill"]["linear"] is False


def test_a_bill_is_refused_when_what_arrives_is_not_what_was_sealed(anna, hub, desk):
    sealed(anna, hub, desk)
    at, quality, values = hub.readings[40]
    hub.readings[40] = (at, quality, (values[0] + 1, values[1]))
    page = made(anna, hub)
    assert page.status_code == 409
    assert "A reading is not what your hub has sealed. No bill was made." in text_of(page)
    assert not account_of(anna).bills.exists()


def test_a_bill_goes_with_the_session(anna, hub, desk):
    sealed(anna, hub, desk)
    address = proved(anna, hub, ask_bill(anna, hub).url).url
    name = account_of(anna).username
    anna.post("/log-out/")
    anna.post("/log-in/", {"username": name, "password": PASSWORD})
    assert anna.get(address).status_code == 404
    assert anna.get(address.replace("/bill/", "/batches")).status_code == 404


# -- by the hub ----------------------------------------------------------------------------------------------------


def test_the_hub_makes_a_bill_and_the_website_gets_no_reading(anna, hub, desk, house):
    sealed(anna, hub, desk)
    address = ask_bill(anna, hub, "hub").url
    assert "Make the bill" in text_of(anna.get(address))
    done = proved(anna, hub, address).url
    assert (hub.request["what"], hub.request["mode"]) == ("proof", "server")
    page = anna.get(done)
    clear = house.clear(TARIFF)
    assert f"Total, with tax {clear.total // 100}.{clear.total % 100:02} GBP" in text_of(page)
    assert f"{house.gaps} half-hours were not read" in text_of(page)
    assert "The fee follows from the intervals and the tariff" in text_of(page)
    files = [anna.get(at).content for at in re.findall(r'href="(/data/[^"]+)"', page.content.decode())]
    raw, batches, signed = files
    assert (files_of(batches), signed[:-64]) == (house.batches, signed_tariff(TARIFF)[:-64])
    read = verifier.Batches(house.batches, hub.point)
    assert verifier.check_bill(read, signed, SUPPLIER, NONCE, *split_bill(raw)).checked
    for other in ("", "readings", "csv", "proof"):
        assert anna.get(done.replace("bill/", other)).status_code == 404
    assert account_of(anna).bills.count() == 1
    assert not account_of(anna).links.get().used_at
    assert "Bill made by your hub" in text_of(anna.get("/"))
    assert "made and proved at home. The bill left your house, encrypted, and no reading did." in text_of(
        anna.get("/log/")
    )
    assert anna.post(done.replace("bill/", "delete"), follow=True).status_code == 200
    assert anna.get(done).status_code == 404


def test_the_hub_refuses_a_second_bill_by_name(anna, hub, desk):
    sealed(anna, hub, desk)
    proved(anna, hub, ask_bill(anna, hub, "hub").url)  # the page that notes it is never opened
    choose(anna, hub, linear(id="eco-2"))
    page = text_of(anna.get(ask_bill(anna, hub, "hub").url))
    assert "There is another bill for part of this time already" in page
    assert "No bill was made. Nothing left your house." in page
    assert account_of(anna).log.first().error == "SECOND_BILL"
    assert "There is another bill for part of this time already" in text_of(anna.get("/log/"))
    assert account_of(anna).billings.get().live
    assert account_of(anna).links.get().live


@pytest.mark.parametrize("mode", ["hub", "server", "private"])
def test_billing_that_has_ended_at_home_is_known_here_from_then_on(anna, hub, desk, monkeypatch, mode):
    sealed(anna, hub, desk)
    monkeypatch.setattr(hub, "offer", lambda: hub.end("refused", "REVOKED", field="keys"))
    page = text_of(anna.get(ask_bill(anna, hub, mode).url))
    assert mode == "private" or "Private billing is off at your hub. No bill was made. Nothing left your" in page
    assert not account_of(anna).billings.get().live
    assert account_of(anna).links.get().live  # that one is as it was


def test_a_bill_of_the_hub_is_shown_only_when_it_is_right(anna, hub, desk, monkeypatch):
    sealed(anna, hub, desk)
    good = hub.bill
    monkeypatch.setattr(hub, "bill", lambda: good()[:-1] + bytes((good()[-1] ^ 1,)))
    address = proved(anna, hub, ask_bill(anna, hub, "hub").url).url
    page = anna.get(address)
    assert page.status_code == 409
    assert "The fee is not what the readings come to. No bill was made. No reading left your house." in text_of(page)
    assert anna.get(address + "file").status_code == 404
    assert not account_of(anna).bills.exists()


# -- private mode: what the website hands out ----------------------------------------------------------------------


def test_the_page_gets_what_it_needs_and_says_only_that_a_bill_was_made(anna, hub, desk, house):
    sealed(anna, hub, desk)
    address = ask_bill(anna, hub, "private").url
    told = config_of(anna.get(address), "config")["bill"]
    assert forms.tariff_of(base64url.decode(told["tariff"])).body == forms.tariff_of(signed_tariff(TARIFF)).body
    assert (told["nonce"], told["signer"]) == (NONCE.hex(), verifier.signer_id(SUPPLIER).hex())
    assert anna.get(address + "batches").content.endswith(house.batches[-1])
    assert hub.request["mode"] == "private"
    assert (hub.request["from"], hub.request["to"]) == (house.start, house.stop)
    assert anna.post(address + "made").status_code == 204
    given = account_of(anna).bills.get()
    assert (given.start, given.stop) == (house.start, house.stop)
    account_of(anna).bills.update(stop=house.stop - DAY)
    assert anna.post(address + "made").status_code == 409


def test_a_number_is_made_where_the_supplier_gave_none(anna, hub, desk):
    sealed(anna, hub, desk)
    numbers = set()
    for _ in range(2):
        page = anna.get(ask_bill(anna, hub, "private", nonce="").url)
        numbers.add(config_of(page, "config")["bill"]["nonce"])
    assert len(numbers) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", number) for number in numbers)


# -- words -------------------------------------------------------------------------------------------------------


def test_every_refusal_has_words(site):
    from meterhub_tools.website import words

    assert site
    for name in refusals.NAMES:
        said = words.bill_error(name)
        assert said["happened"].endswith(".")
        assert said["todo"].endswith(".")
        assert "No bill was made." in said["left"]
    plain = ("PROOF", "BILL_", "DISCLOSURE", "UNP", "BLOCK", "RANGE", "PIECE")  # of these there is one thing to say
    own = [name for name in refusals.NAMES if name not in words.BILL]
    assert all(name.startswith(plain) for name in own), own
