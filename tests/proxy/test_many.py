"""Ten thousand namespaces and a thousand users who each watch a few of them."""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from random import Random

import psutil
import pytest

from llmos.client import resources as known
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.endpoints.narrowing import View
from proxy.part import Part, opened, state, told
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

pytestmark = pytest.mark.slow
NAMESPACES = 10_000
WATCHERS = 1_000
PATH = "/api/v1/namespaces"
MIB = 1 << 20
NAMES = [f"team-{number}" for number in range(NAMESPACES)]


def filled() -> FakeAPI:
    """A cluster with its namespaces."""
    api = FakeAPI()
    for name in NAMES:
        api.create(known.NAMESPACES, name)
    return api


def view(random: Random, count: int) -> View:
    """A few of them."""
    return View(names=frozenset(random.sample(NAMES, count)))


def test_a_list_of_few_of_many_is_quick() -> None:
    """Found by name: 5 of 10,000 take far less than the 50 ms that are promised."""

    async def check() -> None:
        client = Client(Config("http://api"), transport=filled())
        async with opened(client, time.monotonic) as part:
            seen = view(Random(1), 5)
            wanted = sorted(seen.names or ())
            assert await part.names(PATH, seen) == wanted
            took = []
            for _ in range(500):
                begun = time.perf_counter()
                await part.ask(PATH)
                took.append(time.perf_counter() - begun)
            p99 = statistics.quantiles(took, n=100)[-1]
            assert p99 < 0.05

    asyncio.run(check())


@pytest.mark.timeout(240)
def test_many_watchers_share_one_watch_while_rights_change() -> None:
    """Each is told of what he sees and of nothing else, in bounded memory."""

    async def check() -> None:
        api = filled()
        client = Client(Config("http://api"), transport=api)
        async with opened(client, time.monotonic) as part:
            await part.get(PATH, view(Random(0), 1))
            before = psutil.Process().memory_info().rss
            async with AsyncExitStack() as stack:
                random = Random(2)
                users = {f"user-{number}": view(random, 50) for number in range(WATCHERS)}
                watch = f"{PATH}?watch=true"
                streams = {
                    user: await stack.enter_async_context(part.watching(watch, seen, user))
                    for user, seen in users.items()
                }
                await _churn(api, part, random)
                for user in random.sample(sorted(users), 100):
                    wanted = part.views[user]
                    assert wanted is not None
                    stream = streams[user]
                    await eventually(lambda s=stream, w=wanted: set(state(s)) == w.names)
                    last = {
                        name: each["metadata"].get("labels") for name, each in state(stream).items()
                    }
                    assert last == {name: _labels(api, name) for name in last}
                watches = [each for each in api.watches if each.resource == known.NAMESPACES]
                assert len(watches) == 1
                grown = psutil.Process().memory_info().rss - before
                assert grown < 512 * MIB

    asyncio.run(check())


def _labels(api: FakeAPI, name: str) -> dict | None:
    obj = api.get(known.NAMESPACES, "", name)
    assert obj is not None
    labels: dict | None = obj["metadata"].get("labels")
    return labels


async def _churn(api: FakeAPI, part: Part, random: Random) -> None:
    """Rights and namespaces change, one after the other."""
    for number in range(200):
        for user in random.sample(sorted(part.views), 5):
            part.see(view(random, 50), user)
        for name in random.sample(NAMES, 10):
            api.patch(known.NAMESPACES, name, {"metadata": {"labels": {"n": str(number)}}})
        await asyncio.sleep(0.01)


def test_told_is_counted() -> None:
    """A watcher hears of nothing outside of his view."""

    async def check() -> None:
        api = FakeAPI()
        for name in NAMES[:10]:
            api.create(known.NAMESPACES, name)
        client = Client(Config("http://api"), transport=api)
        async with opened(client, time.monotonic) as part:
            seen = View(names=frozenset(NAMES[:1]))
            async with part.watching(f"{PATH}?watch=true", seen) as stream:
                for name in (*NAMES[1:10], NAMES[0]):
                    api.patch(known.NAMESPACES, name, {"metadata": {"labels": {"a": "b"}}})
                await eventually(lambda: ("MODIFIED", NAMES[0]) in told(stream))
                assert told(stream) == [("ADDED", NAMES[0]), ("MODIFIED", NAMES[0])]

    asyncio.run(check())
