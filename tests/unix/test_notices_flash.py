"""Notices: what survives a power cut, damage and a full flash."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

import notices_bench as bench
import store_cuts
import store_folder
from notices_bench import NOW, Hub, NoticeCase, fresh, name_of


class NoticesFlashTest(NoticeCase):
    def test_what_was_said_to_the_tenant_before_is_not_shown(self):
        self.send(1, answer="accept")
        self.hub.second()
        folder = self.hub.board.data_dir
        bench.Tenancy.since = NOW + 10
        try:
            self.hub = Hub(folder, NOW + 20)
        finally:
            bench.Tenancy.since = 0
        self.assertEqual(self.hub.model.messages, ())
        self.hub.second()
        self.assertEqual(self.answers(), [(1, "done", "withdrawn")])

    def again(self, at=NOW + 50):
        self.hub = Hub(self.hub.board.data_dir, at)
        self.hub.second()

    def test_a_restart_changes_nothing(self):
        number = self.send(answer="accept", text="Größe € ▲")
        self.hub.second()
        self.hub.notices.decide(number, "read")
        self.again()
        told = self.hub.notices.message(number)
        self.assertEqual(
            (told.text, told.sender, told.asks, told.unread), ("Größe € ▲", "Stadtwerke", "accept", False)
        )
        self.hub.notices.decide(number, "accept")
        self.again()
        self.assertEqual(self.hub.notices.message(number).status, "you said yes")
        self.assertEqual(self.send(5, id="n"), number + 1)

    def test_words_that_are_damaged_can_be_put_away(self):
        number = self.send()
        self.hub.second()
        store_folder.flip(self.hub.board.data_dir + "/notices/%d" % number, 30)
        self.again()
        self.assertEqual(self.hub.notices.message(number).title, "(lost)")
        self.hub.notices.decide(number, "read")
        self.hub.notices.decide(number, "delete")
        self.assertEqual((self.hub.model.messages, self.answers()), ((), []))
        self.assertIn("STORE_DAMAGED", [entry.name for entry in self.hub.journal.last("event", 9)])

    def test_words_that_are_gone_take_their_row_along(self):
        number = self.send()
        store_folder.remove(self.hub.board.data_dir + "/notices/%d" % number)
        self.again()
        self.assertEqual(name_of(self.hub.notices.status, number), ("NOT_AVAILABLE", "notice"))

    def cut_everywhere(self, prepare, act, check):
        """Cut the power after each change of the flash that act() makes, restart, go on, and check()."""
        for torn in (False, True):
            changes = 0
            while True:
                store_folder.remove(self.hub.board.data_dir)
                self.hub = fresh()
                prepare()
                ended = False
                try:
                    with store_cuts.Flash(changes, torn, *ROOMS):
                        act()
                        ended = True
                except store_cuts.Cut:
                    pass
                self.again()
                check(ended)
                if ended:
                    break
                changes += 1
            self.assertTrue(changes >= 2, changes)

    def test_a_power_cut_never_loses_and_never_doubles_a_decision(self):
        def prepare():
            self.send(7, answer="accept")
            self.hub.second()

        def check(ended):
            state, log, answers = self.state(1), self.hub.log(), self.answers()
            if state == "shown":
                self.assertEqual((ended, log, answers), (False, [], []))
            else:
                self.assertEqual(state, "accepted")
                self.assertEqual((len(log), answers), (1, [(7, "done", "accept")]))
            self.again()
            self.assertEqual((self.hub.log(), self.answers()), (log, answers))

        self.cut_everywhere(prepare, lambda: self.hub.notices.decide(1, "accept"), check)

    def test_a_power_cut_never_loses_and_never_doubles_an_expiry(self):
        def prepare():
            self.send(7, answer="accept", expiry=NOW + 10)
            self.hub.second()

        def check(ended):
            self.assertEqual((self.state(1), len(self.hub.log())), ("expired", 1))
            self.assertEqual(self.answers(), [(7, "refused", "CONSUMER_TIMEOUT")])

        self.cut_everywhere(prepare, lambda: self.hub.second(10), check)

    def test_a_power_cut_leaves_the_old_message_or_the_new_one(self):
        def prepare():
            self.send(1, answer="accept", text="first")
            self.hub.second()

        def check(ended):
            found = [self.hub.notices.message(number) for number, _ in self.hub.model.messages]
            self.assertEqual(len(found), 1)
            replaced = found[0].text == "second"
            self.assertEqual(self.answers(), [(1, "done", "replaced")] if replaced else [])
            self.assertTrue(replaced or not ended)

        self.cut_everywhere(prepare, lambda: self.send(2, text="second"), check)

    def test_a_flash_that_cannot_be_written_keeps_the_decision_for_later(self):
        number = self.send(answer="accept")
        self.hub.second()
        journal, self.hub.journal.add = self.hub.journal.add, _full
        self.hub.notices.decide(number, "accept")
        self.assertEqual((self.state(number), self.answers()), ("accepted", []))
        self.hub.journal.add = journal
        self.again()
        self.assertEqual((len(self.hub.log()), self.answers()), (1, [(1, "done", "accept")]))

    def test_more_decisions_than_can_wait_are_refused(self):
        for i in range(16):
            self.send(i + 1, id="m%d" % i)
        self.hub.second()
        self.hub.commands.decided = _full
        for number in range(1, 17):
            self.hub.notices.decide(number, "read")
        for number in range(1, 9):
            self.hub.notices.decide(number, "save")
        self.assertEqual(name_of(self.hub.notices.decide, 9, "save"), ("BUSY", "notices"))
        self.again()
        self.assertEqual((len(self.answers()), self.state(9)), (24, "read"))

    def test_a_power_cut_leaves_an_announced_outage_whole_or_not_there(self):
        def check(ended):
            raw = self.hub.outages.record.load()
            planned = [row[0] for row in json.loads(raw)["planned"]] if raw else []
            shown = self.hub.notices.find("ROOT000000000000", "o1")
            self.assertEqual((planned, shown > 0), (["o1"], True) if ended or planned else ([], False))

        arg = {"ref": "o1", "from": NOW + 3600, "to": NOW + 7200}
        self.cut_everywhere(lambda: None, lambda: self.hub.command("ROOT", "outage.planned", arg), check)

    def test_a_decision_that_cannot_be_stored_is_none(self):
        number = self.send(answer="accept")
        self.hub.second()
        with store_cuts.Flash(99) as flash:
            flash.rename = flash.written = _full
            self.hub.notices.pressed(number, "accept")
        self.assertEqual((self.state(number), self.hub.log(), self.answers()), ("shown", [], []))
        self.hub.notices.decide(number, "decline")
        self.assertEqual(self.answers(), [(1, "done", "decline")])


def _full(*_):
    raise OSError(28)


ROOMS = (sys.modules["meterhub.store.journal"], sys.modules["meterhub.store.transaction"])

if __name__ == "__main__":
    unittest.main()
