"""UC-02 of ETSI TR 102 691: install, configure, maintain. One test for each of its flows, by its number."""

import hashlib
import json
import time

import pytest
from market import Market, files, new_party

from meterhub.codec import base32, base64url
from meterhub.store.record import Record
from meterhub.trust.identity import hub_id


@pytest.fixture(scope="module")
def market():
    with Market(cable=True) as market:
        yield market


def hello(market, role="ADM", timeout_s=30.0, **data):
    """Return the data of the first hello to `role` with these values among it."""
    return market.letter(
        lambda c: c["kind"] == "hello" and c["party"] == role and all(c["data"][k] == v for k, v in data.items()),
        timeout_s,
    )["data"]


def hellos(market):
    return [one for one in market.letters if one["kind"] == "hello"]


def record(market, name):
    return Record(str(market.home.hub.data / name))


def settled(market, starts):
    """Wait until a hub that restarts by itself, after so many starts, is there again."""
    deadline = time.monotonic() + 40
    while len(market.home.hub.journalled("start")) == starts:
        assert time.monotonic() < deadline, "it does not restart"
        time.sleep(0.1)
    while True:
        assert time.monotonic() < deadline, "the hub does not come back"
        try:
            answer = market.answer(market.send("ADM", "read.firmware_version"), timeout_s=4)
        except AssertionError:  # it was not there to hear it
            continue
        if answer["clock"] != "unset":
            return
        time.sleep(0.3)


# -- installation --------------------------------------------------------------------------------------------------


def test_uc_02_bi_the_hub_registers_itself_with_the_administrator_once(market):
    data = hello(market, event="keys")
    assert hub_id(base64url.decode(data["key"])) == market.home.hub.id
    assert (data["board"], data["wants"], data["state"]) == ("UNIX", "updates", "whitelisted")
    (meter,) = data["meters"]
    assert (meter["name"], meter["protocol"]) == ("p1", "p1")
    assert meter["serial"]
    assert "1-0:1.8.0" in meter["registers"]
    made_of = data["capabilities"]
    assert (made_of["switch"], made_of["display"], made_of["fuels"]) == (False, "ssd1306", ["electricity"])
    assert data["settings"][0] == 1
    market.journal("registered", "keys")
    assert market.ask("ADM", "read.device_identity")["data"]["state"] == "installed"
    market.kill()
    market.start()
    market.ask("ADM", "read.firmware_version")
    time.sleep(3)
    assert len(hellos(market)) == 1


def test_uc_02_bi_the_letter_itself_names_the_key_that_verifies_it(market):
    """Who knows a hub's id alone opens its hello with the key that it brings: the id is the hash of that key."""
    told = market.letter(lambda c: c["kind"] == "hello")
    key = base64url.decode(told["data"]["key"])
    assert base32.encode(hashlib.sha256(key).digest()[:10]) == told["hub"] == market.home.hub.id
    assert key == record(market, "identity").load()[32:]


def test_uc_02_bi_another_administrator_is_greeted_too(market):
    other = market.parties["ADM2"] = new_party("ADM")
    arg = {"role": "ADM", "key": base64url.encode(other.public), "name": "Other"}
    assert market.ask("ADM", "credentials.update", arg)["outcome"] == "done"
    greeted = market.letter(lambda c: c["kind"] == "hello" and c["to"] == other.kid, 30)
    assert greeted["data"]["event"] == "keys"
    assert market.ask(other, "read.device_identity")["data"]["key"] == greeted["data"]["key"]
    assert market.ask("ADM", "credentials.update", {"kid": other.kid, "until": 0})["outcome"] == "done"


def test_uc_02_bi_what_it_is_made_of_can_be_read(market):
    assert market.ask("SUP", "read.capabilities")["data"] == hello(market, event="keys")["capabilities"]
    assert market.ask("DNO", "read.firmware_version")["data"]["version"] == hello(market)["version"]


# -- configuration -------------------------------------------------------------------------------------------------


def test_uc_02_bc_settings_are_applied_read_back_and_confirmed(market):
    before = market.ask("ADM", "read.settings", {"names": ["name", "price."]})["data"]
    starts = len(market.home.hub.journalled("start"))
    answer = market.ask("ADM", "set.settings", {"settings": {"name": "kitchen", "price.import_e5": 31000}})
    assert answer["outcome"] == "done", answer
    data = answer["data"]
    assert data["changed"] == {"name": ["meterhub", "kitchen"], "price.import_e5": [0, 31000]}
    assert (data["version"], data["restart"]) == (before["version"] + 1, True)
    market.journal("configured", 'name "meterhub" -> "kitchen"')
    settled(market, starts)
    after = market.ask("ADM", "read.settings", {"names": ["name", "price."]})["data"]
    assert after["settings"] == {"name": "kitchen", "price.import_e5": 31000, "price.export_e5": 0}
    assert (after["version"], after["hash"]) == (data["version"], data["hash"])
    again = market.ask("ADM", "set.settings", {"settings": {"name": "kitchen"}})["data"]
    assert (again["changed"], again["restart"], again["version"]) == ({}, False, data["version"])


def test_uc_02_bc_the_state_in_its_life_goes_where_it_may(market):
    for state in ("commissioned", "suspended", "commissioned"):
        assert market.ask("ADM", "set.settings", {"state": state})["data"]["state"] == state
    assert market.refused("ADM", "set.settings", {"state": "pending"}) == "WRONG_STATE arg.state"
    assert market.refused("ADM", "set.settings", {"state": "broken"}) == "INVALID_VALUE arg.state"
    assert market.ask("SUP", "read.device_identity")["data"]["state"] == "commissioned"
    market.journal("configured", "state commissioned")


@pytest.mark.parametrize(
    ("arg", "error"),
    [
        ({"settings": {"price.import_e5": -1}}, "INVALID_VALUE arg.settings.price.import_e5"),
        ({"settings": {"name": "good", "zone": "nowhere"}}, "INVALID_VALUE arg.settings.zone"),
        ({"settings": {"colour": "red"}}, "INVALID_VALUE arg.settings.colour"),
        ({"settings": {"schema": 2}}, "INVALID_VALUE arg.settings.schema"),
        ({"settings": {"wan.url": "mqtt://elsewhere"}}, "NOT_AUTHORISED arg.settings.wan.url"),
        ({"settings": {"wan": {"url": ""}}}, "NOT_AUTHORISED arg.settings.wan.url"),
        ({"settings": {"recipients": []}}, "NOT_AUTHORISED arg.settings.recipients"),
        ({"settings": {"may.time": "x"}}, "NOT_AUTHORISED arg.settings.may.time"),
        ({"settings": {"events.to": ""}}, "NOT_AUTHORISED arg.settings.events.to"),
        ({"settings": {"wifi.ssid": "x"}}, "NOT_AUTHORISED arg.settings.wifi.ssid"),
        ({"settings": []}, "MALFORMED arg.settings"),
        ({}, "MALFORMED arg.settings"),
        ({"setting": {}}, "MALFORMED arg.setting"),
    ],
)
def test_uc_02_a1_settings_that_cannot_stand_are_not_applied(market, arg, error):
    path = market.home.hub.data / "settings.json"
    before = path.read_bytes()
    assert market.refused("ADM", "set.settings", arg) == error
    assert path.read_bytes() == before
    market.journal(error.split()[0], "set.settings ADM")


def test_uc_02_a1_nobody_else_sets_or_reads_settings(market):
    assert market.refused("SUP", "set.settings", {"settings": {"name": "x"}}) == "NOT_AUTHORISED cmd"
    assert market.refused("INST", "read.settings") == "NOT_AUTHORISED cmd"
    assert market.refused("ADM", "set.everything") == "UNSUPPORTED cmd"


def test_uc_02_a1_a_meters_key_does_not_travel_unsealed(market):
    meters = [{"protocol": "dlms", "input": "p1", "key": "00112233445566778899AABBCCDDEEFF"}]
    assert (
        market.refused("ADM", "set.settings", {"settings": {"meters": meters}}) == "INVALID_VALUE arg.settings.meters"
    )


# -- maintenance ---------------------------------------------------------------------------------------------------


def test_uc_02_bm_a_diagnosis_that_finds_nothing_is_quiet(market):
    alerts = len([one for one in market.letters if one["kind"] == "alert" and one["event"] == "INTEGRITY_FAILED"])
    sent = market.send("ADM", "diag.run", {"parts": ["flash", "random", "CRC", "clock"], "loops": 2, "wait_s": 1})
    assert market.answer(sent, "pending")["data"] == {"parts": ["flash", "random", "CRC", "clock"], "loops": 2}
    done = market.answer(sent, "done", timeout_s=30)["data"]
    assert (done["failed"], done["loop"], done["of"], done["fault"]) == ([], 1, 2, False)
    assert len([o for o in market.letters if o["kind"] == "alert" and o["event"] == "INTEGRITY_FAILED"]) == alerts
    market.journal("diagnosis", "loop 1 of 2")


def test_uc_02_a5_what_still_fails_is_told_each_loop_and_is_an_open_fault_then(market):
    """The display is unplugged: three loops, three alerts, a fault; plugged in again, the next diagnosis closes it."""
    market.home.bench.unplug_display()
    sent = market.send("ADM", "diag.run", {"parts": ["display"], "loops": 3, "wait_s": 1})
    done = market.answer(sent, "done", timeout_s=60)["data"]
    assert (done["loop"], done["fault"], [part for part, _ in done["failed"]]) == (3, True, ["display"])
    loops = [o["data"]["loop"] for o in market.letters if o["kind"] == "alert" and o["event"] == "INTEGRITY_FAILED"]
    assert loops[-3:] == [1, 2, 3]
    market.journal("fault", "display")
    health = market.ask("INST", "read.health")["data"]
    assert (health["fault"], "fault" in health["warnings"]) == (["display"], True)
    market.home.bench.plug_display()
    sent = market.send("ADM", "diag.run", {"parts": ["display"], "loops": 3, "wait_s": 1})
    assert market.answer(sent, "done", timeout_s=60)["data"]["fault"] is False
    assert market.ask("ADM", "read.health")["data"]["fault"] == []
    market.journal("diagnosis", "display")


def test_uc_02_bm_a_diagnosis_outlives_a_power_cut(market):
    sent = market.send("ADM", "diag.run", {"parts": ["flash"], "loops": 10, "wait_s": 600})
    market.answer(sent, "done", timeout_s=30)
    known = market.state("diagnosis")
    job = {"kid": market.parties["ADM"].kid, "ctr": sent.ctr, "h": "A" * 43, "parts": ["CRC"], "loops": 3, "wait_s": 1}
    market.kill()
    record(market, "diagnosis").save(json.dumps(known | {"job": job | {"loop": 1}}).encode())
    market.start()
    done = market.letter(lambda c: c.get("re") == "A" * 43, 30)["data"]
    assert (done["loop"], done["fault"]) == (2, False)


def test_uc_02_bm_a_diagnosis_of_what_there_is_not_or_beside_another_is_refused(market):
    assert market.refused("ADM", "diag.run", {"parts": ["button A"]}) == "INVALID_VALUE arg.parts"
    assert market.refused("ADM", "diag.run", {"parts": []}) == "MALFORMED arg.parts"
    assert market.refused("ADM", "diag.run", {"loops": 11}) == "INVALID_VALUE arg.loops"
    assert market.refused("SUP", "diag.run") == "NOT_AUTHORISED cmd"
    sent = market.send("INST", "diag.run", {"parts": ["clock"] * 3, "wait_s": 1})  # two seconds each
    assert market.refused("ADM", "diag.run", {"parts": ["clock"]}) == "BUSY diagnosis"
    market.answer(sent, "pending")
    market.answer(sent, "done")


def test_uc_02_bm_health_is_told_and_what_each_role_has_used(market):
    health = market.ask("ADM", "read.health")["data"]
    assert health["flash"][0] > 0
    assert health["meters"][0]["telegrams"] > 0
    assert health["warnings"] == []
    mine = market.ask("SUP", "read.charging")["data"]["used"]
    kid = market.parties["SUP"].kid
    assert list(mine) == [kid]
    more = market.ask("SUP", "read.charging")["data"]["used"][kid]
    assert [b - a for a, b in zip(mine[kid], more, strict=True)][2] == 1
    assert more[0] > mine[kid][0]
    assert set(market.ask("ADM", "read.charging")["data"]["used"]) > {kid, market.parties["ADM"].kid}


# -- hardware ------------------------------------------------------------------------------------------------------


def test_uc_02_a4_hardware_that_is_replaced_is_told_with_the_new_details(market):
    arg = {"what": "meter", "name": "p1", "before": "E-OLD"}
    assert market.ask("INST", "hardware.replaced", arg)["outcome"] == "done"
    data = hello(market, event="hardware")
    what, name, before, now, at, by = data["replaced"][-1]
    assert (what, name, before, by) == ("meter", "p1", "E-OLD", market.parties["INST"].kid)
    assert now == data["meters"][0]["serial"]
    assert abs(at - time.time()) < 60
    assert market.ask("ADM", "read.device_identity")["data"]["replaced"] == data["replaced"]
    market.journal("replaced", "meter p1 E-OLD")
    assert market.refused("INST", "hardware.replaced", arg | {"name": "p2"}) == "INVALID_VALUE arg.name"
    assert market.refused("SUP", "hardware.replaced", arg) == "NOT_AUTHORISED cmd"


def test_uc_02_a4_a_meter_that_has_another_id_is_told_without_being_asked(market):
    count = len(hellos(market))
    before = hello(market, event="keys")["meters"][0]["serial"]
    market.home.meter.p1.equipment = "E0031003001699517"
    market.journal("METER_CHANGED", "p1")
    told = market.letter(lambda c: c in hellos(market)[count:], 120)["data"]
    assert told["event"] == "hardware"
    assert told["meters"][0]["serial"] not in ("", before)


def test_uc_02_send_customer_id_is_shown_and_kept_nowhere(market):
    assert market.ask("ADM", "send.customer_id", {"id": "83741120"})["outcome"] == "done"
    market.reads("customer id", "83741120")
    market.press("A")
    assert market.refused("ADM", "send.customer_id", {"id": ""}) == "INVALID_VALUE arg.id"
    kept = [raw for path, raw in files(market.home.hub.data).items() if path.parent.name != "letters"]
    assert not any(b"83741120" in raw for raw in kept)


# -- appointments ----------------------------------------------------------------------------------------------------


def appointment(market, text, **more):
    now = int(time.time())
    arg = {"category": "appointment", "title": "Visit", "text": text, "start": now, "expiry": now + 3600}
    return market.send("ADM", "message.send", arg | {"answer": "accept", "id": "visit"} | more)


def test_uc_02_a2_an_appointment_is_shown_and_the_household_answers(market):
    sent = appointment(market, "We come on Monday.")
    market.answer(sent, "pending")
    market.reads("Monday")
    market.press("B")
    assert market.answer(sent, "done", timeout_s=30)["data"]["action"] == "accept"


def test_uc_02_a3_a_new_appointment_takes_the_place_of_the_old_one(market):
    first = appointment(market, "We come on Tuesday.")
    market.answer(first, "pending")
    market.reads("Tuesday")
    second = appointment(market, "We come on Friday.")
    market.answer(second, "pending")
    market.reads("Friday")
    market.press("A")
    assert market.answer(second, "done", timeout_s=30)["data"]["action"] == "decline"
