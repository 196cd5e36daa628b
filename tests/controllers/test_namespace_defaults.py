"""Creators of namespaces get the default roles there, once."""

import asyncio

from controllers.world import quiet, running
from llmos.client.resources import (
    NAMESPACES,
    ROLE_BINDINGS,
    ROLE_TEMPLATE_BINDINGS,
    ROLE_TEMPLATES,
    USERS,
)
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

CREATED = {"annotations": {"llmos.ai/creator": "alice"}}


def test_the_creator_gets_the_default_roles_once():
    """Unlocked default templates are bound to him; what is taken away stays away."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(USERS, "alice", spec={})
        for name, spec in (
            ("owner", {"newNamespaceDefault": True}),
            ("locked", {"newNamespaceDefault": True, "locked": True}),
            ("other", {}),
        ):
            api.create(ROLE_TEMPLATES, name, rules=[], spec=spec)
        async with running(api):
            api.create(NAMESPACES, "team-a", metadata=CREATED)
            (binding,) = await eventually(lambda: api.list(ROLE_TEMPLATE_BINDINGS))
            assert binding["roleTemplateRef"]["name"] == "owner"
            assert binding["namespaceId"] == "team-a"
            assert [each["name"] for each in binding["subjects"]] == ["alice"]
            await eventually(lambda: api.list(ROLE_BINDINGS, "team-a"))
            await quiet(api, 0.1)
            api.delete(ROLE_TEMPLATE_BINDINGS, binding["metadata"]["name"])
            api.patch(NAMESPACES, "team-a", {"metadata": {"labels": {"x": "y"}}})
            await quiet(api, 0.1)
            assert api.list(ROLE_TEMPLATE_BINDINGS) == []

    asyncio.run(scenario())


def test_nobody_else_gets_anything():
    """No creator, a creator who is no user, and a reserved namespace give no binding."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(USERS, "alice", spec={})
        api.create(ROLE_TEMPLATES, "owner", rules=[], spec={"newNamespaceDefault": True})
        async with running(api):
            api.create(NAMESPACES, "nobody")
            api.create(NAMESPACES, "kube-system", metadata=CREATED)
            robot = {"annotations": {"llmos.ai/creator": "system:serviceaccount:a:b"}}
            api.create(NAMESPACES, "robot", metadata=robot)
            await quiet(api, 0.2)
            assert api.list(ROLE_TEMPLATE_BINDINGS) == []

    asyncio.run(scenario())
