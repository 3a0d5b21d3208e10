"""The data export: the PIN, its three tries, and what the household may press (THREAT_MODEL.md, EX-05)."""

import sys
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from export_bench import Hub, Recipient, claims_of, wrong

from meterhub.codec import base64url


def linked():
    hub = Hub(10)
    recipient = Recipient(hub, "server")
    recipient.link()
    recipient.mode = "private"
    return hub, recipient


class PinTest(unittest.TestCase):
    def test_a_wrong_pin_is_counted_and_a_fresh_offer_follows(self):
        hub, recipient = linked()
        offer = recipient.until_pin("data")
        pin = hub.ihd.pin
        end, second = hub.turn(recipient.proof(offer, wrong(pin)))
        self.assertEqual((claims_of(end)["error"], claims_of(end)["left"]), ("WRONG_PIN", 2))
        self.assertNotEqual(claims_of(second)["pb"], claims_of(offer)["pb"])
        self.assertEqual(hub.ihd.pin, pin)
        ack = hub.turn(recipient.proof(second, pin))[0]
        self.assertEqual(ack["t"], "ack")

    def test_three_wrong_pins_kill_the_request_and_lock_the_next_one_out(self):
        hub, recipient = linked()
        offer = recipient.until_pin("data")
        for _ in range(3):
            messages = hub.turn(recipient.proof(offer, wrong(hub.ihd.pin)))
            offer = messages[-1]
        self.assertEqual(claims_of(messages[0])["error"], "PIN_DEAD")
        self.assertEqual(len(messages), 1)
        end = claims_of(hub.turn(recipient.request("data"))[0])
        self.assertEqual(end["error"], "LOCKED_OUT")

    def test_an_attempt_is_stored_before_anything_is_answered(self):
        hub, recipient = linked()
        offer = recipient.until_pin("data")
        proof = recipient.proof(offer, wrong(hub.ihd.pin))
        stored = []
        hub.send = lambda message: stored.append(hub.records[2].raw)
        hub.turn(proof)
        self.assertIn(b'"spent": 1', stored[0])

    def test_an_expired_pin_says_so_also_to_who_comes_late(self):
        hub, recipient = linked()
        offer = recipient.until_pin("data")
        proof = recipient.proof(offer, hub.ihd.pin)
        hub.export._open.deadline = time.ticks_add(time.ticks_ms(), -1)
        self.assertEqual(claims_of(hub.turn(None)[0])["error"], "PIN_EXPIRED")
        self.assertEqual(claims_of(hub.turn(proof)[0])["error"], "PIN_EXPIRED")
        self.assertEqual(hub.journal.names("security")[-1], "PIN_EXPIRED")

    def test_the_pin_of_another_request_is_wrong(self):
        hub, recipient = linked()
        recipient.until_pin("data")
        old = hub.ihd.pin
        hub.turn("cancel")
        offer = recipient.until_pin("data")
        self.assertNotEqual(old, hub.ihd.pin)
        self.assertEqual(claims_of(hub.turn(recipient.proof(offer, old))[0])["error"], "WRONG_PIN")

    def test_a_replayed_proof_and_one_for_no_offer_change_nothing(self):
        hub, recipient = linked()
        proof = recipient.proof(recipient.until_pin("data"), wrong(hub.ihd.pin))
        self.assertEqual([message["t"] for message in hub.turn(proof)], ["end", "offer"])
        self.assertEqual(hub.turn(proof), [])
        self.assertEqual(hub.turn(proof | {"try": 3}), [])
        self.assertEqual(hub.journal.names("security")[-1], "OUT_OF_ORDER")
        self.assertEqual((hub.export._open.left, hub.export._open.attempt), (2, 2))

    def test_a_point_off_the_curve_spends_no_attempt(self):
        hub, recipient = linked()
        proof = recipient.proof(recipient.until_pin("data"), hub.ihd.pin)
        point = bytearray(base64url.decode(proof["pa"]))
        point[64] ^= 1
        proof["pa"] = base64url.encode(point)
        self.assertEqual(hub.turn(proof), [])
        self.assertEqual(hub.journal.names("security")[-1], "BAD_POINT")
        self.assertEqual(hub.export._open.left, 3)

    def test_the_household_may_refuse_before_and_cancel_after_the_pin(self):
        hub, recipient = linked()
        hub.turn(recipient.request("data"))
        self.assertEqual(claims_of(hub.turn("decline")[0])["error"], "CONSUMER_DECLINED")
        recipient.until_pin("data")
        self.assertEqual(claims_of(hub.turn("cancel")[0])["error"], "CANCELLED")
        self.assertEqual(hub.journal.names("consent")[-2:], ["CONSUMER_DECLINED", "CANCELLED"])

    def test_nothing_is_sent_before_the_household_has_agreed_but_that_it_was_asked(self):
        hub, recipient = linked()
        messages = hub.turn(recipient.request("data"))
        self.assertEqual([m["t"] for m in messages], ["asked"])
        self.assertEqual(hub.ihd.pin, "")
        self.assertEqual(hub.ihd.shown[-1][:2], ("ask", "Green Co-op"))
        self.assertEqual(hub.ihd.shown[-1][3], "only your browser")


if __name__ == "__main__":
    unittest.main()
