"""The HTTPS listener: uvicorn with our protocol, bounds and way of stopping."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from llmos.endpoints.protocol import BoundedProtocol
from llmos.endpoints.transport import keep_alive

KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 8
"""How long a stop waits for requests that are being answered."""


class Listener(uvicorn.Server):
    """A uvicorn server that leaves signals to its owner and says when it begins to stop."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._listens.set()

    async def wait_started(self) -> None:
        """Wait until it listens."""
        await self._listens.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the process is ours, not the listener's."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the streams to end, then finish what is being answered."""
        self._stopping()
        await super().shutdown(sockets)


def bind(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        OSError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections have it from here.
    keep_alive(listening)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def make_listener(app: Any, cert: Path, key: Path, stopping: Callable[[], None]) -> Listener:
    """Configure a listener for an ASGI application."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        loop="none",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=str(cert),
        ssl_keyfile=str(key),
    )
    config.load()
    assert config.ssl is not None
    config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    config.ssl.set_alpn_protocols(["http/1.1"])
    return Listener(config, stopping)
