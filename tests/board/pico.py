"""The prompt of a board, by mpremote's own transport; and programs that look into the emulator."""

import contextlib
import os
import subprocess
from pathlib import Path

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from meterhub_tools.emulator import board


def run_node(script: str, *words: object, given: str = "", often: str = "Infinity") -> str:
    """Run a script of this folder that imports the emulator's modules; return what it prints.

    often: how often a place is come to before it is translated, where the script wants to know.
    """
    env = os.environ | {"METERHUB_RP2040JS": str(board.RP2040JS), "METERHUB_EMULATOR": str(board.HERE)}
    env |= {"METERHUB_OFTEN": often}
    command = [board.NODE, Path(__file__).parent / script, *map(str, words)]
    done = subprocess.run(command, input=given, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Repl:
    """A raw REPL as long as the `with` lasts; entered without a soft reset, as a board with a watchdog wants it."""

    def __init__(self, port: str) -> None:
        self._port = port

    def __enter__(self) -> "Repl":
        self._transport = SerialTransport(self._port)
        self._transport.enter_raw_repl(soft_reset=False)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(TransportError, serial.SerialException, OSError):
            self._transport.exit_raw_repl()
        line = self._transport.serial
        line._socket.close()
        line.is_open = False  # pyserial's own close() of a socket sleeps 0.3 s

    def soft_reset(self) -> None:
        """Start MicroPython anew, as Ctrl-D does."""
        self._transport.enter_raw_repl(soft_reset=True)

    def run(self, code: str) -> str:
        """Run `code` and return what it printed; TransportExecError with the board's traceback."""
        return self._transport.exec(code).decode().strip().replace("\r\n", "\n")

    def start(self, code: str) -> None:
        """Let the board begin with `code` and do not wait for its end.

        It begins when it has been agreed on: a board that resets at once would take the answer along.
        """
        self._transport.exec_raw_no_follow("import sys; sys.stdin.read(1)\n" + code)
        self._transport.serial.write(b"\n")

    def finish(self) -> str:
        """Return what the code given to start() printed, when it has ended."""
        out, error = self._transport.follow(timeout=20)
        if error:
            raise TransportExecError(out, error.decode())
        return out.decode().strip().replace("\r\n", "\n")
