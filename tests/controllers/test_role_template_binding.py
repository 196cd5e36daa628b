"""A role template binding gives what it says, to whom it says, as long as its causes last."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from controllers.world import condition, quiet, running
from llmos.apimachinery.clock import rfc3339
from llmos.client.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    GLOBAL_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLE_TEMPLATE_BINDINGS,
    ROLE_TEMPLATES,
    ROLES,
    USERS,
)
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

RULES = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]


def user(name: str) -> dict:
    return {"kind": "User", "name": name}


class World:
    """A namespace, a template, and what tests ask of them."""

    def __init__(self) -> None:
        self.api = FakeAPI()
        self.api.create(NAMESPACES, "team-a")
        self.api.create(ROLE_TEMPLATES, "owner", rules=RULES)

    def bind(self, name: str = "b", *, kind: str = "RoleTemplate", role: str = "owner", **body):
        """Create a binding; in team-a, to alice, where nothing else is said."""
        ref = {"apiGroup": "management.llmos.ai", "kind": kind, "name": role}
        given = {"subjects": [user("alice")], "namespaceId": "team-a", **body}
        given = {key: value for key, value in given.items() if value is not None}
        return self.api.create(ROLE_TEMPLATE_BINDINGS, name, roleTemplateRef=ref, **given)

    def binding(self, name: str = "b") -> dict | None:
        """The binding as it is."""
        return self.api.get(ROLE_TEMPLATE_BINDINGS, "", name)

    def bound(self, namespace: str = "team-a") -> set[str]:
        """Who has a generated binding in a namespace."""
        return {
            subject["name"]
            for each in self.api.list(ROLE_BINDINGS, namespace)
            if each["roleRef"]["name"].startswith("llmos:")
            for subject in each["subjects"]
        }

    def reason(self, name: str = "b") -> str:
        """Why the binding is or is not in force."""
        return condition(self.binding(name))[1]


def scenario(body: Callable[[World], Awaitable[None]], prepare=None) -> None:
    async def main() -> None:
        world = World()
        if prepare:
            prepare(world)
        async with running(world.api):
            await body(world)

    asyncio.run(main())


def test_a_binding_becomes_a_role_binding():
    """Name, owner, role and subjects are right; the status ties it to the namespace and users."""

    async def body(world: World) -> None:
        world.api.create(USERS, "alice")
        made = world.bind(subjects=[user("alice"), {"kind": "Group", "name": "devs"}])
        await eventually(lambda: world.reason() == "Bound")
        await quiet(world.api)
        (found,) = world.api.list(ROLE_BINDINGS, "team-a")
        uid = made["metadata"]["uid"]
        assert found["metadata"]["name"] == f"llmos-b-{uid[:8]}"
        assert found["metadata"]["ownerReferences"][0]["uid"] == uid
        assert found["metadata"]["ownerReferences"][0]["controller"] is True
        assert found["roleRef"]["name"] == "llmos:roletemplate:owner"
        assert found["roleRef"]["kind"] == "ClusterRole"
        assert [each["kind"] for each in found["subjects"]] == ["User", "Group"]
        namespace = world.api.get(NAMESPACES, "", "team-a")
        status = world.binding()["status"]
        assert status["namespaceUID"] == namespace["metadata"]["uid"]
        alice = world.api.get(USERS, "", "alice")["metadata"]["uid"]
        assert status["subjects"] == [{"kind": "User", "name": "alice", "uid": alice}]
        assert condition(world.binding()) == ("True", "Bound")
        assert condition(world.binding(), "Conflict") == ("False", "NoConflict")

    scenario(body)


def test_changed_subjects_take_effect():
    """Who is removed from the subjects loses the role, who is added gets it."""

    async def body(world: World) -> None:
        world.bind(subjects=[user("alice"), user("bob")])
        await eventually(lambda: world.bound() == {"alice", "bob"})
        world.api.patch(ROLE_TEMPLATE_BINDINGS, "b", {"subjects": [user("carol")]})
        await eventually(lambda: world.bound() == {"carol"})
        world.api.patch(ROLE_TEMPLATE_BINDINGS, "b", {"subjects": []})
        await eventually(lambda: world.bound() == set())
        await eventually(lambda: world.reason() == "NoSubjects")

    scenario(body)


def test_drift_is_repaired():
    """A generated binding that is deleted or changed by hand comes back as it should be."""

    async def body(world: World) -> None:
        world.bind()
        await eventually(lambda: world.bound() == {"alice"})
        name = world.api.list(ROLE_BINDINGS, "team-a")[0]["metadata"]["name"]
        world.api.delete(ROLE_BINDINGS, name, "team-a")
        await eventually(lambda: world.bound() == {"alice"})
        world.api.patch(ROLE_BINDINGS, name, {"subjects": [user("eve")]}, "team-a")
        await eventually(lambda: world.bound() == {"alice"})
        stolen = {"roleRef": {"kind": "ClusterRole", "name": "llmos:roletemplate:other"}}
        world.api.patch(ROLE_BINDINGS, name, stolen, "team-a")
        await eventually(
            lambda: (
                (found := world.api.get(ROLE_BINDINGS, "team-a", name))
                and found["roleRef"]["name"] == "llmos:roletemplate:owner"
            )
        )

    scenario(body)


@pytest.mark.parametrize("policy", ["", "Orphan", "Foreground"])
def test_deletion_ends_the_role(policy):
    """However the binding is deleted, its role binding goes."""

    async def body(world: World) -> None:
        world.bind()
        await eventually(lambda: world.bound() == {"alice"})
        world.api.delete(ROLE_TEMPLATE_BINDINGS, "b", policy=policy)
        await eventually(lambda: world.bound() == set())
        await eventually(lambda: world.binding() is None)

    scenario(body)


def test_a_finalizer_of_others_does_not_hold_rights():
    """A binding that lingers because of a foreign finalizer gives nothing any more."""

    async def body(world: World) -> None:
        world.bind(metadata={"finalizers": ["evil.io/x"]})
        await eventually(lambda: world.bound() == {"alice"})
        world.api.delete(ROLE_TEMPLATE_BINDINGS, "b")
        await eventually(lambda: world.bound() == set())
        assert world.binding() is not None

    scenario(body)


def test_deletion_while_nobody_looked():
    """What was deleted while the controllers were stopped takes effect when they start."""

    async def main() -> None:
        world = World()
        world.bind()
        async with running(world.api):
            await eventually(lambda: world.bound() == {"alice"})
        world.api.delete(ROLE_TEMPLATE_BINDINGS, "b")
        assert world.bound() == {"alice"}
        async with running(world.api):
            await eventually(lambda: world.bound() == set())

    asyncio.run(main())


def test_a_binding_of_the_same_name_is_another_one():
    """A new binding under an old name has a role binding of its own; the old one's goes."""

    async def main() -> None:
        world = World()
        old = world.bind()
        async with running(world.api):
            await eventually(lambda: world.bound() == {"alice"})
        world.api.delete(ROLE_TEMPLATE_BINDINGS, "b")
        new = world.bind(subjects=[user("bob")])
        assert old["metadata"]["uid"] != new["metadata"]["uid"]
        async with running(world.api):
            await eventually(lambda: world.bound() == {"bob"})

    asyncio.run(main())


def test_expiry():
    """A binding ends at ``expiresAt`` though nothing else happens, and begins anew when moved."""

    async def body(world: World) -> None:
        world.bind(expiresAt=rfc3339(world.api.now + 1))
        await eventually(lambda: world.bound() == {"alice"})
        world.api.now += 2
        await eventually(lambda: world.bound() == set())
        await eventually(lambda: world.reason() == "Expired")
        later = rfc3339(world.api.now + 3600)
        world.api.patch(ROLE_TEMPLATE_BINDINGS, "b", {"expiresAt": later})
        await eventually(lambda: world.bound() == {"alice"})

    scenario(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"role": "nope"}, "RoleTemplateNotFound"),
        ({"kind": "Foo"}, "RoleTemplateNotFound"),
        ({"kind": "GlobalRole", "role": "nope", "namespaceId": None}, "GlobalRoleNotFound"),
        ({"namespaceId": "nope"}, "NamespaceNotFound"),
        ({"namespaceId": None}, "NamespaceRequired"),
        ({"namespaceId": "kube-system"}, "NamespaceReserved"),
        ({"namespaceId": "llmos-anything"}, "NamespaceReserved"),
        ({"subjects": None}, "NoSubjects"),
        ({"subjects": ["odd", {"kind": "Alien", "name": "x"}]}, "NoSubjects"),
        ({"expiresAt": "yesterday"}, "InvalidExpiry"),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "Expired"),
    ],
)
def test_what_is_not_in_force_says_why_and_gives_nothing(body, reason):
    """Each cause has its reason; a sound binding beside it converges all the same."""

    def prepare(world: World) -> None:
        for name in ("kube-system", "llmos-anything"):
            world.api.create(NAMESPACES, name)

    async def check(world: World) -> None:
        world.bind("odd", **body)
        world.bind("sound", subjects=[user("bob")])
        await eventually(lambda: world.reason("odd") == reason)
        await eventually(lambda: world.bound() == {"bob"})
        assert condition(world.binding("odd"))[0] == "False"
        for namespace in ("kube-system", "llmos-anything"):
            assert world.api.list(ROLE_BINDINGS, namespace) == []
        assert world.api.list(CLUSTER_ROLE_BINDINGS) == []

    scenario(check, prepare)


def test_the_template_decides():
    """A binding comes into force with its template, and ends with it."""

    async def body(world: World) -> None:
        world.bind(role="late")
        await eventually(lambda: world.reason() == "RoleTemplateNotFound")
        world.api.create(ROLE_TEMPLATES, "late", rules=RULES)
        await eventually(lambda: world.bound() == {"alice"})
        world.api.delete(ROLE_TEMPLATES, "late")
        await eventually(lambda: world.bound() == set())

    scenario(body)


def test_a_namespace_made_again_starts_with_no_members():
    """A binding of a namespace that was deleted goes with it, and never reaches its successor."""

    async def body(world: World) -> None:
        world.bind()
        await eventually(lambda: world.reason() == "Bound")
        world.api.delete(NAMESPACES, "team-a")
        await eventually(lambda: world.api.get(NAMESPACES, "", "team-a") is None)
        world.api.create(NAMESPACES, "team-a")
        await eventually(lambda: world.binding() is None)
        assert world.bound() == set()

    scenario(body)


def test_a_namespace_made_again_while_nobody_looked():
    """The uid recorded, or without one the time of creation, tells the successor."""

    async def main() -> None:
        world = World()
        world.bind("recorded")
        async with running(world.api):
            await eventually(lambda: world.reason("recorded") == "Bound")
        world.bind("unrecorded", subjects=[user("bob")])
        world.api.now += 5
        for obj in world.api.list(ROLE_BINDINGS, "team-a"):
            world.api.delete(ROLE_BINDINGS, obj["metadata"]["name"], "team-a")
        world.api.patch(NAMESPACES, "team-a", {"spec": {"finalizers": []}})
        world.api.delete(NAMESPACES, "team-a")
        world.api.create(NAMESPACES, "team-a")
        async with running(world.api):
            await eventually(lambda: not world.api.list(ROLE_TEMPLATE_BINDINGS))
            assert world.bound() == set()

    asyncio.run(main())


def test_a_deleted_user_leaves_every_binding():
    """Deletion of a user drops him; a binding that was his alone goes; a stranger's stays."""

    def prepare(world: World) -> None:
        for name in ("alice", "bob"):
            world.api.create(USERS, name)

    async def body(world: World) -> None:
        world.bind("both", subjects=[user("alice"), user("bob")])
        world.bind("alone")
        world.bind("unknown", subjects=[user("stranger")])
        for name in ("both", "alone", "unknown"):
            await eventually(lambda name=name: world.reason(name) == "Bound")
        world.api.delete(USERS, "alice")
        await eventually(lambda: world.binding("alone") is None)
        await eventually(lambda: world.binding("both")["subjects"] == [user("bob")])
        await eventually(lambda: world.bound() == {"bob", "stranger"})
        world.api.create(USERS, "alice")
        await quiet(world.api)
        assert world.bound() == {"bob", "stranger"}
        recorded = world.binding("both")["status"]["subjects"]
        assert [each["name"] for each in recorded] == ["bob"]

    scenario(body, prepare)


def test_a_user_made_again_while_nobody_looked_gets_nothing():
    """Grants are tied to the uid: a new user of the same name does not inherit them."""

    async def main() -> None:
        world = World()
        world.api.create(USERS, "alice")
        world.bind(subjects=[user("alice"), user("bob")])
        async with running(world.api):
            await eventually(lambda: world.reason() == "Bound")
        world.api.delete(USERS, "alice")
        world.api.create(USERS, "alice")
        async with running(world.api):
            await eventually(lambda: world.bound() == {"bob"})
            await eventually(lambda: world.binding()["subjects"] == [user("bob")])

    asyncio.run(main())


def test_somebody_elses_object_is_never_adopted():
    """An object of the wanted name with no or another owner stays; the binding says Conflict."""
    for owners in ([], [{"apiVersion": "v1", "kind": "Namespace", "name": "team-a", "uid": "x"}]):

        async def main(owners: list[dict] = owners) -> None:
            world = World()
            owner = [{**each, "controller": True} for each in owners]
            if owner:
                owner[0]["uid"] = world.api.get(NAMESPACES, "", "team-a")["metadata"]["uid"]
            made = world.bind()
            name = f"llmos-b-{made['metadata']['uid'][:8]}"
            world.api.create(
                ROLE_BINDINGS,
                name,
                "team-a",
                metadata={"ownerReferences": owner, "labels": {"llmos.ai/managed": "true"}},
                roleRef={"kind": "ClusterRole", "name": "view"},
                subjects=[user("mallory")],
            )
            async with running(world.api):
                await eventually(lambda: condition(world.binding(), "Conflict")[0] == "True")
                assert condition(world.binding()) == ("False", "Conflict")
                found = world.api.get(ROLE_BINDINGS, "team-a", name)
                assert found["subjects"] == [user("mallory")]
                world.api.delete(ROLE_TEMPLATE_BINDINGS, "b")
                await quiet(world.api)
                assert world.api.get(ROLE_BINDINGS, "team-a", name) == found

        asyncio.run(main())


def test_a_global_role_is_bound_in_the_cluster_and_in_its_namespaces():
    """ClusterRoleBinding, and a RoleBinding for each open namespace that is or becomes there."""

    def prepare(world: World) -> None:
        world.api.create(NAMESPACES, "kube-system")
        rules = {"team-a": RULES, "team-b": RULES, "kube-system": RULES}
        world.api.create(GLOBAL_ROLES, "auditor", rules=RULES, namespacedRules=rules)

    async def body(world: World) -> None:
        world.bind(kind="GlobalRole", role="auditor", namespaceId=None)
        await eventually(lambda: world.reason() == "Bound")
        (cluster,) = world.api.list(CLUSTER_ROLE_BINDINGS)
        assert cluster["roleRef"]["name"] == "llmos:globalrole:auditor"
        assert world.bound("team-a") == {"alice"}
        (found,) = world.api.list(ROLE_BINDINGS, "team-a")
        assert found["roleRef"]["kind"] == "Role"
        assert world.api.get(ROLES, "team-a", found["roleRef"]["name"])["rules"] == RULES
        world.api.create(NAMESPACES, "team-b")
        await eventually(lambda: world.bound("team-b") == {"alice"})
        assert world.bound("kube-system") == set()
        assert world.api.list(ROLES, "kube-system") == []
        world.api.patch(GLOBAL_ROLES, "auditor", {"namespacedRules": {"team-b": None}})
        await eventually(lambda: world.bound("team-b") == set())
        await eventually(lambda: world.api.list(ROLES, "team-b") == [])
        world.api.delete(ROLE_TEMPLATE_BINDINGS, "b")
        await eventually(lambda: not world.api.list(CLUSTER_ROLE_BINDINGS))
        assert world.bound("team-a") == set()

    scenario(body, prepare)


def test_many_bindings_share_a_template_and_change_nothing_in_it():
    """Fifty bindings later the template is as it was, byte for byte, and there is one role."""

    async def body(world: World) -> None:
        before = world.api.get(ROLE_TEMPLATES, "", "owner")["rules"]
        for number in range(50):
            world.bind(f"b{number}", subjects=[user(f"u{number}")])
        await eventually(lambda: len(world.bound()) == 50)
        assert world.api.get(ROLE_TEMPLATES, "", "owner")["rules"] == before == RULES
        assert [each["rules"] for each in world.api.list(CLUSTER_ROLES)] == [RULES]

    scenario(body)
