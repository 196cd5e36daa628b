"""``url('https://example.com')`` and its parts.

Source: k8s.io/apiserver/pkg/cel/library/urls.go; an absolute URL, or an absolute path.
"""

import re
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from llmos.apimachinery.cel.functions import Function, function, method, unwrap, wrap
from llmos.apimachinery.cel.types import BOOL, STRING, URL, list_of, map_of

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PATH_SAFE = "$&+,/:;=@-_.~!*'()%"


def _split(text: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        ValueError: it is none, or relative.
    """
    wrong = f"URL parse error during conversion from string: parse {text!r}: invalid URI"
    if _CONTROL.search(text) or _BAD_ESCAPE.search(text.partition("?")[0]):
        raise ValueError(wrong)
    if not _SCHEME.match(text) and not text.startswith("/"):
        raise ValueError(wrong + " for request")
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    if " " in host or (parts.port is None and host.rpartition(":")[2].isalpha() and ":" in host):
        raise ValueError(wrong)
    return parts


def _parse(text: str) -> dict[str, Any]:
    _split(text)
    return wrap(URL, text)


def _is_url(text: str) -> bool:
    try:
        _split(text)
    except ValueError:
        return False
    return True


def _parts(carried: Any) -> SplitResult:
    return _split(unwrap(URL, carried))


def _host(carried: Any) -> str:
    return _parts(carried).netloc.rpartition("@")[2]


def _hostname(carried: Any) -> str:
    host = _host(carried)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _port(carried: Any) -> str:
    port = _parts(carried).port
    return "" if port is None else str(port)


def _escaped_path(carried: Any) -> str:
    path = _parts(carried).path
    kept = quote(path, safe=_PATH_SAFE)
    return kept if unquote(kept) == unquote(path) else quote(unquote(path), safe="/")


def _query(carried: Any) -> dict[str, list[str]]:
    return parse_qs(_parts(carried).query, keep_blank_values=True)


FUNCTIONS: tuple[Function, ...] = (
    function("url", STRING, URL, call=_parse),
    function("isURL", STRING, BOOL, call=_is_url),
    method("getScheme", URL, STRING, call=lambda one: _parts(one).scheme),
    method("getHost", URL, STRING, call=_host),
    method("getHostname", URL, STRING, call=_hostname),
    method("getPort", URL, STRING, call=_port),
    method("getEscapedPath", URL, STRING, call=_escaped_path),
    method("getQuery", URL, map_of(list_of(STRING)), call=_query),
)
