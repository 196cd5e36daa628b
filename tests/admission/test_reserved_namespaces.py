"""Nobody who signed in through llmos harms a namespace of the platform."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CONTROLLER,
    EVERYBODY,
    MASTER,
    PLATFORM,
    PRETENDER,
    ROBOT,
    RUNNER,
    World,
    changed,
    named,
    namespace,
)
from llmos.apis.namespaces import RESERVED_NAMESPACES

everybody = pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
reserved = pytest.mark.parametrize("name", sorted(RESERVED_NAMESPACES))
BYPASS = {"llmos.ai/skip-webhook": "true", "llmos.ai/system": "false"}


@everybody
@reserved
def test_delete(world: World, user, name):
    """A reserved namespace is deleted by the platform alone, no label or annotation helps."""
    old = namespace(name, annotations=BYPASS)
    old["metadata"]["labels"] |= BYPASS
    immortal = name in ("kube-system", "kube-public")
    expected = 0 if user in PLATFORM and not immortal else 403
    assert world.code(user, "DELETE", "namespaces", None, old) == expected


@everybody
@pytest.mark.parametrize("name", ["llmos-public", "default"])
def test_delete_public(world: World, user, name):
    """No user of llmos deletes ``llmos-public`` or ``default``."""
    expected = 0 if user in PLATFORM and name == "llmos-public" else 403
    assert world.code(user, "DELETE", "namespaces", None, namespace(name)) == expected


@everybody
@reserved
@pytest.mark.parametrize("subresource", ["status", "finalize"])
def test_status_and_finalize(world: World, user, name, subresource):
    """The platform alone writes status and finalize of a reserved namespace."""
    old = namespace(name)
    new = changed(old, spec={"finalizers": []}, status={"phase": "Terminating"})
    code = world.code(user, "UPDATE", "namespaces", new, old, subresource=subresource)
    assert code == (0 if user in PLATFORM else 403)


OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1"}
LABEL = "kubernetes.io/metadata.name"


@everybody
@pytest.mark.parametrize("subresource", ["", "status", "finalize"])
@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {LABEL: "storage-system", "any": "x"}},
        {"labels": {}},
        {"labels": {LABEL: "team-a"}},
        {"labels": {LABEL: "storage-system"} | BYPASS},
        {"annotations": BYPASS},
        {"annotations": {"pod-security.kubernetes.io/enforce": "privileged"}},
        {"finalizers": ["evil/x"]},
        {"ownerReferences": [OWNER]},
    ],
    ids=lambda each: "-".join(f"{key}:{value}" for key, value in each.items())[:60],
)
def test_metadata(world: World, user, metadata, subresource):
    """Labels, protected annotations, finalizers and owners stay as they are, on every path."""
    old = namespace("storage-system")
    new = changed(old, metadata=metadata)
    code = world.code(user, "UPDATE", "namespaces", new, old, subresource=subresource)
    assert code == (0 if user in PLATFORM else 403)


@pytest.mark.parametrize(
    ("user", "code"),
    [(ADMIN, 0), (ALICE, 403), (PRETENDER, 403), (RUNNER, 403), (ROBOT, 403), (MASTER, 0)],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_description(world: World, user, code):
    """An admin describes a reserved namespace; an end user does not, whatever he was granted."""
    old = namespace("storage-system")
    new = changed(old, metadata={"annotations": {"description": "Where the disks are"}})
    assert world.code(user, "UPDATE", "namespaces", new, old) == code


@everybody
def test_no_change_is_no_harm(world: World, user):
    """An update that changes nothing is nobody's crime."""
    old = namespace("storage-system")
    assert world.code(user, "UPDATE", "namespaces", old, old) == 0


@everybody
@pytest.mark.parametrize(
    "name",
    [
        *sorted(RESERVED_NAMESPACES),
        "llmos-public",
        "kube-sysx7k2p",
        "kube-",
        "llmos-mine",
        "llmos-",
    ],
)
def test_reserved_names(world: World, user, name):
    """A namespace with a reserved name or prefix is made by the platform alone."""
    code = world.code(user, "CREATE", "namespaces", named(name))
    assert code == (0 if user in PLATFORM else 403)


@pytest.mark.parametrize("name", ["team-x", "kube", "my-kube-system", "evil-system"])
def test_free_names(world: World, name):
    """Other names are free; what looks like a system's name is just a name."""
    assert world.code(ADMIN, "CREATE", "namespaces", named(name)) == 0


@everybody
def test_looking_reserved_changes_nothing(world: World, user):
    """A namespace does not become reserved by what is written on it: only the list counts."""
    old = namespace("team-a", annotations={"llmos.ai/system": "true"})
    assert world.code(user, "DELETE", "namespaces", None, old) == 0


@everybody
@pytest.mark.parametrize(("where", "guarded"), [("kube-system", True), ("team-a", False)])
def test_tokens_of_platform_accounts(world: World, user, where, guarded):
    """Nobody from inside llmos becomes the platform by a token of its accounts."""
    account = named("llmos-controllers", where)
    code = world.code(user, "CREATE", "serviceaccounts", account, subresource="token")
    free = (MASTER, CONTROLLER)
    assert code == (403 if guarded and user not in free else 0)
