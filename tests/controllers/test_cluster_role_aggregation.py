"""Aggregating cluster roles have the rules of those they select."""

import asyncio

from controllers.world import quiet, running
from llmos.client.resources import CLUSTER_ROLES
from llmos.controllers.cluster_role_aggregation import desired
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually


def rule(name: str) -> dict:
    return {"apiGroups": [""], "resources": [name], "verbs": ["get"]}


def role(name: str, rules: list, select: str = "", **labels: str) -> dict:
    made = {"metadata": {"name": name, "labels": labels}, "rules": rules}
    if select:
        selectors = [{"matchLabels": {each: "true"}} for each in select.split()]
        made["aggregationRule"] = {"clusterRoleSelectors": selectors}
    return made


def test_desired():
    """Rules come in the order of names, each once, never its own, from any of the selectors."""
    edit = role("edit", [rule("own")], "to-edit to-view", **{"to-edit": "true"})
    b = role("b", [rule("x"), rule("y")], **{"to-edit": "true"})
    a = role("a", [rule("y"), rule("z")], **{"to-view": "true"})
    other = role("c", [rule("w")], **{"to-edit": "false"})
    assert desired(edit, [edit, b, a, other]) == [rule("y"), rule("z"), rule("x")]


def test_a_malformed_selector_selects_nothing():
    """An operator that is none does not stop the role's other selectors."""
    odd = role("odd", [], "x")
    bad = {"matchExpressions": [{"key": "x", "operator": "Odd"}]}
    odd["aggregationRule"]["clusterRoleSelectors"].insert(0, bad)
    assert desired(odd, [role("a", [rule("r")], x="true")]) == [rule("r")]


def test_chains_follow_changes():
    """View → edit → admin: a new role reaches all three, and leaves all three."""

    async def scenario() -> None:
        api = FakeAPI()
        for name, select, label in (
            ("view", "to-view", "to-edit"),
            ("edit", "to-edit", "to-admin"),
            ("admin", "to-admin", ""),
        ):
            made = role(name, [], select, **({label: "true"} if label else {}))
            api.create(CLUSTER_ROLES, name, **made)

        def rules() -> list:
            return [api.get(CLUSTER_ROLES, "", each)["rules"] for each in ("view", "edit", "admin")]

        async with running(api):
            labels = {"metadata": {"labels": {"to-view": "true"}}}
            api.create(CLUSTER_ROLES, "extra", rules=[rule("r")], **labels)
            await eventually(lambda: rules() == [[rule("r")]] * 3)
            await quiet(api)
            api.patch(CLUSTER_ROLES, "extra", {"metadata": {"labels": {"to-view": None}}})
            await eventually(lambda: rules() == [[]] * 3)

    asyncio.run(scenario())
