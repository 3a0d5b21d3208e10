"""Role keys: who may replace whose, from when on one counts, and how far each has counted."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_cuts import Cut, Flash
from store_folder import flip, fresh, remove

from meterhub.errors import HubError, StoreError
from meterhub.store.record import Record
from meterhub.trust import roles
from meterhub.trust.matrix import ROLES

AT = 1790000000


def entry(kid, role, since=0, until=0):
    return [kid, role, "key of " + kid, "name", since, until]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.record = Record(self.folder + "/r")

    def tearDown(self):
        remove(self.folder)

    def known(self, *entries):
        self.record.save(json.dumps(entries).encode())
        return roles.Roles(self.record)

    def replaced(self, known, by, role, kid="new", **arg):
        full = {"role": role, "key": "k", "name": "n", "from": AT, "until": 0}
        full.update(arg)
        try:
            content, ended = known.replaced(by, full, kid, AT)
        except HubError as err:
            return str(err)
        return json.loads(content), ended


class RightTest(Case):
    def test_who_may_replace_whose_key(self):
        """GBCS credential replacement modes: 2, 3, 4, 6 by itself, 7 supplier by TransCoS, 8 anything by recovery."""
        itself = ("SUP", "DNO", "ADM", "LC", "TCOS")
        for by in ROLES:
            for role in ROLES:
                may = role not in ("CON", "ROOT") and (by == "ROOT" or (by, role) == ("TCOS", "SUP"))
                may = may or (by == role and by in itself)
                found = self.replaced(self.known(), by, role)
                ends = self.ends(by, role)
                self.assertEqual(not isinstance(found, str), may, (by, role, found))
                self.assertEqual(ends, "" if may or by == "ROOT" else "NOT_AUTHORISED: arg.kid", (by, role))

    def ends(self, by, role):
        try:
            self.known(entry("old", role)).removed(by, "old", AT)
        except HubError as err:
            return str(err)
        return ""

    def test_nobody_takes_a_key_that_holds_another_role(self):
        known = self.known(entry("dno", "DNO"), entry("sup", "SUP"))
        for by in ("SUP", "TCOS", "ROOT"):
            self.assertEqual(self.replaced(known, by, "SUP", kid="dno"), "INVALID_VALUE: arg.key")

    def test_what_is_replaced_must_be_there_and_hold_the_role(self):
        known = self.known(entry("dno", "DNO"), entry("adm", "ADM"))
        for kid in ("nobody", "adm", "new"):
            self.assertEqual(self.replaced(known, "DNO", "DNO", replaces=kid), "INVALID_VALUE: arg.replaces")


class ChangeTest(Case):
    def test_there_is_one_supplier_a_new_one_ends_the_one_there_is(self):
        known = self.known(entry("old", "SUP"), entry("dno", "DNO"))
        found, ended = self.replaced(known, "TCOS", "SUP", **{"from": AT + 50})
        self.assertEqual(ended, ["old"])
        self.assertEqual(
            [(one[0], one[4], one[5]) for one in found], [("old", 0, AT + 50), ("dno", 0, 0), ("new", AT + 50, 0)]
        )

    def test_an_end_that_is_set_already_is_not_put_off(self):
        known = self.known(entry("old", "SUP", 0, AT - 5), entry("older", "SUP", 0, AT + 500))
        found, ended = self.replaced(known, "ROOT", "SUP")
        self.assertEqual(ended, ["older"])
        self.assertEqual([one[5] for one in found], [AT - 5, AT, 0])

    def test_other_roles_may_have_several_keys(self):
        known = self.known(entry("dno", "DNO"))
        found, ended = self.replaced(known, "DNO", "DNO")
        self.assertEqual((len(found), ended), (2, []))
        found, ended = self.replaced(known, "DNO", "DNO", replaces="dno")
        self.assertEqual((found[0][5], ended), (AT, ["dno"]))
        found, ended = self.replaced(known, "DNO", "DNO", replaces="dno", **{"from": 0})
        self.assertEqual((found[0][5], ended), (1, ["dno"]))  # 0 were for good

    def test_the_same_key_again_takes_its_own_place(self):
        found, ended = self.replaced(self.known(entry("new", "SUP", 5)), "SUP", "SUP", until=AT + 9)
        self.assertEqual((found, ended), ([["new", "SUP", "k", "n", AT, AT + 9]], []))

    def test_there_is_room_for_twelve_and_what_has_ended_gives_way(self):
        twelve = [entry("k%d" % n, "DNO") for n in range(12)]
        self.assertEqual(self.replaced(self.known(*twelve), "DNO", "DNO"), "STORE_FULL: roles")
        twelve[3][roles.UNTIL] = AT + 1
        self.assertEqual(self.replaced(self.known(*twelve), "DNO", "DNO"), "STORE_FULL: roles")
        twelve[3][roles.UNTIL] = AT
        found, _ = self.replaced(self.known(*twelve), "DNO", "DNO")
        self.assertEqual([one[0] for one in found[2:4] + found[-1:]], ["k2", "k4", "new"])

    def test_a_key_ends_when_it_is_told_to(self):
        known = self.known(entry("a", "DNO"), entry("b", "ADM"))
        self.assertEqual([one[5] for one in json.loads(known.removed("ROOT", "a", AT))], [AT, 0])
        self.assertEqual([one[5] for one in json.loads(known.removed("ROOT", "a", 0))], [1, 0])  # at once
        self.assertRaises(HubError, known.removed, "ROOT", "c", AT)

    def test_nothing_is_changed_by_asking(self):
        known = self.known(entry("old", "SUP"))
        self.replaced(known, "ROOT", "SUP")
        known.removed("ROOT", "old", AT)
        self.assertEqual(known.all, [entry("old", "SUP")])

    def test_a_damaged_record_is_nobodys_key(self):
        self.known(entry("a", "SUP"))
        flip(self.folder + "/r.1", 12)
        self.assertRaises(StoreError, roles.Roles, Record(self.folder + "/r"))


class InForceTest(Case):
    def test_from_its_beginning_on_until_its_end(self):
        one = entry("a", "SUP", 100, 200)
        self.assertEqual([roles.in_force(one, now) for now in (99, 100, 199, 200)], [False, True, True, False])
        self.assertEqual([roles.has_ended(one, now) for now in (0, 99, 199, 200)], [False, False, False, True])
        self.assertTrue(roles.in_force(entry("a", "SUP", 100), 1 << 33))

    def test_without_a_clock_a_key_that_has_an_end_does_not_count(self):
        self.assertFalse(roles.in_force(entry("a", "SUP", 0, 1), 0))
        self.assertFalse(roles.in_force(entry("a", "SUP", 0, 1 << 33), 0))
        self.assertTrue(roles.in_force(entry("a", "SUP"), 0))

    def test_those_who_hold_a_role_now(self):
        known = self.known(entry("a", "SUP", 0, AT), entry("b", "SUP", AT), entry("c", "DNO"))
        self.assertEqual([one[0] for one in known.of("SUP", AT)], ["b"])
        self.assertEqual([one[0] for one in known.of("SUP", AT - 1)], ["a"])
        self.assertEqual((known.find("c")[1], known.find("d")), ("DNO", None))


class CountersTest(Case):
    def counters(self):
        return roles.Counters(Record(self.folder + "/c"))

    def test_what_was_begun_is_on_flash_until_it_has_ended(self):
        counters = self.counters()
        counters.begin("a", 5, "h5", "set.clock")
        self.assertEqual((self.counters().newest("a"), self.counters().doing), (5, ["a", 5, "h5", "set.clock"]))
        counters.end("refused", "BUSY", "x")
        self.assertEqual(self.counters().doing, None)
        self.assertEqual(self.counters().done("a", 5, "h5"), ["a", 5, "h5", "refused", "BUSY", "x"])
        for other in (("a", 5, "h6"), ("a", 6, "h5"), ("b", 5, "h5")):
            self.assertEqual(self.counters().done(*other), None)

    def test_the_newest_sixteen_are_known(self):
        counters = self.counters()
        for n in range(1, 19):
            counters.begin("a", n, "h%d" % n, "c")
            counters.end("done", "", "")
        self.assertEqual([counters.done("a", n, "h%d" % n) is None for n in (1, 2, 3, 18)], [True, True, False, False])

    def test_a_date_that_has_come_lowers_no_counter_and_its_outcome_takes_the_place_of_the_first(self):
        counters = self.counters()
        counters.begin("a", 5, "h5", "c")
        counters.end("pending", "", "")
        counters.begin("a", 9, "h9", "c")
        counters.end("done", "", "")
        counters.resume("a", 5, "h5", "c")
        self.assertEqual((self.counters().newest("a"), self.counters().doing[1]), (9, 5))
        counters.end("refused", "REVOKED", "kid")
        self.assertEqual(self.counters().done("a", 5, "h5")[3:], ["refused", "REVOKED", "kid"])

    def test_a_floor_is_never_lower_than_what_was_counted(self):
        counters = self.counters()
        for kid, ctr in (("a", 50), ("b", 7), ("gone", 9)):
            counters.begin(kid, ctr, "h", "c")
            counters.end("done", "", "")
        for floor, newest in ((0, 50), (49, 50), (51, 51)):
            Record(self.folder + "/c").save(counters.floored("a", floor, ["a", "b"]))
            found = self.counters()
            self.assertEqual([found.newest(kid) for kid in ("a", "b", "gone", "new")], [newest, 7, 0, 0])
        self.assertEqual(counters.newest("gone"), 9)  # it was only asked for

    def test_wherever_the_power_is_cut_a_counter_never_goes_back(self):
        for changes in range(9):
            self.tearDown()
            self.setUp()
            counters = self.counters()
            for n in (1, 2):
                counters.begin("a", n, "h", "c")
            try:
                with Flash(changes, True):
                    for n in (3, 4, 5):
                        counters.begin("a", n, "h", "c")
                        counters.end("done", "", "")
            except Cut:
                self.assertEqual(self.counters().newest("a"), 2 + (changes + 1) // 2)


if __name__ == "__main__":
    unittest.main()
