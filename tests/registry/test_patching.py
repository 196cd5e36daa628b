"""Patch and server-side apply through the store."""

import pytest

from llmos.apimachinery.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from registry.world import changed, config_map, widget


def setting(**fields):
    """A patch that sets fields; those of metadata are merged."""

    def patch(current):
        current["metadata"] |= fields.get("metadata", {})
        current |= {name: value for name, value in fields.items() if name != "metadata"}
        return current

    return patch


def owners(obj):
    """Manager, operation and subresource of every entry of field ownership."""
    return [
        (each["manager"], each["operation"], each.get("subresource", ""))
        for each in obj["metadata"].get("managedFields", [])
    ]


def test_a_patch_changes_the_newest_state(world):
    """Its function gets a copy, whole and with its type; what it makes is stored."""
    made = world.create(config_map())
    seen = []

    def patch(current):
        seen.append(current)
        return {**current, "data": {"x": "y"}}

    new = world.patch(config_map(), patch)
    assert new["data"] == {"x": "y"}
    assert seen == [made]
    assert world.get(config_map()) == new


def test_a_patch_of_nothing_is_not_found(world):
    """A patch never creates, and its function is not asked."""
    with pytest.raises(NotFoundError):
        world.patch(config_map(), pytest.fail)


@pytest.mark.parametrize(
    ("meta", "error"),
    [
        ({"name": "b"}, BadRequestError),
        ({"namespace": "team-b"}, BadRequestError),
        ({"resourceVersion": "999"}, ConflictError),
        ({"uid": "aaaaaaaa-0000-0000-0000-000000000000"}, InvalidError),
        ({"labels": {"-": "x"}}, InvalidError),
    ],
)
def test_a_patch_cannot_make_another_object(world, meta, error):
    """Name, namespace, uid and version of the object stay (URL-16)."""
    made = world.create(config_map())
    before = world.revision
    with pytest.raises(error):
        world.patch(config_map(), setting(metadata=meta))
    assert world.revision == before
    assert world.get(config_map()) == made


def test_a_patch_with_the_right_version_passes(world):
    """It may say what it builds on; an empty version says nothing."""
    made = world.create(config_map())
    version = made["metadata"]["resourceVersion"]
    new = world.patch(config_map(), setting(metadata={"resourceVersion": version}, data={"a": "1"}))
    assert new["data"] == {"a": "1"}
    world.patch(config_map(), setting(metadata={"resourceVersion": ""}, data={"a": "2"}))


def test_a_patch_of_status_changes_status_alone(world):
    """The same rule as for an update."""
    world.create(widget(size=1))
    new = world.patch(widget(), setting(spec={"size": 5}, status={"replicas": 2}), "status")
    assert (new["spec"], new["status"]) == ({"size": 1}, {"replicas": 2})
    assert ("tests", "Update", "status") in owners(new)


def test_a_patch_that_removes_the_last_finalizer_ends_a_deletion(world):
    """The object is gone."""
    world.create(changed(config_map(), metadata={"finalizers": ["example.com/x"]}))
    world.delete(config_map())
    world.patch(config_map(), setting(metadata={"finalizers": []}))
    assert world.get(config_map()) is None


def test_apply_creates_and_then_changes(world):
    """The first one makes the object; the fields belong to who applied them."""
    made, created = world.apply(config_map(a="1"), "one")
    assert created
    assert owners(made) == [("one", "Apply", "")]
    new, created = world.apply(config_map(b="2"), "one")
    assert not created
    assert new["data"] == {"b": "2"}
    assert new["metadata"]["uid"] == made["metadata"]["uid"]


def test_an_apply_that_changes_nothing_writes_nothing(world):
    """Controllers apply all the time."""
    made, _ = world.apply(config_map(), "one")
    before = world.revision
    world.now += 60
    assert world.apply(config_map(), "one") == (made, False)
    assert world.revision == before


def test_a_field_has_one_owner_unless_it_is_forced(world):
    """The conflict names the other manager, and force takes the field."""
    world.apply(config_map(a="1"), "one")
    before = world.revision
    with pytest.raises(ConflictError, match='conflict with "one"'):
        world.apply(config_map(a="2"), "two")
    assert world.revision == before
    new, _ = world.apply(config_map(a="2"), "two", force=True)
    assert new["data"] == {"a": "2"}
    shared, _ = world.apply(config_map(a="2"), "three")
    assert shared["data"] == {"a": "2"}


def test_what_two_applied_stays_while_one_wants_it(world):
    """A field that one gives up belongs to the other."""
    world.apply(config_map(a="1", b="1"), "one")
    world.apply(config_map(a="1"), "two")
    left, _ = world.apply(config_map(b="1"), "one")
    assert left["data"] == {"a": "1", "b": "1"}
    gone, _ = world.apply(config_map(c="1"), "two")
    assert gone["data"] == {"b": "1", "c": "1"}


def test_whoever_may_not_create_creates_nothing_by_apply(world):
    """The check runs before anything else is done about a new object, and not about an old one."""

    def refuse():
        raise ForbiddenError("cannot create")

    before = world.revision
    with pytest.raises(ForbiddenError):
        world.apply(config_map(), before_create=refuse)
    assert world.revision == before
    assert world.admission.asked == []
    world.create(config_map())
    world.apply(config_map(), before_create=pytest.fail, force=True)


@pytest.mark.parametrize(
    ("exists", "meta"),
    [
        (False, {"uid": "aaaaaaaa-0000-0000-0000-000000000000"}),
        (True, {"resourceVersion": "999"}),
    ],
)
def test_an_apply_to_another_object_is_a_conflict(world, exists, meta):
    """A uid of nothing, a version that is not the newest."""
    if exists:
        world.create(config_map())
    before = world.revision
    with pytest.raises(ConflictError):
        world.apply(changed(config_map(), metadata=meta))
    assert world.revision == before


def test_an_apply_of_a_version_that_does_not_exist_yet_creates(world):
    """A resourceVersion says nothing about a new object."""
    assert world.apply(changed(config_map(), metadata={"resourceVersion": "7"}))[1]


def test_apply_to_a_subresource_needs_the_object(world):
    """A status comes to something."""
    config = {**widget(), "status": {"replicas": 2}}
    del config["spec"]
    with pytest.raises(NotFoundError):
        world.apply(config, subresource="status")
    world.create(widget(size=1))
    new, _ = world.apply(config, "one", subresource="status")
    assert (new["spec"], new["status"]) == ({"size": 1}, {"replicas": 2})
    assert ("one", "Apply", "status") in owners(new)


def test_what_an_update_changes_it_owns(world):
    """An apply by somebody else then meets a conflict."""
    world.apply(config_map(a="1"), "one")
    world.patch(config_map(), setting(data={"a": "2"}))
    with pytest.raises(ConflictError, match='conflict with "tests"'):
        world.apply(config_map(a="3"), "one")
