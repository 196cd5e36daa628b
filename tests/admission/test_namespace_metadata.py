"""What steers the platform changes by an admin only, on every path to a namespace."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CONTROLLER,
    EVERYBODY,
    MASTER,
    PRETENDER,
    ROBOT,
    RUNNER,
    World,
    changed,
    named,
    namespace,
)

ADMINISTRATORS = (ADMIN, MASTER, CONTROLLER)
everybody = pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
paths = pytest.mark.parametrize("subresource", ["", "status", "finalize"])
PROTECTED = (
    "pod-security.kubernetes.io/enforce",
    "pod-security.kubernetes.io/warn-version",
    "resource.kubernetes.io/admin-access",
    "llmos.ai/system",
    "gpustack.llmos.ai/share",
)
OWNER = {"apiVersion": "v1", "kind": "User", "name": "x", "uid": "1", "controller": True}


@everybody
@paths
@pytest.mark.parametrize("field", ["labels", "annotations"])
@pytest.mark.parametrize("key", PROTECTED)
@pytest.mark.parametrize("step", ["add", "change", "remove"])
def test_protected_keys(world: World, user, subresource, field, key, step):
    """A protected label or annotation is added, changed and removed by an admin only."""
    before, after = {"add": ({}, "x"), "change": ({key: "w"}, "x"), "remove": ({key: "w"}, "")}[
        step
    ]
    old = namespace("team-a")
    old["metadata"].setdefault(field, {}).update(before)
    values = {**old["metadata"][field], key: after} if after else {}
    keep = {"kubernetes.io/metadata.name": "team-a"} if field == "labels" else {}
    new = changed(old, metadata={field: keep | values})
    code = world.code(user, "UPDATE", "namespaces", new, old, subresource=subresource)
    assert code == (0 if user in ADMINISTRATORS else 403)


@everybody
def test_name_label(world: World, user):
    """The label with the name is protected, too (the registry restores it before)."""
    old = namespace("team-a")
    new = changed(old, metadata={"labels": {"kubernetes.io/metadata.name": "team-b"}})
    assert world.code(user, "UPDATE", "namespaces", new, old) == (
        0 if user in ADMINISTRATORS else 403
    )


@everybody
@paths
@pytest.mark.parametrize(
    "metadata",
    [{"ownerReferences": [OWNER]}, {"finalizers": ["evil/x"]}],
    ids=lambda each: next(iter(each)),
)
@pytest.mark.parametrize("backwards", [False, True])
def test_owners_and_finalizers(world: World, user, subresource, metadata, backwards):
    """Owners and finalizers appear and disappear by an admin only."""
    old, new = namespace("team-a"), changed(namespace("team-a"), metadata=metadata)
    pair = (old, new) if backwards else (new, old)
    code = world.code(user, "UPDATE", "namespaces", *pair, subresource=subresource)
    assert code == (0 if user in ADMINISTRATORS else 403)


@pytest.mark.parametrize(
    ("field", "key"),
    [("annotations", "kubernetes.io/metadata.name"), ("labels", "llmos.ai/creator")],
)
def test_what_the_server_writes_is_protected_elsewhere(world: World, field, key):
    """The name as a label and the creator as an annotation free no other field of that key."""
    old = namespace("team-a", annotations={"llmos.ai/creator": ALICE.name})
    values = {**old["metadata"].get(field, {}), key: "x"}
    new = changed(old, metadata={field: values})
    assert world.code(ALICE, "UPDATE", "namespaces", new, old) == 403


@everybody
def test_other_keys_are_free(world: World, user):
    """Who may patch a namespace changes its other labels and annotations."""
    old = namespace("team-a")
    new = changed(old, metadata={"annotations": {"description": "ours"}})
    new["metadata"]["labels"]["team"] = "a"
    assert world.code(user, "UPDATE", "namespaces", new, old) == 0


@pytest.mark.parametrize("user", [ALICE, RUNNER, PRETENDER], ids=lambda each: each.name)
@pytest.mark.parametrize("subresource", ["status", "finalize"])
def test_end_users_leave_status_alone(world: World, user, subresource):
    """An end user cannot end or hold up a namespace by its subresources."""
    old = namespace("team-a")
    new = changed(old, status={"phase": "Terminating"})
    assert world.code(user, "UPDATE", "namespaces", new, old, subresource=subresource) == 403


@everybody
@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_protected_at_creation(world: World, user, field):
    """A protected key is not brought along at creation either."""
    new = namespace("team-x")
    new["metadata"].setdefault(field, {})["llmos.ai/system"] = "true"
    assert world.code(user, "CREATE", "namespaces", new) == (0 if user in ADMINISTRATORS else 403)


@everybody
def test_server_set_keys_at_creation(world: World, user):
    """What the server itself sets on a new namespace is held against nobody."""
    assert world.code(user, "CREATE", "namespaces", namespace("team-x")) == 0


@everybody
def test_name_label_lies_at_creation(world: World, user):
    """A new namespace does not say that it is another (the registry corrects it before)."""
    new = namespace("team-x")
    new["metadata"]["labels"]["kubernetes.io/metadata.name"] = "team-b"
    assert world.code(user, "CREATE", "namespaces", new) == (0 if user in ADMINISTRATORS else 403)


CREATOR = "llmos.ai/creator"


@pytest.mark.parametrize("user", [ROBOT, MASTER], ids=lambda each: each.name)
def test_no_creator_no_annotations(world: World, user):
    """A namespace without a creator keeps its metadata as it came."""
    assert (
        "annotations"
        not in world.admit(user, "CREATE", "namespaces", named("x")).object["metadata"]
    )


@pytest.mark.parametrize(
    ("user", "given", "kept"),
    [
        (ADMIN, None, "root"),
        (ADMIN, "somebody", "root"),
        (ALICE, "root", "alice"),
        (ROBOT, "root", None),
        (MASTER, None, None),
        (MASTER, "alice", "alice"),
    ],
    ids=str,
)
def test_creator_at_creation(world: World, user, given, kept):
    """The creator is who created it; the platform alone may say another."""
    obj = named("team-x")
    if given:
        obj["metadata"]["annotations"] = {CREATOR: given}
    attributes = world.admit(user, "CREATE", "namespaces", obj)
    assert (attributes.object["metadata"].get("annotations") or {}).get(CREATOR) == kept


@pytest.mark.parametrize("user", [ADMIN, ALICE, ROBOT], ids=lambda each: each.name)
@pytest.mark.parametrize("old_creator", ["carol", None])
@pytest.mark.parametrize("new_creator", ["mallory", None])
def test_creator_is_immutable(world: World, user, old_creator, new_creator):
    """Nobody changes, adds or removes the creator later: it comes back, the rest is kept."""
    old, new = namespace("team-a", annotations={"a": "1"}), namespace("team-a")
    new["metadata"]["annotations"] = {"a": "2"}
    for obj, creator in ((old, old_creator), (new, new_creator)):
        if creator:
            obj["metadata"]["annotations"][CREATOR] = creator
    attributes = world.admit(user, "UPDATE", "namespaces", new, old)
    kept = {CREATOR: old_creator} if old_creator else {}
    assert attributes.object["metadata"]["annotations"] == {"a": "2"} | kept
