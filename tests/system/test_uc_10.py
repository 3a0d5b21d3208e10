"""UC-10, tariff settings: a test for each numbered flow, on a real hub and a real broker."""

import re
import time

import pytest
from flows import notice_state, to_page, until
from market import Market
from sender import Sender

from meterhub.codec import base64url, tariff

STEP_S = 1800
ALL_DAY = 25000  # e5 for a kWh: 25.00 p


@pytest.fixture(scope="module")
def market():
    with Market() as market:
        yield market


def document(name, price=ALL_DAY, **more):
    """A tariff of one price all day."""
    found = {"v": 1, "id": name, "currency": "GBP", "zone": "UTC0", "kind": "linear", "interval_s": STEP_S}
    return (
        found
        | {"scale": -5, "round": 2}
        | {"bands": [{"name": "flat", "price": price}, {"name": "rest", "price": 1}]}
        | more
    )


def digest(found):
    return base64url.encode(tariff.digest(tariff.packed(found)))


def put(market, name, price, life_s=0, **more):
    """Put a tariff in force that the hub takes; return what was sent."""
    market.press("A", long=True)
    if life_s:
        more["expiry"] = int(time.time()) + life_s
    sent = market.send("SUP", "set.tariff_price", {"tariff": document(name, price)} | more)
    answer = market.answer(sent)
    assert (answer["outcome"], answer["data"]["tariff"]) == ("pending", name), answer
    assert answer["data"]["digest"] == digest(document(name, price))
    return sent


def record(sent, cmd="set.tariff_price"):
    return f"UC-10 {cmd} {sent.party.role} {sent.party.kid}/{sent.ctr}"


def in_force(market):
    """Return (id, price of the moment) as the supplier reads it."""
    data = market.ask("SUP", "read.tariff")["data"]
    return data["tariff"], data["price_e5"]


def kept(market):
    """What the hub's flash holds of tariffs and messages."""
    files = [path for path in market.home.hub.data.rglob("*") if path.is_file()]
    files = [
        path for path in files if path.name.split(".")[0] in ("tariff", "notices") or path.parent.name == "notices"
    ]
    return {path: path.read_bytes() for path in files}


def open_message(market, name, *words):
    """Open the newest message, which is read then."""
    market.reads("NOW", "new")
    market.press("B")
    market.reads("TARIFF", "New tariff", "The SUP", "read")
    market.press("B")
    market.reads("New tariff", *words, "keep", "delete")


def hourly(market):
    """What the display says that an hour costs now, in pence; 0 when it does not say so."""
    found = re.search(r"£(\d+)\.(\d\d)/h", " ".join(market.display()))
    return int(found[1] + found[2]) if found else 0


def test_uc_10_b_it_is_applied_shown_viewed_and_kept(market):
    market.home.meter.draw_more(5000)  # more than its sun gives at noon
    market.reads("NOW", "kWh")
    assert hourly(market) == 0
    dear = 5000000  # 50 a kWh
    sent = put(market, "eco-b", dear)
    since = market.answer(sent)["data"]["applied"]
    assert since == market.answer(sent)["at"] // STEP_S * STEP_S
    market.journal("tariff", f"none -> eco-b {digest(document('eco-b', dear))[:8]} since {since}")
    market.journal("command pending", record(sent))
    assert in_force(market) == ("eco-b", dear)
    market.reads("NOW flat", "£", "/h")
    assert hourly(market) > 100
    open_message(market, "eco-b", "eco-b counts since")
    read = market.told(sent, "read")
    assert (read["outcome"], read["data"]["viewed"], read["data"]["error"]) == ("done", True, "")
    market.press("A")
    last = market.told(sent, "save")
    assert (last["data"]["tariff"], last["data"]["applied"], last["data"]["viewed"]) == ("eco-b", since, True)
    market.journal("command save", record(sent))
    market.journal("saved", f".2|{sent.party.kid}|display")
    market.press("A", long=True)
    market.reads("NOW flat", "msgs")


def test_uc_10_b_the_page_of_the_tariff_shows_its_price(market):
    put(market, "eco-page", 27500)
    market.press("A", long=True)
    to_page(market, "TARIFF", "flat", "standing", "£0.00/day")
    sent = market.send("SUP", "set.tariff_price", {"prices": [12340, 1], "id": "eco-new"})
    assert market.answer(sent)["outcome"] == "pending"
    market.reads("TARIFF", "flat")
    assert in_force(market) == ("eco-new", 12340)


def test_uc_10_b_what_is_staged_counts_from_its_date_on_and_not_before():
    with Market() as market:
        put(market, "eco-now", 20000)
        market.kill()
        market.start()
        assert in_force(market) == ("eco-now", 20000)
        at = int(time.time() + 30) // STEP_S * STEP_S + STEP_S  # thirty seconds ahead at least
        sent = market.send("SUP", "set.tariff_price", {"tariff": document("eco-next", 40000)}, at=at)
        assert market.answer(sent)["data"] == {"staged": at}
        coming = market.ask("SUP", "read.tariff", {"next": True})["data"]
        assert (coming["tariff"], coming["since"]) == ("eco-next", at)
        nonce = market.ask("SUP", "read.clock")["data"]["nonce"]
        market.ask("SUP", "set.clock", {"at": at - 4, "nonce": nonce, "jump": True})
        done = market.letter(lambda c: c.get("re") == sent.re and "code" in c["data"])
        assert (done["outcome"], done["data"]["tariff"], done["data"]["code"]) == ("pending", "eco-next", 0x8F66)
        assert done["data"]["applied"] == at <= done["at"]
        market.journal("command activated", record(sent))
        market.journal("tariff", "eco-now")
        assert market.ask("SUP", "read.tariff", exp=at + 600)["data"]["price_e5"] == 40000


def test_uc_10_b_what_is_staged_is_cancelled(market):
    put(market, "eco-stays", 22000)
    at = int(time.time()) // STEP_S * STEP_S + 2 * STEP_S
    assert market.ask("SUP", "set.tariff_price", {"tariff": document("eco-off")}, at=at)["data"] == {"staged": at}
    assert market.ask("SUP", "set.tariff_price", at=0)["data"] == {"cancelled": 1}
    assert market.refused("SUP", "read.tariff", {"next": True}) == "NOT_AVAILABLE arg.next"
    assert in_force(market) == ("eco-stays", 22000)


def test_uc_10_v1_the_household_deletes_the_message(market):
    sent = put(market, "eco-v1", 23000, text="Cheaper from today.")
    open_message(market, "eco-v1", "Cheaper from today")
    assert market.told(sent, "read")["data"]["viewed"]
    market.press("B")
    last = market.told(sent, "delete")
    assert (last["outcome"], last["data"]["viewed"], last["data"]["error"]) == ("done", True, "")
    market.journal("command delete", record(sent))
    market.journal("deleted", f"|{sent.party.kid}|display")
    assert in_force(market) == ("eco-v1", 23000)
    market.reads("NOW flat", "kW")


@pytest.mark.parametrize(
    ("role", "arg", "claims", "error"),
    [
        ("DNO", {"tariff": document("x")}, {}, "NOT_AUTHORISED cmd"),
        ("ESP", {"tariff": document("x")}, {}, "NOT_AUTHORISED cmd"),
        ("SUP", {"tariff": document("x")}, {"ctr": 1}, "REPLAY ctr"),
        ("SUP", {}, {}, "MALFORMED arg"),
        ("SUP", {"tariff": document("x", "dear")}, {}, "MALFORMED arg.tariff.bands[0].price"),
        ("SUP", {"tariff": document("x", 1 << 31)}, {}, "INVALID_VALUE arg.tariff.bands[0].price"),
        ("SUP", {"tariff": document("x", days=[[0, 7]])}, {}, "INVALID_VALUE arg.tariff.days[0]"),
        ("SUP", {"tariff": document("x", interval_s=900)}, {}, "INVALID_VALUE arg.tariff.interval_s"),
        ("SUP", {"tariff": document("x")}, {"at": 2000000001}, "INVALID_VALUE at"),
        ("SUP", {"prices": [1], "id": "x"}, {}, "INVALID_VALUE arg.prices"),
        ("SUP", {"tariff": document("x"), "text": "a\nb"}, {}, "INVALID_VALUE arg.text"),
        ("SUP", {"packed": "AAAA"}, {}, "MALFORMED arg.packed"),
    ],
)
def test_uc_10_a1_a_request_that_is_not_valid_leaves_the_old_tariff_in_force(market, role, arg, claims, error):
    if market.state("tariff-use") is None:
        put(market, "eco-old", 21000)
    until(lambda: notice_state(market, "tariff") != "waiting")  # the record of messages changes no more
    before = kept(market)
    assert before
    sent = market.send(role, "set.tariff_price", arg, **claims)
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"], answer["data"]) == ("refused", error.split()[0], {})
    assert answer["field"].startswith(error.split()[1])
    market.journal(error.split()[0], record(sent))
    assert kept(market) == before


def test_uc_10_a2_a_confirmation_that_is_not_received_is_overdue_at_its_sender(market):
    market.press("A", long=True)
    with Sender(market, "SUP") as sender:
        given = sender.gives("set.tariff_price", {"tariff": document("eco-a2", 24000)})

        def final():
            open_message(market, "eco-a2", "eco-a2 counts since")
            return market.letter(lambda c: c.get("re") == given.re and c["data"].get("action") == "read")

        sender.overdue(given, final)
        assert (sender.state(given).answer["tariff"], sender.state(given).answer["viewed"]) == ("eco-a2", True)
    assert in_force(market) == ("eco-a2", 24000)


def test_uc_10_a3_what_nobody_has_viewed_in_time_is_applied_all_the_same(market):
    sent = put(market, "eco-a3", 26000, life_s=20)
    market.reads("NOW flat", "1 new")
    last = market.told(sent, "none")
    assert (last["outcome"], last["data"]["viewed"], last["data"]["error"]) == ("done", False, "CONSUMER_TIMEOUT")
    assert last["data"]["tariff"] == "eco-a3"
    market.journal("CONSUMER_TIMEOUT", record(sent))
    assert in_force(market) == ("eco-a3", 26000)
    market.reads("NOW flat", "kW")
