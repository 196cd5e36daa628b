"""The opening handshake of a WebSocket (RFC 6455, 4), and the bearer token that may come with it.

Browsers cannot set an ``Authorization`` header on a WebSocket, so Kubernetes takes the token as a
subprotocol (k8s.io/apiserver/pkg/authentication/request/websocket).
"""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmos.apimachinery.errors import BadRequestError, ForbiddenError, UnauthorizedError
from llmos.apimachinery.lazy import LazyModule
from llmos.endpoints.http import Request

if TYPE_CHECKING:
    from wsproto import utilities
else:
    utilities = LazyModule("wsproto.utilities")

BEARER = "base64url.bearer.authorization.k8s.io."
"""Begins the subprotocol that carries a token."""
_VERSION = "13"


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a client says that wants a WebSocket."""

    key: str
    protocol: str
    """The subprotocol that the answer repeats; empty: none was offered."""
    bearers: tuple[str, ...] = ()
    """Tokens among the subprotocols, as values of an ``Authorization`` header."""

    def answer(self) -> bytes:
        """The head of the 101 that opens the socket."""
        accept = utilities.generate_accept_token(self.key.encode())
        head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        head += b"sec-websocket-accept: %b\r\n" % accept
        if self.protocol:
            head += b"sec-websocket-protocol: %b\r\n" % self.protocol.encode("latin-1")
        return head + b"\r\n"


def read_handshake(request: Request) -> Handshake | None:
    """Read the handshake of a request; None: it does not ask for a WebSocket.

    Raises:
        BadRequestError: it asks in a way that the protocol does not allow.
        ForbiddenError: a page of another site asks.
        UnauthorizedError: a subprotocol looks like a token and is none.
    """
    headers = request.headers
    if "upgrade" not in headers or not _asks(request):
        return None
    if headers.get("sec-websocket-version") != _VERSION:
        raise BadRequestError(f"only version {_VERSION} of the WebSocket protocol is served")
    key = headers.get("sec-websocket-key", "")
    if len(_decoded(key)) != 16:
        raise BadRequestError("the Sec-WebSocket-Key is not a key")
    _check_origin(request)
    offered = [
        each.strip()
        for value in request.header_values("sec-websocket-protocol")
        for each in value.split(",")
    ]
    plain = [each for each in offered if each and not each.startswith(BEARER)]
    tokens = [each.removeprefix(BEARER) for each in offered if each.startswith(BEARER)]
    if tokens and not plain:
        # Browsers hang up when nothing that they offered comes back, and a token never does.
        raise UnauthorizedError
    return Handshake(key, plain[0] if plain else "", tuple(_bearer(each) for each in tokens))


def _asks(request: Request) -> bool:
    connection = ",".join(request.header_values("connection")).lower()
    return (
        request.method == "GET"
        and request.scope.get("http_version") == "1.1"
        and request.headers["upgrade"].lower() == "websocket"
        and "upgrade" in (each.strip() for each in connection.split(","))
    )


def _check_origin(request: Request) -> None:
    """Refuse pages of other sites: the same-origin rule does not hold for WebSockets."""
    for origin in request.header_values("origin"):
        try:
            site = urlsplit(origin).netloc
        except ValueError:
            site = ""
        if not site or site.lower() != request.headers.get("host", "").lower():
            raise ForbiddenError("a page of another origin may not open a WebSocket", {})


def _bearer(encoded: str) -> str:
    try:
        token = _decoded(encoded.replace("-", "+").replace("_", "/")).decode()
    except UnicodeDecodeError:
        token = ""
    if not token:
        raise UnauthorizedError
    return f"Bearer {token}"


def _decoded(text: str) -> bytes:
    """What base64 says, padded or not; nothing where it is not base64."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        return b""
