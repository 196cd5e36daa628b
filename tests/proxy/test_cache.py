"""The cache of a resource: one watch, gaps that become events, and never old data as new."""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmos.apimachinery.errors import (
    ExpiredError,
    ForbiddenError,
    NotFoundError,
    ServiceUnavailableError,
)
from llmos.client import resources as known
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.endpoints import fastlane, watching
from llmos.endpoints.narrowing import View
from llmos.endpoints.requestinfo import parse_request
from llmos.proxy import cache as caching
from llmos.proxy import caches as keeping
from llmos.proxy.cache import Cache
from llmos.proxy.caches import Caches
from llmos.proxy.kinds import Kind
from llmos.proxy.platform import STALE_SECONDS
from proxy.part import Part, opened, place, state, told
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

TEAMS = View(namespaces=frozenset({"a", "b"}))
EVERYWHERE = "/api/v1/configmaps"
INFO = parse_request("GET", EVERYWHERE.encode(), {})
CONFIG_MAPS = Kind(known.CONFIG_MAPS)


class Clock:
    """The time, as a test sets it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """A cluster in memory and a part of it."""

    def __init__(self) -> None:
        self.api = FakeAPI()
        self.clock = Clock()
        self.client = Client(Config("http://api"), transport=self.api)

    def put(self, name: str, namespace: str = "a", **data: str) -> dict:
        if self.api.get(known.CONFIG_MAPS, namespace, name) is None:
            return self.api.create(known.CONFIG_MAPS, name, namespace, data=data)
        return self.api.patch(known.CONFIG_MAPS, name, {"data": data}, namespace)

    def delete(self, name: str, namespace: str = "a") -> None:
        self.api.delete(known.CONFIG_MAPS, name, namespace)

    def break_off(self) -> None:
        """No watch goes on, and history is forgotten: there is a gap until the next list."""
        self.api.expire()

    def watches(self) -> int:
        """How many watches of config maps there are."""
        return sum(each.resource == known.CONFIG_MAPS for each in self.api.watches)

    async def settled(self, part: Part) -> None:
        """Wait until the part knows the newest revision of its resource."""
        newest = max(
            (int(each["metadata"]["resourceVersion"]) for each in self.objects()), default=0
        )
        await eventually(lambda: self.watches() == 1)
        await eventually(lambda: self.cache(part).revision >= newest)
        wanted = {place(each) for each in self.objects()}
        await eventually(lambda: self.places(part) == wanted)

    def objects(self) -> list[dict]:
        return self.api.list(known.CONFIG_MAPS)

    def cache(self, part: Part) -> Cache:
        return part.caches._kept[CONFIG_MAPS.path].cache

    def places(self, part: Part) -> set[str]:
        items = self.cache(part).list("configmaps").items
        return {f"{key.namespace}/{key.name}" for key, _ in items}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What waits, waits less."""
    monkeypatch.setattr(watching, "RECHECK_SECONDS", 0.02)
    monkeypatch.setattr(caching, "SETTLE_SECONDS", 0.2)


def run(doing) -> Any:
    """Run a test on a world of its own."""

    async def whole() -> Any:
        world = World()
        async with opened(world.client, world.clock) as part:
            return await doing(world, part)

    return asyncio.run(whole())


def test_many_readers_share_one_watch():
    """However many users list and watch, the cluster sees one list and one watch."""

    async def check(world: World, part: Part) -> None:
        world.put("x")
        await asyncio.gather(*(part.get(EVERYWHERE, TEAMS) for _ in range(20)))
        async with (
            part.watching(f"{EVERYWHERE}?watch=true", TEAMS) as one,
            part.watching(f"{EVERYWHERE}?watch=true", TEAMS, user="una") as other,
        ):
            world.put("y")
            await eventually(lambda: len(told(one)) == len(told(other)) == 2)
        assert world.api.requests.count(("GET", EVERYWHERE)) == 2

    run(check)


def test_what_a_gap_hid_is_told_when_it_ends():
    """Added, changed, deleted and replaced objects reach a watch that was open all the time."""

    async def check(world: World, part: Part) -> None:
        for name in ("changed", "gone", "replaced", "same"):
            world.put(name)
        async with part.watching(f"{EVERYWHERE}?watch=true", TEAMS) as stream:
            await eventually(lambda: len(told(stream)) == 4)
            stream.chunks.clear()
            world.break_off()
            world.put("changed", x="y")
            world.put("new")
            world.delete("gone")
            world.delete("replaced")
            world.put("replaced")
            await eventually(lambda: len(told(stream)) == 5)
            assert told(stream) == [
                ("MODIFIED", "a/changed"),
                ("ADDED", "a/new"),
                ("DELETED", "a/replaced"),
                ("DELETED", "a/gone"),
                ("ADDED", "a/replaced"),
            ]
            versions = [
                int(each["object"]["metadata"]["resourceVersion"]) for each in stream.events
            ]
            assert versions == sorted(versions)

    run(check)


def test_nobody_misses_a_deletion_that_a_gap_hid():
    """Neither who heard of some of them before his connection broke, nor who knows of a write."""

    async def check(world: World, part: Part) -> None:
        for name in ("one", "other", "third"):
            world.put(name)
        async with part.watching(f"{EVERYWHERE}?watch=true", TEAMS) as stream:
            await eventually(lambda: len(told(stream)) == 3)
            stream.chunks.clear()
            world.break_off()
            world.delete("one")
            written = world.put("new")
            world.delete("other")
            world.delete("third")
            await eventually(lambda: len(told(stream)) == 4)
        deleted = [("DELETED", f"a/{name}") for name in ("one", "other", "third")]
        assert told(stream) == [("ADDED", "a/new"), *deleted]
        heard = stream.events[1]["object"]["metadata"]["resourceVersion"]
        for since in (heard, written["metadata"]["resourceVersion"]):
            path = f"{EVERYWHERE}?watch=true&resourceVersion={since}"
            async with part.watching(path) as again:
                await eventually(lambda: told(again))
                assert set(deleted[1:]) <= set(told(again))

    run(check)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("put", "delete", "gap")),
        st.sampled_from("xyz"),
        st.sampled_from(("a", "b", "c")),
    ),
    min_size=1,
    max_size=12,
)


async def _play(world: World, steps: Any) -> None:
    for number, (what, name, namespace) in enumerate(steps):
        if what == "gap":
            await asyncio.sleep(0.003)
            world.break_off()
        elif what == "put":
            world.put(name, namespace, n=str(number))
        elif world.api.get(known.CONFIG_MAPS, namespace, name) is not None:
            world.delete(name, namespace)


@settings(max_examples=40)
@given(before=_STEPS, after=_STEPS, kept=st.integers(0, 24))
@example(  # the deletion is told with what brought the last revision
    before=[("put", "x", "a")],
    after=[("gap", "x", "a"), ("delete", "x", "a"), ("put", "x", "b")],
    kept=1,
)
@example(
    before=[("put", "x", "a"), ("put", "y", "a")],
    after=[("gap", "x", "a"), ("delete", "x", "a"), ("delete", "y", "a"), ("put", "x", "b")],
    kept=1,
)
def test_a_watch_leads_to_what_there_is(before, after, kept):
    """With gaps anywhere; and from wherever a client's connection broke, a new watch does too."""

    async def check(world: World, part: Part) -> None:
        await _play(world, before)
        listed = await part.get(EVERYWHERE, TEAMS)
        known_first = {place(each): each for each in listed["items"]}
        since = listed["metadata"]["resourceVersion"]
        async with part.watching(f"{EVERYWHERE}?watch=true&resourceVersion={since}") as stream:
            await _play(world, after)
            await world.settled(part)
            wanted = {
                place(each): each["data"]
                for each in world.objects()
                if each["metadata"]["namespace"] in ("a", "b")
            }
            await eventually(lambda: _data(state(stream, known_first)) == wanted)
        cut = min(kept, len(stream.events))
        lines = b"".join(stream.chunks).splitlines(keepends=True)
        stream.chunks[:] = lines[:cut]
        known_then = state(stream, known_first)
        last = stream.events[-1]["object"]["metadata"]["resourceVersion"] if cut else since
        async with part.watching(f"{EVERYWHERE}?watch=true&resourceVersion={last}") as again:
            await eventually(lambda: _data(state(again, known_then)) == wanted)

    run(check)


def _data(objects: dict[str, dict]) -> dict[str, dict]:
    return {where: each["data"] for where, each in objects.items()}


def test_lists_of_the_past_are_exact_or_expired():
    """Before a gap and after it the past is known; inside nobody knows it."""

    async def check(world: World, part: Part) -> None:
        first = int(world.put("x")["metadata"]["resourceVersion"])
        await part.get(EVERYWHERE, TEAMS)
        second = int(world.put("y")["metadata"]["resourceVersion"])
        await world.settled(part)
        world.break_off()
        inside = int(world.put("z")["metadata"]["resourceVersion"])
        world.delete("x")
        await world.settled(part)
        exact = f"{EVERYWHERE}?resourceVersionMatch=Exact&resourceVersion="
        assert await part.names(f"{exact}{first}") == ["a/x"]
        assert await part.names(f"{exact}{second}") == ["a/x", "a/y"]
        assert isinstance(await part.refusal(f"{exact}{inside}"), ExpiredError)
        assert await part.names(f"{exact}{world.cache(part).revision}") == ["a/y", "a/z"]

    run(check)


def test_pages_are_of_one_snapshot():
    """A token holds its revision; one from before what is remembered has expired."""

    async def check(world: World, part: Part) -> None:
        for name in "vwxyz":
            world.put(name)
        first = await part.get(f"{EVERYWHERE}?limit=2", TEAMS)
        world.delete("y")
        world.put("yy")
        await world.settled(part)
        token = first["metadata"]["continue"]
        second = await part.get(f"{EVERYWHERE}?limit=2&continue={token}")
        assert [place(each) for each in second["items"]] == ["a/x", "a/y"]
        assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        token = second["metadata"]["continue"]
        async with Caches(world.client, world.clock) as other_replica:
            replica = Part(world.client, world.clock)
            replica.caches, replica.narrowed = other_replica, part.narrowed
            object.__setattr__(replica.narrowed, "caches", other_replica)
            await eventually(lambda: other_replica.kinds.known)
            error = await replica.refusal(f"{EVERYWHERE}?limit=2&continue={token}", TEAMS)
            assert isinstance(error, ExpiredError)

    run(check)


def test_a_cluster_that_went_back_in_time_ends_watches():
    """An etcd restored from a backup: what was told is no longer true, and nothing can say how."""

    async def check(world: World, part: Part) -> None:
        world.put("x")
        async with part.watching(f"{EVERYWHERE}?watch=true", TEAMS) as stream:
            await eventually(lambda: told(stream))
            since = world.cache(part).revision
            world.api.revision = 50
            world.api.log.clear()
            world.put("x", n="restored")
            world.api.oldest = 1 << 40
            world.api.break_watches()
            await eventually(lambda: stream not in part.streams)
        world.api.oldest = 0
        assert (await part.get(EVERYWHERE))["items"][0]["data"] == {"n": "restored"}
        assert world.cache(part).revision < since

    run(check)


def test_old_data_is_not_shown_as_new():
    """While the cluster is silent: 503 with Retry-After, and not ready; afterwards as before."""

    async def check(world: World, part: Part) -> None:
        world.put("x")
        await part.get(EVERYWHERE, TEAMS)
        await eventually(lambda: world.watches() == 1)
        world.clock.now += STALE_SECONDS - 1
        assert await part.names(EVERYWHERE) == ["a/x"]
        assert part.caches.problem() == ""
        world.clock.now += 2
        error = await part.refusal(EVERYWHERE)
        assert isinstance(error, ServiceUnavailableError)
        assert error.retry_after
        assert "configmaps" in part.caches.problem()
        world.put("y")
        await world.settled(part)
        assert await part.names(EVERYWHERE) == ["a/x", "a/y"]
        assert part.caches.problem() == ""

    run(check)


def test_one_silent_kind_does_not_take_the_others_along():
    """It is refused by itself; the replica stays ready."""

    async def check(world: World, part: Part) -> None:
        await part.get(EVERYWHERE, TEAMS)
        await eventually(lambda: world.watches() == 1)
        world.clock.now += STALE_SECONDS + 1
        assert part.caches.problem()
        assert await part.names("/api/v1/pods") == []
        assert part.caches.problem() == ""
        assert isinstance(await part.refusal(EVERYWHERE), ServiceUnavailableError)

    run(check)


def test_a_cluster_that_never_answers_is_waited_for_and_not_for_long(monkeypatch):
    """The first list does not come: 503."""
    monkeypatch.setattr(caching, "SYNC_SECONDS", 0.05)

    async def check(world: World, part: Part) -> None:
        world.api.failures += [httpx.ConnectError("down")] * 100
        assert isinstance(await part.refusal(EVERYWHERE, TEAMS), ServiceUnavailableError)
        assert "not known" in Caches(world.client, world.clock).problem()

    run(check)


def test_what_the_proxy_may_not_read_nobody_sees_a_part_of():
    """The user gets his own refusal; nothing is said about the identity of the proxy."""

    async def check(world: World, part: Part) -> None:
        denied = 'User "system:serviceaccount:llmos-system:llmos-proxy" cannot list'
        world.api.failures += [ForbiddenError(denied)] * 10
        error = await part.refusal(EVERYWHERE, TEAMS)
        assert isinstance(error, ForbiddenError)
        assert '"uma" cannot list resource "configmaps"' in error.message
        world.api.failures.clear()
        await eventually(lambda: world.cache(part).synced)
        assert await part.names(EVERYWHERE) == []

    run(check)


def test_a_kind_that_is_no_longer_served_ends_its_watches():
    """And is found again when it comes back."""

    async def check(world: World, part: Part) -> None:
        world.put("x")
        async with part.watching(f"{EVERYWHERE}?watch=true", TEAMS) as stream:
            await eventually(lambda: told(stream))
            world.api.withdraw(known.CONFIG_MAPS)
            await eventually(lambda: stream not in part.streams)
        assert isinstance(await part.refusal(EVERYWHERE), NotFoundError)
        world.api.serve(known.CONFIG_MAPS)
        assert await part.names(EVERYWHERE) == ["a/x"]

    run(check)


def test_a_read_sees_what_was_written_through_its_replica():
    """It waits for the revision of a write, and for what was deleted to be gone."""

    async def check(world: World, part: Part) -> None:
        assert not part.caches.wants(INFO)
        old = world.put("x")
        await part.get(EVERYWHERE, TEAMS)
        await eventually(lambda: world.watches() == 1)
        assert part.caches.wants(INFO)
        held, world.api.watches = world.api.watches, []
        made = world.put("y")
        world.delete("x")
        gone = world.api.log[-1]
        part.caches.wrote(INFO, made)
        status = {"kind": "Status", "details": {"name": "x", "uid": old["metadata"]["uid"]}}
        named = parse_request("DELETE", b"/api/v1/namespaces/a/configmaps/x", {})
        part.caches.wrote(named, status)
        reading = asyncio.create_task(part.names(EVERYWHERE))
        await asyncio.sleep(0.05)
        assert not reading.done()
        queue = next(each.queue for each in held if each.resource == known.CONFIG_MAPS)
        queue.put_nowait(world.api._line("ADDED", made))
        await asyncio.sleep(0.02)
        assert not reading.done()
        queue.put_nowait(world.api._line("DELETED", gone[3]))
        assert await reading == ["a/y"]

    run(check)


def test_a_write_that_never_comes_is_not_waited_for_again():
    """One read waits, for a bounded time; the next does not."""

    async def check(world: World, part: Part) -> None:
        await part.get(EVERYWHERE, TEAMS)
        part.caches.wrote(INFO, {"metadata": {"resourceVersion": "999999"}})
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await part.get(EVERYWHERE)
        waited = loop.time()
        await part.get(EVERYWHERE)
        assert waited - begun >= caching.SETTLE_SECONDS
        assert loop.time() - waited < caching.SETTLE_SECONDS / 2

    run(check)


def test_a_read_that_begins_without_a_task_can_wait():
    """So the server begins those whose head it has seen before: each still gets its answer."""

    async def check(world: World, part: Part) -> None:
        await part.get(EVERYWHERE, TEAMS)
        part.caches.wrote(INFO, {"metadata": {"resourceVersion": "999999"}})
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        begin = (world.cache(part).ready(), over.set_result, over.set_exception)
        loop.call_soon(fastlane.start, *begin)
        assert await over is None

    run(check)


def test_bookmarks_of_the_cluster_move_the_revision():
    """A quiet collection stays young enough to watch from."""

    async def check(world: World, part: Part) -> None:
        world.put("x")
        await part.get(EVERYWHERE, TEAMS)
        await eventually(lambda: world.watches() == 1)
        mark = {"metadata": {"resourceVersion": "5000"}}
        queue = next(each.queue for each in world.api.watches if each.resource == known.CONFIG_MAPS)
        queue.put_nowait(world.api._line("BOOKMARK", mark))
        await eventually(lambda: world.cache(part).revision == 5000)
        assert (await part.get(EVERYWHERE))["metadata"]["resourceVersion"] == "5000"

    run(check)


def test_idle_caches_are_dropped():
    """Not while somebody watches."""

    async def check(world: World, part: Part) -> None:
        async with part.watching(f"{EVERYWHERE}?watch=true", TEAMS):
            world.clock.now += keeping.IDLE_SECONDS + 1
            part.caches.drop_idle()
            assert part.caches.wants(INFO)
        world.clock.now += keeping.IDLE_SECONDS - 1
        part.caches.drop_idle()
        assert part.caches.wants(INFO)
        world.clock.now += 2
        part.caches.drop_idle()
        assert not part.caches.wants(INFO)
        await eventually(lambda: world.watches() == 0)

    run(check)
