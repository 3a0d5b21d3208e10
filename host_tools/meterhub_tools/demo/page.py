"""The demo page's server: one page, its files, and one WebSocket for all that moves.

The page may press the hub's buttons, so only a page of this very server may open the WebSocket (its Origin is
checked), and the server listens on 127.0.0.1 alone.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import ToolError
from .feed import Feed

STATIC = Path(__file__).parent / "static"
_WISH_MAX = 500


def application(feed: Feed, on_wish: Callable[[dict], None], website: str) -> Starlette:
    """Return the page as an ASGI application.

    on_wish(message) gets what is pressed on the page, a JSON object whose "do" is a string; website: the origin
    that may stand in the page's frame.
    """
    policy = f"default-src 'self'; connect-src 'self'; frame-src {website}; frame-ancestors 'none'; base-uri 'none'"

    async def page(_: Request) -> Response:
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return FileResponse(STATIC / "index.html", headers=headers)

    async def pour(websocket: WebSocket) -> None:
        if websocket.headers.get("origin") != f"http://{websocket.headers.get('host')}":
            await websocket.close(1008)
            return
        await websocket.accept()
        listening = asyncio.create_task(_listen(websocket, on_wish))
        pouring = asyncio.create_task(_pour(websocket, feed))
        await asyncio.wait((listening, pouring), return_when=asyncio.FIRST_COMPLETED)
        for task in (listening, pouring):
            task.cancel()
        await asyncio.gather(listening, pouring, return_exceptions=True)

    return Starlette(
        routes=[Route("/", page), WebSocketRoute("/feed", pour), Mount("/static", StaticFiles(directory=STATIC))],
        # a name that somebody lets point at 127.0.0.1 is not this server
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


async def _pour(websocket: WebSocket, feed: Feed) -> None:
    with feed.subscribed() as events, contextlib.suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await events.get())


async def _listen(websocket: WebSocket, on_wish: Callable[[dict], None]) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            text = await websocket.receive_text()
            wish = _wish(text)
            if wish:
                on_wish(wish)


def _wish(text: str) -> dict | None:
    """Return the JSON object in `text`, None when it is none."""
    with contextlib.suppress(ValueError):
        found = json.loads(text) if len(text) <= _WISH_MAX else None
        if isinstance(found, dict) and isinstance(found.get("do"), str):
            return found
    return None


class _QuietServer(uvicorn.Server):
    """Leaves Ctrl-C to the demo, which ends its parts in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PageServer:
    """Serves `application` on 127.0.0.1; port 0 takes a free one. ToolError when the port is taken."""

    def __init__(self, port: int = 0) -> None:
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise ToolError(f"port {port}: {error.strerror}; choose another --port") from error
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task | None = None

    async def start(self, app: Starlette) -> None:
        """Begin to answer."""
        config = uvicorn.Config(app, log_level="error", access_log=False, ws="websockets-sansio", lifespan="off")
        config.timeout_graceful_shutdown = 1
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve([self._socket]))

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._server and self._task:
            self._server.should_exit = True
            await self._task
        self._socket.close()
