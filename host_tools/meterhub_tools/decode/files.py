"""Files of what was on a meter's line, as a stream of bytes.

The name's end says what is in a file: .bin raw bytes; .hex hexadecimal digits (hexdump.py says in which forms); .txt a
text telegram; .json a list of texts or of {"request", "response"} in hexadecimal, or such lists by name; .cap, or any
other file that begins so, what `meterhub capture` has written. Under any other name the content decides. A .bin that
is a capture is read as one; a .txt of nothing but hexadecimal digits as those.

A byte order mark is taken off, and UTF-16 read as text. Editors save texts with LF alone, while CRCs are over CR LF: a
text without any CR can be read either way, and streams() gives both. The way with more good frames is right, the
file as it is where both are.

Errors   ToolError names the file and what is wrong with it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ToolError
from . import capture_file, hexdump

_MOST_BYTES = 64 << 20
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Stream:
    """The bytes of a line; between two pieces it was silent for a second or more."""

    pieces: tuple[bytes, ...]

    @property
    def raw(self) -> bytes:
        """All of its bytes."""
        return b"".join(self.pieces)


def streams(path: Path) -> list[Stream]:
    """Return the ways in which a file can be read, the likeliest first."""
    raw = _bytes(path)
    if capture_file.is_one(raw):
        return [Stream(capture_file.pieces(raw, path))]
    kind = path.suffix.lower()
    if kind == ".bin":
        return [Stream((raw,))]
    text = _text(raw)
    if kind == ".json":
        return [Stream(_json(text, path))]
    if kind == ".hex" or hexdump.looks_like(text):
        return [Stream((_hex(text, path),))]
    plain = text.encode("latin-1", "replace")
    found = [Stream((plain,))]
    if b"\n" in plain and b"\r" not in plain:
        found.append(Stream((plain.replace(b"\n", b"\r\n"),)))
    return found


def raw(path: Path) -> bytes:
    """Return the bytes of the line, read in the likeliest way; a P1 text with LF alone is taken as it is."""
    return streams(path)[0].raw


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ToolError(f"{path} is longer than {_MOST_BYTES >> 20} MB; cut a part out of it")
        return path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}") from None


def _text(raw: bytes) -> str:
    """Return bytes as text in which every character stands for one byte, as it was on the line."""
    for mark, coding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(coding, "replace")
    return raw.decode("latin-1")


def _hex(text: str, path: Path) -> bytes:
    try:
        return hexdump.parsed(text)
    except ValueError as error:
        raise ToolError(f"{path}: {error}") from None


def _json(text: str, path: Path) -> tuple[bytes, ...]:
    try:
        pieces = _pieces(json.loads(text))
    except ValueError as error:
        raise ToolError(f"{path}: {error}") from None
    if not pieces:
        raise ToolError(f"{path}: neither a list of texts nor of requests and responses")
    return pieces


def _pieces(given: Any) -> tuple[bytes, ...]:
    """Return what was on the line: a list of texts came without a pause, everything else one after the other."""
    if isinstance(given, str):
        return (given.encode("latin-1", "replace"),)
    if isinstance(given, list) and given and all(isinstance(part, str) for part in given):
        return ("".join(given).encode("latin-1", "replace"),)
    if isinstance(given, dict) and "response" in given:
        return (hexdump.parsed(f"{given.get('request', '')} {given['response']}"),)
    parts = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    return tuple(piece for part in parts for piece in _pieces(part))
