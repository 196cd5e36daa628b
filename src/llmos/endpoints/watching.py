"""A watch: current state, then every change, until time, client or rights end it.

Events go from the source's commit straight to the connection; one encoding serves all watchers
that want the same representation. Rights are asked again whenever they may have changed, and what
comes into sight or leaves it is told as ADDED and DELETED.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import orjson

from llmos.apimachinery.errors import ExpiredError
from llmos.apimachinery.object import Object
from llmos.endpoints.http import Request, Stream
from llmos.endpoints.narrowing import View, scope_of
from llmos.endpoints.rendering import SLICE_SECONDS, WatchEncoder
from llmos.endpoints.streams import OpenStreams
from llmos.watchcache.interface import Event, EventType, Key, Readable, Snapshot, Source
from llmos.watchcache.listing import EVERYTHING, look
from llmos.watchcache.matching import Matches
from llmos.watchcache.watches import open_watch

RECHECK_SECONDS = 1.0
"""How often an open watch asks whether it may go on, besides at every change of rights."""
BOOKMARK_SECONDS = 60.0
MAX_BUFFERED = 4 * 1024 * 1024
"""Bytes a client may be behind before its watch is cut: it resumes from its last revision."""


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What a client wants to watch."""

    served: Readable
    namespace: str | None
    since: int
    """Events after this revision."""
    initial: bool
    """Begin with the current state as ADDED events."""
    initial_end: bool
    """Mark its end with an annotated bookmark."""
    bookmarks: bool
    seconds: float
    matches: Matches | None
    encoder: WatchEncoder


@dataclass(slots=True)
class Watch:
    """One open watch; ``run`` is its life."""

    source: Source
    wanted: WatchRequest
    request: Request
    still_allowed: Callable[[Request], Awaitable[bool]]
    open_streams: OpenStreams
    """Where the watch is found by whoever has news about rights."""
    in_force: Callable[[Readable], bool]
    """Whether the kind is served as it was when the watch began."""
    stream: Stream = field(init=False)
    _asked: int = field(init=False, default=0)
    """The version of rights under which the watch was last allowed."""
    _held: list[Event] = field(init=False, default_factory=list)
    """Events that came since rights changed: they wait for the answer."""

    async def run(self, stream: Stream) -> None:
        """Send events until something ends the watch."""
        self.stream = stream
        self._asked = self.open_streams.version
        loop = asyncio.get_running_loop()
        now = loop.time()
        end, bookmark_at = now + self.wanted.seconds, now + BOOKMARK_SECONDS
        since = await self._begin()
        if since is None:
            return
        try:
            subscription = open_watch(
                self.source,
                self.wanted.served,
                self.wanted.namespace,
                since,
                self._deliver,
            )
        except ExpiredError as error:
            stream.write(self.wanted.encoder.error(error))
            return
        self.open_streams.add(stream)
        try:
            while (now := loop.time()) < end and not (stream.gone or subscription.closed):
                if self.wanted.bookmarks and now >= bookmark_at and not self._held:
                    bookmark_at = now + BOOKMARK_SECONDS
                    stream.write(self._bookmark(self.source.revision))
                await stream.wait(min(RECHECK_SECONDS, end - now))
                if not await self._recheck() or not self.in_force(self.wanted.served):
                    return
            if self.wanted.bookmarks and not (self._held or subscription.closed):
                stream.write(self._bookmark(self.source.revision))
        finally:
            self.open_streams.discard(stream)
            subscription.close()

    # What is sent

    async def _begin(self) -> int | None:
        """Tell what there is as of the returned revision; None: the right to see it went."""
        wanted = self.wanted
        if not wanted.initial:
            return wanted.since
        while True:
            view = self.request.visible
            snapshot = look(self.source, wanted.served, wanted.namespace, scope_of(view))
            events = await self._initial(snapshot)
            while self._asked != self.open_streams.version:
                self._asked = self.open_streams.version
                if not await self.still_allowed(self.request):
                    return None
            if self.request.visible == view:
                break
        if wanted.initial_end:
            end = {"k8s.io/initial-events-end": "true"}
            events.append(self._bookmark(snapshot.revision, end))
        if events:
            self.stream.write(b"".join(events))
        return snapshot.revision

    async def _initial(self, snapshot: Snapshot) -> list[bytes]:
        """What is selected of a list as events; others have their turn meanwhile."""
        encoder, served = self.wanted.encoder, self.wanted.served
        loop = asyncio.get_running_loop()
        events, begun = [], loop.time()
        for _, record in snapshot.items:
            if self._selected(record.value):
                events.append(encoder.event("ADDED", served, record.value))
            if loop.time() - begun > SLICE_SECONDS:
                await asyncio.sleep(0)
                begun = loop.time()
        return events

    def _deliver(self, events: Sequence[Event]) -> None:
        if self._held or self._asked != self.open_streams.version:
            self._held.extend(events)
            self.stream.wake()
            return
        self._send([line for each in events if (line := self._line(each))])

    def _send(self, lines: Sequence[bytes]) -> None:
        if lines:
            self.stream.write(b"".join(lines))
            if self.stream.buffered > MAX_BUFFERED:
                self.stream.abort()

    def _line(self, event: Event) -> bytes:
        """The event as this watcher sees it, or nothing."""
        if not self._visible(self.request.visible, event.key, event.value):
            return b""
        return self._encoded(event)

    def _encoded(self, event: Event) -> bytes:
        """The event through the selector; nothing, if that shows nothing of it."""
        wanted = self.wanted
        kind, value = event.type, event.value
        if wanted.matches is not None:
            seen = self._seen_through_selector(event)
            if seen is None:
                return b""
            kind, value = seen
        encoding = wanted.encoder.shared_key
        if encoding is None or value is not event.value or kind != event.type:
            return wanted.encoder.event(kind, wanted.served, value)
        shared = (encoding, wanted.served.prefix)
        line = event.encoded.get(shared)
        if line is None:
            line = wanted.encoder.event(kind, wanted.served, value)
            event.encoded[shared] = line
        return line

    def _seen_through_selector(self, event: Event) -> tuple[EventType, bytes] | None:
        """Entering a selector is ADDED; leaving it is DELETED, with the state that matched."""
        now = self._selected(event.value)
        if event.type == "DELETED":
            return ("DELETED", event.value) if now else None
        before = event.previous is not None and self._selected(event.previous)
        if now:
            return ("MODIFIED" if before else "ADDED"), event.value
        if not before or event.previous is None:
            return None
        return "DELETED", _at_revision(event.previous, event.revision)

    def _selected(self, value: bytes) -> bool:
        matches = self.wanted.matches
        return matches is None or matches(self.wanted.served.load(value))

    def _bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        resource = self.wanted.served.resource
        meta: Object = {"resourceVersion": str(revision)}
        if annotations:
            meta["annotations"] = annotations
        body: Object = {"metadata": meta}
        if not resource.custom:
            body["spec"] = {}
        value = orjson.dumps(body)
        return self.wanted.encoder.event("BOOKMARK", self.wanted.served, value)

    # Rights

    @staticmethod
    def _visible(view: View | None, key: Key, value: bytes) -> bool:
        return view is None or view.shows(key.namespace, key.name, value)

    async def _recheck(self) -> bool:
        """Ask again; tell what came into sight and what left it. False: it ends."""
        before: View | None = self.request.visible
        self._asked = self.open_streams.version
        if not await self.still_allowed(self.request):
            return False
        held, self._held = self._held, []
        self._release(held, before)
        if self.request.visible != before:
            self._tell_difference(held, before)
        return True

    def _release(self, held: Sequence[Event], before: View | None) -> None:
        """Send what waited, of what was in sight and still is."""
        after: View | None = self.request.visible

        def concerns(event: Event) -> bool:
            views = (before, after)
            return all(self._visible(each, event.key, event.value) for each in views)

        self._send([line for each in held if concerns(each) and (line := self._encoded(each))])

    def _tell_difference(self, held: Sequence[Event], before: View | None) -> None:
        """Tell what came into sight as it is, and what left it as it was last told."""
        after: View | None = self.request.visible
        scope = before.crossing(after) if before and after else EVERYTHING
        snapshot = look(self.source, self.wanted.served, self.wanted.namespace, scope)
        current = {key: record.value for key, record in snapshot.items}
        # What waited was told of as it was before the first change; of the new nothing was told.
        told = current | {each.key: each.previous for each in reversed(held)}
        for key, value in told.items():
            if value is not None and self._crosses(key, value, (before, after)):
                self._tell("DELETED", _at_revision(value, self.source.revision))
        for key, value in current.items():
            if self._crosses(key, value, (after, before)):
                self._tell("ADDED", value)

    def _crosses(self, key: Key, value: bytes, views: tuple[View | None, View | None]) -> bool:
        """Whether an object is seen through the first view and not through the second."""
        seen, unseen = views
        if not self._visible(seen, key, value) or self._visible(unseen, key, value):
            return False
        return self._selected(value)

    def _tell(self, kind: EventType, value: bytes) -> None:
        self.stream.write(self.wanted.encoder.event(kind, self.wanted.served, value))


def _at_revision(value: bytes, revision: int) -> bytes:
    """The object with another resourceVersion: when it left the watcher's sight."""
    obj = orjson.loads(value)
    obj["metadata"]["resourceVersion"] = str(revision)
    return orjson.dumps(obj)
