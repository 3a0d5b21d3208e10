"""M-Bus frames of made-up meters, for the tests of meters/mbus*.py."""


def raw(text):
    """Return the bytes that `text` spells in hexadecimal."""
    digits = text.replace(" ", "")
    return bytes([int(digits[i : i + 2], 16) for i in range(0, len(digits), 2)])


def long_frame(body):
    """Return a long frame around `body`, from its C field on."""
    n = len(body)
    return bytes((0x68, n, n, 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def answer(records, address=5, head="78 56 34 12 24 40 01 07 55 00 00 00"):
    """Return an answer with CI 72: maker PAD, identification 12345678, version 1, water."""
    return long_frame(bytes((0x08, address, 0x72)) + raw(head) + raw(records))


# EN 1434-3's own example, as far as its records go: volume, its maximum, energy of tariff 2 and subunit 1
EXAMPLE = answer("03 13 15 31 00 DA 02 3B 13 01 8B 60 04 37 18 02")


def feed(decoder, data, step=64):
    """Feed `data` in pieces of `step` bytes; return all Telegrams."""
    found = []
    for pos in range(0, len(data), step):
        chunk = data[pos : pos + step]
        found.extend(decoder.feed(chunk, len(chunk)))
    return found


def numbers(telegram):
    """Return {name: (value, scale, unit)} of the readings."""
    return {r.obis: (r.value, r.scale, r.unit) for r in telegram.readings}
