"""A raw REPL for the unix port, which has none: enough for mpremote. argv[1]: the folder that is the board's "/".

Runs on  MicroPython unix port; machine.reset() ends the process with status 3
"""

import os
import sys

import vfs


class _Os:
    """The module os; a VfsPosix below another folder renames a file to itself (its paths share one buffer)."""

    def __init__(self, root):
        self._root = root
        self._whole = vfs.VfsPosix()

    def __getattr__(self, name):
        return getattr(os, name)

    def rename(self, old, new):
        self._whole.rename(self._root + old, self._root + new)


class _Machine:
    @staticmethod
    def reset():
        sys.exit(3)


def _run(source, names):
    try:
        exec(source, names)
    except Exception as err:  # noqa: BLE001 - whatever it is, a REPL prints it
        sys.stdout.write("\x04")
        sys.print_exception(err, sys.stdout)
    else:
        sys.stdout.write("\x04")
    sys.stdout.write("\x04>")


def main():
    root = sys.argv[1]
    sys.modules["machine"] = _Machine
    sys.modules["os"] = _Os(root)
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix(root), "/")
    names = {"__name__": "__main__"}
    raw, source = False, b""
    while True:
        byte = sys.stdin.buffer.read(1)
        if not byte:
            return
        if byte == b"\x01":
            raw, source = True, b""
            sys.stdout.write("raw REPL; CTRL-B to exit\r\n>")
        elif byte == b"\x02":
            raw = False
            sys.stdout.write("\r\nMicroPython v1.25 on a test\r\n>>> ")
        elif byte == b"\x03":
            source = b""
        elif byte == b"\x05" and raw and not source:
            sys.stdin.buffer.read(2)
            sys.stdout.write("R\x00")  # raw paste is understood, and not supported
        elif byte == b"\x04" and raw:
            sys.stdout.write("OK")
            code, source = source.decode(), b""
            _run(code, names)
        elif raw:
            source += byte


main()
