"""Small files on flash: read whole, replaced whole, listed.

Source   littlefs: a rename over an existing file is one commit; so is it on the file systems of the unix port.
Errors   OSError from the file system.
Runs on  both
"""

import os

_NOT_THERE = (2, 44)  # ENOENT; WASM ports number it otherwise


def ensure_dir(path: str) -> None:
    """Make the folder `path` unless it is there; its parent must exist."""
    if not exists(path):
        os.mkdir(path)


def exists(path: str) -> bool:
    """Return whether there is a file or a folder `path`."""
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def read(path: str, limit: int) -> "bytes | None":
    """Return at most `limit` + 1 bytes of a file, or None when there is no such file."""
    try:
        size = os.stat(path)[6]  # a read takes all the memory that it is allowed
        with open(path, "rb") as file:
            return file.read(min(size, limit + 1))
    except OSError as err:
        if err.args[0] in _NOT_THERE:
            return None
        raise


def replace(path: str, content: "bytes | bytearray") -> None:
    """Put `content` in the place of the file `path`: a power cut leaves the old file or the new one."""
    new = path + ".new"
    write(new, content)
    move(new, path)


def write(path: str, content: "bytes | bytearray") -> None:
    """Write the file `path`: a power cut may leave any part of it."""
    with open(path, "wb") as file:
        file.write(content)


def move(old: str, new: str) -> None:
    """Let the file `old` take the place of the file `new`: after a power cut one or the other is there."""
    os.rename(old, new)


def remove(path: str) -> None:
    """Delete the file `path` if it is there."""
    try:
        os.remove(path)
    except OSError as err:
        if err.args[0] not in _NOT_THERE:
            raise


def names(path: str) -> list:
    """Return the sorted names in the folder `path`."""
    return sorted(os.listdir(path))
