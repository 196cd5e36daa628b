"""Every error that leaves the API, named with the wire's own reasons.

The tree (Kubernetes' ``metav1.StatusReason`` and its HTTP code)::

    StatusError
    ├── BadRequestError             400 BadRequest
    ├── UnauthorizedError           401 Unauthorized
    ├── ForbiddenError              403 Forbidden
    ├── NotFoundError               404 NotFound
    ├── MethodNotAllowedError       405 MethodNotAllowed
    ├── NotAcceptableError          406 NotAcceptable
    ├── AlreadyExistsError          409 AlreadyExists
    ├── ConflictError               409 Conflict
    ├── ExpiredError                410 Expired
    ├── RequestEntityTooLargeError  413 RequestEntityTooLarge
    ├── UnsupportedMediaTypeError   415 UnsupportedMediaType
    ├── InvalidError                422 Invalid, with one cause a field error
    ├── TooManyRequestsError        429 TooManyRequests
    ├── InternalError               500 InternalError
    ├── BadGatewayError             502 InternalError
    ├── ServiceUnavailableError     503 ServiceUnavailable
    └── TimedOutError               504 Timeout

Rooms raise them; only ``endpoints.responses`` turns them into HTTP. Texts and shapes follow
k8s.io/apimachinery/pkg/api/errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from llmos.apimachinery.resource import GroupResource, GroupVersionKind


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field, as ``field.Error`` of Kubernetes.

    ``message`` is the whole text after the field path, e.g. ``Required value: must be set``.
    """

    reason: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def cause(self) -> dict[str, str]:
        """The ``details.causes`` entry of a Status."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


class StatusError(Exception):
    """An answer of the API that is not success; carries a Kubernetes ``Status``."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = ""

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    @property
    def retry_after(self) -> int | None:
        """Seconds the client should wait, for the ``Retry-After`` header."""
        return (self.details or {}).get("retryAfterSeconds")

    def status(self) -> dict[str, Any]:
        """The Status object of the wire."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def resource_details(resource: GroupResource, name: str) -> dict[str, Any]:
    """Details that name an object by its *resource* (404, 403, 409), empty values left out."""
    named = {"name": name, "group": resource.group, "kind": resource.resource}
    return {key: value for key, value in named.items() if value}


class BadRequestError(StatusError):
    """400: the request cannot be understood."""

    code = 400
    reason = "BadRequest"


class UnauthorizedError(StatusError):
    """401: a credential was given and it is not valid."""

    code = 401
    reason = "Unauthorized"

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


class ForbiddenError(StatusError):
    """403: understood, and refused."""

    code = 403
    reason = "Forbidden"

    @classmethod
    def of(
        cls,
        resource: GroupResource,
        name: str,
        why: str,
        causes: Sequence[dict[str, str]] = (),
    ) -> "ForbiddenError":
        """Refuse an action on a resource: ``configmaps "x" is forbidden: why``."""
        what = f'{resource} "{name}"' if name else str(resource)
        details = resource_details(resource, name)
        if causes:
            details["causes"] = list(causes)
        return cls(f"{what} is forbidden: {why}", details)


class NotFoundError(StatusError):
    """404: no such object, or no such resource."""

    code = 404
    reason = "NotFound"

    @classmethod
    def of(cls, resource: GroupResource, name: str) -> "NotFoundError":
        """Say that an object does not exist."""
        return cls(f'{resource} "{name}" not found', resource_details(resource, name))

    @classmethod
    def resource(cls) -> "NotFoundError":
        """Say that a served group has no such resource."""
        return cls("the server could not find the requested resource", {})


class MethodNotAllowedError(StatusError):
    """405: the path exists, the method does not."""

    code = 405
    reason = "MethodNotAllowed"

    def __init__(self) -> None:
        super().__init__("the server does not allow this method on the requested resource", {})


class NotAcceptableError(StatusError):
    """406: none of the media types the client accepts is served."""

    code = 406
    reason = "NotAcceptable"


class AlreadyExistsError(StatusError):
    """409: the name is taken in its namespace."""

    code = 409
    reason = "AlreadyExists"

    @classmethod
    def of(cls, resource: GroupResource, name: str, prefix: str = "") -> "AlreadyExistsError":
        """Say whose name is taken; ``prefix`` comes first, e.g. ``object is being deleted: ``."""
        return cls(f'{prefix}{resource} "{name}" already exists', resource_details(resource, name))


class ConflictError(StatusError):
    """409: the object is not what the writer thought it was."""

    code = 409
    reason = "Conflict"

    @classmethod
    def of(cls, resource: GroupResource, name: str, why: str = "") -> "ConflictError":
        """Say that an update lost the race (or ``why`` else it may not be)."""
        why = why or (
            "the object has been modified; please apply your changes to the latest version "
            "and try again"
        )
        return cls(
            f'Operation cannot be fulfilled on {resource} "{name}": {why}',
            resource_details(resource, name),
        )


class ExpiredError(StatusError):
    """410: the resourceVersion is older than what is remembered."""

    code = 410
    reason = "Expired"


class RequestEntityTooLargeError(StatusError):
    """413: the body is over the limit."""

    code = 413
    reason = "RequestEntityTooLarge"

    @classmethod
    def of(cls, limit: int) -> "RequestEntityTooLargeError":
        """Name the limit, in bytes."""
        return cls(f"Request entity too large: limit is {limit}")


class UnsupportedMediaTypeError(StatusError):
    """415: the body is of a type this path does not read."""

    code = 415
    reason = "UnsupportedMediaType"


class InvalidError(StatusError):
    """422: the object is understood and breaks rules of its kind."""

    code = 422
    reason = "Invalid"

    @classmethod
    def of(cls, kind: GroupVersionKind, name: str, errors: Sequence[FieldError]) -> "InvalidError":
        """One cause for each error; ``kind`` is named by Kind here, not by resource."""
        qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
        distinct = list(dict.fromkeys(str(each) for each in errors))
        text = distinct[0] if len(distinct) == 1 else "[" + ", ".join(distinct) + "]"
        details: dict[str, Any] = {
            key: value
            for key, value in (("name", name), ("group", kind.group), ("kind", kind.kind))
            if value
        }
        details["causes"] = [each.cause() for each in errors]
        return cls(f'{qualified} "{name}" is invalid: {text}', details)


class TooManyRequestsError(StatusError):
    """429: later."""

    code = 429
    reason = "TooManyRequests"

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message, {"retryAfterSeconds": retry_after})


class InternalError(StatusError):
    """500: our fault."""

    code = 500
    reason = "InternalError"


class BadGatewayError(StatusError):
    """502: the server behind this one did not answer well; Kubernetes has no reason for that."""

    code = 502
    reason = "InternalError"


class ServiceUnavailableError(StatusError):
    """503: not now."""

    code = 503
    reason = "ServiceUnavailable"


class TimedOutError(StatusError):
    """504: the wait was longer than allowed."""

    code = 504
    reason = "Timeout"
