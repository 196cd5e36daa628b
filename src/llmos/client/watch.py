"""List, then watch, then again: a stream of changes that never ends by itself.

The informer reads it. Follows client-go's reflector: a watch begins where the list or the last
event left off; an expired version (410) means a new list; broken connections are tried again, each
time a little later.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

import orjson

from llmos.apimachinery.errors import ExpiredError, NotFoundError, StatusError
from llmos.apimachinery.object import Object, resource_version_of
from llmos.apimachinery.resource import APIResource
from llmos.client.client import EVERYTHING, PAGE, Client, Selectors, resource_path
from llmos.client.errors import ConnectionFailedError, status_error_from

log = logging.getLogger(__name__)

_FIRST_DELAY = 0.1
_MAX_DELAY = 10.0
_EAGER_DELAY = 1.0
"""The longest pause of whoever wants to notice at once that a server is gone, or back."""
_TIMEOUT_SECONDS = 1800
_LATE = 3.0
"""Seconds that a server may need beyond the length of a watch to end it."""


class EventType(Enum):
    """What an event of the stream says."""

    LISTING = auto()
    """A list begins: what it does not bring until SYNCED is gone."""
    LISTED = auto()
    """An object of the list."""
    SYNCED = auto()
    """The list is complete."""
    ADDED = auto()
    MODIFIED = auto()
    DELETED = auto()
    BOOKMARK = auto()
    """Nothing else happened up to the object's resourceVersion."""


class Event(NamedTuple):
    """One step of the stream.

    ``object`` is empty for LISTING, and for SYNCED only the ``metadata`` of the list.
    """

    type: EventType
    object: Object


_CHANGES = {
    "ADDED": EventType.ADDED,
    "MODIFIED": EventType.MODIFIED,
    "DELETED": EventType.DELETED,
    "BOOKMARK": EventType.BOOKMARK,
}


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next attempt: twice as long each time, with jitter."""

    first: float = _FIRST_DELAY
    most: float = _MAX_DELAY
    attempts: int = 0

    def next(self) -> float:
        """The next delay in seconds, between half of it and the whole."""
        delay: float = min(self.first * 2.0**self.attempts, self.most)
        self.attempts = min(self.attempts + 1, 32)
        return delay * random.uniform(0.5, 1)  # noqa: S311 - spreads load, hides nothing

    def reset(self) -> None:
        """Begin with the shortest delay again."""
        self.attempts = 0


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut a stream into lines; what a broken stream leaves unfinished is dropped."""
    rest = b""
    async for chunk in chunks:
        whole, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            rest += chunk
            continue
        for line in (rest + whole).split(b"\n"):
            if line:
                yield line
        rest = tail


def _ignore() -> None:
    """Nobody wants to know."""


def _accept(_: StatusError | ConnectionFailedError) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Stream:
    """The events of a resource, all namespaces or one, as they come."""

    client: Client
    resource: APIResource
    namespace: str | None = None
    selectors: Selectors = EVERYTHING
    page: int = PAGE
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    version: str = ""
    """Where the next watch begins; empty: with a list."""
    length: float | None = None
    """Seconds until a watch begins anew, and a server that is gone is noticed; None: long.

    Where it is short, attempts to reach one that is gone do not grow rarer than one a second.
    """
    heard: Callable[[], None] = _ignore
    """Called whenever the server has said something."""
    failed: Callable[[StatusError | ConnectionFailedError], None] = _accept
    """Called with what makes it begin anew."""

    async def events(self) -> AsyncIterator[Event]:
        """List and watch for ever.

        Raises:
            NotFoundError: the resource is not served (any more).
        """
        backoff = Backoff(most=_MAX_DELAY if self.length is None else _EAGER_DELAY)
        while True:
            version, ended = self.version, False
            try:
                if not version:
                    async for event in self._list():
                        yield event
                begun = time.monotonic()
                async for event in self._watch():
                    yield event
                ended = time.monotonic() - begun > _FIRST_DELAY * 5
            except (StatusError, ConnectionFailedError) as error:
                self._failed(error)
            if self.version != version or ended:
                backoff.reset()
            if not ended:
                await self.sleep(backoff.next())

    def _failed(self, error: StatusError | ConnectionFailedError) -> None:
        """Say what went wrong, once a line; an expired version begins anew."""
        if isinstance(error, NotFoundError):
            raise error
        self.failed(error)
        if isinstance(error, ExpiredError):
            self.version = ""
            return
        reason = error.reason if isinstance(error, StatusError) else str(error)
        log.warning("watch of %s: %s", self.resource.group_resource, reason)

    async def _list(self) -> AsyncIterator[Event]:
        yield Event(EventType.LISTING, {})
        token = ""
        while True:
            page = await self.client.list_page(
                self.resource,
                self.namespace,
                selectors=self.selectors,
                limit=self.page,
                token=token,
            )
            for item in page.items:
                yield Event(EventType.LISTED, item)
            self.heard()
            token = page.token
            if not token:
                break
        yield Event(EventType.SYNCED, {"metadata": {"resourceVersion": page.resource_version}})
        self.version = page.resource_version

    async def _watch(self) -> AsyncIterator[Event]:
        params = {
            **self.selectors.params(),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version,
            "timeoutSeconds": str(
                int(self.length or _TIMEOUT_SECONDS * random.uniform(1, 2))  # noqa: S311 - as above
            ),
        }
        silence = self.length + _LATE if self.length else None
        path = resource_path(self.resource, self.namespace)
        async with self.client.stream(path, params, silence=silence) as chunks:
            self.heard()
            async for line in _lines(chunks):
                self.heard()
                kind, obj = self._parse(line)
                if kind is not None:
                    yield Event(kind, obj)

    def _parse(self, line: bytes) -> tuple[EventType | None, Object]:
        try:
            event = orjson.loads(line)
            kind, obj = event["type"], event["object"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ConnectionFailedError("the watch sent what is not an event") from error
        if kind == "ERROR":
            raise status_error_from(obj)
        self.version = resource_version_of(obj) or self.version
        return _CHANGES.get(kind), obj
