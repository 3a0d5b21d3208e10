"""Boards in an emulator: the real MicroPython image for the Raspberry Pi Pico, on rp2040js."""

import pytest
from pico import Repl

from meterhub_tools.emulator import image
from meterhub_tools.emulator.board import EmulatedPico


@pytest.fixture(scope="session")
def stock_image():
    """The path of the stock image, built when there is none yet; the tier is skipped where there are no sources."""
    if not image.available():
        pytest.skip("no MicroPython sources for the RP2040 on this system: they come from a Debian archive")
    return image.image("stock")


@pytest.fixture(scope="session")
def frozen_image(stock_image):
    """The path of the image with the firmware frozen in."""
    return image.image("frozen")


@pytest.fixture
def pico(stock_image):
    """A fresh board with stock MicroPython."""
    with EmulatedPico(stock_image, pace=None) as board:
        yield board


@pytest.fixture
def repl(pico):
    """Its prompt."""
    with Repl(pico.port) as prompt:
        yield prompt
