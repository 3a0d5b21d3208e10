"""Bytes written as hexadecimal digits, as people attach them to a bug report.

What is understood: digits together or in groups, in lines of any length, with blanks, commas, colons, dashes, 0x,
\\x, brackets and quotes between them; "#", "//" or ";" before a comment; a date or a time, a label ("RX:", ">>") or an
offset ("0040: ") at the front of a line; the letters that hexdump -C and xxd write at its end. A line that begins
with anything else is a comment. Where lines are cut inside a byte, the digits are joined.

Errors   ValueError: there are no digits in it.
"""

import re

_COMMENT = re.compile(r"#.*|//.*|;.*")
_GUTTER = re.compile(r"\|.*\|\s*$")  # hexdump -C
_XXD = re.compile(r"^([0-9a-fA-F]{6,8}:(?: [0-9a-fA-F]{2,4}){1,16})  .*$")
_OFFSET = re.compile(r"^\s*([0-9a-fA-F]{4,8})(?::\s|\s\s)")
_DATE = re.compile(r"(?<![\w:-])\d{4}[-/.]\d\d[-/.]\d\d(?=[T ])T?")
_TIME = re.compile(r"(?<![\w:])\d\d?:\d\d:\d\d(?:[.,]\d+)?Z?(?![\w:])(?=.*\w)")
_LABEL = re.compile(r"^[\s\[\]<>=-]*(?:[A-Za-z]*[G-WYZg-wyz][A-Za-z]*\d*\s*[:=>\]]*|[A-Za-z]+\s*[:>]\s)?[\s\[\]<>=-]*")
_BETWEEN = re.compile(r"0[xX]|\\x|[\s,:{}()\[\]\"'_-]+|\bb(?=['\"])")
_DIGITS = re.compile(r"[0-9a-fA-F]*")


def parsed(text: str) -> bytes:
    """Return the bytes that `text` spells."""
    digits = ""
    for line in text.splitlines():
        digits += _digits(line, len(digits) // 2)
    if len(digits) < 2:
        raise ValueError("no hexadecimal digits")
    return bytes.fromhex(digits[: len(digits) & ~1])  # half a byte at the end was cut off


def looks_like(text: str) -> bool:
    """Return whether a text is nothing but digits and what stands between them."""
    return bool(text.strip()) and all(_is_only_digits(line) for line in text.splitlines())


def _is_only_digits(line: str) -> bool:
    return bool(_DIGITS.fullmatch(_BETWEEN.sub("", _COMMENT.sub("", line))))


def _digits(line: str, before: int) -> str:
    """Return the digits of a line, "" for a comment; `before`: how many bytes there have been."""
    line = _without_offset(_GUTTER.sub("", _COMMENT.sub("", line)), before)
    if _is_only_digits(line) and not _TIME.search(line):
        return _joined(line)
    line = _LABEL.sub("", _TIME.sub(" ", _DATE.sub(" ", line)), count=1)
    return _joined(line) if _is_only_digits(line) else ""


def _without_offset(line: str, before: int) -> str:
    match = _OFFSET.match(line)
    if not match or (int(match[1], 16) != before and ":" not in match[0]):
        return line
    return _XXD.sub(r"\1", line)[match.end() :]


def _joined(line: str) -> str:
    """Return the digits of a line that has no others; where bytes stand alone, "7 E" is two of them."""
    groups = [group for group in _BETWEEN.split(line) if group]
    if groups and all(len(group) <= 2 for group in groups) and len(groups) > 1:
        return "".join(group.zfill(2) for group in groups)
    return "".join(groups)
