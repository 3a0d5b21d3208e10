"""The glyphs on the display are those that are drawn in glyphs.txt."""

import pytest

from meterhub_tools.dev import glyphs

DRAWING = (glyphs.HERE / "glyphs.txt").read_text()


def test_the_firmwares_glyphs_are_those_of_the_drawing() -> None:
    for path, names in glyphs.TARGETS.items():
        assert path.read_text() == glyphs.module(DRAWING, names)


def test_no_two_glyphs_of_a_font_look_the_same() -> None:
    for font in glyphs.drawings(DRAWING).values():
        pictures = ["\n".join(glyph) for glyph in font.values()]
        assert len(set(pictures)) == len(pictures)


def test_the_digits_of_a_pin_are_alike_in_size_and_far_apart_in_shape() -> None:
    digits = [glyphs.drawings(DRAWING)["big"][digit] for digit in "0123456789"]
    assert {(len(digit), len(digit[0])) for digit in digits} == {(20, 14)}
    for i, one in enumerate(digits):
        for other in digits[:i]:
            assert sum(a != b for a, b in zip("".join(one), "".join(other), strict=True)) >= 20


@pytest.mark.parametrize("damage", [("#.##", "#.#"), ("######", "######  #")])
def test_a_crooked_drawing_is_refused(damage: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"glyph|block"):
        glyphs.module(DRAWING.replace(*damage, 1), ("small", "medium", "big"))
