"""Which headers go to the cluster and which come back.

First everything is taken out that a client may not say, or that was meant for this connection only
(RFC 9110, 7.6.1); then who he is is put in, last, where nothing that he sent can reach it. Whoever
cannot be named exactly is not named at all: the request does not go.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from llmos.apimachinery.errors import BadRequestError, ForbiddenError, UnauthorizedError
from llmos.apis.authentication_v1 import MASTERS_GROUP, UserInfo
from llmos.endpoints.http import Headers
from llmos.endpoints.websocket import BEARER

RawHeaders = Sequence[tuple[bytes, bytes]]
TextHeaders = list[tuple[str, str]]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_NOT_FORWARDED = _HOP_BY_HOP | {
    b"authorization",
    b"content-length",
    b"cookie",
    b"expect",
    b"forwarded",
    b"host",
    b"http2-settings",
    b"x-csrf-token",
    b"x-real-ip",
}
"""Besides what belongs to the connection: credentials, which are for us, and what a proxy says."""
_PREFIXES = (b"impersonate-", b"x-remote-", b"x-forwarded-")
_NOT_RETURNED = _HOP_BY_HOP | {b"content-length", b"set-cookie"}
"""Cookies of what is behind the cluster would be cookies of this server's own pages."""
_PROTOCOLS = b"sec-websocket-protocol"
_NAMEABLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
"""What arrives as it was sent: servers cut spaces off, and read other bytes as they like."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._~")
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def upstream_headers(headers: RawHeaders, user: UserInfo | None) -> TextHeaders:
    """What the cluster hears of a client's headers, and for whom it is to act.

    Raises:
        UnauthorizedError: nobody is named.
        ForbiddenError: the identity is one that is never taken on, or cannot be said exactly.
        BadRequestError: a header is not UTF-8.
    """
    named = impersonation(user)
    # A tuple is the head of a request that comes again and again.
    kept = _kept_again(headers) if isinstance(headers, tuple) else _kept(headers)
    return [*kept, *named]


def _kept(headers: RawHeaders) -> Sequence[tuple[str, str]]:
    return [(_text(name), _text(value)) for name, value in _forwarded(headers)]


_kept_again = lru_cache(1024)(_kept)


def _forwarded(headers: RawHeaders) -> Iterator[tuple[bytes, bytes]]:
    dropped = _named_by_connection(headers)
    for name, value in headers:
        # Some servers take an underscore for a dash.
        plain = name.lower().replace(b"_", b"-")
        if plain in _NOT_FORWARDED or plain in dropped or plain.startswith(_PREFIXES):
            continue
        if plain != _PROTOCOLS:
            yield name, value
        elif protocols := without_bearer(value):
            yield name, protocols


def _named_by_connection(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """The headers that somebody says are for this connection only."""
    named = [value for name, value in headers if name.lower() == b"connection"]
    if not named:
        return frozenset()
    return frozenset(each.strip().lower() for each in b",".join(named).split(b","))


def without_bearer(offered: bytes) -> bytes:
    """The subprotocols of a WebSocket without those that are a token."""
    token = BEARER.encode()
    protocols = [each.strip() for each in offered.split(b",")]
    return b", ".join(each for each in protocols if each and not each.startswith(token))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadRequestError("a header is not UTF-8") from None


def impersonation(user: UserInfo | None) -> TextHeaders:
    """The ``Impersonate-*`` headers of an identity, exactly.

    Raises:
        UnauthorizedError: there is none.
        ForbiddenError: it is one that is never taken on, or cannot be said exactly.
    """
    if user is None or not user.name:
        raise UnauthorizedError
    if MASTERS_GROUP in user.groups:
        why = f"members of {MASTERS_GROUP} are not served here: use the cluster's own address"
        raise ForbiddenError(why)
    headers = [("Impersonate-User", _nameable(user.name))]
    headers += [("Impersonate-Group", _nameable(each)) for each in user.groups]
    if user.uid:
        headers.append(("Impersonate-Uid", _nameable(user.uid)))
    for key, values in user.extra.items():
        name = f"Impersonate-Extra-{_escaped(key)}"
        headers += [(name, _nameable(each)) for each in values]
    return headers


def _nameable(text: str) -> str:
    if _NAMEABLE.fullmatch(text) is None:
        raise ForbiddenError("the cluster cannot be told exactly who you are")
    return text


def _escaped(key: str) -> str:
    """A key as part of a header's name, where capitals and most signs do not survive."""
    if not key:
        raise ForbiddenError("the cluster cannot be told exactly who you are")
    return "".join(
        each if each in _PLAIN else "".join(f"%{byte:02x}" for byte in each.encode())
        for each in key
    )


def returned_headers(headers: RawHeaders) -> Headers:
    """What the client hears of the cluster's headers.

    Raises:
        ValueError: a header could be read as two.
    """
    dropped = _named_by_connection(headers)
    kept = []
    for name, value in headers:
        if not _is_returned(name) or (dropped and name.lower() in dropped):
            continue
        if _BAD_VALUE.search(value):
            raise ValueError("the cluster sent a header that is none")
        kept.append((name, value))
    return kept


@lru_cache(1024)
def _is_returned(name: bytes) -> bool:
    if _TOKEN.fullmatch(name) is None:
        raise ValueError("the cluster sent a header that is none")
    return name.lower() not in _NOT_RETURNED
