"""The registry as others read it: committed, newest, and as the platform writes."""

import pytest

from llmos.apimachinery.errors import ConflictError, ForbiddenError, NotFoundError
from llmos.apimachinery.resource import GroupResource
from llmos.registry.lister import CommittedLister, LatestLister, PlatformStore
from registry.world import changed, config_map, widget

CONFIG_MAPS = GroupResource("", "configmaps")
WIDGETS = GroupResource("example.com", "widgets")


@pytest.fixture
def platform(world):
    """The platform's own store."""
    return PlatformStore(world.store, world.catalog)


@pytest.mark.parametrize("lister", [CommittedLister, LatestLister])
def test_lists_what_is_stored(world, lister):
    """One object, those of a namespace, all."""
    for name, where in (("a", "team-a"), ("b", "team-a"), ("a", "team-b")):
        world.create(config_map(name, where))
    reads = lister(world.storage)
    assert reads.get(CONFIG_MAPS, "team-a", "a")["data"] == {"k": "v"}
    assert reads.get(CONFIG_MAPS, "team-a", "z") is None
    assert reads.get(GroupResource("", "unicorns"), "team-a", "a") is None
    assert len(list(reads.list(CONFIG_MAPS, "team-a"))) == 2
    assert len(list(reads.list(CONFIG_MAPS))) == 3
    assert list(reads.list(CONFIG_MAPS, "team-c")) == []


def test_admission_sees_writes_in_flight_and_others_do_not(world):
    """What is decided about the next write counts those before it; readers see what is durable."""
    served = world.kind("configmaps")
    committed, latest = CommittedLister(world.storage), LatestLister(world.storage)

    async def scenario():
        obj, _ = served.decode(config_map())
        change = world.store._writer.create(served, obj, world.context(config_map()))
        writing = world.storage.submit(change.writes)
        during = [
            committed.get(CONFIG_MAPS, "team-a", "a"),
            list(committed.list(CONFIG_MAPS)),
            latest.get(CONFIG_MAPS, "team-a", "a"),
            list(latest.list(CONFIG_MAPS)),
            latest.count(CONFIG_MAPS, "team-a"),
        ]
        await writing
        return during, committed.get(CONFIG_MAPS, "team-a", "a")

    (one, many, newest, all_newest, count), after = world.run(scenario())
    assert (one, many) == (None, [])
    assert newest["data"] == {"k": "v"}
    assert all_newest == [newest]
    assert count == 1
    assert after == newest


def test_the_platform_writes_through_the_same_store(world, platform):
    """With admission, in its own name."""
    made = world.run(platform.create(CONFIG_MAPS, config_map()))
    assert made["metadata"]["uid"]
    assert made["metadata"]["managedFields"][0]["manager"] == "llmos"
    _, asked = world.admission.asked[0]
    assert (asked.user.name, asked.namespace) == ("system:apiserver", "team-a")
    assert asked.user.groups == ("system:masters",)
    new = world.run(platform.update(CONFIG_MAPS, changed(made, data={"x": "y"})))
    assert new["data"] == {"x": "y"}
    assert platform.get(CONFIG_MAPS, "team-a", "a") == new
    assert list(platform.list(CONFIG_MAPS, "team-a")) == [new]
    with pytest.raises(ConflictError):
        world.run(platform.update(CONFIG_MAPS, made))
    world.run(platform.delete(CONFIG_MAPS, "team-a", "a"))
    assert platform.get(CONFIG_MAPS, "team-a", "a") is None
    with pytest.raises(NotFoundError):
        world.run(platform.delete(CONFIG_MAPS, "team-a", "a"))


def test_the_platform_writes_status_apart(world, platform):
    """The spec stays."""
    made = world.run(platform.create(WIDGETS, widget(size=1)))
    new = changed(made, spec={"size": 7}, status={"replicas": 1})
    stored = world.run(platform.update_status(WIDGETS, new))
    assert (stored["spec"], stored["status"]) == ({"size": 1}, {"replicas": 1})


def test_the_platform_is_refused_as_others_are(world, platform):
    """Admission binds it too."""

    def refuse(asked):
        raise ForbiddenError("no")

    world.admission.on_validate = refuse
    with pytest.raises(ForbiddenError):
        world.run(platform.create(CONFIG_MAPS, config_map()))


def test_a_kind_that_is_not_served_is_not_found(world, platform):
    """The definition may have gone."""
    with pytest.raises(NotFoundError):
        platform.get(GroupResource("example.com", "unicorns"), "", "x")
