"""The stream of changes misses nothing, whatever happens to its connections."""

import asyncio

import httpx

from llmos.apimachinery.errors import ServiceUnavailableError
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.resources import CONFIG_MAPS
from llmos.client.watch import Backoff, EventType, Stream, _lines
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually


class Reader:
    """Collects what a stream says, in short: ``ADDED a``."""

    def __init__(self, api: FakeAPI) -> None:
        self.api = api
        self.seen: list[str] = []
        self.delays: list[float] = []

    async def read(self) -> None:
        """Read until cancelled."""

        async def sleep(delay: float) -> None:
            self.delays.append(delay)
            await asyncio.sleep(0)

        async with Client(Config("http://api"), transport=self.api) as client:
            stream = Stream(client, CONFIG_MAPS, sleep=sleep, page=2)
            async for kind, obj in stream.events():
                name = obj.get("metadata", {}).get("name", "")
                self.seen.append(f"{kind.name} {name}".strip())

    async def until(self, last: str, count: int = 1) -> None:
        """Wait until something was seen so many times."""
        await eventually(lambda: self.seen.count(last) >= count)


def run(scenario) -> Reader:
    async def main() -> Reader:
        reader = Reader(FakeAPI())
        task = asyncio.create_task(reader.read())
        try:
            await scenario(reader, reader.api)
        finally:
            task.cancel()
            await asyncio.wait([task])
        return reader

    return asyncio.run(main())


def test_list_then_watch():
    """Pages come between LISTING and SYNCED, then every change once and in order."""

    async def scenario(reader: Reader, api: FakeAPI) -> None:
        for name in "abc":
            api.create(CONFIG_MAPS, name, "n")
        await reader.until("SYNCED")
        api.create(CONFIG_MAPS, "d", "n")
        api.patch(CONFIG_MAPS, "d", {"data": {"x": "y"}}, "n")
        api.delete(CONFIG_MAPS, "a", "n")
        await reader.until("DELETED a")

    reader = run(scenario)
    assert reader.seen == [
        *("LISTING", "LISTED a", "LISTED b", "LISTED c", "SYNCED"),
        *("ADDED d", "MODIFIED d", "DELETED a"),
    ]


def test_a_broken_watch_goes_on_where_it_was():
    """After a break the next watch brings what happened meanwhile, without a new list."""

    async def scenario(reader: Reader, api: FakeAPI) -> None:
        await reader.until("SYNCED")
        api.create(CONFIG_MAPS, "a", "n")
        await reader.until("ADDED a")
        api.break_watches()
        api.create(CONFIG_MAPS, "b", "n")
        api.failures = [ServiceUnavailableError("down"), httpx.ConnectError("refused")]
        await reader.until("ADDED b")

    reader = run(scenario)
    assert reader.seen == ["LISTING", "SYNCED", "ADDED a", "ADDED b"]


def test_an_expired_version_means_a_new_list():
    """410 begins again with a list."""

    async def scenario(reader: Reader, api: FakeAPI) -> None:
        await reader.until("SYNCED")
        api.create(CONFIG_MAPS, "a", "n")
        await reader.until("ADDED a")
        api.expire()
        await reader.until("SYNCED", 2)

    reader = run(scenario)
    assert reader.seen[-3:] == ["LISTING", "LISTED a", "SYNCED"]


def test_failures_wait_longer_each_time_and_success_resets():
    """The delay doubles, has jitter and a maximum."""
    backoff = Backoff(first=1, most=8)
    delays = [backoff.next() for _ in range(6)]
    for delay, most in zip(delays, (1, 2, 4, 8, 8, 8), strict=True):
        assert most / 2 <= delay <= most
    backoff.reset()
    assert backoff.next() <= 1


def test_lines_are_cut_wherever_chunks_end():
    """However the bytes arrive, the lines are the same; an unfinished one is dropped."""
    text = b'{"a":1}\n{"b":2}\n\n{"c":3}\n{"un'

    async def chunks(size: int):
        for start in range(0, len(text), size):
            yield text[start : start + size]

    async def read(size: int) -> list[bytes]:
        return [line async for line in _lines(chunks(size))]

    for size in (1, 2, 7, 8, 9, 100):
        assert asyncio.run(read(size)) == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


def test_event_types_are_complete():
    """Every type of the stream is one an informer knows."""
    assert {each.name for each in EventType} == {
        *("LISTING", "LISTED", "SYNCED", "ADDED", "MODIFIED", "DELETED", "BOOKMARK"),
    }
