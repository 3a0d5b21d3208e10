"""`meterhub bridge`: the host's end of the WAN tunnel; a hub without radio reaches its broker through the cable.

The hub asks, the bridge connects, and bytes go both ways; it is the hub that speaks MQTT, so the bridge sees what a
network would see, and keeps nothing. The lines are firmware/meterhub/links/cable.py's.

Where the cable ends in a UART without flow control (an ESP32's USB chip) bytes may be lost while the hub computes:
such a board has Wi-Fi and does not need this.
"""

import argparse
import base64
import binascii
import contextlib
import socket
import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ToolError
from .monitor import follow, say_on_stderr, words
from .port import Line

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_CONNECT_S = 10.0
_CHUNK_BYTES = 512


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "bridge",
        help="connect a hub without radio to its broker, through the cable",
        description='Connects the hub on the port to the broker, whenever it asks (its setting wan.url is "cable:"), '
        "until Ctrl-C. A cable that is pulled is waited for.",
    )
    parser.add_argument("--port", required=True, help="the hub's serial port")
    parser.add_argument("--broker", required=True, type=_url, metavar="URL", help="mqtt[s]://host[:port]")
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="with mqtts: PEM file of the CA (default: the system's)"
    )
    parser.add_argument("--events", action="store_true", help="show what the hub does, as `meterhub monitor`")


def _url(text: str) -> tuple[str, str, int]:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    if url.scheme not in _PORTS or not url.hostname or url.username:
        raise argparse.ArgumentTypeError(f"{text} is not of the form mqtt[s]://host[:port] (the hub has the password)")
    return url.scheme, url.hostname, port or _PORTS[url.scheme]


def run(args: argparse.Namespace) -> int:
    """Bridge until Ctrl-C."""
    scheme, host, number = args.broker
    tunnel = Tunnel(scheme, host, number, args.ca)
    try:
        for event in follow(args.port, say_on_stderr, tunnel.join):
            if args.events:
                print(words(event), flush=True)
    except KeyboardInterrupt:  # how it ends well
        pass
    finally:
        tunnel.end()
    return 0


class Tunnel:
    """The bridge to one broker. join(line) puts it on a hub's line: whoever reads the line's events drives it."""

    def __init__(self, scheme: str, host: str, port: int, ca: Path | None = None) -> None:
        self._address = (host, port)
        self._tls = _context(ca) if scheme == "mqtts" else None
        self._line: Line | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()  # of writing: the hub's lines must not be mixed
        self.connections = 0

    def join(self, line: Line) -> None:
        """Serve the hub on this line from now on; what it had before has ended."""
        self._drop()
        self._line = line
        line.on_tunnel = self._take
        self._send("close")

    def end(self) -> None:
        """Let the broker and the hub go."""
        with contextlib.suppress(ToolError):
            self._send("close")
        self._drop()

    def _take(self, text: str) -> None:
        """Take a line of the hub's."""
        if text.startswith("open"):
            self._open()
        elif text == "close":
            self._drop()
        elif self._socket is not None:
            try:
                self._socket.sendall(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError, OSError) as error:
                say_on_stderr(f"the connection to the broker has ended: {error}")
                self._drop()
                self._send("close")

    def _open(self) -> None:
        self._drop()
        try:
            self._socket = self._connect()
        except OSError as error:
            host, port = self._address
            say_on_stderr(f"the broker at {host}:{port} cannot be reached: {error}")
            self._send("close")
            return
        self.connections += 1
        self._send("open")
        threading.Thread(target=self._pump, args=(self._socket,), daemon=True).start()

    def _connect(self) -> socket.socket:
        plain = socket.create_connection(self._address, _CONNECT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            found = plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=self._address[0])
        except OSError:
            plain.close()
            raise
        found.settimeout(None)  # not before: what answers no handshake would hold the line for ever
        return found

    def _pump(self, source: socket.socket) -> None:
        """Take what the broker says to the hub, until this connection ends."""
        with contextlib.suppress(OSError, ToolError):
            while data := source.recv(_CHUNK_BYTES):
                if self._socket is source:
                    self._send(base64.b64encode(data).decode())
            if self._socket is source:
                self._send("close")

    def _drop(self) -> None:
        gone, self._socket = self._socket, None
        if gone is not None:
            with contextlib.suppress(OSError):
                gone.shutdown(socket.SHUT_RDWR)
            gone.close()

    def _send(self, text: str) -> None:
        if self._line is not None:
            with self._lock:
                self._line.send(f"~{text}\n".encode())


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise ToolError(f"{ca}: {error.strerror or error}") from None
