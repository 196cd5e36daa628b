"""Sessions of browsers: the cookie that carries one, and the proof that our own page asks.

A browser sends cookies whoever makes it ask. So a request by cookie that may change something has
to carry a word that only our own page knows (``X-CSRF-Token``) and to say that it comes from there
(``Origin``). The word is derived from the session's key: nothing more has to be stored, and nobody
who reads what is stored can make it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator

from llmos.apimachinery.errors import ForbiddenError, UnauthorizedError
from llmos.endpoints.http import Headers, Request

COOKIE = "__Host-llmos-session"
"""The prefix has browsers take it from this very host alone, over TLS, for all paths."""
CSRF_HEADER = "x-csrf-token"
_SESSION = re.compile(r"token-[a-z0-9]{1,32}:[a-z0-9]{1,128}", re.ASCII)
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"
_SAFE = frozenset({"GET", "HEAD"})
_PURPOSE = b"llmos csrf token"

SANDBOX: Headers = [
    (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""On every answer to a session of a browser: whatever it holds, it is no page with our rights."""


def session_cookie(request: Request) -> str | None:
    """The session in a request's cookies; None: there is none.

    Raises:
        UnauthorizedError: there are two, or it is none by its look: nobody is asked about it.
    """
    found = [value for name, value in _cookies(request) if name == COOKIE]
    if not found:
        return None
    if len(found) > 1 or not _SESSION.fullmatch(found[0]):
        raise UnauthorizedError
    return found[0]


def _cookies(request: Request) -> Iterator[tuple[str, str]]:
    for header in request.header_values("cookie"):
        for pair in header.split(";"):
            name, _, value = pair.partition("=")
            yield name.strip(), value.strip()


def set_cookie(session: str, seconds: float) -> tuple[bytes, bytes]:
    """The header that has a browser keep a session so long."""
    return b"set-cookie", f"{COOKIE}={session}; Max-Age={round(seconds)}; {_ATTRIBUTES}".encode()


def clear_cookie() -> tuple[bytes, bytes]:
    """The header that has a browser forget its session."""
    return b"set-cookie", f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}".encode()


def csrf_token(session: str) -> str:
    """What our page says to prove that it is ours, for one session."""
    key = session.partition(":")[2]
    return hmac.new(key.encode("utf-8", "replace"), _PURPOSE, hashlib.sha256).hexdigest()


def check_page(request: Request, session: str) -> None:
    """Refuse a request by cookie that another page than ours may have caused.

    Raises:
        ForbiddenError: it comes from elsewhere, or does not prove that it comes from our page.
    """
    changes = request.method not in _SAFE
    check_origin(request, needed=changes or "upgrade" in request.headers)
    if changes or request.info.subresource == "proxy":
        _check_token(request, session)


def check_origin(request: Request, *, needed: bool) -> None:
    """Refuse a page of another origin: scheme, host and port are ours, or it is another.

    Args:
        request: the request.
        needed: whether it has to say where it comes from.

    Raises:
        ForbiddenError: it comes from elsewhere, or does not say from where.
    """
    origins = request.header_values("origin")
    if not origins and not needed:
        return
    host = request.headers.get("host", "").lower().removesuffix(":443")
    own = f"https://{host}"
    if not host or [each.lower().removesuffix(":443") for each in origins] != [own]:
        raise ForbiddenError("a browser's session is for the pages of this server alone", {})


def _check_token(request: Request, session: str) -> None:
    given = request.header_values(CSRF_HEADER)
    wanted = csrf_token(session).encode()
    if len(given) != 1 or not hmac.compare_digest(given[0].encode("utf-8", "replace"), wanted):
        raise ForbiddenError("the X-CSRF-Token of this session is missing or wrong", {})
