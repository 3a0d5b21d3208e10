"""Every file of tests/unix once more, under the MicroPython unix port: 64-bit, and 32-bit with a board's memory."""

import os
import subprocess
from pathlib import Path

import pytest

from meterhub_tools import toolchain
from meterhub_tools.errors import ToolError

TESTS = toolchain.ROOT / "tests"
FILES = sorted((TESTS / "unix").glob("test_*.py"))
SLOWEST_S = 180
HEAP = {32: toolchain.HEAP_OF_A_BOARD, 64: "320k"}  # no board has 64 bits: there every object is twice as large


def run_file(path: Path, micropython: Path, heap: str) -> tuple[bool, str]:
    """Run one test file in a fresh process; return whether it says that it went well, and all that it printed."""
    words = [micropython, "-X", f"heapsize={heap}", path]
    ended = subprocess.run(
        words,
        cwd=path.parent,
        env=toolchain.environment(TESTS / "lib"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SLOWEST_S,
        check=False,
    )
    return ended.returncode == 0 and went_well(ended.stdout), ended.stdout + ended.stderr


def went_well(printed: str) -> bool:
    """Tell whether micropython-lib's unittest ran something and ended with OK.

    Its exit status cannot be trusted (0 for errors), and a file without `unittest.main()` prints nothing at all.
    """
    lines = printed.split("\n")
    ran = [line for line in lines if line.startswith("Ran ") and line.endswith(" tests")]
    verdicts = [line for line in lines if line.startswith(("OK", "FAILED"))]
    return len(ran) == 1 and ran[0] != "Ran 0 tests" and len(verdicts) == 1 and verdicts[0].startswith("OK")


def interpreter(bits: int) -> Path:
    """Return the interpreter; skip on a developer's machine that has none. Where CI is set that is a failure."""
    try:
        return toolchain.micropython(bits)
    except ToolError as exc:
        if not os.environ.get("CI"):
            pytest.skip(str(exc))
        raise


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_file_passes(path: Path, bits: int) -> None:
    passed, printed = run_file(path, interpreter(bits), HEAP[bits])
    assert passed, printed


@pytest.mark.parametrize("bits", [64, 32])
def test_the_interpreter_is_what_it_is_taken_for(bits: int) -> None:
    asked = "import sys; print(sys.maxsize.to_bytes(8, 'big')[0] == 127, sys.implementation[1] >= (1, 24))"
    said = subprocess.run([interpreter(bits), "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(bits == 64), "True"]


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('an error')",
        "self.assertEqual(1, 2)",
        "import sys; sys.exit(0)",
        "bytearray(400_000)",
    ],
)
def test_a_file_that_does_not_pass_is_seen(body: str, tmp_path: Path) -> None:
    assert not passes(tmp_path, SAMPLE.format(body=body))


def test_a_file_that_runs_nothing_is_seen(tmp_path: Path) -> None:
    assert not passes(tmp_path, "import unittest\n")
    assert not passes(tmp_path, "import unittest\nunittest.main()\n")


def test_a_file_that_passes_is_seen(tmp_path: Path) -> None:
    assert passes(tmp_path, SAMPLE.format(body="pass"))


def passes(folder: Path, source: str) -> bool:
    path = folder / "test_sample.py"
    path.write_text(source)
    return run_file(path, toolchain.micropython(), HEAP[64])[0]


SAMPLE = """
import unittest
class SampleTest(unittest.TestCase):
    def test_sample(self):
        {body}
if __name__ == "__main__":
    unittest.main()
"""
