"""The website's views, with Django's own test client; the hub is the tests' FakeHub, without a broker in between."""

import json
import logging
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from recipient_fake_hub import REGS, STEP, FakeHub, b64, history
from website_site import NOW, PASSWORD

from meterhub_tools import proof
from meterhub_tools.website import options

GAP = range(NOW - 700 * STEP, NOW - 690 * STEP, STEP)


@pytest.fixture
def hub(desk):
    point = desk.recipient.point
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
    hub = FakeHub(jwk, history(NOW - 2000 * STEP, NOW, tuple(GAP)))
    hub.clock = NOW
    desk.courier.add(hub)
    return hub


_names = (f"anna{i}" for i in range(10_000))


@pytest.fixture
def anna(browser):
    return browser(next(_names))


def account_of(client):
    from meterhub_tools.website.models import Account

    return Account.objects.get(pk=client.session["_auth_user_id"])


def pin_of(pin):
    return {"pin1": pin[:3], "pin2": pin[3:6], "pin3": pin[6:]}


def link(client, hub):
    address = client.post("/hubs/new/", {"hub": hub.hub, "regs": REGS, "res": "half-hour", "years": "1"}).url
    client.post(address + "pin", pin_of(hub.pin))
    return client.get(address, follow=True)


def day(at):
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def ask(client, hub, mode="server", **more):
    fields = {
        "start": day(NOW - 1500 * STEP),
        "stop": day(NOW + 86400),
        "regs": REGS,
        "res": "half-hour",
        "zone": "UTC",
    }
    return client.post(f"/hubs/{hub.hub}/ask/", {**fields, "mode": mode, **more})


def fetch(client, hub):
    """Link, ask in server mode, prove; return the address of the data."""
    link(client, hub)
    address = ask(client, hub).url
    client.post(address + "pin", pin_of(hub.pin))
    return client.get(address).url


# -- accounts --------------------------------------------------------------------------------------------


def test_sign_up_keeps_an_argon2_hash_and_lets_in(anna):
    account = account_of(anna)
    assert account.password.startswith("argon2")
    assert account.meter_id == "EMT 2041-77"
    assert anna.get("/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("password", "short"), ("password", "password1234"), ("username", "a b"), ("meter_id", "!"), ("username", "")],
)
def test_sign_up_refuses_what_is_no_good(browser, field, value):
    from meterhub_tools.website.models import Account

    before = Account.objects.count()
    fields = {"meter_id": "EMT1234", "username": "bert", "password": PASSWORD, field: value}
    assert browser().post("/sign-up/", fields).status_code == 400
    assert Account.objects.count() == before


def test_name_is_taken_in_any_spelling(anna, browser):
    name = account_of(anna).username.upper()
    fields = {"meter_id": "EMT1234", "username": name, "password": PASSWORD}
    assert b"This name is taken" in browser().post("/sign-up/", fields).content


def test_log_in_needs_the_right_password(anna, browser):
    name = account_of(anna).username
    client = browser()
    assert client.post("/log-in/", {"username": name, "password": "wrong"}).status_code == 400
    assert client.get("/").status_code == 302
    assert client.post("/log-in/", {"username": name, "password": PASSWORD}).url == "/"


def test_log_in_never_leads_to_another_site(anna, browser):
    fields = {"username": account_of(anna).username, "password": PASSWORD}
    assert browser().post("/log-in/?next=https://evil.example/", fields).url == "/"
    assert browser().post("/log-in/?next=/log/", fields).url == "/log/"


def test_guessing_passwords_is_slowed_down(anna, browser):
    name = account_of(anna).username
    client = browser()
    codes = [client.post("/log-in/", {"username": name, "password": f"guess {i}"}).status_code for i in range(9)]
    assert codes == [400] * 8 + [429]
    assert client.post("/log-in/", {"username": name, "password": PASSWORD}).status_code == 429


def test_form_without_its_token_is_refused(desk):
    from django.test import Client

    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    fields = {"meter_id": "EMT1234", "username": "carol", "password": PASSWORD}
    answer = client.post("/sign-up/", fields)
    assert answer.status_code == 403
    assert b"did not come from this site" in answer.content
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("page", ["/", "/log/", "/hubs/new/", "/requests/x/", "/data/x/", "/data/x/readings"])
def test_pages_need_a_session(browser, page):
    assert browser().get(page).url.startswith("/log-in/")


# -- what every answer carries ---------------------------------------------------------------------------


def test_headers_keep_everything_outside_out(anna):
    for page in ("/", "/log-in/", "/nothing/"):
        answer = anna.get(page)
        policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        for name in ("script-src", "style-src", "connect-src", "img-src", "form-action"):
            assert policy[name] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cache-Control"] == "no-store"


def test_pages_load_nothing_from_elsewhere(anna, hub):
    pages = [anna.get(page).content.decode() for page in ("/", "/log/", "/hubs/new/", fetch(anna, hub))]
    for page in pages:
        assert "http://" not in page
        assert "https://" not in page
        assert "<style" not in page
        assert "style=" not in page
        assert "onclick" not in page


def test_cookies_are_out_of_reach_of_scripts(browser):
    client = browser("dora" + str(time.monotonic_ns()))
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["sessionid"]["samesite"] == "Lax"
    assert client.cookies["csrftoken"]["httponly"]


def test_settings_follow_from_how_the_site_is_reached(folder):
    told = options.Options(
        "mqtt://x", folder, 1, "x", public_url="https://meter.example/", database_url="postgres://u@h/d"
    )
    found = options.django_settings(told)
    assert found["SESSION_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] > 0
    assert found["ALLOWED_HOSTS"][0] == "meter.example"
    assert found["DATABASES"]["default"]["ENGINE"].endswith("postgresql")
    framed = options.django_settings(
        options.Options("mqtt://x", folder, 1, "x", frame_ancestors=("http://127.0.0.1:9",))
    )
    assert framed["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["frame-ancestors"] == ["http://127.0.0.1:9"]
    assert not any("XFrame" in name for name in framed["MIDDLEWARE"])


def test_there_is_no_admin(anna):
    assert anna.get("/admin/").status_code == 404


# -- linking ---------------------------------------------------------------------------------------------


def test_hub_is_linked_by_who_sees_its_display(anna, hub):
    page = link(anna, hub)
    assert "The hub is linked" in page.content.decode()
    (made,) = account_of(anna).links.all()
    assert made.live
    assert hub.linked == {made.sub}
    assert account_of(anna).username not in made.sub


def test_hub_id_may_be_typed_in_groups_and_with_look_alikes(anna, hub):
    typed = " ".join(hub.hub[i : i + 4] for i in range(0, 16, 4)).lower().replace("0", "o").replace("1", "l")
    answer = anna.post("/hubs/new/", {"hub": typed, "regs": REGS, "res": "day", "years": "1"})
    assert answer.status_code == 302


def test_unknown_hub_is_said_and_nothing_is_sent(anna, desk):
    answer = anna.post("/hubs/new/", {"hub": "0" * 16, "regs": REGS, "res": "day", "years": "1"})
    assert answer.status_code == 400
    assert "Nothing was sent" in answer.content.decode()
    assert desk.courier.sent == []


def test_new_link_keeps_the_name_the_hub_knows(anna, hub):
    link(anna, hub)
    link(anna, hub)
    assert len(hub.linked) == 1
    assert account_of(anna).links.count() == 1


def test_account_can_end_its_own_permission(anna, hub):
    link(anna, hub)
    address = anna.post(f"/hubs/{hub.hub}/revoke/").url
    assert "may not ask" in anna.get(address, follow=True).content.decode()
    assert hub.linked == set()
    assert not account_of(anna).links.get().live
    assert anna.get(f"/hubs/{hub.hub}/ask/").url == "/"


def test_permission_that_the_household_ended_is_ended_here(anna, hub, desk):
    link(anna, hub)
    sub = account_of(anna).links.get().sub
    token = hub.sign("mhx-consent", {"sub": sub, "result": "revoked", "at": NOW})
    forged = token[:-6] + "AAAAAA"
    from meterhub.errors import HubError

    with pytest.raises(HubError, match="NOT_AUTHENTIC"):
        desk.on_message(hub.hub, json.dumps({"t": "consent", "jws": forged}).encode())
    assert account_of(anna).links.get().live
    desk.on_message(hub.hub, json.dumps({"t": "consent", "jws": token}).encode())
    assert not account_of(anna).links.get().live
    assert "ended on the display" in anna.get("/log/").content.decode()


def told(fake, desk, **changes):
    """Return what the hub tells of its own accord."""
    items = [[4, NOW, "METER_SILENT", "main"], [7, 0, "meter is back", "main"]]
    claims = {"to": desk.recipient.kid, "box": "01020304", "at": NOW, "dropped": [2, 0], "items": items, **changes}
    return fake.sign("mh-items", claims).encode()


def test_what_a_linked_hub_tells_is_stored_once_and_acknowledged_each_time(anna, hub, desk):
    from meterhub.trust import items
    from meterhub_tools.website.models import Event

    desk.on_items(hub.hub, told(hub, desk))
    assert not Event.objects.filter(hub=hub.hub).exists()  # nobody here has linked it
    link(anna, hub)
    for _ in range(2):
        desk.on_items(hub.hub, told(hub, desk))
        stored = Event.objects.filter(hub=hub.hub)
        assert [(e.number, e.at, e.name) for e in stored] == [(4, NOW, "METER_SILENT"), (7, 0, "meter is back")]
        token = desk.courier.sent.pop().decode()
        proof.check_signature(token, desk.recipient.point)
        kid, claims = items.receipt_claims(token)
        assert (kid, claims["hub"], claims["box"], claims["id"]) == (desk.recipient.kid, hub.hub, "01020304", 7)


@pytest.mark.parametrize("change", [{"to": "somebody"}, {"hub": "0" * 16}, {"items": []}, {"box": 5}, {"forged": 1}])
def test_what_is_not_the_hubs_or_for_another_is_neither_stored_nor_acknowledged(anna, hub, desk, change):
    from meterhub.errors import HubError
    from meterhub_tools.website.models import Event

    link(anna, hub)
    sent = len(desk.courier.sent)
    message = told(hub, desk, **change)
    if "forged" in change:
        message = message[:-6] + b"AAAAAA"
    with pytest.raises(HubError):
        desk.on_items(hub.hub, message)
    assert not Event.objects.filter(hub=hub.hub).exists()
    assert len(desk.courier.sent) == sent


# -- asking ----------------------------------------------------------------------------------------------


def test_private_is_what_one_gets_without_choosing(anna, hub):
    link(anna, hub)
    assert 'value="private" checked' in anna.get(f"/hubs/{hub.hub}/ask/").content.decode()


def test_range_is_cut_to_what_the_hub_has(anna, hub):
    link(anna, hub)
    ask(anna, hub, start="2001-01-01")
    assert hub.request["from"] == hub.readings[0][0]
    assert hub.request["to"] == hub.readings[-1][0]


@pytest.mark.parametrize(
    "change",
    [
        {"start": "2001-01-01", "stop": "2001-01-05"},
        {"start": "2030-01-02", "stop": "2030-01-01"},
        {"res": "hour"},
        {"mode": "open"},
        {"regs": ["1-0:9.9.9"]},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"start": ""},
    ],
)
def test_wish_that_makes_no_sense_is_not_sent(anna, hub, desk, change):
    link(anna, hub)
    desk.courier.sent.clear()
    assert ask(anna, hub, **change).status_code == 400
    assert desk.courier.sent == []


def test_offline_hub_is_not_asked(anna, hub, desk):
    link(anna, hub)
    desk.courier.add(hub, online=False)
    desk.courier.sent.clear()
    answer = ask(anna, hub)
    assert "Nothing was sent" in answer.content.decode()
    assert desk.courier.sent == []


def test_waiting_page_shows_the_code_of_the_display(anna, hub):
    link(anna, hub)
    hub.answer_by_hand = True
    page = anna.get(ask(anna, hub).url).content.decode()
    assert hub.code in page
    assert "Look at your display" in page


def test_typo_is_seen_before_anything_is_sent(anna, hub, desk):
    link(anna, hub)
    address = ask(anna, hub).url
    desk.courier.sent.clear()
    typo = hub.pin[:8] + str((int(hub.pin[8]) + 1) % 10)
    anna.post(address + "pin", pin_of(typo))
    assert "No try was used" in anna.get(address).content.decode()
    assert desk.courier.sent == []
    assert anna.get(address + "status").json()["left"] == 3


def test_wrong_pin_is_counted_and_the_third_ends_it(anna, hub):
    from test_recipient import wrong

    link(anna, hub)
    address = ask(anna, hub).url
    for left in (2, 1):
        anna.post(address + "pin", pin_of(wrong(hub.pin)))
        page = anna.get(address).content.decode()
        assert f"{left} {'try is' if left == 1 else 'tries are'} left" in " ".join(page.split())
    anna.post(address + "pin", pin_of(wrong(hub.pin)))
    page = anna.get(address).content.decode()
    assert "Three wrong PINs" in page
    assert "Nothing left your house" in page
    assert "Three wrong PINs" in anna.get("/log/").content.decode()


def test_refusal_on_the_display_is_said_in_plain_words(anna, hub, desk):
    link(anna, hub)
    hub.answer_by_hand = True
    address = ask(anna, hub).url
    desk.on_message(hub.hub, hub.end("refused", "CONSUMER_DECLINED"))
    page = anna.get(address).content.decode()
    assert "Somebody pressed" in page
    assert "Nothing left your house" in page


def test_new_request_ends_the_one_before(anna, hub, desk):
    link(anna, hub)
    first, second = ask(anna, hub).url, ask(anna, hub).url
    assert anna.get(first + "status").json()["error"] == "CANCELLED"
    assert anna.get(second + "status").json()["state"] == "pin"
    assert b'"cancel"' in desk.courier.sent[-2]


@pytest.mark.parametrize("mode", ["server", "private"])
def test_the_pages_of_a_request_for_readings_speak_of_readings(anna, hub, mode):
    link(anna, hub)
    page = anna.get(ask(anna, hub, mode).url).content
    assert b"Fetch the readings" in page
    assert b"Make the bill" not in page
    hub.linked.clear()
    refused = anna.get(ask(anna, hub, "server").url).content
    assert b"Ask again" in refused
    assert b"Back to my bill" not in refused


# -- the data of server mode -----------------------------------------------------------------------------


def test_readings_arrive_whole_and_gaps_stay_gaps(anna, hub):
    data = fetch(anna, hub)
    found = anna.get(data + "readings").json()
    due = [r for r in hub.readings if hub.request["from"] < r[0] <= hub.request["to"]]
    assert [(e["at"], e["quality"], tuple(e["values"])) for e in found["entries"]] == due
    lines = anna.get(data + "csv").content.decode().splitlines()
    assert len(lines) == 1 + len(due)
    missing = [line for line in lines if ",missing," in line]
    assert len(missing) == len(GAP)
    assert all(line.endswith(",missing,,,,") for line in missing)


def test_proof_that_was_saved_can_be_checked(anna, hub):
    kept = json.loads(anna.get(fetch(anna, hub) + "proof").content)
    assert proof.verify_proof(kept).entries


def leftovers(folder, hub):
    """Return the names of files under `folder` that hold a reading, the PIN, or a key."""
    needles = [
        str(value).encode() for _, _, values in hub.readings[-1500:] for value in values if value and value > 10**7
    ]
    needles += [hub.pin.encode(), hub.cek, b64(hub.cek).encode(), hub.ck]
    found = []
    for path in Path(folder).rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found += [(path.name, needle) for needle in needles if needle in content]
    return found


def test_nothing_readable_is_ever_on_disk_or_in_the_log(anna, hub, folder, caplog):
    caplog.set_level(logging.DEBUG)
    data = fetch(anna, hub)
    for what in ("", "readings", "csv", "proof"):
        assert anna.get(data + what).status_code == 200
    assert leftovers(folder, hub) == []
    assert str(hub.readings[-1][2][0]) not in caplog.text
    assert hub.pin not in caplog.text


def test_log_off_deletes_the_data_and_tells_the_browser(anna, hub, desk):
    data = fetch(anna, hub)
    key = anna.session["vault"]
    assert desk.vault.all(key)
    answer = anna.post("/log-out/")
    assert answer["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert desk.vault.all(key) == []
    fields = {"username": "x", "password": "y"}
    assert anna.post("/log-in/", fields).status_code == 400
    assert anna.get(data + "readings").status_code == 302


def test_data_does_not_come_back_with_the_next_log_in(anna, hub):
    name = account_of(anna).username
    data = fetch(anna, hub)
    anna.post("/log-out/")
    anna.post("/log-in/", {"username": name, "password": PASSWORD})
    assert anna.get(data + "readings").status_code == 404


def test_silence_deletes_the_data(anna, hub, desk):
    fetch(anna, hub)
    key = anna.session["vault"]
    desk.vault.sweep(time.monotonic() + options.IDLE_S - 60)
    assert desk.vault.all(key)
    desk.vault.sweep(time.monotonic() + options.IDLE_S + 1)
    assert desk.vault.all(key) == []


def test_using_the_site_keeps_the_data(anna, hub, desk, monkeypatch):
    fetch(anna, hub)
    later = time.monotonic() + options.IDLE_S - 60
    monkeypatch.setattr("meterhub_tools.website.vault.time", SimpleNamespace(monotonic=lambda: later, time=time.time))
    anna.get("/log/")
    desk.vault.sweep(later + 120)
    assert desk.vault.all(anna.session["vault"])


def test_delete_now_deletes_now(anna, hub):
    data = fetch(anna, hub)
    anna.post(data + "delete")
    assert anna.get(data + "readings").status_code == 404


def test_session_does_not_collect_without_end(anna, hub, desk):
    link(anna, hub)
    for _ in range(10):
        address = ask(anna, hub, start=day(NOW - 86400)).url
        anna.post(address + "pin", pin_of(hub.pin))
    assert len(desk.vault.all(anna.session["vault"])) == 8


# -- what is another's -----------------------------------------------------------------------------------


def test_requests_and_data_of_others_do_not_exist(anna, hub, browser):
    data = fetch(anna, hub)
    address = ask(anna, hub).url
    private = ask(anna, hub, mode="private").url
    bert = browser(next(_names))
    same_account = browser()
    same_account.post("/log-in/", {"username": account_of(anna).username, "password": PASSWORD})
    for client in (bert, same_account):
        for page in (address, address + "status", private, private + "relay", data, data + "readings", data + "csv"):
            assert client.get(page).status_code == 404
        for page in (address + "pin", address + "cancel", private + "relay", data + "delete"):
            assert client.post(page, {}).status_code == 404
    assert bert.get(f"/hubs/{hub.hub}/ask/").status_code == 404
    assert bert.post(f"/hubs/{hub.hub}/revoke/").status_code == 404


# -- the relay of private mode ---------------------------------------------------------------------------


@pytest.fixture
def private(anna, hub, desk):
    link(anna, hub)
    address = ask(anna, hub, mode="private").url
    desk.courier.sent.clear()
    return address


def post(client, address, message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return client.post(address + "relay", body, content_type="application/json")


def test_private_request_carries_no_key_of_the_website(private, hub):
    assert hub.request["mode"] == "private"
    assert "ek" not in hub.request


def test_page_gets_what_it_needs_and_no_more(private, anna, hub):
    page = anna.get(private).content.decode()
    config = json.loads(page.split('<script id="config" type="application/json">')[1].split("</script>")[0])
    assert config["hub"] == hub.hub
    assert config["hubKey"] == b64(hub.point)
    assert config["code"] == hub.code
    assert 'name="pin1"' not in page  # what has no name is in no form that is sent


def test_relay_hands_on_in_both_directions(private, anna, hub, desk):
    found = anna.get(private + "relay").json()["messages"]
    assert [json.loads(message)["t"] for _, message in found] == ["asked", "offer"]
    assert anna.get(private + "relay", {"after": found[0][0]}).json()["messages"] == found[1:]
    message = {"t": "cancel", "rid": hub.request["rid"], "h": b64(hub.h)}
    assert post(anna, private, message).status_code == 204
    assert [json.loads(raw) for raw in desk.courier.sent] == [message]


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b'{"t":"proof","pad":"' + b"a" * 2048 + b'"}', 413),
        (b"a" * 20_000, 413),
        ({"t": "proof", "rid": "AAAAAAAAAAAAAAAAAAAAAA"}, 400),
        ({"t": "proof"}, 400),
        ({"t": "request", "jws": "a.b.c"}, 400),
        ({"t": "end"}, 400),
        (b"[]", 400),
        (b"{", 400),
        (b"", 400),
    ],
)
def test_relay_refuses_what_is_not_of_this_request(private, anna, desk, message, status):
    assert post(anna, private, message).status_code == status
    assert desk.courier.sent == []


def test_relay_does_not_serve_requests_of_server_mode(anna, hub):
    link(anna, hub)
    address = ask(anna, hub).url
    assert anna.get(address + "relay").status_code == 404
    assert post(anna, address, {"t": "cancel", "rid": hub.request["rid"]}).status_code == 404


def test_pin_of_private_mode_has_no_place_on_the_website(private, anna, hub, desk):
    assert anna.post(private + "pin", pin_of(hub.pin)).status_code == 404
    assert desk.courier.sent == []


def test_relay_is_bounded_when_a_page_does_not_fetch(private, anna, hub, desk):
    for _ in range(100):
        desk.on_message(hub.hub, hub.offer())
    assert len(anna.get(private + "relay").json()["messages"]) == 32


def test_forged_end_does_not_end_a_relayed_run(private, anna, hub, desk):
    from joserfc.jwk import ECKey

    from meterhub.errors import HubError

    real, hub.key = hub.key, ECKey.generate_key("P-256")
    with pytest.raises(HubError, match="NOT_AUTHENTIC"):
        desk.on_message(hub.hub, hub.end("refused", "CANCELLED"))
    assert anna.get(private + "status").json()["state"] == "relayed"
    hub.key = real
    desk.on_message(hub.hub, hub.end("refused", "CONSUMER_DECLINED"))
    assert anna.get(private + "status").json()["error"] == "CONSUMER_DECLINED"
    assert "Somebody pressed" in anna.get("/log/").content.decode()


def test_page_that_went_away_leaves_an_entry_in_the_log(private, anna, monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 2000, time=time.time)
    monkeypatch.setattr("meterhub_tools.website.live.time", clock)
    due = time.time() + 60
    while anna.get(private + "status").json()["state"] == "relayed" and time.time() < due:
        time.sleep(0.2)
    assert "broke off" in anna.get("/log/").content.decode()


def test_end_that_cannot_be_written_at_once_gets_into_the_log(private, anna, hub, desk, monkeypatch):
    from django.db import OperationalError

    from meterhub_tools.website import ledger

    write, failed = ledger.ended, []

    def busy_at_first(run):
        if len(failed) < 2:
            failed.append(run)
            raise OperationalError("database is locked")
        write(run)

    monkeypatch.setattr(ledger, "ended", busy_at_first)
    with pytest.raises(OperationalError):
        desk.on_message(hub.hub, hub.end("refused", "CONSUMER_DECLINED"))
    due = time.time() + 60
    while not failed[0].settled_at and time.time() < due:
        time.sleep(0.2)
    assert failed == [failed[0]] * 2
    assert "Somebody pressed" in anna.get("/log/").content.decode()


def test_foreign_messages_change_nothing(anna, hub, desk):
    from meterhub.errors import HubError

    link(anna, hub)
    address = ask(anna, hub).url
    for raw in (
        b"",
        b"{}",
        b'{"t":"offer","jws":"a.b.c"}',
        b'{"t":"chunk","jwe":"...."}',
        b'{"t":"end","jws":7}',
        b"\xff",
    ):
        with pytest.raises(HubError):
            desk.on_message(hub.hub, raw)
    assert anna.get(address + "status").json()["state"] == "pin"


def test_what_was_open_at_a_restart_is_closed_in_the_log(anna, hub):
    from meterhub_tools.website import ledger

    link(anna, hub)
    hub.answer_by_hand = True
    ask(anna, hub)
    ledger.interrupted()
    assert "restarted in the middle" in anna.get("/log/").content.decode()
