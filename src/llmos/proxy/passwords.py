"""Passwords that come with User manifests never reach the cluster's objects.

They are taken out of the body; once the cluster has accepted the rest, the password becomes a
record as it does on the embedded server.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from llmos.apimachinery.errors import BadRequestError, FieldError, InvalidError
from llmos.apimachinery.object import Object, name_of
from llmos.apimachinery.serializer import decode_body, parse_json
from llmos.authentication.accounts import Accounts
from llmos.authentication.records import USER_KIND, USERS
from llmos.authentication.user_manifests import take_password
from llmos.client.client import APPLY_PATCH, JSON_PATCH
from llmos.endpoints.http import Request, Response, StreamResponse, UpgradeResponse
from llmos.endpoints.requestinfo import RequestInfo
from llmos.proxy.platform import Platform

_WRITES = frozenset({"create", "update", "patch"})
_APPLY = frozenset({APPLY_PATCH, "application/apply-patch+cbor"})

Answer = Response | StreamResponse | UpgradeResponse
Forward = Callable[[Request], Awaitable[Answer]]


def writes_users(info: RequestInfo) -> bool:
    """Whether a request may carry the password of a user."""
    return (
        info.is_resource
        and (info.group, info.resource) == (USERS.group, USERS.resource)
        and not info.subresource
        and info.verb in _WRITES
    )


@dataclass(frozen=True, slots=True)
class PasswordIntake:
    """Forwards writes of Users without the passwords in them."""

    forward: Forward
    accounts: Accounts
    platform: Platform

    async def __call__(self, request: Request) -> Answer:
        """Answer a write.

        Raises:
            BadRequestError: the body cannot be read, or hides a password where none belongs.
            InvalidError: the password is not good enough.
            ServiceUnavailableError: the user was written, the password could not be kept.
        """
        body = await request.body()
        media_type = request.media_type
        value = _parsed(body, media_type)
        said = orjson.dumps(value)
        password = _take(value, media_type, request.info.name)
        left = orjson.dumps(value)
        if left != said:
            request.put_body(left)
        if password is None:
            return await self.forward(request)
        name = request.info.name or (name_of(value) if isinstance(value, dict) else "")
        if not name:
            raise BadRequestError("a password can be set only for a user with a name")
        answer = await self.forward(request)
        if answer.status in (200, 201) and not request.query.get("dryRun"):
            await self._keep(name, password)
        return answer

    async def _keep(self, name: str, password: str) -> None:
        user = await self.platform.look_up(USERS, "", name)
        if user is not None:
            await self.accounts.absorb_password(user, password)


def _parsed(body: bytes, media_type: str) -> Any:
    """What a body says.

    Raises:
        BadRequestError: it cannot be read.
        UnsupportedMediaTypeError: nor can its media type.
    """
    if media_type in _APPLY:
        return decode_body(body, "application/yaml", USER_KIND.kind).value
    if media_type.endswith("-patch+json"):
        try:
            return parse_json(body)
        except ValueError as error:
            raise BadRequestError(f"error decoding patch: {error}") from None
    return decode_body(body, media_type, USER_KIND.kind).value


def _take(value: Any, media_type: str, name: str) -> str | None:
    """Take the password out of what a body says, in place.

    Raises:
        BadRequestError: an operation would bring one in by a detour.
        InvalidError: it is not good enough.
    """
    if media_type == JSON_PATCH:
        return _take_from_operations(value, name)
    return _take_from(value, name) if isinstance(value, dict) else None


def _take_from(user: Object, name: str) -> str | None:
    """Like ``take_password``, for a part of a user that need not say his name."""
    spec = user.get("spec")
    if not name or not isinstance(spec, dict):
        return take_password(user)
    named = {"metadata": {**_metadata(user), "name": name}, "spec": spec}
    password = take_password(named)
    if isinstance(user.get("metadata"), dict):
        user["metadata"] = {
            key: each for key, each in named["metadata"].items() if key in user["metadata"]
        }
    return password


def _metadata(user: Object) -> Object:
    metadata = user.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _take_from_operations(operations: Any, name: str) -> str | None:
    """The password in a JSON patch (RFC 6902).

    Raises:
        BadRequestError: it is moved or copied.
        InvalidError: it is not good enough.
    """
    if not isinstance(operations, list):
        return None
    password = None
    kept = []
    for each in operations:
        found, left = _operation(each, name)
        password = found or password
        if left is not None:
            kept.append(left)
    operations[:] = kept
    return password


def _operation(operation: Any, name: str) -> tuple[str | None, Any]:
    """The password that an operation brings, and what is left of it; None: nothing."""
    if not isinstance(operation, dict):
        return None, operation
    path, value = operation.get("path"), operation.get("value")
    if operation.get("op") in ("move", "copy"):
        if isinstance(path, str) and (path in ("", "/spec") or path.startswith("/spec/password")):
            error = FieldError("FieldValueForbidden", "spec.password", "Forbidden: give it in full")
            raise InvalidError.of(USER_KIND, name, [error])
        return None, operation
    if path == "/spec/password" and operation.get("op") in ("add", "replace"):
        return _take_from({"spec": {"password": value}}, name), None
    if path == "/spec" and isinstance(value, dict):
        return _take_from({"spec": value}, name), operation
    if path == "" and isinstance(value, dict):
        return _take_from(value, name), operation
    return None, operation
