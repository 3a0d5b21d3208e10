"""Writes FLOWS.md: which test shows which flow of the use cases, and which requirement.

Source   ETSI TR 102 691, 5.2.3 to 5.2.16: basic (B), alternative (A) and variant (V) flows, and its potential new
         requirements, numbered here PR-01 to PR-28. UC-03 (prepayment) and UC-12 (devices at the premises) come later.

A test of a flow bears its number: test_uc_05_p_a3_... is one of UC-05-P-A3; the table names the first one of each.
Run it after a change of the tests: python -m meterhub_tools.dev.flows
"""

import ast
import functools

from ..toolchain import ROOT

PAGE = ROOT / "FLOWS.md"
NONE = "-"

# flow: what is sent; "hello" and "alert" are letters that the hub writes unasked
COMMANDS = {
    "UC-01-B1": "schedule.set",
    "UC-01-B2": "read.import_registers",
    "UC-01-A1": "read.import_registers",
    "UC-01-A2": "read.import_registers",
    "UC-01-A3": "schedule.set",
    "UC-01-A4": "read.import_registers",
    "UC-02-BI": "hello",
    "UC-02-BC": "set.settings",
    "UC-02-BM": "diag.run",
    "UC-02-A1": "set.settings",
    "UC-02-A2": "message.send",
    "UC-02-A3": "message.send",
    "UC-02-A4": "hardware.replaced",
    "UC-02-A5": "diag.run",
    "UC-04-B": "read.power_quality",
    "UC-04-A1": "read.power_quality",
    "UC-04-A2": "read.voltage_log",
    "UC-04-A3": "read.power_quality",
    "UC-05-BU": "read.outage_log",
    "UC-05-BU-V1": "alert",
    "UC-05-U-A1": "read.outage_log",
    "UC-05-U-A2": "read.outage_log",
    "UC-05-U-A3": "read.outage_log",
    "UC-05-U-A4": "read.outage_log",
    "UC-05-BP": "outage.planned",
    "UC-05-P-A1": "outage.planned",
    "UC-05-P-A2": "outage.planned",
    "UC-05-P-A3": "outage.planned",
    "UC-05-P-A4": "outage.planned",
    "UC-06-B": "dr.event",
    "UC-06-V1": "dr.event",
    "UC-06-V2": "dr.event",
    "UC-06-V3": "dr.event",
    "UC-06-A1": "dr.event",
    "UC-06-A2": "dr.event",
    "UC-07-B": "dg.event",
    "UC-07-V1": "schedule.set",
    "UC-07-A1": "dg.event",
    "UC-07-A2": "schedule.set",
    "UC-08-B": "read.profile_import",
    "UC-08-A1": "read.profile_import",
    "UC-08-A2": "read.profile_import",
    "UC-08-A3": "read.profile_import",
    "UC-09-B": "read.tamper_log",
    "UC-09-A1": "read.tamper_log",
    "UC-09-A2": "read.tamper_log",
    "UC-10-B": "set.tariff_price",
    "UC-10-V1": "set.tariff_price",
    "UC-10-A1": "set.tariff_price",
    "UC-10-A2": "set.tariff_price",
    "UC-10-A3": "set.tariff_price",
    "UC-11-B": "supply.disable",
    "UC-11-A1": "supply.disable",
    "UC-11-A2": "supply.disable",
    "UC-11-V1": "supply.disable",
    "UC-13-B": "efficiency.propose",
    "UC-13-V1": "efficiency.propose",
    "UC-13-A1": "efficiency.propose",
    "UC-13-A2": "efficiency.propose",
    "UC-14-B": "message.send",
    "UC-14-V1": "message.send",
    "UC-14-A1": "message.send",
    "UC-14-A2": "message.send",
}

_LATER_DEVICES = "with the devices at the premises"
_LATER_FIRMWARE = "with the delivery of firmware over the wire"
_LATER_MONEY = "with prepayment and private billing"
# number: (what is wanted, tests or flows that show it, what of it belongs to a later part)
REQUIREMENTS = {
    "PR-01": ("a reading on demand within 2 s", ("test_pr_01_power_is_read_on_demand_within_two_seconds",), ""),
    "PR-02": (
        "accurate and secure time: signed, no jump over 10 s unless that is signed for",
        (
            "test_a_hub_asks_for_the_time_and_is_told_it_by_who_may",
            "test_a_jump_is_refused_unless_the_message_says_so",
            "test_what_is_off_by_ten_seconds_is_right_twenty_later_without_a_step",
        ),
        "",
    ),
    "PR-03": ("reports by a period that can be changed", ("test_uc_01_b1_a_period_is_changed_at_run_time",), ""),
    "PR-04": ("the same report on demand", ("test_uc_01_b1_what_is_scheduled_is_what_is_told_on_demand",), ""),
    "PR-05": (
        "a command of several steps is carried out whole or not at all",
        (
            "test_wherever_the_power_is_cut_all_of_it_counts_or_nothing",
            "test_at_every_write_the_record_and_the_switch_agree_after_the_start",
        ),
        "",
    ),
    "PR-06": (
        "unasked, scheduled; round robin, at random in a window, groups in their order",
        (
            "test_fixed_is_at_once_and_round_robin_one_after_the_other",
            "test_random_is_spread_over_the_window_and_drawn_afresh",
            "test_groups_reply_in_their_order_and_anywhere_in_their_part",
        ),
        "",
    ),
    "PR-07": (
        "the system authenticates hubs",
        ("test_stranger_is_not_believed_otherwise", "test_letter_sealed_by_somebody_else_is_not_the_hubs"),
        f"devices behind the hub: {_LATER_DEVICES}",
    ),
    "PR-08": (
        "the hub authenticates whoever wants anything",
        ("test_pr_08_no_command_is_carried_out_for_who_has_not_signed_it", "test_every_role_and_every_command"),
        "",
    ),
    "PR-09": (
        "nobody on the way reads a consumption",
        ("test_pr_09_no_consumption_is_readable_on_any_topic", "test_everything_the_broker_saw_holds_no_reading"),
        "",
    ),
    "PR-10": (
        "the far end finds every changed bit",
        ("test_pr_10_a_bit_that_changes_on_the_way_is_found_at_the_far_end", "test_one_altered_bit_anywhere_is_found"),
        "",
    ),
    "PR-11": (
        "household and application both show who they are",
        ("test_what_is_refused_has_one_name_each", "test_uc_14_b_who_does_not_know_the_pin_decides_nothing"),
        "",
    ),
    "PR-12": (
        "keys stand in no dump, log, export or error",
        (
            "test_pr_12_the_hubs_key_is_in_nothing_that_it_says_or_keeps_elsewhere",
            "test_everything_comes_out_as_json_and_no_secret_does",
        ),
        "",
    ),
    "PR-13": (
        "integrity of a device is checked",
        ("test_an_altered_journal_is_told_once_and_the_hub_goes_on",),
        f"an altered firmware that cannot authenticate itself: {_LATER_FIRMWARE}",
    ),
    "PR-14": ("the tamper log is read remotely", ("UC-09-B",), ""),
    "PR-15": (
        "health is told before something fails",
        ("test_uc_02_bm_health_is_told_and_what_each_role_has_used",),
        "",
    ),
    "PR-16": (
        "the states of a hub's life",
        ("test_every_state_leads_only_where_the_table_says", "test_uc_02_bc_the_state_in_its_life_goes_where_it_may"),
        "",
    ),
    "PR-17": ("what a hub is made of can be read", ("test_uc_02_bi_what_it_is_made_of_can_be_read",), ""),
    "PR-18": ("the local network configures itself", (), _LATER_DEVICES),
    "PR-19": ("secure provisioning of firmware", (), _LATER_FIRMWARE),
    "PR-20": (
        "configuration has a version, is read back, and is on record",
        ("test_uc_02_bc_settings_are_applied_read_back_and_confirmed",),
        "",
    ),
    "PR-21": ("another supplier without a visit", ("test_a_supplier_is_changed_without_a_visit",), ""),
    "PR-22": (
        "a device is enabled and disabled remotely",
        ("test_pr_22_and_25_the_supply_of_a_home_on_credit_is_disabled_and_enabled", "UC-11-B"),
        "",
    ),
    "PR-23": (
        "a hub registers itself at power-on, also when the path was away",
        ("UC-02-BI", "test_a_broker_absent_at_start_is_waited_for_and_no_reading_is_lost"),
        "",
    ),
    "PR-24": (
        "a meter or hub is exchanged, the history kept apart",
        ("UC-02-A4",),
        f"the devices' network: {_LATER_DEVICES}",
    ),
    "PR-25": (
        "a switch that needs no prepayment, and says that it is there",
        ("test_pr_22_and_25_the_supply_of_a_home_on_credit_is_disabled_and_enabled",),
        "",
    ),
    "PR-26": ("what each role has used is counted", ("test_uc_02_bm_health_is_told_and_what_each_role_has_used",), ""),
    "PR-27": ("compensation that is signed and numbered", (), _LATER_MONEY),
    "PR-28": (
        "meter and display go on while the WAN is down",
        ("test_pr_28_the_display_goes_on_while_the_wan_is_down",),
        f"packets between listed devices: {_LATER_DEVICES}",
    ),
}


def tests_of(flow: str) -> list[str]:
    """Return the names of the tests that bear the flow's number, in the order of their files."""
    return [name for name in _tests() if _flow(name) == flow]


@functools.cache
def _tests() -> list[str]:
    """Return the names of all tests of use cases, in the order of their files."""
    trees = [ast.parse(path.read_text()) for path in sorted((ROOT / "tests/system").glob("test_uc_*.py"))]
    return [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]


def _flow(name: str) -> str:
    """Return the flow whose number a test's name begins with, "" for none: the longest that does."""
    marks = {flow: "test_" + flow.lower().replace("-", "_") for flow in COMMANDS}
    return max(
        (flow for flow, mark in marks.items() if name == mark or name.startswith(mark + "_")), key=len, default=""
    )


def page() -> str:
    """Return FLOWS.md."""
    first = {flow: (tests_of(flow) or [NONE])[0] for flow in COMMANDS}
    flows = [f"| {flow} | `{command}` | `{first[flow]}` |" for flow, command in COMMANDS.items()]
    return "\n".join([_TOP, *flows, _MIDDLE, *(_requirement(number, first) for number in REQUIREMENTS), ""])


def _requirement(number: str, first: dict[str, str]) -> str:
    wanted, tests, later = REQUIREMENTS[number]
    shown = "; ".join([f"`{first.get(test, test)}`" for test in tests] + ([f"later, {later}"] if later else []))
    return f"| {number} | {wanted} | {shown} |"


_TOP = """\
# Flows and requirements

What ETSI TR 102 691 wants of a smart metering system, and the test that shows it here: on the firmware itself, against
a real broker, with the failure brought about. `python -m meterhub_tools.dev.flows` writes this file, and `make test`
looks whether it is true.

## The flows of the use cases

B: basic, A: something fails, V: a variant. Where several tests show a flow, the first is named. Their files:
`tests/system/`, one for each use case. UC-03 (prepayment) and UC-12 (devices at the premises) come later.

| flow | command | test |
|---|---|---|"""
_MIDDLE = """
## The 28 requirements

The report's "potential new requirements", each once.

| requirement | what is wanted | shown by |
|---|---|---|"""


def main() -> None:
    """Write the file anew."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
