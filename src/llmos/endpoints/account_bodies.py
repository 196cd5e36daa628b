"""The bodies of requests about accounts: small JSON objects with known fields only."""

from dataclasses import dataclass
from typing import Any

import orjson

from llmos.apimachinery.errors import (
    BadRequestError,
    FieldError,
    InvalidError,
    UnsupportedMediaTypeError,
)
from llmos.apimachinery.resource import GroupVersionKind
from llmos.endpoints.http import Request

MAX_ACCOUNT_BODY = 64 * 1024
BODY_KIND = GroupVersionKind("management.llmos.ai", "v1", "AccountRequest")
"""As what a body is named where it is refused."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body."""

    type: type
    required: bool = False


async def read_body(request: Request, fields: dict[str, Field]) -> dict[str, Any]:
    """Read a body: a JSON object of these fields, each of its type.

    Raises:
        RequestEntityTooLargeError: it is over 64 KiB.
        UnsupportedMediaTypeError: it is not JSON by its header.
        BadRequestError: it is not JSON.
        InvalidError: a field is missing, unknown or of another type.
    """
    media_type = request.headers.get("content-type", "application/json").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        raise UnsupportedMediaTypeError("the body must be application/json")
    raw = await request.body(MAX_ACCOUNT_BODY)
    try:
        body = orjson.loads(raw)
    except ValueError:
        raise BadRequestError("the body is not valid JSON") from None
    if not isinstance(body, dict):
        raise BadRequestError("the body must be a JSON object")
    errors = _body_errors(body, fields)
    if errors:
        raise InvalidError.of(BODY_KIND, "", errors)
    return body


def _body_errors(body: dict[str, Any], fields: dict[str, Field]) -> list[FieldError]:
    errors = [
        FieldError("FieldValueForbidden", each[:64], "Forbidden: unknown field")
        for each in body
        if each not in fields
    ]
    for name, field in fields.items():
        value = body.get(name)
        if value is None:
            body.pop(name, None)
            if field.required:
                errors.append(FieldError("FieldValueRequired", name, "Required value: must be set"))
        elif type(value) is not field.type:
            wanted = {str: "a string", int: "an integer", bool: "a boolean"}[field.type]
            errors.append(
                FieldError("FieldValueTypeInvalid", name, f"Invalid type: must be {wanted}")
            )
    return errors
