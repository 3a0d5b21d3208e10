"""What the documents name is there: files, commands, and the figures' command."""

import re
from pathlib import Path

import pytest

from meterhub_tools import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "THREAT_MODEL.md", "boards/README.md", "CHANGELOG.md", "FLOWS.md")
_LINK = re.compile(r"\]\(([^)#]+)\)")
_PATH = re.compile(r"`((?:tests|firmware|host_tools|boards)/[\w./-]+)`")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_a_document_names_exists(name):
    document = ROOT / name
    text = document.read_text()
    for found in _LINK.findall(text):
        if "://" not in found:
            assert (document.parent / found).exists(), found
    for found in _PATH.findall(text):
        assert (ROOT / found).exists(), found


def test_every_command_the_readme_names_exists():
    for name in re.findall(r"`meterhub (\w+)", (ROOT / "README.md").read_text()):
        assert name in cli.COMMANDS


def test_every_make_target_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    for name in re.findall(r"`make (\w+)`", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{name}:", makefile, re.M), name
