"""The controllers' way to the server of their own process: the same answers, without the wire."""

import asyncio

import httpx
import pytest

from llmos.apimachinery.errors import NotFoundError
from llmos.cli import inprocess
from llmos.cli.inprocess import EventStream, InProcessTransport
from llmos.endpoints.http import Response, StreamResponse
from llmos.endpoints.pipeline import Pipeline


def client(handler):
    """A client of an application that is one handler."""
    app = Pipeline((), handler, lambda: 0.0)
    return httpx.AsyncClient(transport=InProcessTransport(app), base_url="https://llmos")


def test_a_request_arrives_whole() -> None:
    """Method, path, query, headers and body are what the client sent."""
    seen = {}

    async def handler(request):
        seen["line"] = (request.method, request.raw_path, request.query["a"])
        seen["agent"] = request.headers["user-agent"]
        seen["body"] = await request.body()
        return Response(201, b'{"x":1}')

    async def main():
        async with client(handler) as http:
            return await http.post("/api/v1/x%2Fy?a=b", content=b"hello")

    answer = asyncio.run(main())
    assert (answer.status_code, answer.json()) == (201, {"x": 1})
    assert answer.headers["content-type"] == "application/json"
    assert seen["line"] == ("POST", b"/api/v1/x%2Fy", "b")
    assert seen["agent"].startswith("python-httpx")
    assert seen["body"] == b"hello"


def test_a_refusal_is_the_status_of_the_api() -> None:
    """What a handler raises comes back as it would over the wire."""

    async def handler(request):
        raise NotFoundError.resource()

    async def main():
        async with client(handler) as http:
            return await http.get("/nope")

    answer = asyncio.run(main())
    assert answer.status_code == 404
    assert answer.json()["reason"] == "NotFound"


def test_a_watch_arrives_as_it_is_written() -> None:
    """Lines come while the watch goes on, and its end is the end of the answer."""
    goes_on = asyncio.Event()

    async def run(stream):
        stream.write(b"one\n")
        await goes_on.wait()
        stream.write(b"two\n")

    async def handler(request):
        return StreamResponse(200, run)

    async def main():
        async with client(handler) as http, http.stream("GET", "/watch") as answer:
            lines = answer.aiter_lines()
            first = await anext(lines)
            goes_on.set()
            return [first, *[each async for each in lines]]

    assert asyncio.run(main()) == ["one", "two"]


def test_a_client_that_leaves_ends_the_watch() -> None:
    """The handler learns of it at once, and what it still writes is dropped."""

    async def main():
        over = asyncio.Event()

        async def run(stream):
            stream.write(b"one\n")
            while not stream.gone:
                await stream.wait(30)
            stream.write(b"dropped\n")
            assert stream.buffered == 0
            over.set()

        async def handler(request):
            return StreamResponse(200, run)

        async with client(handler) as http:
            async with http.stream("GET", "/watch") as answer:
                await anext(answer.aiter_lines())
            await asyncio.wait_for(over.wait(), 1)

    asyncio.run(main())


def test_a_client_far_behind_is_cut_off(monkeypatch) -> None:
    """Nobody's lag takes more memory than the bound."""
    monkeypatch.setattr(inprocess, "MAX_BUFFERED", 10)
    stream = EventStream()
    stream.write(b"12345678")
    assert not stream.gone
    stream.write(b"12345678")
    assert stream.gone


@pytest.mark.parametrize("woken", [True, False])
def test_waiting_ends_early_when_woken(woken) -> None:
    """A stream is woken by news about rights; otherwise it waits its time."""

    async def main():
        stream = EventStream()
        if woken:
            stream.wake()
        async with asyncio.timeout(1):
            await stream.wait(30 if woken else 0.01)

    asyncio.run(main())
