"""An informer knows what is there, and tells of every change."""

import asyncio
from contextlib import asynccontextmanager

from llmos.apimachinery.object import labels_of, name_of
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.resources import CONFIG_MAPS, NAMESPACES
from llmos.client.watch import Event, EventType
from llmos.reconcile.informer import Informer, Informers, keep_named, keep_nothing
from llmos.reconcile.runner import Runner
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually


def make(name: str, namespace: str = "n", **labels: str) -> dict:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


def fed(keep=None) -> tuple[Informer, list[str]]:
    client = Client(Config("http://api"), transport=FakeAPI())
    informer = Informer(client, CONFIG_MAPS, keep) if keep else Informer(client, CONFIG_MAPS)
    heard: list[str] = []
    informer.add_handler(
        lambda change: heard.append(f"{change.type.name} {name_of(change.object)}")
    )
    return informer, heard


def feed(informer: Informer, *events: tuple[str, dict]) -> None:
    for kind, obj in events:
        informer.receive(Event(EventType[kind], obj))


def test_events_become_state():
    """Objects come, change and go; lists are by namespace or over all."""
    informer, heard = fed()
    feed(
        informer, ("LISTING", {}), ("LISTED", make("a")), ("LISTED", make("b", "m")), ("SYNCED", {})
    )
    assert informer.synced.is_set()
    feed(
        informer, ("MODIFIED", make("a", x="1")), ("ADDED", make("c")), ("DELETED", make("b", "m"))
    )
    assert informer.get("n", "a")["metadata"]["labels"] == {"x": "1"}
    assert [name_of(each) for each in informer.list()] == ["a", "c"]
    assert list(informer.list("m")) == []
    assert heard == ["ADDED a", "ADDED b", "MODIFIED a", "ADDED c", "DELETED b"]


def test_a_new_list_removes_what_it_lacks():
    """What went unseen is told as DELETED when the new list is complete, not before."""
    informer, heard = fed()
    feed(informer, ("LISTING", {}), ("LISTED", make("a")), ("LISTED", make("b")), ("SYNCED", {}))
    feed(informer, ("LISTING", {}), ("LISTED", make("b")))
    assert informer.get("n", "a") is not None
    feed(informer, ("SYNCED", {}))
    assert informer.get("n", "a") is None
    assert heard[-1] == "DELETED a"


def test_indexes_follow_changes():
    """An index finds objects by their values now, and not by those they had."""
    informer, _ = fed()
    feed(informer, ("ADDED", make("a", team="red")))
    informer.add_index("team", lambda obj: labels_of(obj).values())
    feed(informer, ("ADDED", make("b", team="red")), ("MODIFIED", make("a", team="blue")))
    assert [name_of(each) for each in informer.by_index("team", "red")] == ["b"]
    assert [name_of(each) for each in informer.by_index("team", "blue")] == ["a"]
    feed(informer, ("DELETED", make("b", team="red")))
    assert list(informer.by_index("team", "red")) == []
    assert "red" not in informer._indexed["team"]


def test_keep_says_what_is_remembered():
    """Handlers hear of all objects; memory holds only what is kept."""
    informer, heard = fed(keep_named("a"))
    feed(informer, ("LISTING", {}), ("LISTED", make("a")), ("LISTED", make("b")), ("SYNCED", {}))
    assert heard == ["ADDED a", "ADDED b"]
    assert [name_of(each) for each in informer.list()] == ["a"]
    informer, heard = fed(keep_nothing)
    feed(informer, ("ADDED", make("a")), ("DELETED", make("a")))
    assert heard == ["ADDED a", "DELETED a"]
    assert list(informer.list()) == []


def test_a_handler_or_an_index_that_fails_stops_nobody():
    """An odd object is skipped where it cannot be read; others hear of it."""
    informer, heard = fed()

    def fail(change: object) -> None:
        raise KeyError("odd")

    informer.handlers.insert(0, fail)
    informer.add_index("odd", lambda obj: obj["spec"]["x"])
    feed(informer, ("ADDED", make("a")))
    assert heard == ["ADDED a"]
    assert informer.get("n", "a") is not None


@asynccontextmanager
async def followed(api: FakeAPI, informers_of=None):
    async with Client(Config("http://api"), transport=api) as client:
        informers = Informers(client)
        if informers_of:
            informers_of(informers)
        task = asyncio.create_task(Runner(informers, []).run())
        await asyncio.sleep(0)
        await asyncio.wait_for(informers.wait_synced(), 5)
        yield informers
        task.cancel()
        await asyncio.wait([task])


def test_informers_are_shared_and_are_a_lister():
    """One watch serves all who ask for a resource, through the Lister's verbs."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(NAMESPACES, "a")
        async with followed(api, lambda each: each.informer(NAMESPACES)) as informers:
            assert informers.informer(NAMESPACES) is informers.informer(NAMESPACES)
            assert informers.get(NAMESPACES.group_resource, "", "a")
            assert len(list(informers.list(NAMESPACES.group_resource))) == 1
            assert list(informers.list(CONFIG_MAPS.group_resource)) == []
            assert len(api.watches) <= 1

    asyncio.run(scenario())


def test_a_late_follower_hears_of_everything():
    """Who comes late is told of all that is there; dropping the informer ends the watch."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(CONFIG_MAPS, "early", "n")
        async with followed(
            api, lambda each: each.informer(CONFIG_MAPS, keep_nothing)
        ) as informers:
            heard: list[str] = []
            informers.follow(CONFIG_MAPS, lambda change: heard.append(name_of(change.object)))
            await asyncio.wait_for(informers.wait_synced(), 5)
            assert heard == ["early"]
            api.create(CONFIG_MAPS, "late", "n")
            await eventually(lambda: heard == ["early", "late"])
            informers.drop(CONFIG_MAPS.group_resource)
            await eventually(lambda: api.watches == [])

    asyncio.run(scenario())


def test_a_resource_that_is_not_served_yet_is_empty_until_it_is(monkeypatch):
    """An informer of a missing resource counts as synced, and fills when the resource comes."""
    monkeypatch.setattr("llmos.reconcile.informer._NOT_SERVED_DELAY", 0.01)

    async def scenario() -> None:
        api = FakeAPI()
        api.create(CONFIG_MAPS, "a", "n")
        api.withdraw(CONFIG_MAPS)
        async with followed(api, lambda each: each.informer(CONFIG_MAPS)) as informers:
            assert list(informers.list(CONFIG_MAPS.group_resource)) == []
            api.serve(CONFIG_MAPS)
            await eventually(lambda: list(informers.list(CONFIG_MAPS.group_resource)))

    asyncio.run(scenario())
