"""Serve a studio on this machine until Ctrl-C."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from nightfx.errors import UsageError
from nightfx.studio.studio import Studio
from nightfx.studio.web.app import make_app
from nightfx.studio.web.guard import Guard

_HOST = "127.0.0.1"
_MOST_CONNECTIONS = 64
_ENDING_SECONDS = 1


def serve(studio: Studio, port: int, on_ready: Callable[[str], None], *, browser: bool) -> None:
    """Serve until the process is told to end; `on_ready` is told the address, with its token. Raises UsageError for a port that is taken."""
    with _listening(port) as listener:
        port = listener.getsockname()[1]
        guard = Guard(make_app(studio), port)
        address = f"http://{_HOST}:{port}/?token={guard.token}"
        config = uvicorn.Config(
            guard,
            log_level="critical",  # what goes wrong is told by the app, in a line
            access_log=False,
            ws="none",
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_ENDING_SECONDS,
        )
        studio.wake()
        on_ready(address)
        if browser:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):  # that is how a studio is closed
            uvicorn.Server(config).run(sockets=[listener])


def _listening(port: int) -> socket.socket:
    try:
        listener = socket.create_server((_HOST, port))
        # asyncio would, of sockets of its own; without it each answer waits 40 ms for a sign that its head has come
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as error:
        raise UsageError(f"--port {port}: cannot be listened on: {error}") from error
