"""What the corpus tests of all meters share: the interpreters, and decoding of captures in each of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from meterhub_tools import toolchain
from meterhub_tools.errors import ToolError

ROOT = Path(__file__).parents[2]
DECODE = Path(__file__).with_name("line_decode.py")


def interpreters() -> list:
    found = [pytest.param([sys.executable], id="cpython")]
    for bits in (64, 32):
        try:
            words = [str(toolchain.micropython(bits)), "-X", "heapsize=190k"]
            found.append(pytest.param(words, id=f"micropython{bits}"))
        except ToolError as exc:
            skip = pytest.mark.skipif(not os.environ.get("CI"), reason=str(exc))
            found.append(pytest.param([], id=f"micropython{bits}", marks=skip))
    return found


def decode(words: list[str], kind: str, folder: Path, captures: list[bytes]) -> list[dict]:
    """Return {telegrams, errors} of each capture; `folder` is for the test's own files."""
    paths = []
    for raw in captures:
        paths.append(folder / f"{len(paths)}.bin")
        paths[-1].write_bytes(raw)
    env = toolchain.environment() | {"PYTHONPATH": f"{ROOT}/firmware:{ROOT}/host_tools/shims"}
    said = subprocess.run([*words, DECODE, kind, *paths], env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-500:] + said.stderr
    return results([json.loads(line) for line in said.stdout.splitlines()])


def results(lines: list[dict]) -> list[dict]:
    """Put together what line_decode.py says line by line."""
    found, telegrams, readings = [], [], []
    for line in lines:
        if "reading" in line:
            readings.append(line["reading"])
        elif "telegram" in line:
            telegrams.append(line["telegram"] | {"readings": readings})
            readings = []
        else:
            found.append({"telegrams": telegrams, "errors": line["errors"]})
            telegrams = []
    return found


def decode_streams(words: list[str], program: Path, arguments: list) -> list[dict]:
    """Return {telegrams, errors} for each argument of a program that prints telegrams line by line, then errors."""
    env = toolchain.environment() | {"PYTHONPATH": f"{ROOT}/firmware:{ROOT}/host_tools/shims"}
    said = subprocess.run([*words, program, *arguments], env=env, capture_output=True, text=True, check=True)
    found, telegrams = [], []
    for line in said.stdout.splitlines():
        result = json.loads(line)
        if "errors" not in result:
            telegrams.append(result)
            continue
        found.append(result | {"telegrams": telegrams})
        telegrams = []
    return found
