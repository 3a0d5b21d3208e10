"""A few named bytes in what a chip keeps through a reset, though not without power: the RTC memory of the ESP32.

Source   this file: of all pieces u8 length of the name, name, u8 length, content; then u16 CRC-16/ARC (from 0xFFFF).
Memory   a copy of it, at most 2 KB
Runs on  both; a board that keeps nothing has hal.Board.keep() say so, and then get() returns nothing
"""

from micropython import const

from ..codec.crc import crc16_arc

_SEED = const(0xFFFF)
_MOST = const(2048)


class Kept:
    """board: a hal Board, with keep(raw) -> whether it can, and kept() -> what keep() was given last."""

    def __init__(self, board) -> None:
        self._board = board
        self._pieces = _unpacked(board.kept())

    def get(self, name: str) -> bytes:
        """Return what put() was given under this name, b"" for nothing."""
        return self._pieces.get(name, b"")

    def put(self, name: str, raw: "bytes | bytearray") -> bool:
        """Keep `raw`, at most 255 bytes, in the place of what had this name; return whether it survives a reset."""
        self._pieces[name] = bytes(raw)
        return self._keep()

    def erase(self) -> None:
        """Forget everything."""
        self._pieces = {}
        self._keep()

    def _keep(self):
        out = bytearray()
        for name, raw in self._pieces.items():
            out.append(len(name))
            out.extend(name.encode())
            out.append(len(raw))
            out.extend(raw)
        out.extend(crc16_arc(out, len(out), _SEED).to_bytes(2, "little"))
        return len(out) <= _MOST and self._board.keep(bytes(out))


def _unpacked(raw):
    """Return the pieces, none of them when one bit is not what it was."""
    pieces = {}
    if 2 < len(raw) <= _MOST and not crc16_arc(raw, len(raw), _SEED):
        pos = 0
        while pos < len(raw) - 2:
            stop = pos + 1 + raw[pos]
            end = stop + 1 + raw[stop]
            pieces["".join([chr(c) for c in raw[pos + 1 : stop]])] = bytes(raw[stop + 1 : end])
            pos = end
    return pieces
