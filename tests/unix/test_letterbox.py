"""The letterbox: who is written to, what is kept, and what gives way."""

import asyncio
import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from letters_bench import ADM, AT, ROOT, SUP, Case
from store_folder import flip, write

from meterhub.errors import HubError
from meterhub.letterbox import EVENT, REPORT
from meterhub.store.record import Record


class WhoTest(Case):
    def roles(self, *entries):
        Record(self.folder + "/roles").save(json.dumps(entries).encode())
        self.box.forget_roles()

    def test_those_who_hold_the_role_now(self):
        self.assertEqual(self.box.addressees("SUP"), [SUP.kid])
        self.assertEqual(self.box.addressees("DNO"), [])
        self.roles(SUP.entry(AT), ADM.entry(AT + 1))
        self.assertEqual((self.box.addressees("SUP"), self.box.addressees("ADM")), ([], [ADM.kid]))

    def test_without_an_administrator_the_owner_himself(self):
        self.assertEqual(self.box.addressees("ROOT"), [ROOT.kid])
        self.roles(SUP.entry())
        self.assertEqual(self.box.addressees("ADM"), [ROOT.kid])
        self.assertEqual(self.box.entry(ROOT.kid)[1], "ROOT")

    def test_a_hub_without_role_keys_writes_to_nobody(self):
        Record(self.folder + "/roles").erase()
        self.box.forget_roles()
        self.assertEqual(self.box.alert("ADM", "LINK_DOWN"), [])
        self.assertEqual(self.box.addressees("ADM"), [])
        self.assertEqual(self.hub.tasks, [])

    def test_a_hub_that_does_not_know_any_more_whom_to_believe_believes_nobody(self):
        flip(self.folder + "/roles.1", 15)
        self.assertEqual((self.box.roles(), self.box.addressees("SUP"), self.box.entry(SUP.kid)), (None, [], None))
        self.assertTrue("roles" in self.named("security", "INTEGRITY_FAILED")[0])

    def test_a_damaged_owner_is_no_owner(self):
        flip(self.folder + "/owner.1", 15)
        self.assertEqual((self.box.owner(), self.box.entry(ROOT.kid)), (None, None))


class WriteTest(Case):
    def letter(self, number):
        kid, at, content = self.box._letters().read(number)
        return kid, at, json.loads(content)

    def test_an_alert_goes_to_each_who_holds_the_role_or_to_one_key(self):
        other = ["x" * 16, "ADM", ADM.key, "n", 0, 0]
        Record(self.folder + "/roles").save(json.dumps([ADM.entry(), other]).encode())
        self.box.forget_roles()
        numbers = self.box.alert("ADM", "METER_CHANGED", 7, "main", {"a": 1})
        told = {"kind": "alert", "event": "METER_CHANGED", "code": 7, "detail": "main", "data": {"a": 1}}
        self.assertEqual([self.letter(n) for n in numbers], [(ADM.kid, AT, told), ("x" * 16, AT, told)])
        self.assertEqual(len(self.box.alert(SUP.kid, "x")), 1)

    def test_a_report_says_its_schedule_and_its_number(self):
        number = self.box.report(SUP.kid, "s1", 4, {"v": 2})
        told = {"kind": "report", "schedule": "s1", "seq": 4, "data": {"v": 2}}
        self.assertEqual(self.letter(number), (SUP.kid, AT, told))

    def test_a_report_gives_way_before_an_event_and_that_is_said(self):
        self.hub.wan.is_up = False
        self.box.post(SUP.kid, {"kind": "alert", "data": {}}, EVENT)
        for _ in range(39):
            self.box.post(SUP.kid, {"kind": "report", "data": {}}, REPORT)
        self.box.post(SUP.kid, {"kind": "alert", "data": {}}, EVENT)
        self.assertEqual(self.named("event", "OUTBOX_FULL"), ["letter 2"])
        self.assertEqual(self.box._letters().waiting()[:3], [1, 3, 4])
        self.assertEqual(len(self.named("event", "SEND_FAILED")), 41)

    def test_what_cannot_be_kept_is_journalled_and_hurts_nobody(self):
        self.assertEqual(self.box.post(SUP.kid, {"kind": "answer", "data": {"x": "y" * 4096}}, EVENT), 0)
        self.assertEqual(self.named("event", "RECORD_FAILED"), ["letter answer OVERSIZED"])
        self.assertEqual(self.box._letters().waiting(), [])

    def test_an_answer_that_waits_is_found_by_its_command(self):
        for n, outcome in enumerate(("pending", "done")):
            self.box.post(SUP.kid, {"kind": "answer", "re": "h", "ctr": n, "outcome": outcome, "data": {}}, EVENT)
        self.box.post(SUP.kid, {"kind": "alert", "data": {}}, EVENT)
        self.assertEqual(self.box.waits_for("h"), 2)
        self.assertEqual(self.box.answer_to("h")["outcome"], "done")
        self.assertEqual((self.box.waits_for("i"), self.box.answer_to("i")), (0, None))

    def test_a_copy_for_the_cable_is_the_same_letter(self):
        number = self.box.report(SUP.kid, "s1", 4, {"v": 2})
        claims, _ = self.open(SUP, asyncio.run(self.box.copy(number)))
        self.assertEqual((claims["n"], claims["kind"], claims["to"], claims["at"]), (number, "report", SUP.kid, AT))
        self.assertEqual(self.box._letters().waiting(), [number])
        for other in (0, 9):
            self.assertRaises(HubError, asyncio.run, self.box.copy(other))

    def test_a_letter_that_flash_has_lost_is_told_and_hurts_no_other(self):
        first = self.box.report(SUP.kid, "s1", 1, {})
        self.box.report(SUP.kid, "s1", 2, {})
        write(self.folder + "/letters/0%08x.ml" % first, b"MHL1 and no more")
        self.assertEqual(self.send_due(), [2])
        self.assertEqual(len(self.named("event", "STORE_DAMAGED")), 1)


if __name__ == "__main__":
    unittest.main()
