"""Settings: every bad value is refused by its name, and the last good document stays in force."""

import json
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import fresh, read, remove, write

from meterhub.errors import ConfigError
from meterhub.store import settings, settings_table

KEY = "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
GOOD = {
    "schema": 1,
    "name": "hub",
    "zone": "GMT0BST,M3.5.0/1,M10.5.0",
    "currency": "GBP",
    "price": {"import_e5": 28500, "export_e5": 12000},
    "meters": [{"protocol": "p1", "input": "p1", "baud": 9600, "format": "7E1"}],
    "profile": {"registers": ["1-0:1.8.0"], "interval_s": 900},
    "wan": {"url": "mqtts://h:8883", "user": "u", "password": "p", "ca": "ca.der", "server_name": "h"},
    "recipients": [{"kid": "k", "name": "Green Co-op", "key": KEY}],
}
BAD = (
    ("schema", 2),
    ("schema", "1"),
    ("name", ""),
    ("name", "x" * 33),
    ("name", 5),
    ("zone", "Amsterdam"),
    ("currency", "XXX"),
    ("price.import_e5", -1),
    ("price.import_e5", 0.285),
    ("price.import_e5", True),
    ("price.import_e5", "28500"),
    ("meters", {}),
    ("meter.p1.uart", "p1"),
    ("profile.registers", []),
    ("profile.registers", ["1-0:1.8.0", "1-0:1.8.0"]),
    ("profile.registers", ["1-0:1.8"]),
    ("profile.registers", ["1-0:1.8.256"]),
    ("profile.registers", ["1-0:1.7.0"]),
    ("profile.registers", [5]),
    ("profile.registers", ["1-0:1.8.%d" % n for n in range(9)]),
    ("profile.registers", "1-0:1.8.0"),
    ("profile.interval_s", 600),
    ("profile.months", 0),
    ("wan.url", "http://h"),
    ("wan.url", None),
    ("wan.server_name", "x" * 256),
    ("voltage.watch", 1),
    ("tamper.watch", "yes"),
    ("tamper.inputs", "cover"),
    ("tamper.inputs", ["door"]),
    ("tamper.inputs", ["cover", "cover"]),
    ("tamper.inputs", [{}]),
    ("tamper.no_export", 0),
    ("tamper.failed", 2),
    ("tamper.failed", 101),
    ("recipients", {}),
    ("recipients", [{}]),
    ("recipients", [{"kid": "k", "name": "n", "key": KEY, "more": 1}]),
    ("recipients", [{"kid": "", "name": "n", "key": KEY}]),
    ("recipients", [{"kid": "k", "name": 5, "key": KEY}]),
    ("recipients", [{"kid": "k", "name": "n", "key": KEY[:-2]}]),
    ("recipients", [{"kid": "k", "name": "n", "key": "!" * 87}]),
    ("recipients", [{"kid": "k", "name": "n", "key": KEY}] * 2),
    ("recipients", [{"kid": "k%d" % n, "name": "n", "key": KEY} for n in range(9)]),
    ("events.to", "somebody"),
    ("wan.port", 1883),
    ("may.time", 5),
    ("may.everything", "k"),
    ("time.ntp", "x" * 129),
    ("outage.heartbeat_s", 9),
    ("outage.heartbeat_s", 601),
    ("nonsense", 1),
)


def changed(name, value):
    document = json.loads(json.dumps(GOOD))
    where = document
    for part in name.split(".")[:-1]:
        where = where.setdefault(part, {})
    where[name.split(".")[-1]] = value
    return document


class SettingsTest(unittest.TestCase):
    def refusal(self, document):
        try:
            settings.load(document)
        except ConfigError as err:
            return err.args[0]
        return ""

    def test_a_good_document_is_read(self):
        found = settings.load(GOOD)
        self.assertEqual(found.get("meters")[0]["format"], "7E1")
        self.assertEqual(found.get("price.import_e5"), 28500)
        self.assertEqual(found.get("profile.registers"), ["1-0:1.8.0"])
        self.assertEqual(found.get("recipients")[0]["kid"], "k")
        self.assertEqual(found.get("events.to"), "")
        self.assertTrue(settings_table.is_protected("events.to"))
        self.assertEqual(settings.load(changed("events.to", "k")).get("events.to"), "k")

    def test_what_is_left_out_has_its_default(self):
        found = settings.load({"schema": 1})
        self.assertEqual(found.get("profile.interval_s"), 1800)
        self.assertEqual(found.get("profile.registers"), ["1-0:1.8.0", "1-0:2.8.0"])
        self.assertEqual(found.get("wan.url"), "")
        self.assertEqual((found.get("voltage.watch"), found.get("tamper.watch")), (False, False))

    def test_a_name_that_is_no_setting_is_a_programmer_s_mistake(self):
        self.assertRaises(KeyError, settings.load(GOOD).get, "meter.p2")

    def test_every_bad_value_is_refused_by_name(self):
        for name, value in BAD:
            self.assertEqual((name, self.refusal(changed(name, value))), (name, name))

    def test_what_is_no_document_is_refused(self):
        for document in ([], None, "x", {}, {"name": "x"}):
            self.assertEqual(self.refusal(document), "schema")

    def test_no_refusal_repeats_a_value(self):
        for name, value in (("wan.password", 123456), ("wan.password", "s3cret" * 40), ("name", {"s3cret": 1})):
            try:
                settings.load(changed(name, value))
                self.fail("not refused")
            except ConfigError as err:
                self.assertTrue("s3cret" not in err.args[1] and "123456" not in err.args[1])


class FileTest(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.path = self.folder + "/settings.json"

    def tearDown(self):
        remove(self.folder)

    def put(self, document):
        write(self.path, json.dumps(document).encode())
        return settings.load_file(self.path)

    def test_without_a_file_the_defaults_are_in_force(self):
        found, refused = settings.load_file(self.path)
        self.assertEqual((found.get("name"), refused), ("meterhub", None))

    def test_while_the_file_is_bad_the_last_good_one_is_in_force(self):
        self.assertEqual(self.put(GOOD)[1], None)
        found, refused = self.put(changed("price.import_e5", -1))
        self.assertEqual((found.get("name"), refused.args[0]), ("hub", "price.import_e5"))
        found, refused = self.put(changed("name", "other"))
        self.assertEqual((found.get("name"), refused), ("other", None))

    def test_a_document_of_a_newer_firmware_is_refused_by_its_version_and_left_as_it_is(self):
        self.put(GOOD)
        good = read(self.path + ".good")
        raw = json.dumps({"schema": 2, "name": "future", "new": {"things": [1]}}).encode()
        write(self.path, raw)
        found, refused = settings.load_file(self.path)
        self.assertEqual((found.get("name"), refused.args), ("hub", ("schema", "is 2, of a newer firmware")))
        self.assertEqual((read(self.path), read(self.path + ".good")), (raw, good))
        write(self.path + ".good", raw)
        found, refused = settings.load_file(self.path)
        self.assertEqual((found.get("name"), refused.args[0]), ("meterhub", "schema"))
        self.assertEqual((read(self.path), read(self.path + ".good")), (raw, raw))

    def test_who_may_do_what_is_the_owners_to_say(self):
        from meterhub.store.settings_table import is_protected

        names = ("may.time", "may.notices", "may.history", "recipients", "wan.url")
        names += ("supply.switch", "supply.loads", "time.ntp", "name", "display.high_w")
        self.assertEqual([is_protected(name) for name in names], [True] * 7 + [False] * 3)
        self.assertTrue(is_protected("tamper.watch"))
        self.assertFalse(is_protected("voltage.watch") or is_protected("schema"))

    def test_rights_that_older_firmware_had_are_read_over(self):
        old = dict(GOOD)
        old["may"] = {"time": "k", "outage": "k", "tenancy": ""}
        found, refused = self.put(old)
        self.assertEqual((refused, found.get("may.time")), (None, "k"))
        self.assertEqual([name for name in found.all() if name in ("may.outage", "may.tenancy")], [])
        old["may"] = {"outages": "k"}
        self.assertEqual(self.put(old)[1].args[0], "may.outages")

    def test_a_bad_first_file_leaves_the_defaults(self):
        found, refused = self.put(changed("name", ""))
        self.assertEqual((found.get("name"), refused.args[0]), ("meterhub", "name"))

    def test_what_is_no_json_is_refused(self):
        self.put(GOOD)
        for raw in (b"", b"{", b"\xff\xfe", b"{}" * 5000, b"[" * 1000, b'{"schema":1}' + b" " * 9000):
            write(self.path, raw)
            found, refused = settings.load_file(self.path)
            self.assertEqual((found.get("name"), refused.args[0]), ("hub", "schema"))

    def test_a_damaged_copy_of_the_good_file_leaves_the_defaults(self):
        self.put(GOOD)
        write(self.path + ".good", b"{")
        write(self.path, b"{")
        found, refused = settings.load_file(self.path)
        self.assertEqual((found.get("name"), refused.args[0]), ("meterhub", "schema"))

    def test_a_good_file_that_did_not_change_is_not_written_again(self):
        self.put(GOOD)
        copy = read(self.path + ".good")
        write(self.path + ".good.new", b"")
        settings.load_file(self.path)
        self.assertEqual((read(self.path + ".good"), read(self.path + ".good.new")), (copy, b""))


if __name__ == "__main__":
    unittest.main()
