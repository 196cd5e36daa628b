"""Narrowed reads without the rest of a proxy: a test says what each user sees."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from endpoints.exchange import FakeStream, request_of
from llmos.apimachinery.errors import StatusError
from llmos.apis.authentication_v1 import UserInfo
from llmos.client.client import Client
from llmos.endpoints.http import Request, Response, StreamResponse
from llmos.endpoints.narrowing import View
from llmos.endpoints.streams import OpenStreams
from llmos.proxy.caches import Caches
from llmos.proxy.narrowed import Narrowed
from reconcile.waiting import eventually

NOW = 1767225600.0


class Part:
    """What ``uma`` sees of a cluster."""

    def __init__(
        self, client: Client, clock: Callable[[], float], now: Callable[[], float] = lambda: NOW
    ) -> None:
        self.caches = Caches(client, clock)
        self.streams = OpenStreams()
        self.views: dict[str, View | None] = {}
        """By user; who is not in it has lost all his rights."""
        self.narrowed = Narrowed(self.caches, now, self._still_allowed, self.streams)

    async def _still_allowed(self, request: Request) -> bool:
        request.visible = self.views.get(request.user.name)
        return request.user.name in self.views

    def see(self, view: View | None, user: str = "uma") -> None:
        """From now on the user sees this."""
        self.views[user] = view
        self.streams.rights_changed()

    async def ask(
        self, target: str, view: View | None = None, user: str = "uma", **headers: str
    ) -> Response | StreamResponse:
        """The answer to a GET; errors are raised."""
        request = request_of("GET", target, user=UserInfo(user, groups=("llmos:users",)), **headers)
        if view is not None:
            self.views[user] = view
        request.visible = self.views[user]
        return await self.narrowed(request)

    async def get(self, target: str, view: View | None = None, **headers: str) -> Any:
        """The JSON of an answer."""
        answer = await self.ask(target, view, **headers)
        assert isinstance(answer, Response)
        assert answer.status == 200, answer.body
        return orjson.loads(answer.body)

    async def names(self, target: str, view: View | None = None) -> list[str]:
        """Where the objects of a list are."""
        return [place(each) for each in (await self.get(target, view))["items"]]

    @asynccontextmanager
    async def watching(
        self, target: str, view: View | None = None, user: str = "uma"
    ) -> AsyncIterator[FakeStream]:
        """A watch, as long as the block lasts."""
        response = await self.ask(target, view, user)
        assert isinstance(response, StreamResponse)
        stream = FakeStream()
        running = asyncio.create_task(response.run(stream))
        try:
            await eventually(lambda: stream in self.streams or running.done())
            yield stream
        finally:
            stream.leave()
            async with asyncio.timeout(5):
                await running

    async def refusal(self, target: str, view: View | None = None) -> StatusError:
        """The error that is raised."""
        try:
            await self.ask(target, view)
        except StatusError as error:
            return error
        raise AssertionError("it was answered")


def place(obj: dict) -> str:
    """Namespace and name."""
    meta = obj["metadata"]
    return "/".join(filter(None, (meta.get("namespace"), meta["name"])))


def told(stream: FakeStream) -> list[tuple[str, str]]:
    """Type and place of every event so far."""
    return [
        (each["type"], place(each["object"]))
        for each in stream.events
        if each["type"] not in ("BOOKMARK", "ERROR")
    ]


def state(stream: FakeStream, before: dict[str, dict] | None = None) -> dict[str, dict]:
    """What a client knows after the events of a watch; they must make sense to him."""
    known = dict(before or {})
    for each in stream.events:
        kind, obj = each["type"], each["object"]
        assert kind != "ERROR", obj
        if kind == "BOOKMARK":
            continue
        where = place(obj)
        if kind == "DELETED":
            known.pop(where, None)
        else:
            known[where] = obj
    return known


@asynccontextmanager
async def opened(
    client: Client, clock: Callable[[], float], now: Callable[[], float] = lambda: NOW
) -> AsyncIterator[Part]:
    """A part of a cluster that can be asked."""
    part = Part(client, clock, now)
    async with part.caches:
        await eventually(lambda: part.caches.kinds.known, seconds=10)
        yield part
