"""Request bodies become objects of a kind, with unknown and duplicate fields treated as asked."""

from collections.abc import Sequence

from llmos.apimachinery.decoding import strict_error, unknown_field_problems
from llmos.apimachinery.object import Object
from llmos.apimachinery.serializer import decode_body, missing_kind
from llmos.endpoints.http import Request
from llmos.registry.served import Served
from llmos.server.options import field_validation


async def read_object(request: Request, served: Served) -> Object:
    """The object of a request body.

    Raises:
        BadRequestError: it is not an object of the kind, or has unknown fields under Strict.
        UnsupportedMediaTypeError, RequestEntityTooLargeError: the body is not read at all.
    """
    data = await request.body()
    kind = served.resource.kind
    decoded = decode_body(
        data,
        request.headers.get("content-type", ""),
        kind,
        find_duplicates=field_validation(request) != "Ignore",
    )
    if served.resource.custom and not decoded.value.get("kind"):
        raise missing_kind(kind, data)
    obj, unknown = served.decode(decoded.value)
    judge_fields(request, served, unknown, decoded.problems)
    return obj


def judge_fields(
    request: Request, served: Served, unknown: Sequence[str], problems: Sequence[str] = ()
) -> None:
    """Refuse, warn about or ignore fields that the kind does not have.

    Args:
        request: says which, and takes the warnings.
        served: the kind.
        unknown: paths of fields that the kind does not have.
        problems: texts of what else is wrong with the fields (duplicates).

    Raises:
        BadRequestError: ``fieldValidation=Strict`` and there are some.
    """
    if not unknown and not problems:
        return
    validation = field_validation(request)
    if validation == "Ignore":
        return
    texts = [*problems, *unknown_field_problems(unknown)]
    if validation == "Strict":
        raise strict_error(served.resource.gvk, texts)
    request.warnings.extend(texts)


async def read_options(request: Request) -> Object | None:
    """The DeleteOptions of a body, if there is one.

    Raises:
        BadRequestError: it is not an object.
    """
    data = await request.body()
    if not data:
        return None
    return decode_body(data, request.headers.get("content-type", ""), "DeleteOptions").value
