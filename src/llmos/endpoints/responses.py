"""Answers: objects, Status errors, plain texts. The only place that makes HTTP of an exception."""

import asyncio
import gzip
from collections.abc import Iterable
from typing import Any

import orjson
import yaml

from llmos.apimachinery import protobuf_encoding
from llmos.apimachinery.errors import InternalError, NotAcceptableError, StatusError
from llmos.apimachinery.object import Object
from llmos.endpoints.http import Request, Response
from llmos.endpoints.negotiation import PROTOBUF, Representation, negotiate

GZIP_THRESHOLD = 128 * 1024
"""Bytes from which a list is compressed for clients that accept it; kube-apiserver's own figure."""


def json_response(value: Any, status: int = 200) -> Response:
    """Answer with a value as JSON."""
    return Response(status, orjson.dumps(value))


def text_response(text: str, status: int = 200) -> Response:
    """Answer with plain text."""
    return Response(status, text.encode(), "text/plain; charset=utf-8")


def not_found_text() -> Response:
    """The 404 of a path that no group serves (Go's ``http.NotFound``)."""
    response = text_response("404 page not found\n", 404)
    response.headers.append((b"x-content-type-options", b"nosniff"))
    return response


def object_response(body: bytes, representation: Representation, status: int = 200) -> Response:
    """Answer with an object that is JSON already, in the negotiated format.

    Raises:
        NotAcceptableError: it has fields that protobuf has not.
    """
    if representation.format == "protobuf":
        return Response(status, _protobuf(orjson.loads(body)), PROTOBUF)
    if representation.format == "yaml":
        text = yaml.dump(orjson.loads(body), Dumper=yaml.CSafeDumper, sort_keys=False)
        return Response(status, text.encode(), "application/yaml")
    return Response(status, body)


def _protobuf(obj: Object) -> bytes:
    try:
        return protobuf_encoding.encode(obj)
    except protobuf_encoding.UnknownFieldError as error:
        raise NotAcceptableError(str(error)) from None


def error_response(error: StatusError, accept: str = "") -> Response:
    """Answer with the Status of an error, as JSON to whoever accepts nothing that we have."""
    try:
        form = negotiate(accept, protobuf=True)
    except NotAcceptableError:
        form = Representation()
    response = object_response(orjson.dumps(error.status()), form, error.code)
    response.headers.append((b"x-content-type-options", b"nosniff"))
    if error.retry_after is not None:
        response.headers.append((b"retry-after", str(error.retry_after).encode()))
    return response


def unexpected_error_response() -> Response:
    """Answer when something broke; the cause is in the log and never in the answer."""
    return error_response(InternalError("the server could not complete the request"))


def warning_headers(warnings: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """``Warning`` headers as Kubernetes sends them (RFC 7234, code 299), each text once."""
    return [
        (b"warning", f'299 - "{_quoted(text)}"'.encode("latin-1", "replace"))
        for text in dict.fromkeys(warnings)
    ]


def _quoted(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable.replace("\\", "\\\\").replace('"', '\\"')


async def compress(request: Request, response: Response) -> None:
    """Gzip a large body for a client that accepts it, in a thread: others do not wait for it."""
    if len(response.body) < GZIP_THRESHOLD or response.status != 200:
        return
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return
    response.body = await asyncio.to_thread(gzip.compress, response.body, 1, mtime=0)
    response.headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
