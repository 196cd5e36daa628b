"""The handshake of a WebSocket: who may open one, and which token it brings."""

import base64

import pytest

from endpoints.exchange import scope_of
from llmos.apimachinery.errors import BadRequestError, ForbiddenError, UnauthorizedError
from llmos.endpoints.http import Request
from llmos.endpoints.websocket import BEARER, read_handshake

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def bearer(token: str) -> str:
    """A token as a subprotocol."""
    return BEARER + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def request(method: str = "GET", http: str = "1.1", **headers: str) -> Request:
    """A request with a handshake in it, unless a header says otherwise."""
    named = {
        "Host": "llmos.example:8443",
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "WebSocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = scope_of(method, "/api/v1/pods?watch=1", named) | {"http_version": http}
    return Request(scope, None)


def test_answer() -> None:
    """The answer proves that the key was read (RFC 6455, 1.3), and repeats one subprotocol."""
    made = read_handshake(request(Sec_WebSocket_Protocol="base64.binary.k8s.io, other"))
    assert made.answer() == (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        b"sec-websocket-protocol: base64.binary.k8s.io\r\n\r\n"
    )
    assert b"protocol:" not in read_handshake(request()).answer()


@pytest.mark.parametrize(
    "plain",
    [
        request(method="POST"),
        request(http="1.0"),
        request(Upgrade="h2c"),
        request(Connection="keep-alive"),
    ],
    ids=["POST", "HTTP/1.0", "h2c", "no Connection: Upgrade"],
)
def test_no_handshake(plain: Request) -> None:
    """Anything else is plain HTTP."""
    assert read_handshake(plain) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": "c2hvcnQ="},
        {"Sec_WebSocket_Key": "!" * 22},
    ],
    ids=str,
)
def test_malformed(headers: dict[str, str]) -> None:
    """A handshake that the protocol does not allow is a bad request."""
    with pytest.raises(BadRequestError):
        read_handshake(request(**headers))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://llmos.example", "null", "", "https://[", "x"]
)
def test_other_origin(origin: str) -> None:
    """A page of another origin opens nothing; a page of this one does."""
    with pytest.raises(ForbiddenError):
        read_handshake(request(Origin=origin))
    assert read_handshake(request(Origin="https://LLMOS.example:8443"))


def test_token() -> None:
    """A token comes as one of the subprotocols and never goes back."""
    offered = f"{bearer('a/b+c?')},base64.binary.k8s.io"
    made = read_handshake(request(Sec_WebSocket_Protocol=offered))
    assert made.bearers == ("Bearer a/b+c?",)
    assert made.protocol == "base64.binary.k8s.io"
    assert BEARER.encode() not in made.answer()


@pytest.mark.parametrize(
    "offered",
    [bearer("alone"), f"{BEARER},x", f"{BEARER}a,x", f"{BEARER}!!!!,x", f"{BEARER}_w,x"],
    ids=["alone", "empty", "short", "no base64", "no UTF-8"],
)
def test_no_token(offered: str) -> None:
    """What looks like a token and is none is refused, and so is one without another protocol."""
    with pytest.raises(UnauthorizedError):
        read_handshake(request(Sec_WebSocket_Protocol=offered))
