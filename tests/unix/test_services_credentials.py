"""credentials.update: keys and counters change together or not at all, and nobody gains what was not his."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from market_bench import ADM, AT, DAY_S, ROOT, SUP, Case, Party
from store_cuts import Cut, Flash

from meterhub.services import credentials
from meterhub.store import journal, transaction
from meterhub.trust import command, roles

TCOS, NEW = Party("TCOS"), Party("SUP")


class Updated(Case):
    keys = (SUP, ADM, TCOS)

    def setUp(self):
        super().setUp()
        TCOS.ctr = NEW.ctr = 0

    def boot(self):
        folder = self.folder
        if transaction.is_pending(folder):  # as app.py does
            transaction.finish(folder)
        return super().boot()

    def update(self, by, arg, ctr=1, iat=AT):
        """Carry out credentials.update; return "" or what it was refused with."""
        entry = self.hub.letters.entry(by.kid)
        fields = (
            by.kid,
            by.role,
            entry[roles.FROM],
            ctr,
            iat,
            "credentials.update",
            arg,
            None,
            "h",
            "credentials",
            False,
        )
        try:
            self.result = credentials.handle(self.hub, command.Command(*fields))
        except credentials.HubError as err:
            return str(err)
        return ""

    def new(self, **changes):
        arg = {"role": "SUP", "key": NEW.key, "name": "New Energy"}
        arg.update(changes)
        return arg

    def state(self):
        """Return ({kid: (from, until)}, counters) on flash."""
        known = json.loads(self.hub.record("roles").load())
        counted = json.loads(self.hub.record("commands").load() or b'{"ctr": {}}')["ctr"]
        return {one[0]: (one[4], one[5]) for one in known}, counted


class RightTest(Updated):
    def test_the_old_supplier_ends_when_the_new_one_begins_and_its_counter_has_a_floor(self):
        self.assertEqual(self.update(TCOS, self.new(floor=70, **{"from": AT + 5})), "")
        self.assertEqual(self.result.data, {"kid": NEW.kid, "ended": [SUP.kid]})
        keys, counted = self.state()
        self.assertEqual((keys[SUP.kid], keys[NEW.kid], counted[NEW.kid]), ((0, AT + 5), (AT + 5, 0), 70))
        self.hub.pass_s(5)
        self.assertEqual(self.says(NEW, "read.tariff", ctr=70), "refused REPLAY ctr")
        self.assertEqual(self.says(NEW, "read.tariff", ctr=71), "done")
        self.assertEqual(self.probe.asked[-1][1].since, AT + 5)
        self.assertEqual(self.says(SUP, "read.tariff"), "refused REVOKED kid")

    def test_the_owners_counter_outlives_every_change_of_keys(self):
        self.assertEqual(self.says(ROOT, "read.tariff", ctr=9), "refused NOT_AUTHORISED cmd")
        self.assertEqual(self.says(TCOS, "credentials.update", self.new()), "done")
        self.assertEqual(self.state()[1][ROOT.kid], 9)
        self.boot()
        self.assertEqual(self.says(ROOT, "read.tariff", {"y": 1}, ctr=9), "refused REPLAY ctr")
        self.assertEqual(
            self.says(ROOT, "credentials.update", self.new(role="DNO", key=Party("").key), ctr=10), "done"
        )
        self.assertEqual(self.state()[1][ROOT.kid], 10)

    def test_nobody_gains_what_was_not_his(self):
        late = AT - DAY_S
        self.hub.record("roles").save(json.dumps([SUP.entry(late), ADM.entry(), TCOS.entry()]).encode())
        self.boot()
        for said, by, arg in (
            ("NOT_AUTHORISED: arg.from", SUP, {"key": SUP.key, "from": late - 1}),  # to read what is older
            ("NOT_AUTHORISED: arg.from", SUP, {"from": 0}),
            ("NOT_AUTHORISED: arg.from", TCOS, {"from": AT - 1}),
            ("INVALID_VALUE: arg.key", SUP, {"key": ADM.key}),  # to take the administrator's place
            ("INVALID_VALUE: arg.key", SUP, {"key": ROOT.key}),  # the owner's
            ("INVALID_VALUE: arg.key", TCOS, {"key": ROOT.key}),
            ("NOT_AUTHORISED: arg.role", SUP, {"role": "ADM"}),
            ("NOT_AUTHORISED: arg.role", ADM, {}),
        ):
            before = self.state()
            self.assertEqual(self.update(by, self.new(**arg)), said)
            self.assertEqual(self.state(), before)
        self.assertEqual(self.update(SUP, self.new(**{"from": late})), "")
        self.assertEqual(self.update(ROOT, self.new(**{"from": 1})), "")

    def test_what_is_no_key_or_no_name_is_refused(self):
        for said, arg in (
            ("MALFORMED: arg.key", {"key": 5}),
            ("INVALID_VALUE: arg.key", {"key": "A" * 89}),
            ("BAD_POINT", {"key": NEW.key[:-8] + "AAAAAAAA"}),
            ("BAD_POINT", {"key": "AAAA"}),
            ("INVALID_VALUE: arg.name", {"name": ""}),
            ("INVALID_VALUE: arg.name", {"name": "x" * 25}),
            ("INVALID_VALUE: arg.role", {"role": "CON"}),
            ("INVALID_VALUE: arg.role", {"role": "ROOT"}),
            ("INVALID_VALUE: arg.until", {"until": AT}),
            ("INVALID_VALUE: arg.floor", {"floor": -1}),
            ("INVALID_VALUE: arg.replaces", {"replaces": "nobody"}),
            ("MALFORMED: arg.more", {"more": 1}),
        ):
            self.assertEqual(self.update(ROOT, self.new(**arg)).replace("BAD_POINT: ", "BAD_POINT")[: len(said)], said)
        self.assertEqual(len(self.state()[0]), 3)

    def test_a_key_is_ended_by_who_may(self):
        self.assertEqual(self.update(ADM, {"kid": SUP.kid, "until": AT}), "NOT_AUTHORISED: arg.kid")
        self.assertEqual(self.update(ROOT, {"kid": "nobody", "until": AT}), "INVALID_VALUE: arg.kid")
        self.assertEqual(self.update(ROOT, {"kid": SUP.kid, "until": AT}), "")
        self.assertEqual(self.says(SUP, "read.tariff"), "refused REVOKED kid")
        self.boot()
        self.hub.clock.state = "unset"  # no way back by a power cut
        self.assertEqual(self.says(SUP, "read.tariff"), "refused REVOKED kid")

    def test_tables_of_keys_that_are_gone_go(self):
        told = []
        desk = self.desk
        desk._tables.only = lambda publics: told.append([bytes(one) for one in publics])
        self.update(ROOT, {"kid": SUP.kid, "until": AT})
        self.assertEqual(len(told), 1)
        kept = [roles.point(party.entry()) for party in (ADM, TCOS, ROOT)]
        self.assertEqual(sorted(told[0]), sorted(kept))


class CutTest(Updated):
    def test_wherever_the_power_is_cut_keys_and_counters_have_changed_together_or_not_at_all(self):
        seen = []
        for changes in range(40):
            self.tearDown()
            self.setUp()
            self.hub.record("commands").save(json.dumps({"ctr": {SUP.kid: 5}, "doing": None, "done": []}).encode())
            self.boot()
            old = self.state()
            try:
                with Flash(changes, False, journal):
                    self.assertEqual(self.update(TCOS, self.new(floor=70)), "")
                break
            except Cut:
                self.boot()
            found = self.state()
            changed = NEW.kid in found[0]
            if changed:
                self.assertEqual((found[0][SUP.kid], found[1]), ((0, AT), {SUP.kid: 5, NEW.kid: 70}))
            else:
                self.assertEqual(found, old)
            seen.append(changed)
        self.assertTrue(True in seen and False in seen and 8 < changes < 39, (changes, seen))


if __name__ == "__main__":
    unittest.main()
