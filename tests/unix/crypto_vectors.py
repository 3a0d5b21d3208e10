"""What the tests of crypto and codec share: published vectors from tests/vectors, and the name of an error.

A vector file has lines "name value" and an empty line between two blocks.
"""

import board_heap  # noqa: F401 - first

from meterhub.errors import HubError

FOLDER = (__file__.rsplit("/", 1)[0] if "/" in __file__ else ".") + "/../vectors/"


def blocks(name):
    """Generate the blocks of the file `name` as dicts of strings; lines that begin with # are remarks."""
    block = {}
    with open(FOLDER + name) as lines:
        for each in lines:
            line = each.strip()
            if line.startswith("#"):
                continue
            if line:
                key, _, value = line.partition(" ")
                block[key] = value
            elif block:
                yield block
                block = {}
    if block:
        yield block


def integer(text):
    return int(text, 16)


def error_of(function, *arguments):
    """Return (name, field) of the HubError that function(*arguments) raises; None when it raises nothing."""
    try:
        function(*arguments)
    except HubError as exc:
        return exc.name, exc.field
    return None
