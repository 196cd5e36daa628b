"""Users begin with the default roles, and their status mirrors what is."""

import asyncio

import pytest

from controllers.world import quiet, running
from llmos.client.resources import GLOBAL_ROLES, ROLE_TEMPLATE_BINDINGS, USERS
from llmos.controllers.user import makes_admin
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually


def admin_binding(**changes) -> dict:
    return {
        "metadata": {"name": "b"},
        "roleTemplateRef": {"kind": "GlobalRole", "name": "admin"},
        "subjects": [{"kind": "User", "name": "root"}],
        "status": {
            "conditions": [{"type": "InForce", "status": "True"}],
            "subjects": [{"kind": "User", "name": "root", "uid": "1"}],
        },
        **changes,
    }


ROOT = {"metadata": {"name": "root", "uid": "1"}, "spec": {"groups": ["devs"]}}


@pytest.mark.parametrize(
    ("changes", "admin"),
    [
        ({}, True),
        ({"status": {}}, False),
        ({"status": {"conditions": [{"type": "InForce", "status": "False"}]}}, False),
        ({"roleTemplateRef": {"kind": "GlobalRole", "name": "user"}}, False),
        ({"roleTemplateRef": {"kind": "RoleTemplate", "name": "admin"}}, False),
        ({"subjects": [{"kind": "User", "name": "other"}]}, False),
        ({"subjects": [{"kind": "User", "name": "x"}, {"kind": "User", "name": "root"}]}, True),
        ({"subjects": [{"kind": "Group", "name": "devs"}]}, True),
        ({"subjects": [{"kind": "Group", "name": "llmos:users"}]}, True),
        ({"subjects": [{"kind": "Group", "name": "root"}]}, False),
        ({"metadata": {"name": "b", "deletionTimestamp": "2026-01-01T00:00:00Z"}}, False),
    ],
)
def test_who_is_an_admin(changes, admin):
    """Only a binding in force to the GlobalRole admin, that names the user or a group of his."""
    assert makes_admin(admin_binding(**changes), ROOT) is admin


def test_a_binding_of_an_earlier_user_makes_nobody_admin():
    """The uid that the binding recorded must be the user's."""
    assert not makes_admin(admin_binding(), {"metadata": {"name": "root", "uid": "2"}})


def test_is_admin_follows_all_bindings():
    """One of two bindings goes: still admin; the other: no more; a role that goes ends it, too."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(GLOBAL_ROLES, "admin", rules=[])
        api.create(USERS, "root", spec={"isActive": False})
        ref = {"kind": "GlobalRole", "name": "admin"}
        subjects = [{"kind": "User", "name": "eve"}, {"kind": "User", "name": "root"}]
        for name in ("one", "two"):
            api.create(ROLE_TEMPLATE_BINDINGS, name, roleTemplateRef=ref, subjects=subjects)

        def status() -> dict:
            return api.get(USERS, "", "root").get("status", {})

        async with running(api):
            await eventually(lambda: status().get("isAdmin") is True)
            assert status()["isActive"] is False
            api.delete(ROLE_TEMPLATE_BINDINGS, "one")
            await quiet(api, 0.1)
            assert status()["isAdmin"] is True
            api.patch(USERS, "root", {"spec": {"isActive": True}})
            await eventually(lambda: status()["isActive"] is True)
            api.delete(GLOBAL_ROLES, "admin")
            await eventually(lambda: status()["isAdmin"] is False)
            api.create(GLOBAL_ROLES, "admin", rules=[])
            await eventually(lambda: status()["isAdmin"] is True)
            api.patch(ROLE_TEMPLATE_BINDINGS, "two", {"subjects": subjects[:1]})
            await eventually(lambda: status()["isAdmin"] is False)

    asyncio.run(scenario())


def test_new_users_get_the_default_roles_once():
    """Every default role is bound, by a binding that the user owns; what is taken away stays so."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(GLOBAL_ROLES, "user", rules=[], spec={"newUserDefault": True})
        api.create(GLOBAL_ROLES, "other", rules=[], spec={"newUserDefault": False})
        async with running(api):
            user = api.create(USERS, "alice", spec={})
            (binding,) = await eventually(lambda: api.list(ROLE_TEMPLATE_BINDINGS))
            assert binding["roleTemplateRef"]["name"] == "user"
            assert binding["subjects"][0]["name"] == "alice"
            reference = binding["metadata"]["ownerReferences"][0]
            assert reference["uid"] == user["metadata"]["uid"]
            await quiet(api, 0.1)
            api.delete(ROLE_TEMPLATE_BINDINGS, binding["metadata"]["name"])
            api.create(GLOBAL_ROLES, "late", rules=[], spec={"newUserDefault": True})
            api.patch(USERS, "alice", {"spec": {"displayName": "Alice"}})
            await quiet(api, 0.1)
            assert api.list(ROLE_TEMPLATE_BINDINGS) == []
            api.create(USERS, "bob", spec={})
            await eventually(lambda: len(api.list(ROLE_TEMPLATE_BINDINGS)) == 2)

    asyncio.run(scenario())
