"""Answers that are not success become the exceptions that the server's own rooms raise."""

from typing import Any

from llmos.apimachinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    ExpiredError,
    ForbiddenError,
    InternalError,
    InvalidError,
    MethodNotAllowedError,
    NotAcceptableError,
    NotFoundError,
    RequestEntityTooLargeError,
    ServiceUnavailableError,
    StatusError,
    TimedOutError,
    TooManyRequestsError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
)

_CLASSES: tuple[type[StatusError], ...] = (
    BadRequestError,
    UnauthorizedError,
    ForbiddenError,
    NotFoundError,
    MethodNotAllowedError,
    NotAcceptableError,
    ConflictError,
    AlreadyExistsError,
    ExpiredError,
    RequestEntityTooLargeError,
    UnsupportedMediaTypeError,
    InvalidError,
    TooManyRequestsError,
    InternalError,
    ServiceUnavailableError,
    TimedOutError,
)
_BY_REASON = {each.reason: each for each in _CLASSES}
_BY_CODE = {each.code: each for each in reversed(_CLASSES)}
_MAX_PLAIN = 200


class ConnectionFailedError(Exception):
    """The API server was not reached, or the connection broke; says which server and why."""


def status_error_from(status: dict[str, Any], code: int = 0) -> StatusError:
    """The exception for a Status body, by its reason, then by its code.

    Args:
        status: A ``v1`` Status.
        code: The HTTP code, for a Status that names none.
    """
    number = int(status.get("code") or code)
    fallback = BadRequestError if 400 <= number < 500 else InternalError
    kind = _BY_REASON.get(str(status.get("reason"))) or _BY_CODE.get(number, fallback)
    error = kind.__new__(kind)
    details = status.get("details")
    message = str(status.get("message") or status.get("reason") or f"HTTP {number}")
    StatusError.__init__(error, message, details if isinstance(details, dict) else None)
    return error


def status_of_text(code: int, text: str) -> dict[str, Any]:
    """A Status for an answer that carries none, e.g. of a load balancer in between."""
    return {"kind": "Status", "code": code, "message": text.strip()[:_MAX_PLAIN] or f"HTTP {code}"}
