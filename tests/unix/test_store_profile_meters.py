"""The load profile over an exchange of meters: two meters' readings never meet, and none is lost by a power cut."""

import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import flip, fresh, read, remove

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, MISSING, Column, Entry
from meterhub.errors import HubError
from meterhub.store import files
from meterhub.store import profile as module
from meterhub.store.profile import Profile

T = seconds(2025, 10, 9, 9)
STEP = 1800
IMPORT = Column("1-0:1.8.0", 0, 30)
GAS = Column("0-1:24.2.1", -3, 13)
START = {"A": 70000, "B": 300, "C": 90000, "": 50000, "G": 4000, "H": 9000}  # what each meter reads at T


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.told = []
        self.profile = self.boot()

    def tearDown(self):
        remove(self.folder)
        self.assertEqual(self.told, [])

    def boot(self, columns=(IMPORT, GAS)):
        return Profile(self.folder, list(columns), STEP, 13, self.told.append)

    def put(self, meters, *steps, of=None):
        """Set the meters, and append what they (or those in `of`) read at the steps."""
        self.profile.set_meters(meters)
        for n in steps:
            self.profile.append(Entry(T + n * STEP, MEASURED, tuple([START[m] + n for m in of or meters])))

    def steps(self, start, stop, meters=None, profile=None):
        """Return for each column a text: a letter for each step, that of whose reading it is, "." for None."""
        shown = ["", ""]
        for n, entry in enumerate((profile or self.profile).read(T + start * STEP, T + stop * STEP, meters)):
            self.assertEqual(entry.at, T + (start + n) * STEP)
            self.assertEqual(entry.quality == MISSING, entry.values == (None, None))
            for i, value in enumerate(entry.values):
                shown[i] += "." if value is None else whose(value, start + n)
        return shown


def whose(value, n):
    for meter, start in START.items():
        if value == start + n:
            return meter or "?"
    return "wrong"


class ExchangeTest(Case):
    def test_an_exchange_keeps_the_history_apart_and_nothing_is_removed(self):
        self.put(("A", "G"), 0, 1, 2)
        before = read(self.folder + "/202510a.lp")
        self.put(("B", "G"), 3, 4)
        self.assertEqual(self.steps(0, 5), ["...BB.", "GGGGG."])
        self.assertEqual(self.steps(0, 5, ("A", "G")), ["AAA...", "GGGGG."])
        self.assertEqual(files.names(self.folder), ["202510a.lp", "202510b.lp"])
        self.assertEqual(read(self.folder + "/202510a.lp"), before)
        self.assertEqual((self.profile.first, self.profile.last, self.profile.count), (T, T + 4 * STEP, 5))

    def test_it_does_not_matter_which_of_the_two_had_read_more(self):
        self.put(("A", "G"), 0, 1)
        self.put(("C", "G"), 2, 3)
        self.assertEqual(self.steps(0, 3), ["..CC", "GGGG"])

    def test_where_all_meters_are_others_nothing_is_there(self):
        self.put(("A", "G"), 0, 1)
        self.put(("B", "H"), 2)
        self.assertEqual(self.steps(0, 2), ["..B", "..H"])
        self.assertEqual(self.profile.value_at(T), None)

    def test_an_exchange_counts_from_when_it_is_told_before_anything_is_kept(self):
        self.put(("A", "G"), 0, 1)
        self.put(("B", "G"))
        self.assertEqual(self.steps(0, 1), ["..", "GG"])

    def test_a_boot_knows_whose_the_history_is(self):
        self.put(("A", "G"), 0, 1)
        self.put(("B", "G"), 2)
        self.profile = self.boot()
        self.assertEqual(self.profile.meters, ("B", "G"))
        self.assertEqual(self.steps(0, 2), ["..B", "GGG"])
        self.put(("", ""), 3, of=("B", "G"))
        self.assertEqual(self.steps(0, 3), ["..BB", "GGGG"])
        self.assertEqual(files.names(self.folder), ["202510a.lp", "202510b.lp"])

    def test_a_boot_opens_no_more_files_than_it_takes_to_know_every_meter(self):
        self.put(("A", ""), 0, of=("A", "G"))
        self.put(("A", "G"), 1, 2000, 4000)
        names = files.names(self.folder)
        self.assertEqual(names, ["202510a.lp", "202510b.lp", "202511a.lp", "202512a.lp"])
        for name in names[:3]:
            flip(self.folder + "/" + name, 0)
        self.profile = self.boot()
        self.assertEqual((self.profile.meters, self.profile.last), (("A", "G"), T + 4000 * STEP))
        self.assertEqual(self.told, [])
        for _ in range(2):
            for _ in self.profile.look():
                pass
            self.assertEqual(self.told, [name + ": damaged at byte 0" for name in names[:3]])
        self.told.clear()

    def test_a_meter_that_only_an_old_file_names_is_found(self):
        self.put(("A", "G"), 0)
        self.profile = self.boot((IMPORT,))
        self.profile.append(Entry(T + 2000 * STEP, MEASURED, (START["A"] + 2000,)))
        self.profile.append(Entry(T + 4000 * STEP, MEASURED, (START["A"] + 4000,)))
        self.assertEqual(self.boot().meters, ("A", "G"))

    def test_a_meter_exchanged_while_the_hub_was_off_is_seen(self):
        self.put(("A", "G"), 0, 1)
        self.profile = self.boot()
        self.assertEqual(self.profile.exchanged(("B", "")), [0])
        self.put(("B", ""), 2, of=("B", "G"))
        self.assertEqual(self.steps(0, 2), ["..B", "GGG"])

    def test_which_columns_change_hands(self):
        self.assertEqual(self.profile.exchanged(("A", "G")), [])
        self.put(("A", ""), 0, of=("A", "G"))
        for meters, columns in (("A", "G"), []), (("", ""), []), (("B", "G"), [0]), (("A\n ", ""), []):
            self.assertEqual(self.profile.exchanged(meters), columns)
        self.put(("A", "G"))
        self.assertEqual(self.profile.exchanged(("B", "H")), [0, 1])

    def test_a_meter_that_comes_back_has_its_history_again(self):
        self.put(("A", "G"), 0, 1)
        self.put(("B", "G"), 2, 3)
        self.put(("A", "G"), 4, 5)
        for _ in range(2):
            self.assertEqual(self.steps(0, 5), ["AA..AA", "GGGGGG"])
            self.profile = self.boot()

    def test_an_exchange_taken_back_before_anything_was_kept_leaves_no_trace(self):
        self.put(("A", "G"), 0, 1)
        for _ in range(40):
            self.put(("B", "G"))
            self.put(("A", "G"))
        self.put(("A", "G"), 2, 3)
        self.assertEqual(files.names(self.folder), ["202510a.lp"])
        self.assertEqual(self.steps(0, 3, None, self.boot()), ["AAAA", "GGGG"])

    def test_the_months_after_an_exchange_are_of_the_new_meter(self):
        self.put(("A", "G"), 0)
        self.put(("B", "G"), 1, 2000, 2001)
        self.assertEqual(files.names(self.folder), ["202510a.lp", "202510b.lp", "202511a.lp"])
        self.assertEqual(self.steps(1999, 2002, None, self.boot()), [".BB.", ".GG."])

    def test_a_column_keeps_its_meter_when_the_columns_are_others(self):
        self.put(("A", "G"), 0, 1)
        self.profile = self.boot((GAS,))
        self.assertEqual(self.profile.meters, ("G",))
        self.profile.append(Entry(T + 2 * STEP, MEASURED, (START["G"] + 2,)))
        self.profile = self.boot()
        self.assertEqual(self.profile.meters, ("A", "G"))
        self.put(("B", "G"), 3)
        self.assertEqual(self.steps(0, 3), ["...B", "GGGG"])

    def test_a_reader_goes_on_with_the_meters_it_began_with(self):
        self.put(("A", "G"), *range(60))
        seen = []
        for entry in self.profile.read(T, T + 59 * STEP):
            seen.append(entry.values[0] is not None)
            if len(seen) == 20:
                self.put(("B", "G"), 60)
        self.assertEqual(seen, [True] * 60)


class Full:
    """A flash that takes no new file, as long as the `with` lasts."""

    def __enter__(self):
        self._replace = files.replace
        files.replace = self._refuse
        return self

    def __exit__(self, *_):
        files.replace = self._replace

    def _refuse(self, path, content):
        raise OSError(28)


class UnknownTest(Case):
    """Files from before it was known whose they are: of a hub whose meter told no id, or of older firmware."""

    def test_they_are_of_the_first_meter_that_became_known(self):
        self.put(("", ""), 0, 1, of=("A", "G"))
        self.put(("A", "G"), 2)
        self.assertEqual(self.steps(0, 2), ["AAA", "GGG"])
        self.put(("B", "G"), 3)
        for _ in range(2):
            self.assertEqual(self.steps(0, 3), ["...B", "GGGG"])
            self.assertEqual(self.steps(0, 3, ("A", "G")), ["AAA.", "GGGG"])
            self.profile = self.boot()

    def test_who_was_the_first_is_known_when_it_is_exchanged_before_anything_is_read(self):
        self.put(("", ""), 0, 1, of=("A", "G"))
        self.put(("A", "G"), 2)
        self.profile = self.boot()
        self.put(("B", "G"), 3)
        self.assertEqual(self.steps(0, 3), ["...B", "GGGG"])
        self.assertEqual(self.steps(0, 3, ("A", "G")), ["AAA.", "GGGG"])

    def test_who_was_the_first_is_known_though_no_file_could_be_begun_for_it(self):
        self.put(("", ""), 0, 1, of=("A", "G"))
        self.profile = self.boot()
        with self.assertRaises(HubError), Full():
            self.profile.set_meters(("A", "G"))
        self.put(("B", "G"), 2)
        self.assertEqual(self.steps(0, 2), ["..B", "GGG"])

    def test_who_became_known_is_kept_at_once(self):
        self.put(("", ""), 0, 1, of=("A", "G"))
        self.profile = self.boot()
        self.put(("A", ""))
        self.profile = self.boot()  # the power was cut, and the meter exchanged meanwhile
        self.assertEqual(self.profile.meters, ("A", ""))
        self.put(("B", "G"), 2)
        self.assertEqual(self.steps(0, 2, None, self.boot()), ["..B", "GGG"])

    def test_the_file_that_was_begun_for_it_is_gone_on_with(self):
        self.put(("", ""), 0, of=("A", "G"))
        self.put(("A", "G"))
        self.profile = self.boot()
        self.put(("A", "G"), 1, 2)
        self.assertEqual(files.names(self.folder), ["202510a.lp", "202510b.lp"])
        self.assertEqual(self.steps(0, 2, None, self.boot()), ["AAA", "GGG"])

    def test_a_hub_without_a_history_begins_no_file_for_it(self):
        self.put(("A", "G"))
        self.assertEqual(files.names(self.folder), [])

    def test_a_column_that_is_never_known_is_read_whole(self):
        self.put(("A", ""), 0, 1)
        self.put(("B", ""), 2)
        self.assertEqual(self.steps(0, 2), ["..B", "???"])

    def test_when_no_letter_is_left_it_says_so_and_keeps_on_trying(self):
        self.put(("A", "G"), 0)
        for n in range(1, 26):
            self.put(("B" if n % 2 else "A", "G"), n)
        for _ in range(2):
            try:
                self.put(("A", "G"), 26)
                self.fail("not refused")
            except HubError as err:
                self.assertEqual(err.name, "STORE_FULL")
        self.assertEqual(self.steps(24, 26), ["A..", "GG."])
        self.put(("A", "G"), 2000)
        self.assertEqual(self.steps(2000, 2000), ["A", "G"])


class DamageTest(Case):
    def test_under_a_damaged_header_nothing_is_taken_for_another_meter_s(self):
        self.put(("A", "G"), 0, 1)
        self.put(("B", "G"), 2, 3)
        whole = read(self.folder + "/202510a.lp")
        for offset in range(len(whole) - 20):
            flip(self.folder + "/202510a.lp", offset, 1 << offset % 8)
            for meters, shown in (("B", "G"), "..BB"), (("A", "G"), "AA.."):
                found = self.steps(0, 3, meters, self.boot())[0]
                self.assertTrue(all([c in (".", shown[i]) for i, c in enumerate(found)]), (offset, found))
            with open(self.folder + "/202510a.lp", "wb") as file:
                file.write(whole)
        self.told.clear()

    def test_the_only_file_s_damaged_header_costs_nothing_once_its_meter_has_told_who_it_is(self):
        self.put(("A", "G"), 0, 1)
        flip(self.folder + "/202510a.lp", 5)
        self.profile = self.boot()
        self.assertEqual((self.profile.last, self.profile.count), (None, 0))
        self.put(("A", "G"), 2)
        self.assertEqual((self.profile.first, self.profile.count), (T, 3))
        self.assertEqual(self.steps(0, 2, None, self.boot()), ["AAA", "GGG"])
        self.told.clear()


class Cut(BaseException):
    """The power is cut."""


class Flash:
    """Stands for `os` and `open` of the store: after so many changes of the flash the power is cut.

    kept: how many bytes of what was being written are there then.
    """

    def __init__(self, changes, kept):
        self.left = changes
        self.kept = kept

    def __enter__(self):
        files.os = self
        files.open = module.open = self._open
        return self

    def __exit__(self, *_):
        files.os = os
        del files.open, module.open

    def _open(self, path, mode):
        return _File(self, open(path, mode)) if mode in ("wb", "ab") else open(path, mode)

    def rename(self, old, new):
        self.count()
        os.rename(old, new)

    def remove(self, path):
        self.count()
        os.remove(path)

    def count(self):
        if not self.left:
            raise Cut
        self.left -= 1

    def __getattr__(self, name):
        return getattr(os, name)


class _File:
    def __init__(self, flash, file):
        self._flash = flash
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, raw):
        if not self._flash.left:
            self._file.write(bytes(raw)[: self._flash.kept])
        self._flash.count()
        self._file.write(raw)


class PowerCutTest(Case):
    def cut_everywhere(self, before, work):
        """Let the power be cut at each change of the flash that work() makes; call self.check() after each boot."""
        cuts = 0
        for kept in (0, 1, 9, 1000):
            for changes in range(40):
                self.tearDown()
                self.setUp()
                before()
                try:
                    with Flash(changes, kept):
                        work()
                    break
                except Cut:
                    cuts += 1
                    self.profile = self.boot()
                    self.check()
                    self.told.clear()  # a torn record is told
        return cuts

    def test_wherever_it_is_cut_in_an_exchange_the_meters_do_not_meet(self):
        cuts = self.cut_everywhere(
            lambda: self.put(("A", "G"), 0, 1),
            lambda: self.put(("B", "G"), 2, 3, 4),
        )
        self.assertTrue(cuts >= 16)

    def test_wherever_it_is_cut_when_a_meter_becomes_known_and_then_is_exchanged(self):
        def work():
            self.put(("A", "G"))
            self.put(("B", "G"), 2, 3)

        cuts = self.cut_everywhere(lambda: self.put(("", ""), 0, 1, of=("A", "G")), work)
        self.assertTrue(cuts >= 20)

    def check(self):
        """Before the meter tells its id again, and after, B's readings are B's, and go on."""
        if self.profile.meters[0] == "B":
            self.assertEqual(self.steps(0, 1), ["..", "GG"])
        else:
            self.assertEqual(self.steps(0, 5), ["AA....", "GG...."])
        known = self.profile.meters[0]
        last = (self.profile.last - T) // STEP
        if not known:  # the cut came before A was kept: it is told again
            self.put(("A", "G"))
        self.put(("B", "G"), last + 1, last + 2)
        shown = self.steps(0, 8, None, self.boot())
        self.assertEqual(shown[0], ".." + "B" * (last + 1) + "." * (6 - last))
        self.assertEqual(shown[1], "G" * (last + 3) + "." * (6 - last))


if __name__ == "__main__":
    unittest.main()
