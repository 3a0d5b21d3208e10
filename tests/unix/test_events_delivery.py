"""Events on their way to a recipient: each becomes an item, is sent until it is acknowledged, and goes."""

import asyncio
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from events_bench import OTHER, Case, impatient
from store_cuts import Cut, Flash
from store_folder import remove

from meterhub import lazy
from meterhub.store import files, journal, outbox
from meterhub.trust import items


class DeliveryTest(Case):
    def test_events_arrive_once_in_order_with_their_time_and_nothing_else_does(self):
        for n in range(40):
            self.hub.journal.add("event", ("METER_SILENT", "METER_CHANGED")[n % 2], "%d" % n)
            self.hub.journal.add("event", "LINK_DOWN", "wan")
            self.hub.journal.add("security", "METER_SILENT", "not an event")
        self.deliver()
        self.assertEqual(self.details(), ["%d" % n for n in range(40)])
        self.assertTrue(3 <= self.hub.wan.posted <= 6)
        self.assertEqual((self.hub.events.outbox.pending, self.hub.refused()), (False, []))
        self.assertEqual(files.names(self.folder + "/outbox"), ["state.0", "state.1"])
        self.deliver()
        self.assertEqual(len(self.kept), 40)

    def test_what_was_journalled_before_somebody_was_to_be_told_stays(self):
        remove(self.folder + "/outbox")
        self.hub.events = None
        self.hub.journal.add("event", "METER_SILENT", "before")
        self.boot()
        self.hub.journal.add("event", "METER_SILENT", "after")
        self.deliver()
        self.assertEqual(self.details(), ["after"])

    def test_the_sender_goes_with_all_that_it_loaded(self):
        before = lazy.loaded()
        for name in ("meterhub.outbox_sender", "meterhub.trust.items"):
            lazy.let_go([name])
        self.hub.journal.add("event", "METER_SILENT", "main")
        self.deliver()
        self.assertFalse("meterhub.outbox_sender" in sys.modules)
        self.assertEqual(self.details(), ["main"])
        for name in before - lazy.loaded():
            __import__(name)

    def test_without_wan_nothing_is_lost_over_restarts(self):
        self.hub.wan.is_up = False
        for n in range(5):
            self.hub.journal.add("event", "METER_SILENT", "%d" % n)
            self.hub.events.deliver()
            asyncio.run(self.hub.tasks.pop()())
            self.boot().wan.is_up = False
        self.assertEqual(self.hub.wan.posted, 0)
        self.hub.wan.is_up = True
        self.deliver()
        self.assertEqual(self.details(), ["0", "1", "2", "3", "4"])

    def test_an_event_that_flash_refused_is_taken_from_the_journal_later(self):
        box = self.hub.events.outbox
        add = box.add

        def full(*_):
            raise OSError(28)

        box.add = full
        self.hub.journal.add("event", "METER_SILENT", "1")
        box.add = add
        self.hub.journal.add("event", "METER_SILENT", "2")
        self.assertFalse(box.pending)
        self.hub.events.deliver()
        self.deliver()
        self.assertEqual(self.details(), ["1", "2"])

    def test_a_cut_between_journal_and_outbox_costs_nothing(self):
        for changes in range(8):
            self.tearDown()
            self.setUp()
            try:
                with Flash(changes, changes % 2 == 0, journal, outbox):
                    for n in range(3):
                        self.hub.journal.add("event", "METER_SILENT", "%d" % n)
            except Cut:
                pass
            self.boot()
            self.deliver()
            self.assertEqual(self.details(), self.hub.named("METER_SILENT"))

    def test_an_unanswered_batch_is_sent_again_until_it_is(self):
        self.hub.journal.add("event", "METER_SILENT", "main")
        answers = [None, None, self.far]

        def deaf(token):
            self.hub.wan.far = answers.pop(0) or deaf

        self.hub.wan.far = deaf
        self.hub.events.deliver()
        waits = impatient(self.hub.events._sender)
        asyncio.run(self.hub.tasks[0]())
        self.assertEqual(self.hub.wan.posted, 4)
        self.assertEqual(len(waits), 30 + 60 + 120 + 1 + 1)  # more and more seldom, and one look for more
        self.assertEqual(self.details(), ["main"])

    def test_items_that_had_to_go_are_told_in_the_journal_and_to_the_recipient(self):
        self.hub.events.outbox._limit = 5000
        for n in range(180):
            self.hub.journal.add("event", "METER_SILENT", "%d" % n)
        gone = self.hub.events.outbox.dropped[0]
        self.assertTrue(gone > 0 and len(self.hub.named("OUTBOX_FULL")) >= 1)
        self.deliver()
        self.assertEqual(self.kept[0][3], "%d" % gone)
        claims = items.items_claims(self.hub.wan.first)
        self.assertEqual(claims["dropped"], [gone, 0])

    def test_another_recipient_gets_nothing_of_the_first_and_nobody_empties_the_outbox(self):
        self.hub.journal.add("event", "METER_SILENT", "for the site")
        self.boot(OTHER.hub)
        self.assertEqual(self.hub.named("outbox emptied"), ["1 items"])
        self.assertFalse(self.hub.events.outbox.pending)
        self.hub.journal.add("event", "METER_SILENT", "for the other")
        self.boot("")
        self.assertTrue(self.hub.events is None)
        self.assertFalse(files.exists(self.folder + "/outbox"))
        self.assertTrue(self.boot("").events is None)


if __name__ == "__main__":
    unittest.main()
