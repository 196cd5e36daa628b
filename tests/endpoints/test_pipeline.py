"""Filters, handler, answer, audit: what comes out whatever happens inside."""

import asyncio
import gzip
import json
import logging
import random

import pytest
import yaml

from endpoints.exchange import Answer, FakeStream, answer_of, receiver, request_of, scope_of
from llmos.apimachinery.errors import ForbiddenError, StatusError, TooManyRequestsError
from llmos.apis.authentication_v1 import UserInfo
from llmos.endpoints.http import BrokenStreamError, Response, StreamResponse
from llmos.endpoints.pipeline import Pipeline
from llmos.endpoints.requestinfo import parse_request
from llmos.endpoints.streams import GATHER_SECONDS, OpenStreams

CM = "/api/v1/namespaces/a/configmaps"
SECRET = "s3cr3t-value"


async def read(request):
    """The first filter."""
    request.info = parse_request(request.method, request.raw_path, request.query)


async def authenticate(request):
    """The second."""
    request.user = request.authenticated = UserInfo("alice")


def application(handler, *filters):
    """A pipeline of these parts."""
    return Pipeline((read, authenticate, *filters), handler, lambda: 0.0)


def answering(response):
    """A handler with one answer."""

    async def handle(request):
        return response

    return handle


def refusing(error):
    """A filter or handler that refuses or breaks."""

    async def refuse(request):
        raise error

    return refuse


def test_answers_with_what_the_handler_made():
    """Status, type, length and the headers that every answer has."""
    app = application(answering(Response(201, b"{}", headers=[(b"x", b"y")])))
    answer = answer_of(app, scope_of("POST", CM))
    assert (answer.status, answer.body) == (201, b"{}")
    assert answer.headers == {
        "content-type": ["application/json"],
        "x": ["y"],
        "cache-control": ["no-cache, private"],
        "content-length": ["2"],
    }


def test_a_handlers_own_cache_control_stays():
    """What may be kept says so itself."""
    headers = [(b"cache-control", b"public")]
    answer = answer_of(application(answering(Response(200, b"", "", headers))), scope_of("GET", CM))
    assert answer.headers["cache-control"] == ["public"]
    assert "content-type" not in answer.headers


@pytest.mark.parametrize(("status", "has_length"), [(204, False), (304, False), (200, True)])
def test_answers_without_a_body_have_no_length(status, has_length):
    """204 and 304 carry no content-length (RFC 9110, 8.6)."""
    answer = answer_of(application(answering(Response(status, b"", ""))), scope_of("GET", CM))
    assert ("content-length" in answer.headers) is has_length


@pytest.mark.parametrize("where", ["filter", "handler"])
def test_an_exception_is_a_500_without_its_text(where, caplog):
    """The cause goes to the log; the client learns that something broke, and not what."""
    broken = refusing(RuntimeError(SECRET))
    app = application(broken) if where == "handler" else application(answering(None), broken)
    with caplog.at_level(logging.ERROR, "llmos.server"):
        answer = answer_of(app, scope_of("GET", f"{CM}/x"))
    assert answer.status == 500
    assert (answer.json["kind"], answer.json["reason"]) == ("Status", "InternalError")
    assert SECRET not in answer.body.decode()
    assert "Traceback" in caplog.text
    assert SECRET in caplog.text


def test_a_refusal_is_its_status():
    """Code, reason and the wait that it asks for."""
    refused = TooManyRequestsError("slowly", 7)
    answer = answer_of(application(refusing(refused)), scope_of("GET", CM))
    assert answer.status == 429
    assert answer.headers["retry-after"] == ["7"]
    assert answer.json["message"] == "slowly"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/json"),
        ("application/yaml", "application/yaml"),
        ("application/yaml, application/json", "application/yaml"),
        ("image/png", "application/json"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io", "application/json"),
    ],
)
def test_a_refusal_comes_in_the_form_that_is_wanted(accept, content_type):
    """A client that reads YAML gets its Status so; one that takes nothing we have, as JSON."""
    scope = scope_of("GET", CM, {"accept": accept} if accept else {})
    answer = answer_of(application(refusing(ForbiddenError("no"))), scope)
    assert answer.headers["content-type"] == [content_type]
    assert yaml.safe_load(answer.body)["reason"] == "Forbidden"


@pytest.mark.parametrize("error", [ForbiddenError("no"), ValueError("broken")])
def test_nothing_runs_after_a_refusal(error):
    """Neither later filters nor the handler see a request that was refused."""
    ran = []

    async def later(request):
        ran.append("filter")

    async def handle(request):
        ran.append("handler")
        return Response(200, b"")

    answer_of(application(handle, refusing(error), later), scope_of("POST", CM))
    assert ran == []


def test_filters_run_in_their_order():
    """The list is the order."""
    ran = []

    def noting(name):
        async def note(request):
            ran.append(name)

        return note

    answer_of(
        application(answering(Response(200, b"")), noting("a"), noting("b")), scope_of("GET", CM)
    )
    assert ran == ["a", "b"]


def test_warnings_become_headers():
    """Each text once, also on refusals, and none of them breaks the header."""

    async def warn(request):
        request.warnings += ["twice", "twice", 'a "b"\r\nx: y']
        raise ForbiddenError("no")

    answer = answer_of(application(warn), scope_of("GET", CM))
    assert answer.headers["warning"] == ['299 - "twice"', '299 - "a \\"b\\"  x: y"']


def test_large_answers_are_compressed_for_those_who_take_it():
    """Size and client decide."""
    body = b"[" + b"1," * 100_000 + b"1]"
    scope = scope_of("GET", CM, {"accept-encoding": "gzip, br"})
    answer = answer_of(application(answering(Response(200, body))), scope)
    assert answer.headers["content-encoding"] == ["gzip"]
    assert gzip.decompress(answer.body) == body
    assert answer.headers["content-length"] == [str(len(answer.body))]
    plain = answer_of(application(answering(Response(200, body))), scope_of("GET", CM))
    assert plain.body == body
    small = answer_of(application(answering(Response(200, b"{}"))), scope)
    assert "content-encoding" not in small.headers


def test_compression_lets_others_go_on():
    """While a large body is compressed the event loop answers other requests."""
    scope = scope_of("GET", CM, {"accept-encoding": "gzip"})
    large = application(answering(Response(200, random.randbytes(4_000_000))))
    small = application(answering(Response(200, b"{}")))
    order = []

    async def ask(name, app):
        await app(scope, receiver(), Answer().send)
        order.append(name)

    async def both():
        await asyncio.gather(ask("large", large), ask("small", small))

    asyncio.run(both())
    assert order == ["small", "large"]


def test_a_stream_goes_on_until_its_run_returns():
    """Its head is sent first, its end last; what it writes goes to the connection."""
    scope = scope_of("GET", CM)

    async def run(stream):
        assert stream is scope["extensions"]["llmos"]
        stream.write(b"line\n")

    answer = answer_of(application(answering(StreamResponse(200, run))), scope)
    assert answer.headers["transfer-encoding"] == ["chunked"]
    assert "content-length" not in answer.headers
    assert scope["extensions"]["llmos"].chunks == [b"line\n"]
    assert answer.messages[-1] == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize("length", [0, 3, 5, 6])
def test_a_stream_that_is_not_whole_has_no_end(length):
    """Nobody takes a part of it for the whole."""
    scope = scope_of("GET", CM)

    async def run(stream):
        stream.write(b"line\n")

    answer = answer_of(application(answering(StreamResponse(200, run, length=length))), scope)
    assert answer.headers["content-length"] == [str(length)]
    assert scope["extensions"]["llmos"].aborted == (length != 5)
    assert len(answer.messages) == (2 if length == 5 else 1)


def test_a_stream_that_breaks_off_has_no_end():
    """Its handler knows that it does."""
    scope = scope_of("GET", CM)

    async def run(stream):
        stream.write(b"li")
        raise BrokenStreamError

    answer = answer_of(application(answering(StreamResponse(200, run))), scope)
    assert scope["extensions"]["llmos"].aborted
    assert len(answer.messages) == 1


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_only_http_is_answered(kind):
    """Nothing is sent to anything else."""
    assert answer_of(application(answering(Response(200, b""))), {"type": kind}).messages == []


def audited(caplog, method, target, handler, *filters, **headers):
    """The audit lines of a request."""
    with caplog.at_level(logging.INFO, "llmos.audit"):
        scope = scope_of(method, target, headers)
        answer_of(application(handler, *filters), scope, SECRET.encode())
    return [json.loads(each.message) for each in caplog.records if each.name == "llmos.audit"]


def test_a_change_is_audited(caplog):
    """Who did what, with which result."""
    lines = audited(caplog, "DELETE", f"{CM}/x", answering(Response(200, b"{}")))
    assert lines == [{"verb": "delete", "path": f"{CM}/x", "code": 200, "ms": 0.0, "user": "alice"}]


def test_who_acts_for_whom_is_audited(caplog):
    """Impersonation names both."""

    async def impersonate(request):
        request.user = UserInfo("bob")

    (line,) = audited(caplog, "POST", CM, answering(Response(201, b"{}")), impersonate)
    assert (line["user"], line["authenticated"]) == ("bob", "alice")


@pytest.mark.parametrize(
    ("error", "lines"),
    [(None, 0), (ForbiddenError("no"), 1), (StatusError("other"), 0)],
)
def test_of_reads_only_refusals_are_audited(caplog, error, lines):
    """Reading is not worth a line; being refused is."""
    handler = refusing(error) if error else answering(Response(200, b"{}"))
    assert len(audited(caplog, "GET", CM, handler)) == lines


def test_a_request_nobody_could_read_is_not_audited(caplog):
    """There is nothing to say about it."""
    assert audited(caplog, "POST", "/../x", answering(Response(200, b""))) == []


def test_the_audit_never_holds_a_body_a_token_or_a_query(caplog):
    """Neither what was sent nor what was answered nor what proves who sent it."""
    audited(
        caplog,
        "POST",
        f"{CM}?token={SECRET}",
        answering(Response(201, SECRET.encode())),
        authorization=f"Bearer {SECRET}",
    )
    assert caplog.records
    assert SECRET not in caplog.text


def test_no_audit_is_made_where_nobody_listens(caplog):
    """The line costs nothing when it is switched off."""
    with caplog.at_level(logging.WARNING, "llmos.audit"):
        answer_of(application(answering(Response(200, b""))), scope_of("DELETE", CM))
    assert not caplog.records


def test_news_about_rights_wake_open_streams_once():
    """Many changes in a row are one wake-up, soon after; later changes wake again."""

    async def scenario():
        streams, stream = OpenStreams(), FakeStream()
        streams.rights_changed()
        streams.add(stream)
        for _ in range(5):
            streams.rights_changed()
        assert stream.woken == 0
        await asyncio.sleep(GATHER_SECONDS * 1.5)
        first = stream.woken
        streams.rights_changed()
        await asyncio.sleep(GATHER_SECONDS * 1.5)
        return first, stream.woken

    assert asyncio.run(scenario()) == (1, 2)


def test_a_request_has_what_a_test_gives_it():
    """The exchange that these tests use speaks as ASGI does."""
    request = request_of("PUT", f"{CM}/x?a=b", b"body", user=UserInfo("u"), content_type="t")
    assert (request.info.verb, request.query, request.user.name) == ("update", {"a": "b"}, "u")
    assert asyncio.run(request.body()) == b"body"
    assert request.headers == {"content-type": "t"}
