"""A request as filters and handlers see it: headers, query, flags and the bounded body."""

import asyncio

import pytest

from endpoints.exchange import receiver, request_of, scope_of
from llmos.apimachinery.errors import (
    BadRequestError,
    RequestEntityTooLargeError,
    UnsupportedMediaTypeError,
)
from llmos.endpoints.http import MAX_FIELDS, Request


def with_headers(*pairs):
    """A request with these raw headers."""
    scope = scope_of("GET", "/")
    scope["headers"] = [(name.encode(), value.encode()) for name, value in pairs]
    return Request(scope, receiver())


def test_headers_are_found_whatever_their_case():
    """Names are compared without case; of repeated headers the first counts, all are there."""
    request = with_headers(("Accept", "a"), ("ACCEPT", "b"), ("X", "c"))
    assert request.headers == {"accept": "a", "x": "c"}
    assert request.header_values("aCCept") == ["a", "b"]
    assert request.header_values("none") == []


def test_query_parameters_are_decoded_and_the_first_counts():
    """Escapes and plus signs are read as forms are; empty values are kept."""
    request = request_of(target="/?a=1&a=2&b=%C3%A4+x&c=&d")
    assert request.query == {"a": "1", "b": "ä x", "c": "", "d": ""}
    assert request_of().query == {}


def test_too_many_parameters_are_a_bad_request():
    """A query of thousands of parameters is refused as what it is (URL-21)."""
    assert len(request_of(target="/?" + "&".join(f"k{i}" for i in range(MAX_FIELDS))).query)
    with pytest.raises(BadRequestError):
        request_of(target="/?" + "&".join("a" for _ in range(MAX_FIELDS + 1)))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", False),
        ("f", False),
        ("f=", False),
        ("f=0", False),
        ("f=false", False),
        ("f=FALSE", False),
        ("f=true", True),
        ("f=1", True),
        ("f=yes", True),
        ("f=0&f=1", False),
    ],
)
def test_flags_are_read_as_kubernetes_reads_them(query, wanted):
    """Any value but ``0`` and ``false`` says yes; nothing says no."""
    assert request_of(target=f"/?{query}").flag("f") is wanted


def test_a_path_has_no_slash_at_its_end():
    """Documents are found with and without a slash at the end."""
    assert request_of(target="/apis/").path == "/apis"
    assert request_of(target="/").path == "/"


def test_a_body_is_read_once_and_whole():
    """Pieces are joined, and whoever asks again gets the same."""
    request = Request(scope_of("POST", "/"), receiver(b"abcdef", piece=2))
    assert asyncio.run(request.body()) == b"abcdef"
    assert asyncio.run(request.body()) == b"abcdef"


def test_a_body_over_the_limit_is_refused_by_its_declared_length():
    """Nothing of it is read when the header says it is too long."""

    async def never():
        raise AssertionError

    request = Request(scope_of("POST", "/", {"content-length": "11"}), never)
    with pytest.raises(RequestEntityTooLargeError):
        asyncio.run(request.body(10))


@pytest.mark.parametrize("declared", [{}, {"content-length": "-1"}, {"content-length": "²"}])
def test_a_body_over_the_limit_is_refused_while_it_is_read(declared):
    """A length that is not declared, or wrongly, does not help: reading stops at the limit."""
    scope = scope_of("POST", "/")
    scope["headers"] = [(k.encode(), v.encode()) for k, v in declared.items()]
    request = Request(scope, receiver(b"x" * 100, piece=4))
    with pytest.raises(RequestEntityTooLargeError):
        asyncio.run(request.body(10))
    assert len(asyncio.run(Request(scope, receiver(b"x" * 10)).body(10))) == 10


@pytest.mark.parametrize(("encoding", "read"), [("identity", True), ("gzip", False), ("BR", False)])
def test_a_compressed_body_is_refused(encoding, read):
    """Nothing is unpacked, so nothing can swell."""
    request = Request(scope_of("POST", "/", {"content-encoding": encoding}), receiver(b"x"))
    if read:
        assert asyncio.run(request.body()) == b"x"
    else:
        with pytest.raises(UnsupportedMediaTypeError):
            asyncio.run(request.body())


def test_a_client_that_leaves_is_a_bad_request():
    """Half a body is never taken for a body."""

    async def gone():
        return {"type": "http.disconnect"}

    with pytest.raises(BadRequestError):
        asyncio.run(Request(scope_of("POST", "/"), gone).body())
