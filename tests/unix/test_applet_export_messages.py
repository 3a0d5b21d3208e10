"""The data export: messages that are none, too long, of no request or out of order: named, not answered."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from export_bench import Hub, Recipient, claims_of

from meterhub.errors import HubError
from meterhub.trust import mhx


class MessageTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(100)
        self.recipient = Recipient(self.hub, "server")
        self.recipient.link()

    def unanswered(self, message, name):
        """The message is journalled under `name`, not answered, and nobody is asked anything."""
        shown = len(self.hub.ihd.shown)
        self.assertEqual(self.hub.turn(message), [])
        self.assertEqual(self.hub.journal.entries[-1][:2], ("security", name))
        self.assertEqual(len(self.hub.ihd.shown), shown)

    def test_what_is_no_message(self):
        for raw in (b"", b"{", b"[1]", b"null", b'{"t":"eat"}', b"\xff\xfe", b'{"t":"request"}', b"[" * 2000):
            self.unanswered(raw, "MALFORMED")

    def test_an_oversized_message(self):
        self.unanswered(b'{"t":"request","jws":"' + b"a" * 2050 + b'"}', "OVERSIZED")

    def test_a_message_for_no_request(self):
        rid = "A" * 22
        self.unanswered({"t": "proof", "rid": rid, "try": 1, "pa": "", "ca": ""}, "WRONG_REQUEST")
        self.unanswered({"t": "want", "rid": rid, "seq": 0, "mac": "x"}, "WRONG_REQUEST")

    def test_messages_out_of_order(self):
        self.hub.turn(self.recipient.request("data"))
        rid = self.recipient.rid
        self.unanswered({"t": "want", "rid": rid, "seq": 0, "mac": "x"}, "OUT_OF_ORDER")
        self.unanswered({"t": "proof", "rid": rid, "try": 1, "pa": "x", "ca": "x"}, "OUT_OF_ORDER")
        offer = self.hub.turn("accept")[-1]
        ack = self.hub.turn(self.recipient.proof(offer, self.hub.ihd.pin))[0]
        self.unanswered(self.recipient.want(ack["chunks"]), "OUT_OF_ORDER")
        self.unanswered({"t": "want", "rid": rid, "seq": 0, "mac": "A" * 22}, "NOT_AUTHENTIC")
        self.unanswered({"t": "done", "rid": rid, "mac": "A" * 22}, "NOT_AUTHENTIC")
        _, first = self.recipient.open_chunk(self.hub.turn(self.recipient.want(0))[0])
        _, again = self.recipient.open_chunk(self.hub.turn(self.recipient.want(0))[0])
        self.assertTrue(first == again)  # assertEqual would print both

    def test_a_cancel_that_names_another_request_hash(self):
        self.hub.turn(self.recipient.request("data"))
        self.unanswered({"t": "cancel", "rid": self.recipient.rid, "h": "A" * 43}, "WRONG_REQUEST")
        self.assertEqual(self.hub.export._open.state, "asked")

    def test_a_chunk_that_is_not_the_same_any_more_ends_the_export(self):
        offer = self.recipient.until_pin("data")
        self.hub.turn(self.recipient.proof(offer, self.hub.ihd.pin))
        self.hub.turn(self.recipient.want(0))
        self.hub.profile.first -= 1800  # every reading is another one now
        self.assertEqual(claims_of(self.hub.turn(self.recipient.want(0))[0])["error"], "RETRIEVE_FAILED")

    def test_a_password_scalar_of_zero_is_refused(self):
        kept, mhx.hkdf = mhx.hkdf, lambda *_: bytes(48)
        try:
            mhx.password_scalar("482913764", bytes(32))
            self.fail("not refused")
        except HubError as err:
            self.assertEqual(err.name, "WRONG_PIN")
        finally:
            mhx.hkdf = kept

    def test_a_copy_of_the_proof_is_answered_with_the_ack_until_something_is_wanted(self):
        offer = self.recipient.until_pin("data")
        proof = self.recipient.proof(offer, self.hub.ihd.pin)
        ack = self.hub.turn(proof)
        self.assertEqual((len(ack), ack[0]["t"]), (1, "ack"))
        self.assertEqual([self.hub.turn(dict(proof)) for _ in range(2)], [ack, ack])
        forged = self.recipient.want(0)
        forged["mac"] = "A" * 22
        self.assertEqual(self.hub.turn(forged), [])
        self.assertEqual(self.hub.turn(proof), ack)
        self.hub.turn(self.recipient.want(0))
        self.assertEqual(self.hub.turn(proof), [])

    def test_an_export_that_nobody_fetches_ends_by_name(self):
        offer = self.recipient.until_pin("data")
        self.hub.turn(self.recipient.proof(offer, self.hub.ihd.pin))
        self.hub.export._open.deadline -= 121000
        self.assertEqual(claims_of(self.hub.turn(None)[0])["error"], "NOT_RECEIVED")


if __name__ == "__main__":
    unittest.main()
