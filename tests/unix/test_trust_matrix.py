"""The access matrix: every role and every command, against a second copy of the table, made from the standards' side.

GBCS use-case permissions for SUP, DNO, ADM (its access control broker) and LC; TR 102 691 for ESP, EFF, CON, INST.
"""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.trust import matrix

_LETTERS = {"y": "yes", "c": "consent", "l": "display", "-": ""}
# command, classes, then y yes, c with consent, l at the display only, - no, for SUP DNO ADM LC ESP EFF CON INST
_STANDARD = """
read.import_registers - yy--ccl-
read.tou_registers - yy--ccl-
read.export_registers - -yy-ccl-
read.power_now - yyy-ccly
read.max_demand - yyy-ccl-
read.profile_import - yyy-ccl-
read.profile_export - -yy-ccl-
read.profile_reactive - yyy---l-
read.daily_consumption - yyy-ccl-
read.daily_log - y-y-c-l-
read.billing_log - y-y-c-l-
read.prepay_registers - y-----l-
read.balance - y-----l-
read.prepay_config - y-----l-
read.tariff - y-y-ccl-
read.supply_state - yyy---ly
read.load_limit - yyy---ly
read.voltage_log - yyy---l-
read.voltage_config - yyy---l-
read.event_log - yyy----y
read.security_log - yyy----y
read.power_event_log - yyy----y
read.hub_event_log - --y----y
read.hub_security_log - --y----y
read.device_log - --y---ly
read.firmware_version - yyy----y
read.device_identity - yyy----y
set.tariff_price CPF y-------
set.payment_mode CPF y-------
set.prepay_config CPF y-------
set.debt CP y-------
adjust.balance CP y-------
reset.balance CP y-------
prepay.topup P y-----l-
prepay.activate_emergency CP y-----l-
supply.arm CP y-------
supply.enable CP y-----l-
supply.disable CP y-------
set.load_limit CPF y-------
reset.load_limit_counter P y-------
set.tamper_state CP y-------
set.clock CP y-------
set.billing_calendar CP y-------
set.power_thresholds - y-------
set.event_behaviour - yy------
set.voltage_config P -y------
reset.voltage_counters P -y------
set.max_demand_period P -y------
reset.max_demand - -y------
set.aux_controller_state CP y-------
set.aux_calendar CPF y-------
set.aux_level_limit CP ---y----
message.send - yyy-yy--
dr.event CP yy-ycc--
dg.event CP yy-ycc--
set.change_of_tenancy - y-------
disable.privacy_pin P y-------
send.customer_id P --y-----
clear.event_log - y-------
device.add P --y----y
device.remove P --y----y
device_log.restore P --y-----
device.join CP y-y----y
device.unjoin - y-y----y
firmware.activate CP y-y-----
credentials.update CP yyyy----
schedule.set - yyy-cc--
schedule.read - yyy-cc--
schedule.delete - yyy-cc--
export.applet_install P c-y-cc--
export.request P c---cc--
han.test_run - --y---ly
"""
# what this hub has beyond it: by the flows of TR 102 691, and what its owner and an administrator need
_OURS = """
read.clock - y-------
read.power_quality - -yy---l-
read.outage_log - yy------
read.tamper_log - --y----y
read.capabilities - yyy----y
read.settings - --y-----
read.health - --y----y
read.charging - yyyyyy--
set.settings CP --y-----
message.withdraw - yyy-yy--
message.status - yyy-yy--
outage.planned - -y------
dr.report - yy-ycc--
efficiency.propose - -----y--
efficiency.apply - -----y--
consent.ask - yyyyyy--
device.command CP y-y-----
device.schedule CP y-y-----
device.list - --y---ly
hardware.replaced P --y----y
diag.run - --y----y
"""
_SECOND = {"credentials.update": ("TCOS", "ROOT"), "read.clock": ("ROOT",), "set.clock": ("ROOT",)}
_SECOND["set.change_of_tenancy"] = _SECOND["outage.planned"] = ("ROOT",)


def expected():
    """Return {command: (classes, {role: permission})} of the copy above."""
    table = {}
    for line in (_STANDARD + _OURS).split("\n"):
        if line:
            name, classes, letters = line.split(" ")
            may = {role: "yes" if role in _SECOND.get(name, ()) else "" for role in ("TCOS", "ROOT")}
            for i, letter in enumerate(letters):
                may[matrix.ROLES[i]] = _LETTERS[letter]
            table[name] = (classes.replace("-", ""), may)
    return table


class MatrixTest(unittest.TestCase):
    def test_every_role_and_every_command_is_as_in_the_copy(self):
        table = expected()
        self.assertEqual(sorted(matrix.commands()), sorted(table))
        for name, (classes, may) in table.items():
            _, letters, roles = matrix.row(name)
            self.assertEqual(letters, classes, name)
            for role in matrix.ROLES:
                self.assertEqual(matrix.permission(roles, role), may[role], name + " " + role)

    def test_no_row_names_a_role_twice_or_one_that_does_not_exist(self):
        names = matrix.commands()
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            roles = [one.rstrip("?!") for one in matrix.row(name)[2]]
            self.assertEqual(len(set(roles)), len(roles), name)
            self.assertEqual([one for one in roles if one not in matrix.ROLES], [], name)

    def test_default_is_deny(self):
        for name in (
            "",
            " ",
            "read",
            "read.",
            "ead.balance",
            "read.balance -",
            "read.clock clock",
            "read.balance\n",
            "SUP",
            "set.clock ",
        ):
            self.assertEqual(matrix.row(name), None)
        for name in matrix.commands():
            roles = matrix.row(name)[2]
            for role in ("", "?", "!", "SU", "sup", "SUP?", "ANY", "-"):
                self.assertEqual(matrix.permission(roles, role), "", name)

    def test_what_may_have_a_date_is_critical_and_what_changes_the_supply_is(self):
        for name in matrix.commands():
            letters = matrix.row(name)[1]
            self.assertTrue("F" not in letters or "CP" in letters, name)
            if name.startswith(("supply.", "firmware.", "credentials.")):
                self.assertEqual(letters, "CP")

    def test_the_household_commands_nothing_from_outside(self):
        for name in matrix.commands():
            self.assertTrue(matrix.permission(matrix.row(name)[2], "CON") in ("", "display"), name)


if __name__ == "__main__":
    unittest.main()
