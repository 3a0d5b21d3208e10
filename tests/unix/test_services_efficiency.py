"""What whoever advises the household on energy may propose, and apply when it says yes."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import store_cuts
import store_folder
from notices_bench import NOW, Hub, ServiceCase, fresh


class EfficiencyTest(ServiceCase):
    def propose(self, **arg):
        return self.do("EFF", "efficiency.propose", id="fridge", title="New fridge", text="Saves 200 kWh.", **arg)

    def test_a_measure_is_proposed_approved_and_applied_once(self):
        self.assertEqual(self.refused("EFF", "efficiency.apply", id="fridge"), ("NOT_AVAILABLE", "arg.id"))
        number = self.propose().data["notice"]
        self.assertEqual(self.refused("EFF", "efficiency.apply", id="fridge"), ("NOT_AVAILABLE", "arg.id"))
        self.assertEqual(self.decide(number, "accept")[1]["action"], "accept")
        self.assertEqual(self.refused("SUP", "efficiency.apply", id="fridge"), ("NOT_AVAILABLE", "arg.id"))
        number = self.do("EFF", "efficiency.apply", id="fridge").data["notice"]
        self.assertEqual(self.refused("EFF", "efficiency.apply", id="fridge"), ("WRONG_STATE", "arg.id"))
        answer = self.decide(number, "read")
        self.assertEqual((answer[0], answer[1]["action"], "applied" in answer[1]), ("done", "read", True))

    def test_a_measure_that_was_declined_is_not_applied(self):
        number = self.propose().data["notice"]
        self.assertEqual(self.decide(number, "decline")[1]["action"], "decline")
        self.assertEqual(self.refused("EFF", "efficiency.apply", id="fridge"), ("WRONG_STATE", "arg.id"))

    def test_a_proposal_that_nobody_answers_ends(self):
        self.propose(expiry=NOW + 100)
        self.hub.second(200)
        self.assertEqual(self.hub.commands.all()[-1][3:], ["refused", {"error": "CONSUMER_TIMEOUT"}])

    def test_a_power_cut_applies_a_measure_and_tells_of_it_or_neither(self):
        changes, seen = 0, set()
        while True:
            store_folder.remove(self.hub.board.data_dir)
            self.hub = fresh()
            self.decide(self.propose().data["notice"], "accept")
            ended = False
            try:
                with store_cuts.Flash(changes, False, sys.modules["meterhub.store.journal"], *_rooms()):
                    self.hub.command("EFF", "efficiency.apply", {"id": "fridge"}, 9)
                    ended = True
            except store_cuts.Cut:
                pass
            self.hub = Hub(self.hub.board.data_dir, NOW + 50)
            self.hub.second()
            applied = json.loads(self.hub.record("efficiency").load())["all"][0][3] == "applied"
            self.assertEqual(applied, self.hub.notices.message(2) is not None)
            seen.add(applied)
            changes += 1
            if ended:
                break
        self.assertEqual(seen, {True, False})


def _rooms():
    """The room that writes several files at once, which is loaded by who does it."""
    from meterhub.store import transaction

    return (transaction,)


if __name__ == "__main__":
    unittest.main()
