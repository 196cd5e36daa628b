"""The built-in roles: what they hold, and that each is what its template says."""

import pytest

from llmos.apimachinery.object import get_path, name_of
from llmos.apis.authentication_v1 import UserInfo, service_account_groups, service_account_name
from llmos.apis.authorization_v1 import Attributes
from llmos.authorization.escalation import Escalation, uncovered
from llmos.authorization.rules import parse_rules
from llmos.authorization.visibility import visible_namespaces
from llmos.manifests import load
from manifests.role_matrix import (
    CLUSTER_WIDE,
    IN_NAMESPACE,
    PEOPLE,
    READ,
    TABLE,
    TEAM,
    VERBS,
    allowed,
    authorizer,
    document,
)

ROLES = load("roles")
TEMPLATES = {name_of(obj): obj for obj in ROLES if obj["kind"] == "RoleTemplate"}
GLOBAL = {name_of(obj): obj for obj in ROLES if obj["kind"] == "GlobalRole"}
CLUSTER_ROLES = {name_of(obj): obj for obj in ROLES if obj["kind"] == "ClusterRole"}
CONTROLLERS = UserInfo(
    service_account_name("llmos-system", "llmos-controllers"),
    groups=service_account_groups("llmos-system"),
)


@pytest.fixture(scope="module")
def judge():
    """What ships, and an owner, an editor and a reader of the team's namespace."""
    return authorizer()


def test_the_table_is_up_to_date():
    """The table that the manual shows is what the manifests say: run role_matrix.py otherwise."""
    assert TABLE.read_text(encoding="utf-8") == document()


def test_the_built_in_roles_are_all_there():
    """Two global roles and three templates, all built in, by the names that people see."""
    shown = {
        name: get_path(obj, "spec", "displayName") for name, obj in (TEMPLATES | GLOBAL).items()
    }
    assert shown == {
        "admin": "Administrator",
        "user": "Standard User",
        "namespace-owner": "Owner",
        "namespace-editor": "Editor",
        "namespace-readonly": "Read-Only",
    }
    assert all(get_path(obj, "spec", "builtin") for obj in (TEMPLATES | GLOBAL).values())


def test_each_has_the_cluster_role_that_puts_it_into_force():
    """The rules of a built-in role and of its ClusterRole are the same, in the same order."""
    for name, obj in TEMPLATES.items():
        assert CLUSTER_ROLES[f"llmos:roletemplate:{name}"]["rules"] == obj["rules"]
    for name, obj in GLOBAL.items():
        assert CLUSTER_ROLES[f"llmos:globalrole:{name}"]["rules"] == obj["rules"]


def test_each_role_holds_the_next():
    """An owner holds all of an editor's rules, and an editor all of a reader's."""
    rules = {name: parse_rules(obj["rules"]) for name, obj in (TEMPLATES | GLOBAL).items()}
    assert not uncovered(rules["admin"], rules["namespace-owner"])
    assert not uncovered(rules["namespace-owner"], rules["namespace-editor"])
    assert not uncovered(rules["namespace-editor"], rules["namespace-readonly"])
    assert uncovered(rules["namespace-readonly"], rules["namespace-editor"])
    assert uncovered(rules["namespace-editor"], rules["namespace-owner"])


def test_an_owner_gives_away_all_three(judge):
    """An owner may hand out each template in his namespace and in no other, and no global role."""
    escalation = Escalation(judge.index)
    olivia = PEOPLE["Owner"]
    for name, obj in TEMPLATES.items():
        escalation.confirm_no_escalation(olivia, TEAM, obj["rules"])
        bind = Attributes(
            olivia,
            "bind",
            "management.llmos.ai",
            resource="roletemplates",
            namespace=TEAM,
            name=name,
        )
        assert judge.authorize(bind).allowed
        for person in ("Editor", "Read-Only", "Standard User"):
            other = Attributes(
                PEOPLE[person],
                "bind",
                bind.group,
                resource=bind.resource,
                namespace=TEAM,
                name=name,
            )
            assert not judge.authorize(other).allowed
    custom = Attributes(
        olivia, "bind", "management.llmos.ai", resource="roletemplates", namespace=TEAM, name="mine"
    )
    assert not judge.authorize(custom).allowed


NEVER = [
    ("Owner", "resourcequotas", {"create", "update", "patch", "delete", "deletecollection"}),
    ("Owner", "limitranges", {"create", "update", "patch", "delete", "deletecollection"}),
    ("Owner", "resourcequotas/status", {"update", "patch"}),
    ("Owner", "namespaces", {"create", "delete", "deletecollection"}),
    ("Owner", "namespaces/status", {"update", "patch"}),
    ("Owner", "namespaces/finalize", set(VERBS)),
    ("Owner", "endpoints", {"create", "update", "patch"}),
    ("Editor", "namespaces", {"update", "patch", "delete"}),
    ("Editor", "namespaces/members", set(VERBS)),
    ("Editor", "rbac.authorization.k8s.io:roles", {"create", "update", "patch", "delete"}),
    ("Editor", "rbac.authorization.k8s.io:rolebindings", {"create", "update", "patch", "delete"}),
    ("Read-Only", "secrets", set(VERBS)),
    ("Read-Only", "serviceaccounts/token", set(VERBS)),
    ("Read-Only", "pods/exec", set(VERBS)),
    ("Read-Only", "services/proxy", set(VERBS)),
]


@pytest.mark.parametrize(("person", "what", "verbs"), NEVER)
def test_what_a_member_never_may(judge, person, what, verbs):
    """Quota, limits, the namespace's life and others' Secrets are out of a member's reach."""
    assert not verbs & set(allowed(judge, PEOPLE[person], what, TEAM))


def test_a_reader_only_reads(judge):
    """Whatever a reader may, is one of get, list and watch."""
    for what in IN_NAMESPACE:
        assert set(allowed(judge, PEOPLE["Read-Only"], what, TEAM)) <= set(READ)


@pytest.mark.parametrize("person", ["Owner", "Editor", "Read-Only", "Standard User"])
def test_members_have_nothing_elsewhere(judge, person):
    """In a namespace of another team nobody but an admin may anything."""
    for what in IN_NAMESPACE:
        assert allowed(judge, PEOPLE[person], what, "team-b") == ()


@pytest.mark.parametrize("namespace", ["kube-system", "llmos-system", "default"])
def test_the_platforms_namespaces_are_closed(judge, namespace):
    """No built-in role reaches into a reserved namespace, or into ``default``."""
    for person in ("Owner", "Editor", "Read-Only", "Standard User"):
        for what in IN_NAMESPACE:
            assert allowed(judge, PEOPLE[person], what, namespace) == ()


def test_an_admin_may_everything(judge):
    """Every verb on every resource and path, in every namespace."""
    root = PEOPLE["Administrator"]
    for namespace in ("", TEAM, "kube-system", "llmos-public"):
        for what in IN_NAMESPACE + CLUSTER_WIDE:
            assert allowed(judge, root, what, namespace) == VERBS
    assert judge.authorize(Attributes(root, "get", path="/metrics")).allowed
    assert visible_namespaces(judge.index, root, "list", "", "namespaces") is None


def test_users_see_their_own_and_the_public(judge):
    """A member sees his namespace and ``llmos-public``; who is no member sees the public alone."""
    for person in ("Owner", "Editor", "Read-Only"):
        seen = visible_namespaces(judge.index, PEOPLE[person], "list", "", "namespaces")
        assert seen == {TEAM, "llmos-public"}
    uma = PEOPLE["Standard User"]
    assert visible_namespaces(judge.index, uma, "list", "", "namespaces") == {"llmos-public"}
    assert visible_namespaces(judge.index, uma, "list", "", "secrets") == frozenset()


def test_users_do_not_see_accounts_or_create_namespaces(judge):
    """Accounts, bindings, namespaces and reviews of others are not for standard users."""
    uma = PEOPLE["Standard User"]
    for what in ("management.llmos.ai:users", "namespaces", "secrets", "serviceaccounts"):
        assert allowed(judge, uma, what, "") == ()
    assert not set(READ) & set(allowed(judge, uma, "management.llmos.ai:roletemplatebindings", ""))


def test_the_public_namespace_is_read_by_users_of_llmos_only(judge):
    """A cluster's own identities get nothing from the grant, and no user reads a Secret there."""
    robot = UserInfo("robot", groups=("system:authenticated",))
    for what in IN_NAMESPACE:
        assert allowed(judge, robot, what, "llmos-public") == ()
    assert allowed(judge, PEOPLE["Standard User"], "secrets", "llmos-public") == ()
    assert "get" in allowed(judge, PEOPLE["Standard User"], "services/proxy", "llmos-public")


CONTROLLERS_MAY = [
    ("namespaces", {"get", "list", "watch", "patch", "update"}),
    ("namespaces/finalize", {"update"}),
    ("configmaps", {"create", "update", "deletecollection"}),
    ("serviceaccounts", {"create"}),
    ("rbac.authorization.k8s.io:rolebindings", {"create", "update", "delete"}),
    ("rbac.authorization.k8s.io:clusterroles", {"create", "update", "patch"}),
    ("management.llmos.ai:roletemplatebindings", {"create", "patch", "delete"}),
    ("management.llmos.ai:users/status", {"patch"}),
    ("resourcequotas/status", {"patch", "update"}),
    ("example.com:anything", {"get", "list", "watch", "delete", "deletecollection", "patch"}),
    ("nodes/status", {"update", "patch"}),
    ("coordination.k8s.io:leases", {"create", "update"}),
]


@pytest.mark.parametrize(("what", "verbs"), CONTROLLERS_MAY)
def test_controllers_may_what_they_need(judge, what, verbs):
    """The controllers' own account has the rights that their work takes."""
    assert verbs <= set(allowed(judge, CONTROLLERS, what, TEAM))


def test_controllers_may_no_more(judge):
    """They make no workloads, namespaces, Secrets or tokens, and act as nobody else."""
    for what in ("secrets", "pods", "namespaces", "serviceaccounts/token", "apps:deployments"):
        assert "create" not in allowed(judge, CONTROLLERS, what, TEAM)
    for what in ("users", "groups", "serviceaccounts"):
        asked = Attributes(CONTROLLERS, "impersonate", resource=what, name="root")
        assert not judge.authorize(asked).allowed
    other = UserInfo(service_account_name("team-a", "llmos-controllers"))
    assert allowed(judge, other, "namespaces", TEAM) == ()


def test_controllers_give_roles_that_they_do_not_hold(judge):
    """``bind`` and ``escalate`` let them put templates into force."""
    for verb in ("bind", "escalate"):
        asked = Attributes(
            CONTROLLERS, verb, "rbac.authorization.k8s.io", resource="clusterroles", name="x"
        )
        assert judge.authorize(asked).allowed
