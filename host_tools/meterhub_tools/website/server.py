"""Puts the website together: key, database, desk, and uvicorn that serves it.

Errors   ToolError for what the operator can mend: folder, broker address, port, database, registry.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import django
import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from ..errors import ToolError, UsageError
from . import keys
from .options import HERE, Options, django_settings

if TYPE_CHECKING:
    from django.core.handlers.asgi import ASGIHandler

_STOP_S = 2


def prepare(options: Options) -> None:
    """Configure Django for `options` and bring the database up to date."""
    if not (HERE / "static" / "dist" / "page.js").exists():
        raise ToolError("the website's pages are not built yet; run: make setup")
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    # WhiteNoise hands out files as plain iterators; Django reads small ones whole and says so each time
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
    settings.configure(**django_settings(options))
    django.setup()
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        raise ToolError(f"the database cannot be opened: {str(error).splitlines()[0]}") from error


@contextlib.contextmanager
def open_desk(options: Options) -> Iterator[None]:
    """Connect to the broker and keep the desk, which views find in state.py, while the block runs."""
    # these know Django's models, which exist only once Django is configured
    from . import ledger, state
    from .courier import Courier
    from .gate import Gate
    from .live import Desk
    from .vault import Vault

    gate = Gate(options.registry)
    desk = Desk(keys.load(options.data, options.name), Vault(), gate)
    try:
        courier = Courier(
            options.broker,
            options.ca,
            desk.on_message,
            desk.on_items,
            desk.recipient.kid,
            desk.on_letter,
            desk.on_batch,
        )
    except (ValueError, OSError) as error:
        raise UsageError(f"--broker and --ca: {error}; expected mqtt[s]://[user:password@]host[:port]") from error
    state.set_desk(desk)
    ledger.interrupted()
    for hub in ledger.linked_hubs():
        courier.watch(hub)
    desk.start(courier)
    try:
        yield
    finally:
        desk.stop()


def application() -> ASGIHandler:
    """Return the ASGI application."""
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


def serve(options: Options) -> None:
    """Serve the website until it is told to stop; says on stdout, as one JSON line, when it listens."""
    listener = _listen(options.port)
    options = dataclasses.replace(options, port=listener.getsockname()[1])
    recipient = keys.load(options.data, options.name).public()
    prepare(options)
    with open_desk(options), listener:
        config = uvicorn.Config(
            application(),
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=256,
            timeout_graceful_shutdown=_STOP_S,
            lifespan="off",
        )
        print(json.dumps({"url": options.url, "recipient": recipient}), flush=True)
        uvicorn.Server(config).run([listener])


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)  # before the address is said: who connects at once is to wait, not to be refused
    except OSError as error:
        listener.close()
        raise ToolError(f"port {port}: {error.strerror}; choose another --port") from error
    return listener
