"""One line a change or refusal: who, what, with which result. Never a body, a token or a Secret."""

import logging

import orjson

from llmos.endpoints.http import Request

_LOG = logging.getLogger("llmos.audit")
_READS = frozenset({"get", "list", "watch"})


def audit(request: Request, status: int, seconds: float) -> None:
    """Write the line of an answered request, if it changed something or was refused."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    info = getattr(request, "info", None)
    if info is None or (info.verb in _READS and status not in (401, 403)):
        return
    line = {
        "verb": info.verb,
        "path": info.path,
        "code": status,
        "ms": round(seconds * 1000, 2),
        "user": _name(request, "user"),
    }
    authenticated = _name(request, "authenticated")
    if authenticated != line["user"]:
        line["authenticated"] = authenticated
    _LOG.info(orjson.dumps(line).decode())


def _name(request: Request, attribute: str) -> str:
    user = getattr(request, attribute, None)
    return user.name if user is not None else ""
