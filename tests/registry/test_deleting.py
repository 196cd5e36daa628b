"""Delete: gone at once, or begun and finished by whoever holds the object."""

import pytest

from llmos.apimachinery.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from registry.world import CRD, changed, config_map, namespace, widget

HELD = changed(config_map(), metadata={"finalizers": ["example.com/x"]})


def test_delete_is_at_once_where_nobody_holds_it(world):
    """The last state comes back with the deletion's revision, to the client and to watchers."""
    made = world.create(config_map())
    deletion = world.delete(config_map())
    assert deletion.gone
    last = world.of(made).load(deletion.value)
    assert last["metadata"]["resourceVersion"] == str(world.revision)
    assert last["data"] == made["data"]
    assert world.get(made) is None
    event = world.events()[-1]
    assert (event.type, event.value) == ("DELETED", deletion.value)


def test_delete_of_nothing_is_not_found(world):
    """Twice is once too often."""
    world.create(config_map())
    world.delete(config_map())
    with pytest.raises(NotFoundError, match='configmaps "a" not found'):
        world.delete(config_map())


def test_a_finalizer_holds_an_object(world):
    """Deletion begins: the object stays, marked, until the last finalizer is gone."""
    world.create(HELD)
    deletion = world.delete(config_map())
    assert not deletion.gone
    held = world.get(config_map())
    assert held["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    world.now += 60
    before = world.revision
    assert not world.delete(config_map()).gone
    assert world.revision == before
    assert world.get(config_map()) == held
    gone = world.update(changed(held, metadata={"finalizers": []}))
    assert gone["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert world.get(config_map()) is None
    assert [each.type for each in world.events()] == ["ADDED", "MODIFIED", "DELETED"]


def test_no_finalizer_comes_to_what_is_being_deleted(world):
    """Else a deletion would never end."""
    world.create(HELD)
    world.delete(config_map())
    with pytest.raises(InvalidError):
        world.update(
            changed(config_map(), metadata={"finalizers": ["example.com/x", "example.com/y"]})
        )


def test_the_beginning_counts_as_a_generation(world):
    """A controller that looks at the generation sees it."""
    world.create(changed(widget(size=1), metadata={"finalizers": ["example.com/x"]}))
    world.delete(widget())
    assert world.get(widget())["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
        ({"propagationPolicy": "Background"}, None),
        ({"orphanDependents": False}, None),
        ({}, None),
    ],
)
def test_propagation_is_a_finalizer(world, options, finalizers):
    """The garbage collector finishes what foreground and orphan deletion begin."""
    world.create(config_map())
    deletion = world.delete(config_map(), options)
    assert deletion.gone is (finalizers is None)
    left = world.get(config_map())
    assert (left["metadata"]["finalizers"] if left else None) == finalizers


@pytest.mark.parametrize(
    ("first", "second", "finalizers"),
    [
        ("Foreground", "Orphan", ["example.com/x", "orphan"]),
        ("Foreground", "Background", ["example.com/x"]),
        ("Orphan", None, ["example.com/x", "orphan"]),
    ],
)
def test_a_later_delete_may_change_the_propagation(world, first, second, finalizers):
    """Others' finalizers stay whatever is said."""
    world.create(HELD)
    world.delete(config_map(), {"propagationPolicy": first})
    world.delete(config_map(), {"propagationPolicy": second} if second else {})
    assert world.get(config_map())["metadata"]["finalizers"] == finalizers


@pytest.mark.parametrize(
    ("preconditions", "words"),
    [
        ({"uid": "aaaaaaaa-0000-0000-0000-000000000000"}, "UID"),
        ({"resourceVersion": "999"}, "999"),
        ({"uid": None, "resourceVersion": "999"}, "999"),
    ],
)
def test_a_precondition_protects_another_object(world, preconditions, words):
    """A name that belongs to somebody else meanwhile is not deleted."""
    made = world.create(config_map())
    with pytest.raises(ConflictError, match=words):
        world.delete(config_map(), {"preconditions": preconditions})
    assert world.get(config_map()) == made
    meta = made["metadata"]
    right = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    assert world.delete(config_map(), {"preconditions": right}).gone


def test_preconditions_come_before_admission(world):
    """Nobody is asked about a delete that is meant for another object."""
    world.create(config_map())
    world.admission.asked.clear()
    with pytest.raises(ConflictError):
        world.delete(config_map(), {"preconditions": {"uid": "x"}})
    assert world.admission.asked == []


def test_a_namespace_is_held_by_its_own_finalizer(world):
    """It is terminating until what is in it is gone and ``finalize`` lets it go."""
    world.create(namespace("team-a"))
    with pytest.raises(ConflictError, match="Precondition failed: UID in precondition: x"):
        world.delete(namespace("team-a"), {"preconditions": {"uid": "x"}})
    assert not world.delete(namespace("team-a")).gone
    left = world.get(namespace("team-a"))
    assert left["status"]["phase"] == "Terminating"
    world.update(changed(left, spec={"finalizers": []}), "finalize")
    assert world.get(namespace("team-a")) is None


def test_a_definition_is_held_while_it_has_instances(world):
    """The server itself puts a finalizer there when deletion begins."""
    world.create(CRD)
    deletion = world.delete(CRD)
    assert not deletion.gone
    assert world.get(CRD)["metadata"]["finalizers"]


def test_a_collection_goes_object_by_object(world):
    """Each is admitted for itself, in its own namespace; the last states come back."""
    for name, where in (("a", "team-a"), ("b", "team-a"), ("a", "team-b")):
        world.create(config_map(name, where))
    world.admission.asked.clear()
    served, page = world.kind("configmaps"), world.page()
    context = world.context(config_map(), options={"propagationPolicy": "Background"})
    values = world.run(world.store.delete_collection(served, page, context))
    assert len(values) == 3
    assert not world.page().items
    asked = {(each.namespace, each.name) for _, each in world.admission.asked}
    assert asked == {("team-a", "a"), ("team-a", "b"), ("team-b", "a")}


def test_what_goes_away_meanwhile_is_left_out(world):
    """A list is older than the deletes."""
    world.create(config_map("a"))
    world.create(config_map("b"))
    page = world.page()
    world.delete(config_map("a"))
    deleting = world.store.delete_collection(
        world.kind("configmaps"), page, world.context(config_map())
    )
    assert len(world.run(deleting)) == 1


def test_a_refusal_ends_the_deletion_of_a_collection(world):
    """What went before is gone, what comes after stays."""
    for name in "abc":
        world.create(config_map(name))

    def protect(asked):
        if asked.name == "b":
            raise ForbiddenError("no")

    world.admission.on_validate = protect
    deleting = world.store.delete_collection(
        world.kind("configmaps"), world.page(), world.context(config_map())
    )
    with pytest.raises(ForbiddenError):
        world.run(deleting)
    assert [key.name for key, _ in world.page().items] == ["b", "c"]


def test_a_dry_run_deletes_nothing_of_a_collection(world):
    """It only says what would go."""
    world.create(config_map("a"))
    context = world.context(config_map(), dry_run=True)
    deleting = world.store.delete_collection(world.kind("configmaps"), world.page(), context)
    assert len(world.run(deleting)) == 1
    assert len(world.page().items) == 1
