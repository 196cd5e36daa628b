"""Method and path, read as a Kubernetes request (k8s.io/apiserver/pkg/endpoints/request).

The one place that knows what a URL means. Authorization, routing and audit all use its answer, so
they cannot disagree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from llmos.apimachinery.errors import BadRequestError, NotFoundError
from llmos.apimachinery.selectors import FieldSelector

_VERBS = {"POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\%]")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request wants, in Kubernetes' words."""

    verb: str
    """``get list watch create update patch delete deletecollection`` for resources, else the
    method in lower case."""
    path: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    named: bool = False
    """The path names an object (``name`` may also come from a field selector)."""
    in_namespace: bool = False
    """The path goes through ``namespaces/NAMESPACE/``."""


CONNECTS = frozenset({"attach", "exec", "portforward", "proxy"})
"""Subresources through which a client speaks to something else."""


def is_long(info: RequestInfo) -> bool:
    """Whether a request may take for ever (k8s.io/apiserver, ``longRunningRequestCheck``)."""
    if not info.is_resource:
        return False
    return info.verb == "watch" or info.subresource == "log" or info.subresource in CONNECTS


def path_segments(raw_path: bytes) -> list[str]:
    """Split an undecoded path and decode each segment, refusing what could be read in two ways.

    Raises:
        BadRequestError: a malformed escape, ``.`` or ``..``, an encoded slash, control characters.
        NotFoundError: an empty segment.
    """
    if _BAD_ESCAPE.search(raw_path) or not raw_path.startswith(b"/"):
        raise BadRequestError("the path is malformed")
    if raw_path == b"/":
        return []
    return [_segment(each) for each in raw_path[1:].removesuffix(b"/").split(b"/")]


def _segment(raw: bytes) -> str:
    try:
        text = (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        raise BadRequestError("the path is not UTF-8") from None
    if not text:
        raise NotFoundError.resource()
    if text in (".", "..") or _UNSAFE.search(text):
        raise BadRequestError(f"the path segment {text!r} is not allowed")
    return text


def parse_request(method: str, raw_path: bytes, query: Mapping[str, str]) -> RequestInfo:
    """Read a request line; the path comes as it was sent, still percent-encoded.

    Raises:
        BadRequestError: the path could be read in two ways.
        NotFoundError: the path has an empty segment.
    """
    segments = path_segments(raw_path)
    slash = "/" if raw_path.endswith(b"/") and segments else ""
    other = RequestInfo(verb=method.lower(), path="/" + "/".join(segments) + slash)
    if segments[:1] == ["api"] and len(segments) > 2:
        group, version, parts = "", segments[1], segments[2:]
    elif segments[:1] == ["apis"] and len(segments) > 3:
        group, version, parts = segments[1], segments[2], segments[3:]
    else:
        return other
    verb = _VERBS.get(method, method.lower())
    if parts[0] == "watch":
        parts = parts[1:]
        verb = "watch" if method == "GET" else verb
        if not parts:
            return other
    return _resource_request(other.path, verb, (group, version, parts), query)


def _resource_request(
    path: str, verb: str, where: tuple[str, str, list[str]], query: Mapping[str, str]
) -> RequestInfo:
    group, version, parts = where
    namespace = ""
    rest = parts
    if parts[0] == "namespaces" and len(parts) > 1:
        # A request on a namespace itself is authorized in that namespace.
        namespace = parts[1]
        if len(parts) > 2 and not (parts[2] in _NAMESPACE_SUBRESOURCES and not group):
            rest = parts[2:]
    name = rest[1] if len(rest) > 1 else ""
    named = bool(name)
    if not named:
        verb, name = _collection_verb(verb, query)
    return RequestInfo(
        verb=verb,
        path=path,
        is_resource=True,
        group=group,
        version=version,
        namespace=namespace,
        resource=rest[0],
        subresource=rest[2] if len(rest) > 2 else "",
        name=name,
        named=named,
        in_namespace=rest is not parts,
    )


def _collection_verb(verb: str, query: Mapping[str, str]) -> tuple[str, str]:
    """The verb of a request to a collection, and the one name its field selector narrows it to."""
    if verb == "delete":
        verb = "deletecollection"
    elif verb == "get":
        watch = query.get("watch")
        wanted = watch is not None and watch.lower() not in ("", "0", "false")
        verb = "watch" if wanted else "list"
    if verb in ("list", "watch", "deletecollection") and "fieldSelector" in query:
        return verb, FieldSelector.exact_name(query["fieldSelector"])
    return verb, ""
