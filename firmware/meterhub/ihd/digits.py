"""What a page is on digits of seven segments and a point, 8 or 6 of them.

What is shown how, one leaf at a time; a lit point at the very right says that B turns to the next one:
  a number     the first letter of its page and the number: "n   2.31" is NOW, 2.31 kW; "t" today, "M" the month; "E"
               instead when there is a trouble; "-" before what is exported. Then the lines, in words
  words        title, value, lines: as many words at a time as there is room for, in the letters below
  what B does  the last leaf names it: "ShoW PIn", "rEvokE?"
  a PIN        "1-   482", "2-   913", "3-   764", the code "C-  K7Q8", tries and time; then the first group again

Who asks is shown letter by letter, and "ShoW PIn" comes only after all of it was on the display. No two characters
look the same: S and Z are a 5 and a 2 without the bar in the middle. A name with other characters than letters,
digits and simple signs cannot be shown, and what cannot be shown cannot be agreed to (screens.py).

Runs on  both
"""

from micropython import const

from .plain import plain
from .rows import rows

POINT = const(0x80)
_POINTS = const(".,:")
_UNNEEDED = const("€£$▲○◐●%")
# bit 0: segment a (top), then clockwise b to f, bit 6: g (middle)
CHARACTERS = " -_=?/'\"()°+&0123456789abcdefghijklmnopqrstuvwxyz"
SEGMENTS = (
    b"\x00\x40\x08\x48\x53\x52\x20\x22\x31\x0f\x63\x46\x7a\x3f\x06\x5b\x4f\x66\x6d\x7d\x07\x7f\x6f"
    b"\x77\x7c\x39\x5e\x79\x71\x3d\x74\x30\x1e\x75\x38\x55\x54\x5c\x73\x67\x50\x2d\x78\x3e\x1c\x1d\x76\x6e\x1b"
)


def _plainly(text):
    """Return `text` without what digits have no sign for and no need of."""
    return "".join([_letter(character) for character in text if character not in _UNNEEDED])


def _letter(character):
    if character in "↑–":
        return "-"
    if character == "*":
        return "°"
    lower = character.lower()
    return lower if lower in CHARACTERS or character in _POINTS else plain(character).lower() or "?"


def _cells(text):
    """Return how many digits a text takes: a point stands beside the digit before it."""
    count = 0
    free = False
    for character in text:
        pointed = character in _POINTS
        if not (pointed and free):
            count += 1
        free = not pointed
    return count


def segments(text: str, cells: int) -> bytearray:
    """Return the segments (bit 7: the point) of `text` on `cells` digits; the rest stays dark."""
    out = bytearray(cells)
    at = -1
    free = False
    for character in _plainly(text):
        pointed = character in _POINTS
        if not (pointed and free):
            at += 1
        if at >= cells:
            break
        out[at] |= POINT if pointed else SEGMENTS[CHARACTERS.find(character)]
        free = not pointed
    return out


def readable(text: str) -> bool:
    """Return True when there is a shape for each character, if only without its accent."""
    return all([c.lower() in CHARACTERS or c in _POINTS or plain(c) != "" for c in text])


def leaves(page, cells: int) -> list:
    """Return the texts that `page` becomes on `cells` digits."""
    if not page.text and page.value.count(" ") == 2 and page.value.replace(" ", "").isdigit():
        groups = page.value.split(" ") + list(page.lines)
        found = [_apart("123C"[i] + "-", groups[i], cells) for i in range(4)]
        return found + rows(_plainly(page.corner), cells, _cells)
    texts = page.lines + (page.text, page.strong)
    if page.unit:
        letter = "E" if page.lines[-1].startswith("▲") else page.title.split(" ")[-1][0]
        found = [_apart(letter, page.value, cells)]
    else:
        found = []
        texts = (page.title, page.value) + texts
    for text in texts + (page.b,):
        found += rows(_plainly(_fitted(text, cells)), cells, _cells)
    if page.b and _cells(found[-1]) < cells:
        found[-1] += "?"
    return found


def _fitted(text, cells):
    """Return a line with its numbers cut to whole ones where they have too many digits."""
    words = text.replace("\t", " ").split()
    for i in range(len(words)):
        whole, point, rest = words[i].partition(".")
        if point and _cells(words[i]) > cells and whole.isdigit() and rest.isdigit():
            words[i] = whole
    return " ".join(words)


def _apart(left, right, cells):
    return left + " " * (cells - _cells(left) - _cells(right)) + right


def leaf(page, number: int, cells: int) -> tuple:
    """Return how many leaves `page` has, and the segments of one of them."""
    found = leaves(page, cells)
    shown = segments(found[min(number, len(found) - 1)], cells)
    if len(found) > 1 and (number + 1 < len(found)):
        shown[-1] |= POINT
    return len(found), shown
