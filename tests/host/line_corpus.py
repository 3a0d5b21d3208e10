"""What the corpus tests of the polled meters share: the interpreters, and decoding of bytes in each of them."""

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
    return [json.loads(line) for line in said.stdout.splitlines()]
