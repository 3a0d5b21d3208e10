"""Letters go out again and again until their receipt is there: 30 s, 2 min, 10 min, 1 h, daily, 14 days."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from letters_bench import ADM, AT, DAY_S, SUP, Case

from meterhub.codec import base64url


class AgainTest(Case):
    def test_the_times_at_which_a_letter_is_sent(self):
        self.box.report(SUP.kid, "s", 1, {})
        sent = []
        for step in (0, 29, 1, 119, 1, 599, 1, 3599, 1, DAY_S - 1, 1, DAY_S - 1, 1):
            self.pass_s(step)
            sent.append(len(self.send_due()))
        self.assertEqual(sent, [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
        self.assertEqual(self.named("event", "NOT_RECEIVED"), ["letter 1 to " + SUP.kid])

    def test_after_fourteen_days_it_is_given_up_and_that_is_said(self):
        self.box.report(SUP.kid, "s", 1, {})
        self.send_due()
        for _ in range(13):
            self.pass_s(DAY_S)
            self.assertEqual(self.send_due(), [1])
        self.pass_s(DAY_S - 1)
        self.send_due()
        self.assertEqual(self.waits(), [1])
        self.pass_s(DAY_S + 1)
        self.assertEqual(self.send_due(), [])
        self.assertEqual(self.waits(), [])
        self.assertEqual(self.named("event", "NOT_RECEIVED")[-1], "letter 1 given up")

    def test_what_could_not_be_sent_for_weeks_is_sent_once_at_least(self):
        self.hub.wan.is_up = False
        self.box.report(SUP.kid, "s", 1, {})
        self.pass_s(30 * DAY_S)
        self.hub.wan.is_up = True
        self.assertEqual(self.send_due(), [1])

    def test_four_are_on_their_way_at_once_and_one_that_nobody_receives_holds_none_up(self):
        for n in range(6):
            self.box.report(SUP.kid if n else ADM.kid, "s", n, {})
        self.assertEqual(self.send_due(), [1, 2, 3, 4, 5])
        self.pass_s(30)
        self.assertEqual(self.send_due()[:6], [1, 2, 3, 4, 5, 6])

    def test_where_there_is_no_room_for_it_it_goes_out_a_little_later_and_was_not_tried(self):
        self.box.report(SUP.kid, "s", 1, {})
        self.hub.wan.full = True
        self.assertEqual(self.send_due(), [])
        self.hub.wan.full = False
        self.pass_s(1)
        self.assertEqual(self.send_due(), [])
        self.pass_s(1)
        self.assertEqual(self.send_due(), [1])
        self.assertEqual(self.named("event", "NOT_RECEIVED"), [])

    def test_what_it_says_is_sealed_for_its_addressee(self):
        self.hub.letters.alert("SUP", "METER_SILENT", 5, "main", {"a": 1})
        self.send_due()
        kind, token = self.hub.wan.posted[0]
        claims, _ = self.open(SUP, token)
        self.assertEqual(kind, "role-" + SUP.kid)
        self.assertEqual((claims["v"], claims["n"], claims["at"], claims["clock"]), (1, 1, AT, "set"))
        self.assertEqual((claims["event"], claims["code"], claims["data"]), ("METER_SILENT", 5, {"a": 1}))
        self.assertTrue(b"METER_SILENT" not in token)
        self.assertEqual(self.box.used, {SUP.kid: [1, len(token), 0, 0, 0]})

    def test_a_letter_to_a_key_that_is_gone_goes(self):
        self.box.post("Q" * 16, {"kind": "alert", "data": {}}, 1)
        self.assertEqual(self.send_due(), [])
        self.assertEqual(self.waits(), [])


class ReceiptTest(Case):
    def setUp(self):
        super().setUp()
        self.box.report(SUP.kid, "s", 1, {})
        self.box.report(SUP.kid, "s", 2, {})
        self.send_due()
        self.keys = [self.open(SUP, token)[1] for _, token in self.hub.wan.posted]

    def said(self):
        return [e.name + " " + e.detail for e in self.hub.journal.after("security", 0)]

    def test_a_receipt_lets_its_letter_go_and_no_other(self):
        self.box.received(self.receipt(self.keys[0], 1))
        self.assertEqual(self.waits(), [2])
        self.assertEqual(self.said(), [])
        self.boot()
        self.assertEqual(self.waits(), [2])

    def test_the_same_receipt_again_is_no_news_and_no_attack(self):
        for _ in range(3):
            self.box.received(self.receipt(self.keys[0], 1))
        self.assertEqual((self.waits(), self.said()), ([2], []))

    def test_what_is_forged_lets_nothing_go(self):
        wrong = base64url.encode(bytes(16))
        short = base64url.encode(bytes(15))
        for payload, said in (
            (b"", "MALFORMED receipt message"),
            (b"\xff", "MALFORMED receipt message"),
            (b"[" * 256, "MALFORMED receipt message"),
            (b"[1]", "MALFORMED receipt message"),
            (b"{}", "MALFORMED receipt message"),
            (b" " * 257, "OVERSIZED receipt message"),
            (json.dumps({"n": "1", "mac": wrong}).encode(), "MALFORMED receipt message"),
            (json.dumps({"n": 1, "mac": 5}).encode(), "MALFORMED receipt message"),
            (json.dumps({"n": 1, "mac": short}).encode(), "MALFORMED receipt mac"),
        ):
            self.hub.journal._tokens = 9
            self.box.received(payload)
            self.assertEqual(self.said()[-1], said)
        for payload, said in (
            (json.dumps({"n": 1, "mac": wrong}).encode(), "NOT_AUTHENTIC receipt mac"),
            (self.receipt(self.keys[1], 1), "NOT_AUTHENTIC receipt mac"),
            (self.receipt(self.keys[0], 2), "NOT_AUTHENTIC receipt mac"),
            (self.receipt(self.keys[0], 3), "REPLAY receipt n"),
            (self.receipt(self.keys[0], 1).replace(b'"n": 1', b'"n": -1'), "REPLAY receipt n"),
            (self.receipt(self.keys[0], 1).replace(b'"n": 1', b'"n": 0'), "REPLAY receipt n"),
        ):
            self.hub.journal._tokens = 9
            self.box.received(payload)
            self.assertEqual(self.said()[-1], said)
        self.assertEqual(self.waits(), [1, 2])

    def test_after_it_was_sealed_anew_only_the_last_ones_receipt_counts(self):
        self.pass_s(30)
        self.send_due()
        self.box.received(self.receipt(self.keys[0], 1))
        self.assertEqual((self.waits(), self.said()), ([1, 2], ["NOT_AUTHENTIC receipt mac"]))
        _, key = self.open(SUP, self.hub.wan.posted[2][1])
        self.box.received(self.receipt(key, 1))
        self.assertEqual(self.waits(), [2])

    def test_after_a_start_a_receipt_for_the_time_before_is_not_taken(self):
        self.boot()
        self.box.received(self.receipt(self.keys[0], 1))
        self.sender()
        self.box.received(self.receipt(self.keys[0], 1))
        self.assertEqual(self.waits(), [1, 2])
        self.assertEqual(self.said(), ["REPLAY receipt of a letter", "REPLAY receipt n"])


if __name__ == "__main__":
    unittest.main()
