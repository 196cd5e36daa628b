"""The platform's own accounts have the rights that they need, and no others."""

import pytest

from llmos.apis.platform_content import (
    IN_ORDER,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    SETTINGS,
    shipped,
)
from manifests.cluster_rights import ACCOUNTS, rules

RESTORED = [each for each in IN_ORDER if each not in (NAMESPACES, SERVICE_ACCOUNTS, SETTINGS)]
READS = {"get", "list", "watch"}


def test_the_proxy_writes_nothing_but_its_records():
    """Outside llmos-system it reads, impersonates and asks who somebody is and what he may."""
    for where, rule in rules("llmos-proxy"):
        if where:
            assert where == "llmos-system"
        elif rule["verbs"] == ["create"]:
            assert set(rule["resources"]) <= {"subjectaccessreviews", "tokenreviews"}
        else:
            assert set(rule["verbs"]) <= {"get", "list", "watch", "impersonate"}


def test_the_proxy_makes_tokens_of_the_controllers_alone():
    """Of no other account, of which it could have one as well by impersonation."""
    made = [
        each for _, each in rules("llmos-proxy") if "serviceaccounts/token" in each["resources"]
    ]
    assert [each["resourceNames"] for each in made] == [["llmos-controllers"]]


@pytest.mark.parametrize("account", ACCOUNTS)
def test_nothing_is_given_wholesale(account):
    """No verb is a wildcard, no resource but for reading and for what names somebody."""
    for _, rule in rules(account):
        assert not {"*", "deletecollection"} & set(rule["verbs"])
        if "*" in rule["resources"]:
            naming = rule["apiGroups"] == ["authentication.k8s.io"]
            assert set(rule["verbs"]) <= ({"impersonate"} if naming else READS)


def test_the_controllers_see_no_secrets():
    """Nor pods, nor anything else that is not theirs to keep."""
    seen = {name for _, rule in rules("llmos-controllers") for name in rule["resources"]}
    plain = {each.partition("/")[0] for each in seen}
    assert plain == {
        *("clusterrolebindings", "clusterroles", "rolebindings", "roles"),
        *("globalroles", "roletemplatebindings", "roletemplates", "users"),
        *("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
        *("customresourcedefinitions", "namespaces", "configmaps", "events", "leases"),
    }


def test_what_is_restored_is_named():
    """What a controller may create and change beside RBAC objects: what is shipped."""
    named = {
        (resource, name)
        for _, rule in rules("llmos-controllers")
        if "create" in rule["verbs"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames") or ["any"]
    }
    rbac = {"clusterrolebindings", "clusterroles", "rolebindings", "roles"}
    free = {(each, "any") for each in (*rbac, "roletemplatebindings", "events", "leases")}
    shipped_names = {
        (each.resource.plural, each.place.name)
        for each in shipped()
        if each.resource in RESTORED and each.resource.plural not in rbac
    }
    # Bindings of policies are named like their policies, so that one rule is enough for both.
    assert named == free | shipped_names
