"""The web page: its document on every path below ``/ui/``, and the files that it needs.

Nobody has to sign in for these: they are the same for everybody and hold nothing of the platform's.
What they may load and whom they may be shown by is said in the headers; nothing outside ``/ui/`` is
ever answered here, but for a browser's first visit to ``/``.
"""

import asyncio
from collections.abc import Callable

from llmos.apimachinery.errors import MethodNotAllowedError, NotFoundError, StatusError
from llmos.endpoints.http import Headers, Request, Response
from llmos.endpoints.requestinfo import path_segments
from llmos.endpoints.responses import error_response
from llmos.web import HASHED, INDEX, File, Site, load_site

ROOT = "/ui/"
_METHODS = frozenset({"GET", "HEAD"})
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'"
)
_SECURITY: Headers = [
    (b"content-security-policy", _POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
_NEVER_KEPT = (b"cache-control", b"no-store")
_KEPT_A_WHILE = b"public, max-age=3600"
_KEPT_FOR_EVER = b"public, max-age=31536000, immutable"


class Pages:
    """Answers what browsers ask for to show the page.

    Args:
        load: reads the files, when the first is asked for.
    """

    def __init__(self, load: Callable[[], Site] = load_site) -> None:
        self._load = load
        self._site: Site | None = None

    def concerns(self, request: Request) -> bool:
        """Whether a request is for the page and for nothing else."""
        path = request.raw_path
        if path == b"/":
            return request.method in _METHODS and "text/html" in request.headers.get("accept", "")
        return path.startswith(b"/ui/") or path == b"/ui"

    async def answer(self, request: Request) -> Response:
        """Answer such a request."""
        try:
            response = await self._answer(request)
        except StatusError as error:
            response = error_response(error)
            response.headers = [_NEVER_KEPT]
        response.headers += _SECURITY
        return response

    async def _answer(self, request: Request) -> Response:
        if request.raw_path in (b"/", b"/ui"):
            headers = [(b"location", ROOT.encode()), (b"vary", b"Accept"), _NEVER_KEPT]
            return Response(302, b"", "", headers)
        path = "/".join(path_segments(request.raw_path)[1:])
        if request.method not in _METHODS:
            raise MethodNotAllowedError
        if self._site is None:
            self._site = await asyncio.to_thread(self._load)
        file = self._site.get(path)
        if file is not None and path != INDEX:
            return _file(file, path, request)
        if path.startswith(HASHED):
            raise NotFoundError("there is no such file of the web page", {})
        if INDEX not in self._site:
            raise NotFoundError("this server was built without its web page", {})
        index = self._site[INDEX]
        # The document of every route; which route it is, the page sees for itself.
        return Response(200, index.body, index.media_type, [_NEVER_KEPT])


def _file(file: File, path: str, request: Request) -> Response:
    kept = _KEPT_FOR_EVER if path.startswith(HASHED) else _KEPT_A_WHILE
    headers = [(b"cache-control", kept)]
    body = file.body
    if file.compressed is not None:
        headers.append((b"vary", b"Accept-Encoding"))
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers.append((b"content-encoding", b"gzip"))
            body = file.compressed
    return Response(200, body, file.media_type, headers)
