"""The cluster's API server: where it is, who the proxy is there, and the connections to it.

Where and who is read again while requests go on: a token or a certificate that somebody replaced is
used within ``REREAD_SECONDS``, and at once when the cluster refuses the one that we have.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from llmos.apimachinery.errors import ServiceUnavailableError
from llmos.client.config import Config
from llmos.client.credentials import CredentialError
from llmos.client.kubeconfig import KubeconfigError
from llmos.client.tls import make_context
from llmos.endpoints.transport import keep_alive
from llmos.proxy.headers import TextHeaders

REREAD_SECONDS = 20.0
RENEW_PAUSE = 1.0
"""So long after a renewal that changed nothing, nothing is read again."""
CONNECT_SECONDS = 8.0
IDLE_SECONDS = 45.0
"""How long a connection is kept for the next request; kube-apiserver closes it after 90 s."""
MAX_HEAD = 64 * 1024

Load = Callable[[bool], Config]
"""Reads where the cluster is and who we are there; asked for it anew, it uses nothing that it kept.

Runs in a thread. Raises ``CredentialError``, ``KubeconfigError`` or ``OSError``.
"""

_LOG = logging.getLogger("llmos.proxy")
_UNREADABLE = (CredentialError, KubeconfigError, OSError, ssl.SSLError)
_OURS = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
"""What aiohttp would say of itself where the client says nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """The cluster's address with everything that a connection to it needs."""

    config: Config = field(repr=False)
    base: str
    """The URL that paths are appended to."""
    prefix: str
    """The path in it; mostly empty."""
    host: str
    port: int
    tls: ssl.SSLContext | None
    token: str = field(repr=False)

    @property
    def netloc(self) -> str:
        """Host and port, as they are said to people."""
        return f"{self.host}:{self.port}"

    @property
    def server_name(self) -> str | None:
        """The name that the certificate must have, if it is not that of the URL."""
        return self.config.server_name or None

    @property
    def authorization(self) -> TextHeaders:
        """Our own credential, where it is said in a header."""
        return [("Authorization", f"Bearer {self.token}")] if self.token else []

    async def connect(self) -> None:
        """Connect and hang up.

        Raises:
            OSError: there is no connection.
            TimeoutError: not in time.
        """
        _, writer = await asyncio.open_connection(
            self.host, self.port, ssl=self.tls, server_hostname=self.tls_name
        )
        writer.transport.abort()

    @property
    def tls_name(self) -> str | None:
        """The name to check in a handshake; None: there is no TLS."""
        return None if self.tls is None else self.config.server_name or self.host


def make_target(config: Config, before: Target | None) -> Target:
    """Work out a target; TLS settings that did not change stay, with their open connections.

    Raises:
        CredentialError: a credential cannot be used, or there is none.
        OSError: an authority cannot be used.
    """
    parts = urlsplit(config.server)
    secure = parts.scheme == "https"
    token = config.bearer()
    if not token and config.certificate is None:
        raise CredentialError("there is no credential for the cluster")
    tls = None
    if secure:
        same = before is not None and _tls_of(before.config) == _tls_of(config)
        tls = before.tls if before is not None and same else make_context(config)
    return Target(
        config=config,
        base=config.server.rstrip("/"),
        prefix=parts.path.rstrip("/"),
        host=parts.hostname or "",
        port=parts.port or (443 if secure else 80),
        tls=tls,
        token=token,
    )


def _tls_of(config: Config) -> tuple[object, ...]:
    return (config.server, config.ca_pem, config.verify, config.certificate, config.server_name)


def _open_socket(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    keep_alive(made)
    return made


class _Handler(ResponseHandler):
    """A connection that is not used again once it said something that nobody had asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.idle = False

    def data_received(self, data: bytes) -> None:
        """Take what comes, if anything may come."""
        if not self.idle:
            super().data_received(data)
        elif data:
            self.abort()

    @property
    def is_clean(self) -> bool:
        """Whether the answer that it gave was all that it said."""
        parser: Any = self._parser
        try:
            return not self.should_close and (parser is None or parser.feed_eof() is None)
        except (aiohttp.ClientError, HttpProcessingError):
            return False

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Tell whoever reads the body, too, or he would wait for ever for what cannot be read."""
        super().set_exception(exc, *cause)
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(aiohttp.ClientPayloadError(str(exc)), *cause)


class _Connector(aiohttp.TCPConnector):
    """Keeps connections, but only clean ones."""

    def __init__(self) -> None:
        super().__init__(
            limit=0,
            keepalive_timeout=IDLE_SECONDS,
            ttl_dns_cache=10,
            socket_factory=_open_socket,
        )
        self._factory: Any = lambda: _Handler(self._loop)

    async def _get(self, key: Any, traces: Any) -> Any:
        while (found := await super()._get(key, traces)) is not None:
            protocol = found.protocol
            if isinstance(protocol, _Handler) and protocol.is_clean:
                protocol.idle = False
                break
            found.close()
        return found

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        protocol.idle = True
        super()._release(key, protocol, should_close=should_close)


class Upstream:
    """Sends requests to the cluster, under the identity that its requests name.

    Args:
        load: see ``Load``.
        clock: seconds that only grow.
    """

    def __init__(self, load: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._target: Target | None = None
        self._read_at = -REREAD_SECONDS
        self._renewed_at = -RENEW_PAUSE
        self._reading: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def target(self) -> Target:
        """Where the cluster is now; read again in the background once that was long ago.

        Raises:
            ServiceUnavailableError: it was never read well.
        """
        age = self._clock() - self._read_at
        if self._target is None and age >= RENEW_PAUSE:
            await self._read(anew=False)
        elif age >= REREAD_SECONDS:
            self._start_reading(anew=False)
        if self._target is None:
            raise ServiceUnavailableError("the proxy has no credential for the cluster", {})
        return self._target

    async def renew(self, refused: Target) -> bool:
        """Read again, because the cluster refused us; whether there is something else to try."""
        if self._target is refused and self._clock() - self._renewed_at >= RENEW_PAUSE:
            await self._read(anew=True)
            self._renewed_at = self._clock()
        now = self._target
        return now is not None and (now.token, now.tls) != (refused.token, refused.tls)

    async def connect(self) -> None:
        """Connect and hang up, to see whether that can be done.

        Raises:
            OSError: it cannot.
        """
        with suppress(ServiceUnavailableError):
            await (await self.target()).connect()

    async def send(
        self,
        target: Target,
        method: str,
        path: str,
        headers: TextHeaders,
        body: bytes | AsyncIterator[bytes] | None,
    ) -> aiohttp.ClientResponse:
        """Send one request, once; its answer's body is still to be read, and then to be closed.

        Args:
            target: see ``target``.
            method: as it is sent.
            path: with the query, percent-encoded; sent byte by byte as it is.
            headers: all but those that say how the body is sent, and our own credential.
            body: what is sent.

        Raises:
            ClientError: see aiohttp; ``ClientConnectorError`` where nothing was sent.
            TimeoutError: no connection was made in time.
        """
        if self._session is None:
            self._session = _make_session()
        return await self._session.request(
            method,
            URL(target.base + path, encoded=True),
            headers=[*headers, *target.authorization],
            data=body,
            allow_redirects=False,
            ssl=True if target.tls is None else target.tls,
            server_hostname=target.server_name,
        )

    def _start_reading(self, *, anew: bool) -> "asyncio.Task[None]":
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read_once(anew))
        return self._reading

    async def _read(self, *, anew: bool) -> None:
        # Whoever goes away does not stop it for the others who wait.
        await asyncio.shield(self._start_reading(anew=anew))

    async def _read_once(self, anew: bool) -> None:
        try:
            target = await asyncio.to_thread(self._work_out, anew)
            if target != self._target:
                self._target = target
        except _UNREADABLE as error:
            _LOG.warning("the credential for the cluster cannot be read: %s", error)
        finally:
            self._read_at = self._clock()
            self._reading = None

    def _work_out(self, anew: bool) -> Target:
        return make_target(self._load(anew), self._target)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._reading is not None:
            self._reading.cancel()
        if self._session is not None:
            await self._session.close()


def _make_session() -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=_Connector(),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_OURS,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
        trust_env=False,
        max_line_size=MAX_HEAD,
        max_field_size=MAX_HEAD,
    )
    # It would send a PUT or a DELETE twice; what may be repeated is decided by the forwarder.
    session._retry_connection = False  # noqa: SLF001 - there is no public switch
    return session
