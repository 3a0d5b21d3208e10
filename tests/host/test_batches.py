"""The recipient's side of private billing: which batches and keys it takes, and what its receipt says."""

import sys

import pytest

from meterhub_tools import batches, proof, toolchain
from meterhub_tools.recipient import Card, Exchange, Recipient, bill_wish, data_wish, revoke_wish

sys.path.append(str(toolchain.ROOT / "tests/lib"))
import billing_house as houses

from meterhub.codec import billing  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip
from meterhub.trust.identity import hub_id  # isort: skip

NOW = houses.JANUARY
CARD = Card(hub_id(houses.HUB), houses.HUB, "", None, NOW)


@pytest.fixture(scope="module")
def house() -> houses.House:
    return houses.House(3, houses.household(1), step_s=3600)


def refused(name: str, raw: bytes, card: Card = CARD) -> None:
    with pytest.raises(HubError) as error:
        batches.read(raw, card)
    assert str(error.value) == name


def test_a_hubs_batch_is_taken(house: houses.House) -> None:
    assert batches.read(house.batches[0], CARD) == house.batches[0]


def test_what_is_no_batch_of_the_hub_is_refused_by_name(house: houses.House) -> None:
    raw = house.batches[0]
    flipped = raw[:-100] + bytes((raw[-100] ^ 1,)) + raw[-99:]
    other_form = raw[:-32] + (batches.N - int.from_bytes(raw[-32:])).to_bytes(32)
    refused("OVERSIZED: message", b" " * 8193)
    for bad in (b"", b"abc", raw[:-1], raw + b"\0"):
        refused("MALFORMED: batch", bad)
    refused("MALFORMED: batch.version", b"\xff" + raw[1:])
    refused("NOT_AUTHENTIC: batch", flipped)
    refused("NOT_AUTHENTIC: batch", other_form)
    stranger = houses.SUPPLIER
    refused("WRONG_HUB: batch", raw, Card(hub_id(stranger), stranger, "", None, NOW))


def test_batches_are_stored_once_and_in_order(house: houses.House) -> None:
    one, two, three = house.batches
    stored = batches.add(batches.add([], one), two)
    assert stored == [one, two] and batches.add(stored, one) is stored
    assert batches.add(stored, three) == house.batches
    other = houses.House(1, houses.household(1), step_s=3600, chain=b"another chain..").batches[0]
    for before, raw in (([one], three), ([one], other)):
        with pytest.raises(HubError) as error:
            batches.add(before, raw)
        assert str(error.value) == "OUT_OF_ORDER: batch"


def test_a_receipt_says_which_batch(house: houses.House) -> None:
    recipient = Recipient("coop", Recipient.new_pem())
    token = batches.receipt(recipient, CARD.hub, house.batches[0], NOW).decode()
    kid, claims = mhx.batched_claims(token)
    proof.check_signature(token, recipient.point)
    batch = billing.Batch(house.batches[0])
    assert (kid, claims["hub"], claims["day"]) == (recipient.kid, CARD.hub, batch.day)
    assert mhx.binary(claims, "digest", 32) == batch.digest()


def test_keys_of_several_chunks_are_one_file(house: houses.House) -> None:
    whole = house.keys()
    hub, chain, keys = billing.keys_of(whole)
    first, *others = [billing.pack_keys(hub, chain, day, [key]) for day, key in keys.items()]
    assert proof.keys_of([b"series", first, *others]) == whole
    assert proof.keys_of([b"series"]) == b""
    another = billing.pack_keys(hub, bytes(16), min(keys) + 1, [bytes(32)])
    for bad in ([first, others[1]], [others[0], first], [first, another]):
        with pytest.raises(HubError) as error:
            proof.keys_of(bad)
        assert str(error.value) == "INTEGRITY_FAILED: keys"


def test_requests_for_private_billing_are_as_the_hub_wants_them() -> None:
    recipient = Recipient("coop", Recipient.new_pem())
    wishes = {
        "bill": bill_wish(["1-0:1.8.0", "1-0:2.8.0"], NOW + 1000),
        "data": data_wish("private", ["1-0:1.8.0"], "half-hour", 0, 3600, keys=True),
        "revoke": revoke_wish("bill"),
    }
    for what, wish in wishes.items():
        claims = Exchange(recipient, CARD, "anna", wish, NOW).request.claims
        assert claims["what"] == what and ("ek" in claims) == (what == "bill")
    assert wishes["data"]["keys"] is True and wishes["revoke"]["of"] == "bill"
    with pytest.raises(HubError):
        Exchange(recipient, CARD, "anna", wishes["bill"] | {"res": "day"}, NOW)
