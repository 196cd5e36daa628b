"""What is there from the first start, and how a start restores it."""

import copy

import pytest

from authorization.objects import binding, role, rule
from llmos.apimachinery.resource import GroupResource
from llmos.authorization.bootstrap import (
    bootstrap_index,
    bootstrap_objects,
    resource_of,
    restored,
)
from llmos.authorization.index import CLUSTER_ROLES, RoleKey

KUBERNETES = {
    **role("", "view", rule("get", "core", "pods"), rule("list", "core", "pods")),
}
OWN = role("", "llmos:globalrole:user", rule("get", "core", "nodes"))
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"


def test_every_shipped_binding_finds_its_role():
    """No shipped binding dangles, and roles come before bindings."""
    objects = bootstrap_objects()
    index = bootstrap_index()
    kinds = [obj["kind"] for obj in objects]
    assert kinds.index("ClusterRoleBinding") > max(
        number for number, kind in enumerate(kinds) if kind == "ClusterRole"
    )
    for obj in objects:
        if "roleRef" in obj:
            assert index.role(RoleKey("ClusterRole", "", obj["roleRef"]["name"])) is not None


def test_resources_of_objects():
    """RBAC objects are told by group and kind; everything else is none."""
    assert (
        resource_of(OWN)
        == CLUSTER_ROLES
        == GroupResource("rbac.authorization.k8s.io", "clusterroles")
    )
    assert resource_of({"apiVersion": "v1", "kind": "Role"}) is None
    assert resource_of({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Pod"}) is None


@pytest.mark.parametrize("shipped", [KUBERNETES, OWN, binding("", "b", "ClusterRole/c", "User/u")])
def test_nothing_amiss_is_nothing_done(shipped):
    """An object as it was shipped, with what a server adds, stays."""
    existing = copy.deepcopy(shipped)
    existing["metadata"] |= {"uid": "u", "labels": {"a": "b"}}
    assert restored(existing, shipped) is None


def test_kubernetes_own_are_completed():
    """A missing rule comes back, and what an operator added remains."""
    existing = role("", "view", rule("get", "core", "pods"), rule("get", "x", "y"))
    fixed = restored(existing, KUBERNETES)
    assert fixed is not None
    assert fixed["rules"] == [*existing["rules"], rule("list", "core", "pods")]


def test_an_operator_keeps_kubernetes_own_as_they_are():
    """The annotation that Kubernetes has for it switches the completion off."""
    existing = role("", "view")
    existing["metadata"]["annotations"] = {AUTOUPDATE: "false"}
    assert restored(existing, KUBERNETES) is None


def test_the_platforms_own_are_put_back():
    """The platform's roles are restored exactly, whatever their annotations say."""
    existing = role("", OWN["metadata"]["name"], rule("*", "*", "*"))
    existing["metadata"] |= {"annotations": {AUTOUPDATE: "false"}, "uid": "u"}
    fixed = restored(existing, OWN)
    assert fixed is not None
    assert fixed["rules"] == OWN["rules"]
    assert fixed["metadata"]["uid"] == "u"


def test_built_in_templates_are_put_back():
    """A built-in role template gets back its rules and spec, and keeps its status."""
    shipped = {
        "kind": "RoleTemplate",
        "metadata": {"name": "t"},
        "spec": {"builtin": True},
        "rules": [rule("get", "core", "pods")],
    }
    existing = {**shipped, "spec": {"builtin": False}, "rules": [], "status": {"state": "Error"}}
    assert restored(existing, shipped) == {**shipped, "status": {"state": "Error"}}


def test_aggregated_rules_are_left_to_aggregation():
    """A role that gathers its rules keeps those it has gathered."""
    shipped = {**KUBERNETES, "aggregationRule": {"clusterRoleSelectors": []}}
    existing = {**shipped, "rules": [rule("get", "custom", "things")]}
    assert restored(existing, shipped) is None
    stripped = {key: value for key, value in existing.items() if key != "aggregationRule"}
    fixed = restored(stripped, shipped)
    assert fixed is not None
    assert fixed["rules"] == existing["rules"]


def test_what_is_given_out_is_shared_with_nobody():
    """Changing a restored object, or one that was loaded, changes nothing that is shipped."""
    existing = role("", OWN["metadata"]["name"])
    fixed = restored(existing, OWN)
    assert fixed is not None
    fixed["rules"].append(rule("*", "*", "*"))
    assert len(OWN["rules"]) == 1
    for obj in bootstrap_objects():
        obj.get("rules", []).append(rule("*", "*", "*"))
    assert rule("*", "*", "*") not in next(
        obj["rules"] for obj in bootstrap_objects() if obj["metadata"]["name"] == "system:discovery"
    )
