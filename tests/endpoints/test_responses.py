"""Answers as bytes: JSON, YAML, Status errors, warnings."""

import orjson
import pytest
import yaml

from llmos.apimachinery.errors import NotFoundError, ServiceUnavailableError
from llmos.apimachinery.protobuf import decode
from llmos.endpoints.negotiation import PROTOBUF, Representation
from llmos.endpoints.responses import (
    error_response,
    json_response,
    not_found_text,
    object_response,
    text_response,
    unexpected_error_response,
    warning_headers,
)

OBJECT = {"kind": "ConfigMap", "data": {"a": "yes", "b": "1", "c": "null", "d": "ä\n"}}


def test_an_object_is_sent_as_it_is_stored():
    """JSON bytes are not touched."""
    body = orjson.dumps(OBJECT)
    response = object_response(body, Representation(), 201)
    assert response.body is body
    assert (response.status, response.content_type) == (201, "application/json")


def test_yaml_says_the_same():
    """Strings that look like something else stay strings, and the order is kept."""
    response = object_response(orjson.dumps(OBJECT), Representation("yaml"))
    assert response.content_type == "application/yaml"
    assert yaml.safe_load(response.body) == OBJECT
    assert response.body.startswith(b"kind:")


def test_an_error_is_its_status():
    """Every error has a Status body that browsers do not guess about."""
    response = error_response(NotFoundError.resource())
    assert response.status == 404
    assert orjson.loads(response.body)["code"] == 404
    assert response.headers == [(b"x-content-type-options", b"nosniff")]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (PROTOBUF, PROTOBUF),
        (f"{PROTOBUF},application/json", PROTOBUF),
        (f"application/json;q=0.5,{PROTOBUF};stream=watch", PROTOBUF),
        (f"application/json,{PROTOBUF}", "application/json"),
        (f"{PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json", "application/json"),
        (f"{PROTOBUF};as=Table;g=meta.k8s.io;v=v1", "application/json"),
        ("", "application/json"),
    ],
)
def test_an_error_is_protobuf_to_who_prefers_it(accept, content_type):
    """A Status has that form too, with its details, whatever the kind that was asked for."""
    error = NotFoundError.resource()
    error.details = {"name": "a", "causes": [{"reason": "R", "message": "m", "field": "f"}]}
    response = error_response(error, accept)
    assert response.content_type == content_type
    read = decode if content_type == PROTOBUF else orjson.loads
    said = read(response.body)
    assert (said["code"], said["message"], said["details"]) == (404, error.message, error.details)


def test_an_error_says_when_to_come_back():
    """``retryAfterSeconds`` becomes the header."""
    error = ServiceUnavailableError("full", {"retryAfterSeconds": 1})
    assert (b"retry-after", b"1") in error_response(error).headers


def test_an_unexpected_error_says_nothing_about_its_cause():
    """500, InternalError."""
    response = unexpected_error_response()
    assert (response.status, orjson.loads(response.body)["reason"]) == (500, "InternalError")


def test_plain_answers():
    """Values and texts, and the 404 of Go's file server."""
    assert json_response([1], 202).body == b"[1]"
    assert text_response("ok").content_type == "text/plain; charset=utf-8"
    missing = not_found_text()
    assert (missing.status, missing.body) == (404, b"404 page not found\n")
    assert (b"x-content-type-options", b"nosniff") in missing.headers


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("plain", b'299 - "plain"'),
        ('say "x"', b'299 - "say \\"x\\""'),
        ("a\\b", b'299 - "a\\\\b"'),
        ("a\r\nSet-Cookie: x", b'299 - "a  Set-Cookie: x"'),
        ("a\x00\x7fb", b'299 - "a  b"'),
        ("日", b'299 - "?"'),
    ],
)
def test_a_warning_is_one_header_whatever_its_text(text, header):
    """Quotes are escaped; nothing in the text ends the header."""
    assert warning_headers([text]) == [(b"warning", header)]
