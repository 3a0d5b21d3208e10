"""A fresh folder for each test of store/, and damage to order."""

import os

import board_heap  # noqa: F401 - first


def fresh():
    """Return the path of a new empty folder."""
    top = "/tmp/meterhub-unit-" + "".join(["%02x" % byte for byte in os.urandom(8)])
    os.mkdir(top)
    return top


def remove(path):
    """Delete a file, or a folder with all that is in it."""
    try:
        names = os.listdir(path)
    except OSError:
        os.remove(path)
        return
    for name in names:
        remove(path + "/" + name)
    os.rmdir(path)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, raw):
    with open(path, "wb") as file:
        file.write(raw)


def flip(path, offset, mask=1):
    raw = bytearray(read(path))
    raw[offset] ^= mask
    write(path, raw)
