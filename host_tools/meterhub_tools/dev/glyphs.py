"""Packs the drawn glyphs of glyphs.txt into firmware/meterhub/ihd/glyphs.py and glyphs_code.py.

Run it after a change of the drawing: python -m meterhub_tools.dev.glyphs
"""

import json
import pathlib

HERE = pathlib.Path(__file__).parent
_IHD = HERE.parents[2] / "firmware/meterhub/ihd"
TARGETS = {_IHD / "glyphs.py": ("small", "big"), _IHD / "glyphs_code.py": ("medium",)}  # the fonts in each file
# glyphs with a name instead of a character: where firmware/meterhub/ihd/pages.py expects them
NAMED = {"space": " ", "wan": "\ue000", "nowan": "\ue001", "fresh": "\ue002", "old": "\ue003", "silent": "\ue004"}

_HEAD = '''"""Glyphs of the in-home display. Generated from host_tools/meterhub_tools/dev/glyphs.txt: do not edit.

Memory   a font is (characters, height, longest width, records); a record is the glyph's width and that many
         columns of (height + 7) // 8 bytes, the topmost pixel in bit 0 of the first, filled up with zeros
Runs on  both
"""

'''


def drawings(text: str) -> dict[str, dict[str, list[str]]]:
    """Return {font: {character: rows}} of a drawing; ValueError where rows do not fit their heading."""
    fonts: dict[str, dict[str, list[str]]] = {}
    for block in text.split("\n\n")[1:]:
        font, heading, *rows = block.strip("\n").split("\n")
        cells = [row.split() for row in rows]
        names = heading.split()
        if any(len(row) != len(names) for row in cells):
            raise ValueError(f"block {heading!r}")
        for i, name in enumerate(names):
            glyph = [row[i] for row in cells]
            if len({len(row) for row in glyph}) != 1:
                raise ValueError(f"glyph {name!r}")
            fonts.setdefault(font, {})[NAMED.get(name, name)] = glyph
    return fonts


def columns(glyph: list[str]) -> list[int]:
    """Return a drawn glyph's columns, the topmost pixel in bit 0."""
    return [sum(1 << y for y, row in enumerate(glyph) if row[x] == "#") for x in range(len(glyph[0]))]


def packed(font: dict[str, list[str]]) -> tuple[str, int, int, bytes]:
    """Return a font as these files hold it."""
    height = len(next(iter(font.values())))
    widest = max(len(glyph[0]) for glyph in font.values())
    size = (height + 7) // 8
    out = bytearray()
    for glyph in font.values():
        record = bytearray([len(glyph[0])])
        for column in columns(glyph):
            record += column.to_bytes(size, "little")
        out += record.ljust(1 + widest * size, b"\0")
    return "".join(font), height, widest, bytes(out)


def module(text: str, names: tuple[str, ...]) -> str:
    """Return the text of a file with the fonts `names` of a drawing."""
    out = _HEAD
    for name in names:
        font = drawings(text)[name]
        characters, height, widest, records = packed(font)
        step = len(characters) if len(characters) < 60 else 16
        texts = [json.dumps(characters[i : i + step]) for i in range(0, len(characters), step)]
        data = [_literal(records[i : i + 24]) for i in range(0, len(records), 24)]
        parts = (_stacked(texts), str(height), str(widest), _stacked(data))
        out += f"{name.upper()} = (\n" + "".join(f"    {part},\n" for part in parts) + ")\n"
    return out


def _literal(data: bytes) -> str:
    return 'b"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def _stacked(literals: list[str]) -> str:
    return "\n    ".join(literals)


def main() -> None:
    """Write the files."""
    for path, names in TARGETS.items():
        path.write_text(module((HERE / "glyphs.txt").read_text(), names))


if __name__ == "__main__":
    main()
