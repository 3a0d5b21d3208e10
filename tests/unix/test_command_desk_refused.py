"""Commands of the market roles that are refused: for want of a consent, and the same again."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from market_bench import SUP, Case, Party, Record

from meterhub.market import Market
from meterhub.trust.roles import Counters


class RefusedTest(Case):
    def test_a_refused_command_has_used_its_counter_and_is_refused_the_same_again(self):
        token = self.command(SUP, "set.voltage_config")
        for _ in range(3):
            answer = self.take(token)
            self.assertEqual((answer["outcome"], answer["error"]), ("refused", "NOT_AUTHORISED"))
        self.assertEqual(len(self.letters()), 1)
        self.assertEqual(self.names("security").count("NOT_AUTHORISED"), 1)
        self.assertEqual(Counters(self.hub.record("commands")).newest(SUP.kid), 1)

    def test_a_role_that_needs_a_consent_has_none_by_itself(self):
        asker = Party("ESP")
        Record(self.folder + "/roles").save(json.dumps([asker.entry()]).encode())
        self.boot()
        self.assertEqual(self.says(asker, "read.tariff"), "refused NOT_CONSENTED readings")
        self.assertEqual([what for what, _ in self.probe.asked], ["refused"])

    def test_what_comes_when_the_counters_are_lost_is_journalled_and_the_hub_goes_on(self):
        self.ask(SUP, "set.tariff_price")
        for slot in "01":
            with open(self.folder + "/commands." + slot, "wb") as file:
                file.write(b"MHR1 and nothing more")
        self.boot()
        before = self.names("security").count("INTEGRITY_FAILED")
        market = self.hub.market
        market.decided({"service": "messages", "kid": SUP.kid}, "read")
        Market.failed(market, SUP.kid, {"kind": "answer", "re": "h", "ctr": 1, "cmd": "read.tariff"}, "NOT_RECEIVED")
        self.assertEqual(self.names("security").count("INTEGRITY_FAILED"), before + 2)


if __name__ == "__main__":
    unittest.main()
