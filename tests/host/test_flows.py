"""Every numbered flow of the use cases has its test, and FLOWS.md names it; so it does for the requirements."""

import ast
import functools
import re

from meterhub.trust import matrix
from meterhub_tools.dev import flows
from meterhub_tools.toolchain import ROOT

# ETSI TR 102 691, 5.2.3 to 5.2.16: basic (B), alternative (A) and variant (V) flows; UC-03 and UC-12 come later
ROWS = """
01 B1 B2 A1 A2 A3 A4
02 BI BC BM A1 A2 A3 A4 A5
04 B A1 A2 A3
05 BU BU-V1 U-A1 U-A2 U-A3 U-A4 BP P-A1 P-A2 P-A3 P-A4
06 B V1 V2 V3 A1 A2
07 B V1 A1 A2
08 B A1 A2 A3
09 B A1 A2
10 B V1 A1 A2 A3
11 B A1 A2 V1
13 B V1 A1 A2
14 B V1 A1 A2
"""
FLOWS = [f"UC-{line.split()[0]}-{row}" for line in ROWS.strip().splitlines() for row in line.split()[1:]]
NO_FLOW = ("test_uc_02_send_customer_id",)  # a command of a use case that none of its flows speaks of


def written() -> str:
    return (ROOT / "FLOWS.md").read_text()


@functools.cache
def all_tests() -> frozenset[str]:
    found = set()
    for folder in ("host", "unix", "system", "board"):
        for path in (ROOT / "tests" / folder).glob("test_*.py"):
            tree = ast.parse(path.read_text())
            found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(found)


def test_there_are_sixty_three_rows_and_each_has_a_test():
    assert len(FLOWS) == 63
    assert list(flows.COMMANDS) == FLOWS
    assert [flow for flow in FLOWS if not flows.tests_of(flow)] == []


def test_every_test_of_a_use_case_bears_the_number_of_a_flow():
    numbered = {test for flow in FLOWS for test in flows.tests_of(flow)}
    assert [
        name for name in all_tests() - numbered if re.match(r"test_uc_\d", name) and not name.startswith(NO_FLOW)
    ] == []


def test_every_command_of_a_flow_is_one():
    assert set(flows.COMMANDS.values()) - {"hello", "alert"} <= set(matrix.commands())


def test_the_file_names_each_flow_and_its_test():
    table = re.findall(r"^\| (UC-\S+) \| `[^|]*` \| `(test_\w+)` \|$", written(), re.MULTILINE)
    assert [flow for flow, _ in table] == FLOWS
    assert [(flow, test) for flow, test in table if test not in flows.tests_of(flow)] == []


def test_each_requirement_is_shown_or_belongs_to_a_later_part():
    table = re.findall(r"^\| (PR-\d\d) \| [^|]+ \| ([^|]+) \|$", written(), re.MULTILINE)
    assert [number for number, _ in table] == [f"PR-{n:02}" for n in range(1, 29)]
    assert [number for number, shown in table if "`test_" not in shown and not shown.startswith("later, ")] == []


def test_every_test_that_the_file_names_exists():
    assert set(re.findall(r"`(test_\w+)`", written())) - all_tests() == set()


def test_the_file_is_as_it_would_be_written_now():
    assert written() == flows.page()
