"""Both recipients of MHX 1, the website's (recipient.py) and the page's (exchange.js), against an independent hub."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from joserfc.jwk import ECKey
from recipient_fake_hub import NOW, REGS, STEP, FakeHub, b64, check_digit, history, pack_series, unb64

from meterhub_tools import cli, proof, recipient

from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

HERE = Path(__file__).parent
FRONTEND = Path(recipient.__file__).parent / "website" / "frontend"
START, STOP = NOW - 1000 * STEP, NOW
GAP = range(NOW - 700 * STEP, NOW - 690 * STEP, STEP)


class Refused(Exception):
    """What either implementation refuses: (name, field)."""


class Site:
    """recipient.Exchange."""

    def __init__(self, asker, hub, wish, now=NOW):
        card = recipient.read_card(hub.card(), hub.hub)
        self.x = recipient.Exchange(asker, card, "acc_1", wish, now)

    def start(self):
        return self.x.start()

    def _do(self, call, *args):
        try:
            return call(*args)
        except HubError as error:
            raise Refused(error.name, error.field) from error

    def feed(self, message, now=NOW):
        return self._do(self.x.feed, message, now)

    def pin(self, pin):
        return self._do(self.x.enter_pin, pin)

    def tick(self, now):
        return self.x.tick(now)

    def cancel(self):
        return self.x.cancel()

    def proof(self):
        return proof.make_proof(self.x.result)

    def __getattr__(self, name):
        return getattr(self.x, name)

    @property
    def refused(self):
        return self.x.error and (self.x.error.name, self.x.error.field)

    @property
    def code(self):
        return self.x.request.code

    @property
    def entries(self):
        return [(e.at, e.quality, tuple(e.values)) for e in self.x.result.entries]

    def close(self):
        pass


class Page:
    """exchange.js in node, asked line by line."""

    def __init__(self, asker, hub, wish, now=NOW):
        self.request = recipient.Request(asker, hub.hub, "acc_1", wish, now)
        node = [shutil.which("node"), str(HERE / "recipient_exchange.mjs"), str(FRONTEND / "exchange.js")]
        self.process = subprocess.Popen(node, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.do("open", token=self.request.token, hub=hub.hub, key=b64(hub.point), now=now)

    def do(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        self.seen = json.loads(self.process.stdout.readline())
        if "error" in self.seen:
            raise Refused(self.seen["error"], self.seen["field"])
        return [message.encode() for message in self.seen["send"]]

    def start(self):
        return [self.request.message()]

    def feed(self, message, now=NOW):
        return self.do("feed", message=message.decode(), now=now)

    def pin(self, pin):
        return self.do("pin", pin=pin)

    def tick(self, now):
        return self.do("tick", now=now)

    def cancel(self):
        return self.do("cancel")

    def proof(self):
        return json.loads(self.do("proof")[0])

    def __getattr__(self, name):
        return self.seen[name]

    @property
    def refused(self):
        return self.seen["refused"] and (self.seen["refused"]["name"], self.seen["refused"]["field"])

    @property
    def entries(self):
        return [(e["at"], e["quality"], tuple(e["values"])) for e in self.seen["result"]["entries"]]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def asker():
    return recipient.Recipient("Green Co-op", recipient.Recipient.new_pem())


@pytest.fixture
def hub(asker):
    point = asker.point
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
    hub = FakeHub(jwk, history(NOW - 1200 * STEP, NOW, tuple(GAP)))
    hub.linked.add("acc_1")
    return hub


@pytest.fixture(params=["server", "private", "page"])
def begin(request, asker, hub):
    """Return a function that begins an exchange in the implementation and mode of the parameter."""
    opened = []

    def make(start=START, stop=STOP, regs=tuple(REGS)):
        mode = "server" if request.param == "server" else "private"
        wish = recipient.data_wish(mode, list(regs), "half-hour", start, stop)
        opened.append((Page if request.param == "page" else Site)(asker, hub, wish))
        return opened[-1]

    yield make
    for side in opened:
        side.close()


def to_pin(side, hub):
    """Bring both to where the PIN is on the display."""
    for message in side.start():
        for answer in hub.handle(message):
            side.feed(answer)
    assert side.state == "pin"


def converse(side, hub, messages):
    while messages:
        messages = [more for message in messages for answer in hub.handle(message) for more in hear(side, answer)]


def hear(side, answer):
    return [] if side.state == "done" else side.feed(answer)


def to_want(side, hub):
    """Bring both to the first want; return it."""
    to_pin(side, hub)
    (offer,) = side.pin(hub.pin)
    (ack,) = hub.handle(offer)
    return side.feed(ack)


def wrong(pin):
    return check_digit(f"{(int(pin[:8]) + 1) % 10**8:08d}")


# -- the good way ----------------------------------------------------------------------------------------


def test_right_pin_brings_every_interval_and_the_gap_stays_a_gap(begin, hub):
    side = begin()
    to_pin(side, hub)
    assert side.code == hub.code
    assert side.left == 3
    converse(side, hub, side.pin(hub.pin))
    assert side.state == "done"
    assert hub.done
    assert hub.wants == [0, 1, 2, 3]
    due = [reading for reading in hub.readings if START < reading[0] <= STOP]
    assert side.entries == due
    assert sum(1 for entry in side.entries if entry[1] == 0) == len(GAP)


def test_pin_may_be_typed_in_groups(begin, hub):
    side = begin(NOW - 5 * STEP)
    to_pin(side, hub)
    converse(side, hub, side.pin(f" {hub.pin[:3]} {hub.pin[3:6]}-{hub.pin[6:]} "))
    assert side.state == "done"


def test_proof_file_shows_where_the_numbers_come_from(begin, hub):
    side = begin()
    to_pin(side, hub)
    converse(side, hub, side.pin(hub.pin))
    kept = json.loads(json.dumps(side.proof()))
    result = proof.verify_proof(kept)
    assert [(e.at, e.quality, tuple(e.values)) for e in result.entries] == side.entries
    with pytest.raises(HubError, match="WRONG_HUB"):
        proof.verify_proof(kept | {"hub": "0" * 16})


def test_the_command_checks_a_proof_file(begin, hub, tmp_path, capsys):
    side = begin()
    to_pin(side, hub)
    converse(side, hub, side.pin(hub.pin))
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(side.proof()))
    assert cli.main(["proof", str(file), "--hub", hub.hub]) == 0
    assert f"{len(side.entries)} entries" in capsys.readouterr().out
    assert cli.main(["proof", str(file), "--csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(side.entries)
    assert cli.main(["proof", str(file), "--hub", "0" * 16]) == 1
    file.write_text(file.read_text().replace('"chunks": ["A', '"chunks": ["B'))
    assert cli.main(["proof", str(file)]) == 1
    assert cli.main(["proof", str(tmp_path / "nothing")]) == 1
    assert "proves nothing" in capsys.readouterr().err


@pytest.mark.parametrize("spoil", ["chunk", "order", "receipt", "request"])
def test_changed_proof_is_refused(asker, hub, spoil):
    side = Site(asker, hub, recipient.data_wish("server", REGS, "half-hour", START, STOP))
    to_pin(side, hub)
    converse(side, hub, side.pin(hub.pin))
    kept = side.proof()
    if spoil == "chunk":
        raw = bytearray(unb64(kept["chunks"][0]))
        raw[-1] ^= 1
        kept["chunks"][0] = b64(bytes(raw))
    elif spoil == "order":
        kept["chunks"].reverse()
    elif spoil == "receipt":
        kept["receipt"] = kept["receipt"][:-8] + ("A" * 8)
    else:
        wish = recipient.data_wish("server", REGS, "half-hour", START, STOP)
        kept["request"] = recipient.Request(asker, hub.hub, "acc_1", wish, NOW).token
    with pytest.raises(HubError, match=r"INTEGRITY_FAILED|NOT_AUTHENTIC|WRONG_REQUEST|MALFORMED"):
        proof.verify_proof(kept)


def test_meter_exchange_days_and_unread_registers_are_kept_apart(begin, hub):
    at = [NOW - 4 * 86400 + 86400 * i for i in range(5)]
    side = begin(at[0], at[-1])
    to_pin(side, hub)
    rows = [(at[1], 1, (5000, None)), (at[2], 1, (12, 3)), (at[3], 0, (None, None)), (at[4], 4, (40, 4))]
    hub.cut = lambda: [pack_series(REGS, at[0], (4000, 7), rows, step=0)]
    hub.count = 4
    converse(side, hub, side.pin(hub.pin))
    assert side.state == "done"
    assert side.entries == rows


def test_link_and_revoke_need_no_data(asker, hub):
    hub.linked.clear()
    side = Site(asker, hub, recipient.link_wish(REGS, "half-hour", NOW + 86400))
    to_pin(side, hub)
    converse(side, hub, side.pin(hub.pin))
    assert (side.state, side.outcome, hub.linked) == ("done", "linked", {"acc_1"})
    side = Site(asker, hub, recipient.revoke_wish())
    converse(side, hub, side.start())
    assert (side.state, side.outcome, hub.linked) == ("done", "revoked", set())


# -- wrong PINs and time ---------------------------------------------------------------------------------


def test_wrong_pin_costs_one_try_and_the_next_offer_goes_on(begin, hub):
    side = begin()
    to_pin(side, hub)
    (attempt,) = side.pin(wrong(hub.pin))
    said, offer = hub.handle(attempt)
    side.feed(said)
    assert (side.state, side.left, side.refused) == ("asked", 2, None)
    side.feed(offer)
    assert (side.state, side.left) == ("pin", 2)
    converse(side, hub, side.pin(hub.pin))
    assert side.state == "done"


def test_three_wrong_pins_end_it(begin, hub):
    side = begin()
    to_pin(side, hub)
    for _ in range(3):
        (attempt,) = side.pin(wrong(hub.pin))
        for answer in hub.handle(attempt):
            side.feed(answer)
    assert side.state == "refused"
    assert side.refused[0] == "PIN_DEAD"


def test_check_digit_is_seen_before_anything_is_sent(begin, hub):
    side = begin()
    to_pin(side, hub)
    typo = hub.pin[:8] + str((int(hub.pin[8]) + 1) % 10)
    with pytest.raises(Refused, match="INVALID_VALUE"):
        side.pin(typo)
    with pytest.raises(Refused, match="MALFORMED"):
        side.pin("12345678")
    assert side.state == "pin"
    assert side.left == 3


def test_pin_dies_after_its_time(begin, hub):
    side = begin()
    to_pin(side, hub)
    assert side.tick(NOW + 599) == []
    assert side.state == "pin"
    side.tick(NOW + 601)
    assert side.refused[0] == "PIN_EXPIRED"


def test_hub_that_never_answers_is_given_up(begin):
    side = begin()
    side.tick(NOW + 601)
    assert side.refused[0] == "NOT_AVAILABLE"


def test_offer_that_comes_too_late_is_refused(begin, hub):
    side = begin()
    hub.answer_by_hand = True
    (asked,) = hub.handle(side.start()[0])
    side.feed(asked)
    (offer,) = hub.accept()
    with pytest.raises(Refused, match="EXPIRED"):
        side.feed(offer, now=NOW + 700)
    assert side.state == "asked"


def test_hub_without_a_clock_can_still_offer(begin, hub):
    hub.clock = 40
    side = begin()
    to_pin(side, hub)
    assert side.deadline == NOW + 600


# -- forged and foreign ----------------------------------------------------------------------------------


def test_card_of_another_key_is_refused(hub):
    with pytest.raises(HubError, match="WRONG_HUB"):
        recipient.read_card(hub.card(), "0" * 16)
    header, claims, signature = hub.card().split(".")
    other = json.loads(unb64(claims)) | {"have": [0, NOW]}
    with pytest.raises(HubError, match="NOT_AUTHENTIC"):
        recipient.read_card(".".join((header, b64(json.dumps(other).encode()), signature)), hub.hub)


def test_name_that_no_database_keeps_is_cleaned():
    stranger = recipient.Recipient("x", recipient.Recipient.new_pem())
    claims = {"v": 1, "hub": stranger.kid, "key": b64(stranger.point), "at": 1, "have": None}
    claims["name"] = "a\ud800b\x00\nc"
    assert recipient.read_card(stranger.sign(claims, "mhx-card"), stranger.kid).name == "abc"


def test_page_refuses_a_key_that_is_not_the_hubs(asker, hub):
    request = recipient.Request(asker, hub.hub, "a", recipient.data_wish("private", REGS, "day", START, STOP), NOW)
    other = FakeHub({"kty": "EC", "crv": "P-256", "x": b64(asker.point[1:33]), "y": b64(asker.point[33:])})
    page = Page(asker, hub, recipient.data_wish("private", REGS, "day", START, STOP))
    with pytest.raises(Refused, match="WRONG_HUB"):
        page.do("open", token=request.token, hub=hub.hub, key=b64(other.point), now=NOW)
    page.close()


def test_page_refuses_a_request_that_is_not_private(asker, hub):
    with pytest.raises(Refused, match="INVALID_VALUE"):
        Page(asker, hub, recipient.data_wish("server", REGS, "day", START, STOP))


def test_forged_offer_changes_nothing(begin, hub):
    side = begin()
    hub.answer_by_hand = True
    side.feed(hub.handle(side.start()[0])[0])
    real, hub.key = hub.key, ECKey.generate_key("P-256")
    forged = hub.offer()
    with pytest.raises(Refused, match="NOT_AUTHENTIC"):
        side.feed(forged)
    assert side.state == "asked"
    hub.key, hub.turn = real, 0
    side.feed(hub.offer())
    assert side.state == "pin"


def test_offer_for_another_request_is_refused(begin, hub):
    first, second = begin(), begin()
    hub.answer_by_hand = True
    hub.handle(first.start()[0])
    (foreign,) = hub.accept()
    second.start()
    with pytest.raises(Refused, match="WRONG_REQUEST"):
        second.feed(foreign)


def test_offer_with_a_point_off_the_curve_is_refused(begin, hub):
    side = begin()
    hub.answer_by_hand = True
    side.feed(hub.handle(side.start()[0])[0])
    with pytest.raises(Refused, match="BAD_POINT"):
        side.feed(hub.offer(pb=b64(b"\x04" + bytes(63) + b"\x01")))
    assert side.state == "asked"


def test_old_offer_is_not_taken_twice(begin, hub):
    side = begin()
    hub.answer_by_hand = True
    side.feed(hub.handle(side.start()[0])[0])
    (offer,) = hub.accept()
    side.feed(offer)
    with pytest.raises(Refused, match="REPLAY"):
        side.feed(offer)


def test_ack_that_does_not_know_the_pin_is_refused(begin, hub):
    side = begin()
    to_pin(side, hub)
    side.pin(hub.pin)
    with pytest.raises(Refused, match="NOT_AUTHENTIC"):
        side.feed(hub.ack(bytes(32), 3))
    assert side.state == "proving"


def test_end_of_a_copy_of_the_request_does_not_end_the_run(begin, hub):
    side = begin()
    to_pin(side, hub)
    with pytest.raises(Refused, match="WRONG_STATE"):
        side.feed(hub.end("refused", "REPLAY"))
    assert side.state == "pin"


def test_refusal_of_the_hub_is_named_and_ends_it(begin, hub):
    side = begin()
    hub.answer_by_hand = True
    side.feed(hub.handle(side.start()[0])[0])
    side.feed(hub.end("refused", "CONSUMER_DECLINED"))
    assert side.state == "refused"
    assert side.refused[0] == "CONSUMER_DECLINED"


def test_cancel_tells_the_hub(begin, hub):
    side = begin()
    to_pin(side, hub)
    (message,) = side.cancel()
    hub.handle(message)
    assert side.refused == ("CANCELLED", "")


@pytest.mark.parametrize(
    "message", [b"", b"[]", b"nonsense", b'{"t":"proof"}', b'{"t":"offer"}', b'{"t":"chunk","jwe":"a.b.c.d.e"}']
)
def test_malformed_messages_change_nothing(begin, hub, message):
    side = begin()
    to_pin(side, hub)
    with pytest.raises(Refused):
        side.feed(message)
    assert side.state == "pin"


def test_oversized_message_is_refused(begin, hub):
    side = begin()
    to_pin(side, hub)
    with pytest.raises(Refused, match="OVERSIZED"):
        side.feed(b'{"t":"offer","jws":"' + b"a" * 3000 + b'"}')
    with pytest.raises(Refused, match="OVERSIZED"):
        side.feed(b'{"t":"chunk","jwe":"' + b"a" * 20000 + b'"}')


# -- chunks ----------------------------------------------------------------------------------------------


def test_replayed_and_reordered_chunks_change_nothing(begin, hub):
    side = begin()
    want = to_want(side, hub)
    (first,) = hub.handle(want[0])
    with pytest.raises(Refused, match="OUT_OF_ORDER"):
        side.feed(hub.chunk(1))
    side.feed(first)
    with pytest.raises(Refused, match="REPLAY"):
        side.feed(first)
    assert (side.state, side.received) == ("receiving", 1)


def test_chunk_of_another_key_is_refused(begin, hub):
    side = begin()
    to_want(side, hub)
    hub.cek = bytes(32)
    with pytest.raises(Refused, match="NOT_AUTHENTIC"):
        side.feed(hub.chunk(0))


def test_compressed_chunk_is_refused(begin, hub):
    side = begin()
    to_want(side, hub)
    with pytest.raises(Refused, match="MALFORMED"):
        side.feed(hub.chunk(0, zip="DEF"))


def test_receipt_with_a_wrong_digest_is_no_result(begin, hub):
    side = begin()
    want = to_want(side, hub)
    hub.receipt = lambda: FakeHub.receipt(hub, digests=b64(hashlib.sha256(b"").digest()))
    converse(side, hub, want)
    assert side.state == "refused"
    assert side.refused == ("INTEGRITY_FAILED", "digests")
    assert side.result is None


def test_receipt_that_counts_otherwise_is_no_result(begin, hub):
    side = begin()
    want = to_want(side, hub)
    hub.receipt = lambda: FakeHub.receipt(hub, entries=7)
    converse(side, hub, want)
    assert side.refused == ("INTEGRITY_FAILED", "entries")


def test_lost_chunk_is_asked_for_again(begin, hub):
    side = begin()
    want = to_want(side, hub)
    assert side.tick(NOW + 1) == []
    assert side.tick(NOW + 5) == want
    side.feed(hub.handle(want[0])[0], now=NOW + 6)
    assert side.received == 1


def test_proof_is_repeated_more_and_more_seldom_until_it_is_answered(begin, hub):
    side = begin()
    to_pin(side, hub)
    proof = side.pin(hub.pin)
    assert [at for at in range(60) if side.tick(NOW + at) == proof] == [4, 12, 28]
    (ack,) = hub.handle(proof[0])
    side.feed(ack)
    assert proof[0] not in side.tick(NOW + 60)


def test_hub_that_falls_silent_is_given_up(begin, hub):
    side = begin()
    to_want(side, hub)
    side.tick(NOW + 121)
    assert side.refused == ("NOT_RECEIVED", "")


def test_request_is_what_the_hubs_own_parser_accepts(asker):
    for mode in mhx.MODES:
        wish = recipient.data_wish(mode, REGS, "month", START, STOP)
        request = recipient.Request(asker, "H" * 16, "acc_1", wish, NOW)
        kid, claims = mhx.request_claims(request.token)
        assert kid == asker.kid
        assert ("ek" in claims) == (mode == "server")


def test_repr_of_a_result_shows_no_reading(asker, hub):
    side = Site(asker, hub, recipient.data_wish("server", REGS, "half-hour", START, STOP))
    to_pin(side, hub)
    converse(side, hub, side.pin(hub.pin))
    assert str(hub.readings[-1][2][0]) not in repr(side.x.result) + repr(vars(side.x))
