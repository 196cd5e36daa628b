"""Role templates and global roles have the RBAC roles that they describe."""

import asyncio

from controllers.world import condition, quiet, running
from llmos.client.resources import CLUSTER_ROLES, GLOBAL_ROLES, ROLE_TEMPLATES, USERS
from llmos.controllers.role_template import desired
from llmos.reconcile.owned import controller_reference
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
MORE = [*RULES, {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}]
NAME = "llmos:roletemplate:reader"


def rules(api: FakeAPI, name: str = NAME) -> list | None:
    return (api.get(CLUSTER_ROLES, "", name) or {}).get("rules")


def test_a_template_becomes_a_cluster_role_and_its_changes_follow():
    """Made, changed, repaired and deleted with its template; the status says Complete."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(ROLE_TEMPLATES, "reader", rules=RULES)
        api.create(GLOBAL_ROLES, "auditor", rules=MORE)
        async with running(api):
            await eventually(lambda: rules(api) == RULES)
            await eventually(lambda: rules(api, "llmos:globalrole:auditor") == MORE)
            status = await eventually(lambda: api.get(ROLE_TEMPLATES, "", "reader").get("status"))
            assert status["state"] == "Complete"
            assert status["observedGeneration"] == 1
            assert status["lastUpdateTime"]
            api.patch(ROLE_TEMPLATES, "reader", {"rules": MORE})
            await eventually(lambda: rules(api) == MORE)
            api.patch(CLUSTER_ROLES, NAME, {"rules": []})
            await eventually(lambda: rules(api) == MORE)
            api.patch(CLUSTER_ROLES, NAME, {"aggregationRule": {"clusterRoleSelectors": []}})
            await eventually(lambda: "aggregationRule" not in api.get(CLUSTER_ROLES, "", NAME))
            api.delete(CLUSTER_ROLES, NAME)
            await eventually(lambda: rules(api) == MORE)
            await quiet(api)
            api.delete(ROLE_TEMPLATES, "reader", policy="Orphan")
            await eventually(lambda: api.get(CLUSTER_ROLES, "", NAME) is None)

    asyncio.run(scenario())


def test_a_template_made_again_has_a_role_of_its_own():
    """The role of an earlier template of the same name is replaced, not adopted."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(ROLE_TEMPLATES, "reader", rules=RULES)
        async with running(api):
            await eventually(lambda: rules(api) == RULES)
        api.delete(ROLE_TEMPLATES, "reader")
        new = api.create(ROLE_TEMPLATES, "reader", rules=MORE)
        async with running(api):
            await eventually(lambda: rules(api) == MORE)
            owner = api.get(CLUSTER_ROLES, "", NAME)["metadata"]["ownerReferences"][0]
            assert owner["uid"] == new["metadata"]["uid"]

    asyncio.run(scenario())


def test_a_shipped_role_is_taken_over():
    """A ClusterRole of that name without an owner becomes the template's; strange labels go."""

    async def scenario() -> None:
        api = FakeAPI()
        labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
        api.create(CLUSTER_ROLES, NAME, rules=MORE, metadata={"labels": labels})
        api.create(ROLE_TEMPLATES, "reader", rules=RULES)
        async with running(api):
            await eventually(lambda: rules(api) == RULES)
            meta = api.get(CLUSTER_ROLES, "", NAME)["metadata"]
            assert meta["ownerReferences"][0]["kind"] == "RoleTemplate"
            assert not meta.get("labels")

    asyncio.run(scenario())


def test_somebody_elses_role_is_not_adopted():
    """A ClusterRole of that name with another owner stays as it is; the template says Error."""

    async def scenario() -> None:
        api = FakeAPI()
        user = api.create(USERS, "u", spec={})
        owner = {**controller_reference(user)}
        api.create(CLUSTER_ROLES, NAME, rules=MORE, metadata={"ownerReferences": [owner]})
        api.create(ROLE_TEMPLATES, "reader", rules=RULES)
        async with running(api):
            await eventually(
                lambda: (
                    condition(api.get(ROLE_TEMPLATES, "", "reader"), "ClusterRoleExists")
                    == ("False", "Conflict")
                )
            )
            assert api.get(ROLE_TEMPLATES, "", "reader")["status"]["state"] == "Error"
            assert rules(api) == MORE

    asyncio.run(scenario())


def test_a_template_that_is_being_deleted_wants_nothing():
    """A finalizer does not keep the role of a template."""
    template = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "RoleTemplate",
        "metadata": {"name": "x", "uid": "u", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "rules": RULES,
    }
    assert desired(template, []) == []
