"""CTL: controllers as deputies, confused by what others write."""

import json

import pytest

from attacks.support import Actor, World
from attacks.words import COLLECTED_SECONDS, MG, NS, RB, rule, unique
from support.objects import member, role_binding, role_template, subject
from support.waiting import wait_until

pytestmark = pytest.mark.slow
BINDINGS = f"{MG}/roletemplatebindings"
ROLE_BINDINGS = f"{RB}/namespaces/team-a/rolebindings"


def _poison() -> dict[str, dict]:
    fair = member("x", "team-x", "namespace-readonly", subject("newbie"))
    many = [subject(f"user-{n}") for n in range(10_000)]
    return {
        "kind": {**fair, "roleTemplateRef": {"kind": "Foo", "name": "x"}},
        "no subjects": {**fair, "subjects": None},
        "empty subjects": {**fair, "subjects": []},
        "too many subjects": {**fair, "subjects": many},
        "odd subjects": {**fair, "subjects": [5]},
        "a subject without a name": {**fair, "subjects": [{"kind": "User"}]},
        "a missing template": {**fair, "roleTemplateRef": {"kind": "RoleTemplate", "name": "no"}},
        "no template": {**fair, "roleTemplateRef": None},
        "a missing namespace": {**fair, "namespaceId": "never-was"},
        "no namespace": {**fair, "namespaceId": None},
        "an odd expiry": {**fair, "expiresAt": "tomorrow"},
        "a past expiry": {**fair, "expiresAt": "2000-01-01T00:00:00Z"},
        "a number": {**fair, "namespaceId": 5},
    }


@pytest.mark.parametrize("kind", list(_poison()))
def test_ctl_04_poison_is_refused(carol: Actor, root: Actor, world: World, kind: str):
    """A binding that means nothing is refused when it is written, whoever writes it."""
    with world.unchanged():
        for actor in (carol, root):
            made = {**_poison()[kind], "metadata": {"name": unique("poison")}}
            assert actor.post(BINDINGS, made).status in (400, 403, 422)


def test_ctl_04_a_controller_isolates_poison(root: Actor, world: World):
    """What slips in anyway stops no other binding, and is not tried without end."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "no-such-uid"}
    names = []
    for kind, body in _poison().items():
        name = unique("slipped")
        made = {**body, "metadata": {"name": name, "finalizers": ["example.com/x"]}}
        answer = world.operator.post(BINDINGS, json=made)
        if answer.status_code == 201:
            names.append(name)
        else:
            assert answer.status_code in (400, 403, 422), kind
    wide = role_template(unique("wide"), *[rule("", f"things{n}", "get") for n in range(5_000)])
    assert root.post(f"{MG}/roletemplates", wide, within=3).status in (201, 413, 422)
    selfish = member(unique("selfish"), "team-x", "namespace-readonly", subject("newbie"))
    selfish["metadata"]["ownerReferences"] = [owner]
    assert root.post(BINDINGS, selfish).status in (201, 422)
    busy = world.cpu_seconds()
    eve = world.throwaway("eve")
    fair = unique("fair")
    made = member(fair, "team-x", "namespace-readonly", subject(eve.name))
    assert root.post(BINDINGS, made).status == 201
    wait_until(lambda: eve.get(f"{NS}/team-x/configmaps").status == 200, 2)
    assert world.cpu_seconds() - busy < 3
    for name in names:
        world.operator.delete(f"{BINDINGS}/{name}")
        world.operator.patch(
            f"{BINDINGS}/{name}",
            content=b'{"metadata":{"finalizers":null}}',
            headers={"Content-Type": "application/merge-patch+json"},
        )
    assert root.delete(f"{BINDINGS}/{fair}").status == 200
    root.delete(f"{MG}/roletemplates/{wide['metadata']['name']}")
    wait_until(lambda: world.operator.get(f"{BINDINGS}/{fair}").status_code == 404, 5)


def _owning(name: str, uid: str) -> dict:
    """A change after which a ConfigMap has this one for its owner, who waits for it."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}
    return {"metadata": {"ownerReferences": [{**owner, "blockOwnerDeletion": True}]}}


def test_ctl_04_an_owner_of_itself_does_no_harm(alice: Actor, world: World):
    """An object that names itself as its owner is kept or collected, and others go on."""
    path = f"{NS}/team-a/configmaps"
    name, owner, owned = unique("selfish"), unique("owner"), unique("owned")
    uids = {
        each: alice.post(path, {"metadata": {"name": each}}).json()["metadata"]["uid"]
        for each in (name, owner, owned)
    }
    assert alice.patch(f"{path}/{name}", _owning(name, uids[name])).status in (200, 422)
    assert alice.patch(f"{path}/{owned}", _owning(owner, uids[owner])).status == 200
    assert alice.delete(f"{path}/{name}?propagationPolicy=Foreground").status == 200
    assert alice.delete(f"{path}/{owner}?propagationPolicy=Foreground").status == 200
    wait_until(lambda: all(alice.get(f"{path}/{n}").status == 404 for n in (owner, owned)), 10)
    if world.on_cluster:
        # Kubernetes' collector waits for ever for an object that waits for itself; whoever made it
        # so lets it go.
        assert "deletionTimestamp" in alice.get(f"{path}/{name}").json()["metadata"]
        assert alice.patch(f"{path}/{name}", {"metadata": {"ownerReferences": None}}).status == 200
    wait_until(lambda: alice.get(f"{path}/{name}").status == 404, 10)


def test_ctl_04_owners_of_one_another_are_collected(alice: Actor, world: World):
    """Two objects that own each other go together, deleted in the foreground or behind it."""
    path = f"{NS}/team-a/configmaps"
    for policy in ("Foreground", "Background"):
        pair = [unique("ring"), unique("ring")]
        uids = [alice.post(path, {"metadata": {"name": n}}).json()["metadata"]["uid"] for n in pair]
        assert alice.patch(f"{path}/{pair[0]}", _owning(pair[1], uids[1])).status == 200
        assert alice.patch(f"{path}/{pair[1]}", _owning(pair[0], uids[0])).status == 200
        assert alice.delete(f"{path}/{pair[0]}?propagationPolicy={policy}").status == 200
        wait_until(lambda both=pair: all(alice.get(f"{path}/{n}").status == 404 for n in both), 10)
    with world.unchanged():
        assert alice.get(path).status == 200


def _owned(world: World, uid: str) -> dict:
    """The role binding in team-a that a controller made for a binding."""
    for each in world.do("GET", ROLE_BINDINGS)["items"]:
        if uid in json.dumps(each["metadata"].get("ownerReferences", [])):
            return each
    raise AssertionError


def _look_alike(ours: dict, forged: str) -> dict:
    """A role binding of mallory that claims to be what a controller made."""
    made = role_binding(unique("look"), "llmos:roletemplate:namespace-readonly", subject("mallory"))
    made["metadata"]["labels"] = {**ours["metadata"].get("labels", {}), "llmos.ai/owner": "x"}
    reference = ours["metadata"]["ownerReferences"][0]
    changes = {
        "wrong uid": {"uid": "forged"},
        "no controller": {"controller": False},
        "real uid": {},
    }
    if forged in changes:
        made["metadata"]["ownerReferences"] = [{**reference, **changes[forged]}]
    return made


@pytest.mark.timeout(120)
@pytest.mark.parametrize("forged", ["labels", "wrong uid", "no controller", "real uid"])
def test_ctl_05_look_alikes_are_left_alone(alice: Actor, root: Actor, world: World, forged: str):
    """What only looks like a controller's own is neither adopted nor takes others with it."""
    name, maps = unique("like"), f"{NS}/team-a/configmaps"
    newbie, mallory = world.actors["newbie"], world.actors["mallory"]
    bound = world.bind(name, "namespace-readonly", "newbie", "team-a")
    ours = _owned(world, bound["metadata"]["uid"])
    made = _look_alike(ours, forged)
    assert alice.post(ROLE_BINDINGS, made).status in (201, 403, 422)
    # Makes the controller look again.
    assert root.patch(f"{BINDINGS}/{name}", {"metadata": {"labels": {"x": "y"}}}).status == 200
    wait_until(lambda: newbie.get(maps).status == 200, 2)
    kept = world.do("GET", f"{ROLE_BINDINGS}/{ours['metadata']['name']}")
    assert kept["metadata"]["uid"] == ours["metadata"]["uid"]
    assert kept["subjects"] == ours["subjects"]
    if forged == "labels":
        # It is hers, and stays until she deletes it.
        assert mallory.get(maps).status == 200
        assert alice.delete(f"{ROLE_BINDINGS}/{made['metadata']['name']}").status == 200
    assert root.delete(f"{BINDINGS}/{name}").status == 200
    wait_until(lambda: newbie.get(maps).status == 403, 2)
    wait_until(lambda: mallory.get(maps).status == 403, COLLECTED_SECONDS)
    for other in ("alice", "vera"):
        assert world.actors[other].get(maps).status == 200


def test_ctl_05_a_forged_owner_reaches_into_no_other_namespace(
    alice: Actor, bob: Actor, world: World
):
    """Objects that claim bob's binding for an owner change nothing of bob's."""
    bound = world.do("GET", f"{BINDINGS}/bob-b")
    owner = {
        "apiVersion": bound["apiVersion"], "kind": bound["kind"], "name": "bob-b",
        "uid": bound["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip
    before = world.do("GET", f"{RB}/namespaces/team-b/rolebindings")["items"]
    role = "llmos:roletemplate:namespace-readonly"
    made = role_binding(unique("claim"), role, subject("mallory"))
    made["metadata"]["ownerReferences"] = [owner]
    assert alice.post(ROLE_BINDINGS, made).status in (201, 403, 422)
    path = f"{ROLE_BINDINGS}/{made['metadata']['name']}"
    wait_until(lambda: world.operator.get(path).status_code == 404, 5)
    assert world.do("GET", f"{RB}/namespaces/team-b/rolebindings")["items"] == before
    assert bob.get(f"{NS}/team-b/configmaps").status == 200
    assert world.actors["mallory"].get(f"{NS}/team-b/configmaps").status == 403


def test_ctl_08_no_name_can_be_taken_beforehand(bob: Actor, root: Actor, world: World):
    """Names that can be guessed, taken where bob may write, give him nothing of alice's."""
    name = unique("guess")
    path = f"{RB}/namespaces/team-b/rolebindings"
    role = "llmos:roletemplate:namespace-readonly"
    taken = [f"llmos-{name}", name, f"{name}-team-a", f"llmos-{name}-team-a"]
    for each in taken:
        assert bob.post(path, role_binding(each, role, subject("bob"))).status == 201
    world.bind(name, "namespace-readonly", "newbie", "team-a")
    newbie = world.actors["newbie"]
    wait_until(lambda: newbie.get(f"{NS}/team-a/configmaps").status == 200, 2)
    assert bob.get(f"{NS}/team-a/configmaps").status == 403
    assert newbie.get(f"{NS}/team-b/configmaps").status == 403
    for each in taken:
        assert bob.delete(f"{path}/{each}").status == 200
    assert root.delete(f"{BINDINGS}/{name}").status == 200
    wait_until(lambda: newbie.get(f"{NS}/team-a/configmaps").status == 403, 2)
    # A binding made at the name of another's is a conflict, and changes nothing.
    again = member("alice-a", "team-b", "namespace-readonly", subject("bob"))
    with world.unchanged():
        assert bob.post(BINDINGS, again).status in (403, 409)
        assert bob.apply(f"{BINDINGS}/alice-a", again).status in (403, 404, 422)
        assert bob.put(f"{BINDINGS}/alice-a", again).status in (403, 404, 422)
        assert bob.delete(f"{BINDINGS}/alice-a").status in (403, 404)
