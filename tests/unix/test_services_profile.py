"""The profile as a role gets it: whole, checkable, null where nothing is kept, and the same again."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from profile_bench import COLUMNS, STEP, ProfileCase, T
from services_bench import DAY
from store_folder import flip, read

from meterhub.codec import profile_page
from meterhub.codec.load_profile import EXCHANGED, MEASURED, PARTIAL, Column, Entry


class ProfileTest(ProfileCase):
    def page(self, cmd="read.profile_import", start=0, stop=0, since=0, **arg):
        arg.update({"from": start, "to": stop})
        return self.ask(cmd, arg, since=since)

    def test_a_day_is_48_intervals_that_begin_at_from(self):
        self.fill(T - STEP, T + DAY + STEP)
        page = self.page(start=T, stop=T + DAY)
        self.assertEqual((page["from"], page["to"], page["next"]), (T, T + DAY, 0))
        self.assertEqual(page["base"], [1010])
        self.assertEqual(page["values"], [[10] * 48])
        self.assertEqual(page["quality"], "1" * 48)
        self.assertEqual(page["registers"], [["1-0:1.8.0", 30, 0]])
        self.assertTrue(profile_page.is_whole(page))
        found = list(profile_page.rows(page))
        self.assertEqual(found[0], (T // STEP, MEASURED, [1020]))
        self.assertEqual(found[-1], (T // STEP + 47, MEASURED, [1490]))

    def test_a_gap_is_null_and_what_follows_it_is_whole_again(self):
        for n in (0, 1, 4, 5):
            self.hub.profile.append(Entry(T + n * STEP, PARTIAL if n == 5 else MEASURED, (100 + n, 0)))
        page = self.page()
        self.assertEqual(page["base"], [None])  # what stood there before the first reading nobody knows
        self.assertEqual(page["values"], [[100, 1, None, None, 3, 1]])
        self.assertEqual(page["quality"], "110012")
        self.assertEqual(
            [told for _, _, told in profile_page.rows(page)], [[100], [101], [None], [None], [104], [105]]
        )
        page = self.page(start=T)
        self.assertEqual((page["base"], page["values"]), ([100], [[1, None, None, 3, 1]]))

    def test_a_register_that_stands_still_is_0_and_no_gap(self):
        self.fill(T, T + 4 * STEP, lambda n: (500, None))
        page = self.page()
        self.assertEqual(page["values"], [[500, 0, 0, 0, 0]])
        page = self.page("read.profile_export")
        self.assertEqual((page["values"], page["quality"]), ([[None] * 5], "00000"))

    def test_what_is_too_long_comes_in_pages_that_miss_and_double_nothing(self):
        start = T - 20 * DAY
        self.fill(start, T, lambda n: (10**9 + 1234 * n + n % 7, 5))
        at, pages, n = start, 0, 1
        while at:
            page = self.page(start=at, stop=T)
            self.assertTrue(profile_page.is_whole(page))
            for seq, _, told in profile_page.rows(page):
                self.assertEqual((seq, told), (start // STEP + n - 1, [10**9 + 1234 * n + n % 7]))
                n += 1
            at = page["next"]
            pages += 1
        self.assertEqual(n, 20 * 48 + 1)
        self.assertTrue(pages > 2)

    def test_the_same_range_is_the_same_whatever_has_come_since(self):
        self.fill(T, T + DAY)
        first = self.page(start=T, stop=T + DAY)
        self.hub.profile.append(Entry(T + DAY + STEP, MEASURED, (9000, 5)))
        self.assertEqual(self.page(start=T, stop=T + DAY), first)
        whole = self.page()
        self.assertEqual(self.page(start=whole["from"], stop=whole["to"]), whole)

    def test_any_change_is_seen_by_who_gets_it(self):
        self.fill(T, T + 9 * STEP, lambda n: (100 + n, 0))
        page = self.page(start=T)
        changes = [
            ("values", [[1, 1, 1, 1, 2, 1, 1, 1, 1]]),
            ("quality", "111111112"),
            ("base", [101]),
            ("step_s", 900),
        ]
        changes += [("seq", page["seq"] + 1), ("to", page["to"] + STEP), ("values", [[1] * 8]), ("quality", "1" * 8)]
        changes += [("registers", [["1-0:1.8.0", 30, 3]]), ("values", [[1, 1, 1, 1, 1, 1, 1, 1, None]]), ("values", 7)]
        self.assertTrue(profile_page.is_whole(page))
        for name, value in changes:
            damaged = dict(page)
            damaged[name] = value
            self.assertFalse(profile_page.is_whole(damaged))

    def test_up_to_now_ends_with_the_newest_there_is(self):
        self.fill(T, T + DAY)
        newest = self.page(start=T)["to"]
        self.assertEqual(self.page(start=T, stop=newest + STEP - 1)["to"], newest)
        arg = {"from": T, "to": newest + STEP}
        self.assertEqual(self.refused("read.profile_import", arg), "OUT_OF_RANGE arg.to")

    def test_times_that_cannot_be_are_refused_by_name(self):
        self.assertEqual(self.refused("read.profile_import"), "NOT_AVAILABLE profile")
        self.fill(T, T + DAY)
        cases = [
            ({"from": T + STEP, "to": T}, "INVALID_VALUE arg.to"),
            ({"from": T - DAY}, "OUT_OF_RANGE arg.from"),
            ({"to": T + 2 * DAY}, "OUT_OF_RANGE arg.to"),
            ({"from": -1}, "INVALID_VALUE arg.from"),
            ({"from": "0"}, "MALFORMED arg.from"),
            ({"to": True}, "MALFORMED arg.to"),
            ({"last_s": 0}, "INVALID_VALUE arg.last_s"),
            ({"last_s": 60, "from": T}, "INVALID_VALUE arg.last_s"),
            ({"from": T + 60, "to": T + 120}, "NOT_AVAILABLE profile"),
            ({"skip": 2}, "INVALID_VALUE arg.skip"),
        ]
        for arg, name in cases:
            self.assertEqual(self.refused("read.profile_import", arg), name)
        self.assertEqual(self.refused("read.profile_reactive"), "NOT_AVAILABLE profile.registers")
        page = self.page(start=0, stop=0xFFFFFFFF)
        self.assertEqual((page["from"], page["to"]), (T - STEP, T + DAY))

    def test_last_s_is_the_newest(self):
        self.fill(T, T + DAY)
        page = self.ask("read.profile_import", {"last_s": 3600})
        self.assertEqual((page["from"], page["to"], page["values"]), (T + DAY - 3600, T + DAY, [[10, 10]]))

    def test_a_key_and_a_tenant_see_nothing_from_before_them(self):
        self.fill(T, T + DAY)
        page = self.page(since=T + DAY - 2 * STEP)
        self.assertEqual((page["from"], page["base"], page["values"]), (T + DAY - 2 * STEP, [1460], [[10, 10]]))
        self.assertEqual(
            self.refused("read.profile_import", {"from": T + STEP}, since=T + DAY - STEP),
            "OUT_OF_RANGE arg.from",
        )
        self.hub.tenancy.since = T + DAY - STEP
        self.assertEqual(self.page()["values"], [[10]])
        self.hub.tenancy.since = T + 2 * DAY
        self.assertEqual(self.refused("read.profile_import"), "NOT_AVAILABLE profile")

    def test_what_flash_has_lost_is_refused_unless_the_rest_will_do(self):
        self.fill(T, T + 2 * DAY)
        path = self.folder + "/profile/202603a.lp"
        flip(path, len(read(path)) * 3 // 4)
        self.hub = self.boot()
        self.assertEqual(self.refused("read.profile_import"), "RETRIEVE_FAILED profile")
        self.assertEqual(self.hub.journal.names(), ["STORE_DAMAGED"])
        self.assertEqual(self.refused("read.profile_import"), "RETRIEVE_FAILED profile")  # not once only
        self.assertEqual(self.page(stop=T + DAY)["quality"], "1" * 49)  # it concerns what it concerns
        page = self.page(skip=1)
        self.assertTrue("0" in page["quality"] and page["quality"][:40] == "1" * 40)
        self.assertTrue(profile_page.is_whole(page))

    def test_reactive_energy_is_told_where_it_is_kept(self):
        columns = COLUMNS + [Column("1-0:3.8.0", 0, 32), Column("1-0:4.8.0", 0, 32)]
        self.hub = self.boot(columns=columns)
        self.fill(T, T + 2 * STEP, lambda n: (n, n, 20 + n, 30 + 2 * n))
        page = self.page("read.profile_reactive", start=T)
        self.assertEqual(page["registers"], [["1-0:3.8.0", 32, 0], ["1-0:4.8.0", 32, 0]])
        self.assertEqual((page["base"], page["values"]), ([20, 30], [[1, 1], [2, 2]]))

    def test_of_a_meter_that_was_exchanged_nothing_is_told(self):
        self.hub.profile.set_meters(("A", "A"))
        self.fill(T, T + 3 * STEP)
        self.hub.profile.set_meters(("B", "B"))
        self.hub.profile.append(Entry(T + 4 * STEP, EXCHANGED, (7, 0)))
        page = self.page()
        self.assertEqual((page["values"], page["quality"]), ([[None] * 4 + [7]], "00005"))


if __name__ == "__main__":
    unittest.main()
