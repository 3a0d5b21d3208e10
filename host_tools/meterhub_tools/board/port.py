"""A board on a serial port, in its two voices: the hub's service line, and MicroPython's raw REPL.

    with Line("/dev/ttyACM0") as line:            # the hub runs: requests and events, one JSON object a line
        print(line.hub["version"], line.ask("info")["heap_free"])
    with Repl("/dev/ttyACM0") as repl:            # the hub is stopped: Python on the board
        print(repl.eval("__import__('os').listdir()"))

A port is a device (/dev/ttyACM0, COM3) or one of pyserial's URLs (socket://host:number). The line's form is the
docstring of firmware/meterhub/links/cable.py.

Errors   ToolError, which names the step: no such port (and which there are), permission, busy, nobody answers, not
         MicroPython, MicroPython without a hub, the cable pulled. Refused when it is the hub that said no.
"""

import ast
import collections
import contextlib
import errno
import io
import json
import os
import re
import secrets
import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import serial
import serial.tools.list_ports
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from ..errors import ToolError

_BAUD = 115200
_LOOK_S = 0.05
_WRITE_S = 10.0
_GREETING_S = 1.5
_GREETINGS = 5  # a hub is deaf for some seconds while it opens a TLS session, or starts
_PATIENCE_S = 15.0
_LINE_MAX = 1 << 16
_TEXT_KEPT = 40
_AGAIN_S = 0.3
_TRIES, _ENTER_S = 2, 3
_HELLO = b'{"id": 0, "do": "hello"}\n'
_GONE = (OSError, TypeError)  # TypeError: pyserial's own, when the port is closed while it reads or writes
_WHO = b"\r\x02\n"  # Ctrl-B: a REPL says what it is, a hub passes over it
_SOFT_RESET = b"\r\x04"  # Ctrl-D, at an empty line of a prompt
_TRAY_PIECE = 120  # characters: with escapes, a line fits the 256 bytes that an ESP32 buffers


class Refused(ToolError):
    """The hub said no. error: its name for it; field: what it is about."""

    def __init__(self, reply: dict[str, Any]) -> None:
        self.error, self.field = str(reply.get("error", "")), str(reply.get("field", ""))
        words = str(reply.get("says", "")) or self.error
        about = f"{self.field}: " if self.field and self.field not in words else ""
        super().__init__(f"the hub says: {about}{words} ({self.error})")


class CablePulled(ToolError):
    """The port was there, and is no longer."""

    def __init__(self, port: str) -> None:
        super().__init__(f"{port}: the connection broke off; was the cable pulled, or the board's power cut?")


# -- the port itself ---------------------------------------------------------------------------------------------


def open_serial(port: str) -> Any:
    """Return pyserial's object of `port`; ToolError when there is none, or it may not or cannot be used."""
    try:
        opened = serial.serial_for_url(port, _BAUD, timeout=_LOOK_S, write_timeout=_WRITE_S, exclusive=True)
    except (OSError, ValueError) as error:
        raise ToolError(_why_closed(port, error)) from None
    return opened


def _why_closed(port: str, error: Exception) -> str:
    code, text = getattr(error, "errno", None), str(error)
    if code == errno.EACCES:
        return f"{port}: no permission; on Linux: sudo usermod -aG dialout $USER, then log in anew"
    if code in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return f"{port} is busy: another program has it (a terminal, another meterhub)"
    if "://" in port:
        return f"{port}: nobody answers there ({text.rpartition(':')[2].strip() or text})"
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV, None) and not os.path.exists(port):
        return f"there is no port {port}; {ports_in_words()}"
    return f"{port} is no serial port ({text.rpartition(':')[2].strip() or text})"


def ports_in_words() -> str:
    """Return which ports this machine has, ready to hang onto a message."""
    found = [port for port in serial.tools.list_ports.comports() if port.vid is not None]
    if not found:
        return "no board is connected (is the cable one for data?)"
    return "there are: " + ", ".join(f"{port.device} ({port.product or port.description})" for port in found)


class Wire:
    """The bytes of a port, cut into lines. CablePulled when they end."""

    def __init__(self, port: str) -> None:
        self.port = port
        self._serial = open_serial(port)
        self._begun = bytearray()

    def close(self) -> None:
        """Let the port go."""
        with contextlib.suppress(OSError):
            self._serial.close()

    def send(self, data: bytes) -> None:
        """Write `data`, all of it."""
        try:
            self._serial.write(data)
        except _GONE:
            raise CablePulled(self.port) from None

    def lines(self) -> list[str]:
        """Return the lines that are there, after a short look; junk of any kind becomes text."""
        try:
            self._begun += self._serial.read(max(1, self._serial.in_waiting))
        except _GONE:
            raise CablePulled(self.port) from None
        with contextlib.suppress(*_GONE):  # what has come counts; the next look finds the port gone
            while self._serial.in_waiting and len(self._begun) < _LINE_MAX:
                self._begun += self._serial.read(self._serial.in_waiting)
        *whole, rest = bytes(self._begun).split(b"\n")
        self._begun[:] = rest[:_LINE_MAX]
        return [line.decode("utf-8", "replace").strip("\r") for line in whole]

    @property
    def begun(self) -> str:
        """What has come of a line that has not ended: a prompt, say."""
        return self._begun.decode("utf-8", "replace")


# -- the hub's service line --------------------------------------------------------------------------------------


class Line:
    """The service line of the hub on `port`. hub: what it said of itself when greeted.

    text: the latest lines that were none of the hub's; on_text(line) is told of each. on_tunnel(line) takes the
    lines of the WAN tunnel, without their "~".
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self.hub: dict[str, Any] = {}
        self.text: collections.deque[str] = collections.deque(maxlen=_TEXT_KEPT)
        self.on_text: Callable[[str], None] = lambda line: None
        self.on_tunnel: Callable[[str], None] = lambda line: None
        self._wire: Wire | None = None
        self._events: collections.deque[dict[str, Any]] = collections.deque()
        self._number = secrets.randbelow(1 << 29)  # whatever a reply to somebody before us still has on its way

    def __enter__(self) -> Self:
        self.open()
        try:
            self.greet()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def open(self) -> None:
        """Take the port, and say nothing yet; what a pulled cable has left half-way on the hub's side ends here."""
        self._wire = Wire(self.port)
        self._wire.send(b"\n")

    def close(self) -> None:
        """Let the port go."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def greet(self) -> dict[str, Any]:
        """Ask the hub who it is; ToolError says what answers in its place."""
        for turn in range(_GREETINGS):
            if turn == 1:
                self.send(_WHO)
            reply = self._greeting()
            if reply is not None:
                self.hub = _agreed(reply)
                return self.hub
            if turn and self.text:  # somebody is there, and it is no hub
                break
        raise ToolError(self._who_answers())

    def _greeting(self) -> dict[str, Any] | None:
        """Return the reply to "hello"; a request that somebody before us has not waited for is ended first."""
        ends = time.monotonic() + _PATIENCE_S
        while True:
            reply = self._answer("hello", {}, _GREETING_S)
            if reply is None or reply.get("error") != "BUSY" or time.monotonic() > ends:
                return reply
            time.sleep(_AGAIN_S)

    def ask(
        self,
        verb: str,
        patience_s: float = _PATIENCE_S,
        on_part: Callable[[dict[str, Any]], None] | None = None,
        **words: Any,
    ) -> dict[str, Any]:
        """Have the hub do `verb`; return its reply. Refused: it said no. on_part(part): how far it has come."""
        reply = self._answer(verb, words, patience_s, on_part)
        if reply is None:
            raise ToolError(
                f"{self.port}: the hub did not answer {verb!r} in {patience_s:.0f} s; is it still running?"
            )
        return _agreed(reply)

    def put(self, text: str) -> None:
        """Fill the hub's tray with `text`, for the next request that takes it."""
        for at in range(0, max(len(text), 1), _TRAY_PIECE):
            self.ask("tray", data=text[at : at + _TRAY_PIECE], new=at == 0)

    def event(self, patience_s: float) -> dict[str, Any] | None:
        """Return the hub's next event, None when none comes in time."""
        ends = time.monotonic() + patience_s
        while not self._events:
            if time.monotonic() >= ends:
                return None
            self._look()
        return self._events.popleft()

    def wait(self, fits: Callable[[dict[str, Any]], bool], patience_s: float) -> dict[str, Any] | None:
        """Return the next event for which `fits(event)` is true, None when none comes in time."""
        ends = time.monotonic() + patience_s
        while (event := self.event(ends - time.monotonic())) is not None:
            if fits(event):
                return event
        return None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            event = self.event(_PATIENCE_S)
            if event is not None:
                yield event

    def send(self, data: bytes) -> None:
        """Send bytes as they are: lines of the tunnel."""
        if self._wire is None:
            raise ToolError(f"{self.port} is closed")
        self._wire.send(data)

    def _answer(
        self,
        verb: str,
        words: dict[str, Any],
        patience_s: float,
        on_part: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any] | None:
        """Send a request and return its reply, None when neither it nor a part of it comes for so long."""
        self._number = (self._number + 1) & 0x3FFFFFFF
        self.send(json.dumps({"id": self._number, "do": verb} | words).encode() + b"\n")
        kept: list[dict[str, Any]] = []
        ends = time.monotonic() + patience_s
        try:
            while (event := self.event(ends - time.monotonic())) is not None:
                mine = event.get("id") == self._number
                if mine and event["ev"] == "reply":
                    return event
                if mine and event["ev"] == "part":
                    ends = time.monotonic() + patience_s
                    if on_part:
                        on_part(event)
                elif event["ev"] not in ("reply", "part"):
                    kept.append(event)
        finally:
            self._events.extendleft(reversed(kept))
        return None

    def _look(self) -> None:
        """Take what has come: events into the queue, the rest to whom it is for."""
        if self._wire is None:
            raise ToolError(f"{self.port} is closed")
        for line in self._wire.lines():
            event = _event(line)
            if event is not None:
                self._events.append(event)
            elif line.startswith("~"):
                self.on_tunnel(line[1:])
            elif line:
                self.text.append(line)
                self.on_text(line)

    def _who_answers(self) -> str:
        said = "\n".join([*self.text, self._wire.begun if self._wire else ""])
        if any(line.startswith("MicroPython v") for line in self.text):
            return f"{self.port}: MicroPython runs there, but no hub; next: meterhub deploy --port {self.port}"
        if self._events:
            return f"{self.port}: a hub runs there, but does not answer; restart the board"
        if said.strip():
            return f"{self.port}: what answers there is neither a hub nor MicroPython"
        return (
            f"{self.port}: nobody answers; is it the right port, and is MicroPython on the board? "
            f"(meterhub flash --help; {ports_in_words()})"
        )


def wait_for_hub(port: str, patience_s: float) -> dict[str, Any]:
    """Return what the hub on `port` says of itself once it has started; its port may be away until then.

    ToolError when it does not start: with the last line of its traceback, if there is one.
    """
    ends = time.monotonic() + patience_s
    trouble = ToolError(f"{port}: the board has not come back in {patience_s:.0f} s; unplug it and plug it in again")
    while time.monotonic() < ends:
        line = Line(port)
        try:
            line.open()
            while time.monotonic() < ends:
                line.send(_HELLO)
                event = line.wait(lambda event: "hub" in event, 1.0)
                if event is not None:
                    return event
                _not_crashed(line)
        except ToolError as error:
            trouble = error
            time.sleep(_AGAIN_S)
        finally:
            line.close()
        if isinstance(trouble, NotStartedError):
            break
    raise trouble


class NotStartedError(ToolError):
    """The firmware on the board ended at its start."""


def _not_crashed(line: Line) -> None:
    """NotStartedError when what answers is a REPL, with the firmware's last words.

    They may have come before the port was open: then the REPL is asked to start the firmware once more.
    """
    said = list(line.text)
    starts = [number for number, text in enumerate(said) if "soft reboot" in text]
    since = said[starts[-1] :] if starts else said
    if not any(text.startswith("MicroPython v") for text in since):
        line.send(_WHO)
        return
    errors = [text for text in said if re.match(r"\w+(Error|Exception|Interrupt)\b", text)]
    if not errors and not starts:
        line.send(_SOFT_RESET)
        return
    why = f": {errors[-1]}" if errors else ""
    raise NotStartedError(f"{line.port}: the firmware on the board does not start{why}")


def _agreed(reply: dict[str, Any]) -> dict[str, Any]:
    if not reply.get("ok"):
        raise Refused(reply)
    return {name: value for name, value in reply.items() if name not in ("ev", "id", "ok")}


def _event(line: str) -> dict[str, Any] | None:
    """Return the event in a line of the console, None when it is none."""
    if not line.startswith("{"):
        return None
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict) and isinstance(event.get("ev"), str):
            return event
    return None


# -- MicroPython's raw REPL --------------------------------------------------------------------------------------


class BoardError(ToolError):
    """Code on the board raised an exception. text: its traceback's last line."""

    def __init__(self, doing: str, text: str) -> None:
        self.text = text
        super().__init__(f"the board failed {doing}: {text}")


class Repl:
    """Python on the board. It stops what runs there; close() starts the board anew, as a power cut would.

    A soft reset never happens: the hub's watchdog runs on, and only the interrupted firmware keeps feeding it.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self._transport: Any = None

    def __enter__(self) -> Self:
        self._transport = self._connect()
        try:
            self._enter()
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.reset()

    def _connect(self) -> Any:
        try:
            transport = SerialTransport(self.port, _BAUD, timeout=_WRITE_S)
        except (TransportError, OSError, ValueError):
            open_serial(self.port).close()  # says why, in our words
            raise ToolError(f"{self.port} cannot be opened") from None
        transport.serial.timeout, transport.serial.write_timeout = _ENTER_S, _WRITE_S
        return transport

    def _enter(self) -> None:
        """Stop what runs, and have MicroPython listen; more than once, for a board that was just starting."""
        for left in reversed(range(_TRIES)):
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it does not understand
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ENTER_S)
                    self._transport.exec("import gc\ngc.collect()")
                self._transport.serial.timeout = _WRITE_S
                return
            except (TransportError, struct.error):
                if not left:
                    raise ToolError(
                        f"{self.port}: no MicroPython answers there; put it on the board first: meterhub flash --help"
                    ) from None
            except (OSError, TypeError):
                raise CablePulled(self.port) from None

    def exec(self, code: str, doing: str) -> str:
        """Run `code` and return what it printed; BoardError with `doing` when it raises."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return str(self._transport.exec(code).decode("utf-8", "replace"))
        except TransportExecError as error:
            lines = str(error.error_output).strip().splitlines()
            raise BoardError(doing, lines[-1] if lines else "it did not say why") from None
        except (TransportError, OSError, struct.error, TypeError):
            raise CablePulled(self.port) from None

    def eval(self, expression: str, doing: str = "to answer") -> Any:
        """Return the value of a Python expression: numbers, texts, and what is made of them."""
        said = self.exec(f"print(repr({expression}))", doing).strip()
        try:
            return ast.literal_eval(said)
        except (ValueError, SyntaxError):
            raise ToolError(f"{self.port}: the board's answer is not to be understood: {said[:80]!r}") from None

    def leave(self, code: str) -> None:
        """Run `code`, after which the board is not to be heard of any more, and let the port go."""
        with contextlib.suppress(TransportError, OSError, struct.error, TypeError), io.StringIO() as out:
            with contextlib.redirect_stdout(out):
                self._transport.exec_raw_no_follow(code)
            time.sleep(_LOOK_S)  # the last bytes are on their way
        self._let_go()

    def reset(self) -> None:
        """Start the board from the beginning and let the port go; once."""
        if self._transport is not None:
            self.leave("import machine\nmachine.reset()")

    def _let_go(self) -> None:
        with contextlib.suppress(OSError):
            self._transport.close()
        with contextlib.suppress(OSError):
            self._transport.serial.close()  # a pty has no RTS, and mpremote gives up before it comes to this
        self._transport = None
