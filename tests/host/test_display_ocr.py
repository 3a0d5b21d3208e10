"""A stranger can read the PIN page: tesseract, which knows nothing of our glyphs, reads an enlarged picture of it."""

import io
import os
import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, ImageFilter, ImageOps
from test_display_reader import CROCKFORD, asking, pages, pixels

from meterhub_tools.simulators.display_reader import MEDIUM

PINS = 40


@pytest.fixture(scope="module", autouse=True)
def tesseract() -> None:
    if not shutil.which("tesseract"):
        if os.environ.get("CI"):
            pytest.fail("no tesseract")
        pytest.skip("no tesseract on this machine")


def picture(page: pages.Page) -> Image.Image:
    image = Image.new("L", (128, 64))
    image.putdata([255 * pixel for row in pixels(page) for pixel in row])
    return image


def read(part: Image.Image, *words: str) -> str:
    """Return what tesseract reads in a part of the display, three times enlarged and softened, dark on light."""
    large = part.resize((part.width * 3, part.height * 3), Image.Resampling.NEAREST)
    large = ImageOps.invert(large.filter(ImageFilter.GaussianBlur(1.5)))
    png = io.BytesIO()
    ImageOps.expand(large, 20, 255).save(png, "PNG")
    command = ["tesseract", "-", "-", *words]
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    said = subprocess.run(command, input=png.getvalue(), capture_output=True, check=True, env=environment)
    return "".join(said.stdout.decode().split())


def read_pin(pin: str) -> str:
    image = picture(asking.pin(pin, "K7QX", 3, 300))
    image.paste(0, (64, 31, 128, 64))  # the code has a test of its own
    return read(image.crop((0, 9, 128, 54)), "--psm", "6", "-c", "tessedit_char_whitelist=0123456789")


def read_character(character: str) -> str:
    """Read a character of the code by itself; O, I and L are what Crockford's base32 takes them for."""
    code = picture(asking.pin("482913764", character, 3, 300)).crop((70, 39, 128, 39 + MEDIUM[1]))
    said = read(ImageOps.expand(code.crop(code.getbbox()), 8, 0), "--psm", "10").upper()
    return said.translate(str.maketrans("OIL", "011"))


def test_every_pin_is_read_right() -> None:
    rnd = random.Random(4)
    pins = ["".join(rnd.choices("0123456789", k=9)) for _ in range(PINS)]
    with ThreadPoolExecutor(2) as workers:
        assert list(workers.map(read_pin, pins)) == pins


def test_every_character_of_the_code_is_read_right() -> None:
    with ThreadPoolExecutor(2) as workers:
        assert "".join(workers.map(read_character, CROCKFORD)) == CROCKFORD
