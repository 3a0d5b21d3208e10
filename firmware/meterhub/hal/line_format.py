"""How a byte is framed on a serial line, as people write it: "8N1", "7E1".

Runs on  both
"""


def parsed(form: str) -> "tuple[int, int | None, int]":
    """Return (bits, parity, stop) of "8E1"; parity: None, 0 even or 1 odd, as in machine.UART."""
    return int(form[0]), (None, 0, 1)["NEO".index(form[1])], int(form[2])
