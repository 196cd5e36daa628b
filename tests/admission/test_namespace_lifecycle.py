"""Missing, ending and immortal namespaces."""

import pytest

from admission.world import ALLOWED, EVERYBODY, MASTER, ROBOT, World, named, namespace


def test_missing_namespace(world: World):
    """Creating in a missing namespace is 404 of the namespace, before the object is validated."""
    attributes = world.attributes(MASTER, "CREATE", "configmaps", named("a", "doesnotexist"))
    with pytest.raises(Exception, match='namespaces "doesnotexist" not found') as caught:
        world.chain.mutate(attributes)
    assert caught.value.status()["details"] == {"name": "doesnotexist", "kind": "namespaces"}
    assert caught.value.code == 404


@pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
def test_ending_namespace(world: World, user):
    """Creating in an ending namespace is 403 with the cause, for everybody, tokens included."""
    attributes = world.attributes(user, "CREATE", "configmaps", named("late", "ending"))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its whole Status is compared
        world.chain.mutate(attributes)
    assert caught.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "late" is forbidden: unable to create new content in namespace '
        "ending because it is being terminated",
        "reason": "Forbidden",
        "details": {
            "name": "late",
            "kind": "configmaps",
            "causes": [
                {
                    "reason": "NamespaceTerminating",
                    "message": "namespace ending is being terminated",
                    "field": "metadata.namespace",
                }
            ],
        },
        "code": 403,
    }
    account = named("default", "ending")
    token = world.code(user, "CREATE", "serviceaccounts", account, subresource="token")
    assert token == 403


def test_active_namespace(world: World):
    """An active namespace takes what comes."""
    assert world.verdict(MASTER, "CREATE", "configmaps", named("a", "team-a")) == ALLOWED


def test_phase_terminating(world: World):
    """A namespace in phase Terminating takes nothing new, whatever its deletionTimestamp."""
    world.put("namespaces", {**namespace("odd"), "status": {"phase": "Terminating"}})
    assert world.code(MASTER, "CREATE", "configmaps", named("a", "odd")) == 403


@pytest.mark.parametrize("operation", ["UPDATE", "DELETE"])
def test_only_creation_needs_it(world: World, operation):
    """Updates and deletes go on in an ending namespace."""
    obj = named("blk", "ending")
    new = obj if operation == "UPDATE" else None
    assert world.verdict(MASTER, operation, "configmaps", new, obj) == ALLOWED


def test_access_reviews_need_no_namespace(world: World):
    """A review stores nothing, so its namespace need not exist."""
    review = named("", "doesnotexist")
    assert world.verdict(MASTER, "CREATE", "localsubjectaccessreviews", review) == ALLOWED


@pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_immortal(world: World, user, name):
    """Three namespaces are deleted by nobody."""
    assert world.verdict(user, "DELETE", "namespaces", None, namespace(name)) == (
        403,
        "Forbidden",
        f'namespaces "{name}" is forbidden: this namespace may not be deleted',
    )


def test_others_are_mortal(world: World):
    """Any other namespace is deleted by who may."""
    assert world.verdict(ROBOT, "DELETE", "namespaces", None, namespace("team-a")) == ALLOWED
