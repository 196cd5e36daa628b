"""Members and roles without the proxy: nobody hands out what he does not hold."""

import pytest

from support.native import Impersonated, Native
from support.objects import (
    RBAC,
    Object,
    config_map,
    global_role,
    member,
    role_binding,
    role_template,
    rule,
    subject,
)
from support.resources import at
from support.waiting import wait_until

pytestmark = pytest.mark.slow
BINDINGS = at("roletemplatebindings")
OWNER, READER = "namespace-owner", "namespace-readonly"
WRITE = ("get", "list", "watch", "create", "update", "patch", "delete")


def test_an_owner_manages_members_of_his_own_namespace(native: Native, alice: Impersonated) -> None:
    """He gives a built-in role away and takes it back; a controller puts it into force."""
    guest = native.person("guest", "llmos:users")
    assert alice.create(BINDINGS, member("guest", "team-a", READER, subject("guest"))).is_success
    path = at("configmaps", "team-a")
    wait_until(lambda: guest.get(path).status_code == 200, 5)
    assert guest.create(path, config_map("mine")).status_code == 403
    assert alice.delete(at("roletemplatebindings", name="guest")).status_code == 200
    wait_until(lambda: guest.get(path).status_code == 403, 5)


@pytest.mark.parametrize(
    "where",
    ["team-b", "", "kube-system", "llmos-system", "llmos-public", "default", "nowhere", "*"],
)
@pytest.mark.parametrize("who", ["alice", "vera", "eddie", "newbie", "outsider"])
def test_no_member_comes_by_the_wrong_hand(native: Native, who: str, where: str) -> None:
    """The right is asked for in the namespace that the binding points to."""
    asked = member("wrong", where, READER, subject(who))
    asked["roleTemplateRef"]["kind"] = "RoleTemplate"
    answer = native.people[who].create(BINDINGS, asked)
    assert answer.status_code in (403, 422), answer.text
    assert native.root.get(at("roletemplatebindings", name="wrong")).status_code == 404


@pytest.mark.parametrize("where", ["kube-system", "llmos-system", "storage-system"])
def test_no_member_comes_into_a_reserved_namespace(native: Native, where: str) -> None:
    """By an administrator neither: not as a member, and not as the subject of a RoleBinding."""
    root = native.people["root"]
    assert root.create(BINDINGS, member("in", where, READER, subject("bob"))).status_code == 403
    for who in (subject("bob"), subject("staff", "Group"), subject("llmos:users", "Group")):
        binding = role_binding("in", "view", who)
        assert root.create(at("rolebindings", where), binding).status_code == 403


@pytest.mark.parametrize("who", ["alice", "outsider", "newbie"])
def test_the_bindings_of_others_are_out_of_reach(native: Native, who: str) -> None:
    """They are neither changed nor deleted, nor read by a patch that changes nothing."""
    person, path = native.people[who], at("roletemplatebindings", name="bob-team-b")
    before = native.root.get(path).json()
    stolen = {**before, "subjects": [*before["subjects"], subject(who)]}
    tries = [
        person.get(path),
        person.get(BINDINGS),
        person.patch(path, {}),
        person.patch(path, {"subjects": stolen["subjects"]}),
        person.patch(path, {"namespaceId": "team-a"}),
        person.update(path, stolen),
        person.apply(path, {**member("bob-team-b", "team-b", OWNER, subject(who))}, force="true"),
        person.delete(path),
        person.delete(BINDINGS),
        person.patch(f"{path}/status", {"status": {"namespaceUID": "x"}}),
    ]
    assert {each.status_code for each in tries} <= {403, 422}
    assert not any("subjects" in each.text or OWNER in each.text for each in tries[:3])
    assert native.root.get(path).json() == before


def test_only_controllers_say_what_is_in_force(native: Native) -> None:
    """No administrator writes the status of a binding or of a user."""
    root = native.people["root"]
    path = at("roletemplatebindings", name="alice-team-a", subresource="status")
    assert root.patch(path, {"status": {"namespaceUID": "forged"}}).status_code == 403


def test_what_a_binding_says_never_changes(native: Native) -> None:
    """Where it points and which role it gives are immutable, for administrators and operators."""
    path = at("roletemplatebindings", name="vera-team-a")
    for change in ({"namespaceId": "team-b"}, {"roleTemplateRef": {"name": OWNER}}):
        for person in (native.people["root"], native.people["alice"], native.root):
            assert person.patch(path, change).status_code in (403, 422), change
    assert native.root.patch(path, {"namespaceId": "team-b"}).status_code == 422


def test_templates_are_handed_out_by_who_holds_them(native: Native, alice: Impersonated) -> None:
    """What an owner holds himself, or may bind; none that gives more, none that is locked."""
    small = role_template("small", rule("configmaps", "get", "list"), rule("pods/log", "get"))
    quota = role_template("quota", rule("resourcequotas", "update"))
    strong = role_template("strong", rule("*", "*", group="*"))
    named = role_template("named", {**rule("secrets", "get"), "resourceNames": ["a", "b"]})
    nodes = role_template("urls", {"nonResourceURLs": ["/healthz"], "verbs": ["get"]})
    large = role_template("large", *(rule(f"configmaps/{each}", "get") for each in range(25)))
    locked = role_template("locked", rule("configmaps", "get"))
    locked["spec"]["locked"] = True
    for each in (small, quota, strong, named, nodes, large, locked):
        native.make(at("roletemplates"), each)
    wait_until(lambda: _try(alice, "small").status_code == 201, 5)
    assert _try(alice, "named").status_code == 201
    for name in ("quota", "strong", "urls", "large"):
        assert _try(alice, name).status_code == 403, name
    for person in (alice, native.people["root"]):
        assert _try(person, "locked").status_code == 422
    for name in ("quota", "strong", "large"):
        assert _try(native.people["root"], name).status_code == 201
    assert _try(native.people["outsider"], "strong").status_code == 403


def _try(person: Impersonated, template: str):
    asked = member(f"try-{template}", "team-a", template, subject("bob"))
    return person.create(BINDINGS, asked, dryRun="All")


def test_no_global_role_comes_from_below(native: Native) -> None:
    """Owners and strangers make nobody an administrator, and give nobody a global role."""
    auditor = global_role("auditor", rule("pods", "list"))
    native.make(at("globalroles"), auditor)
    for who in ("alice", "newbie", "outsider"):
        for role in ("admin", "user", "auditor"):
            asked = member("up", "", role, subject(who))
            assert native.people[who].create(BINDINGS, asked).status_code == 403


def test_a_binding_for_a_role_to_come_gives_nothing(native: Native, alice: Impersonated) -> None:
    """A role template that is made later does not bring old bindings to life."""
    early = native.person("early", "llmos:users")
    asked = member("early", "team-a", "to-come", subject("early"))
    answer = alice.create(BINDINGS, asked)
    if answer.is_success:
        wait_until(lambda: _says(native, "early", "RoleTemplateNotFound"), 5)
        native.clock_tick()
        native.make(at("roletemplates"), role_template("to-come", rule("secrets", "list")))
        wait_until(lambda: _says(native, "early", "RoleTemplateRecreated"), 5)
    assert early.get(at("secrets", "team-a")).status_code == 403


def _says(native: Native, name: str, reason: str) -> bool:
    found = native.root.get(at("roletemplatebindings", name=name)).json()
    conditions = found.get("status", {}).get("conditions", [])
    return any(each["reason"] == reason for each in conditions)


@pytest.mark.parametrize(
    "name",
    ["system:authenticated", "system:unauthenticated", "system:masters", "llmos:users",
     "llmos:admins", "system:serviceaccounts", "system:nodes"],
)  # fmt: skip
@pytest.mark.parametrize("who", ["alice", "outsider", "system:serviceaccount:team-a:runner"])
def test_groups_of_the_platform_are_not_an_owners_to_name(
    native: Native, who: str, name: str
) -> None:
    """Neither by a member's binding nor by Kubernetes' own."""
    person = native.people[who]
    asked = member("all", "team-a", READER, subject(name, "Group"))
    assert person.create(BINDINGS, asked).status_code == 403
    binding = role_binding("all", "llmos:roletemplate:namespace-readonly", subject(name, "Group"))
    assert person.create(at("rolebindings", "team-a"), binding).status_code == 403


def test_nobody_names_the_clusters_masters(native: Native) -> None:
    """An administrator of llmos neither."""
    root = native.people["root"]
    asked = member("all", "team-a", READER, subject("system:masters", "Group"))
    assert root.create(BINDINGS, asked).status_code == 403
    binding = role_binding("all", "cluster-admin", subject("system:masters", "Group"))
    assert root.create(at("rolebindings", "team-a"), binding).status_code == 403
    binding["kind"] = "ClusterRoleBinding"
    assert root.create(at("clusterrolebindings"), binding).status_code == 403


@pytest.mark.parametrize("who", ["alice", "outsider", "eddie", "newbie"])
def test_kubernetes_own_roles_are_no_way_up(native: Native, who: str) -> None:
    """No Role or RoleBinding gives more than its author holds, none points out of the namespace."""
    person = native.people[who]
    for name in ("cluster-admin", "admin", "no-such-role", "llmos:globalrole:admin"):
        answer = person.create(at("rolebindings", "team-a"), role_binding("up", name, subject(who)))
        assert answer.status_code in (403, 404), name
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "up"},
        "rules": [rule("resourcequotas", "*")],
    }
    assert person.create(at("roles", "team-a"), role).status_code == 403
    for kind in ("clusterroles", "clusterrolebindings", "globalroles", "roletemplates"):
        assert person.create(at(kind), {**role, "kind": "x"}).status_code == 403
    labels = {"metadata": {"labels": {f"{RBAC}/aggregate-to-admin": "true"}}}
    assert person.patch(at("clusterroles", name="view"), labels).status_code == 403


def test_a_manager_of_templates_does_not_rise(native: Native) -> None:
    """He writes into one what he holds, and no more; he locks none, and feeds no other role."""
    held = [
        rule("roletemplates", *WRITE, group="management.llmos.ai"),
        rule("clusterroles", *WRITE, group=RBAC),
        rule("configmaps", "get", "list"),
    ]
    native.make(at("globalroles"), global_role("template-manager", *held))
    native.bind("carol-manages", "template-manager", "", subject("carol"))
    carol = native.person("carol", "llmos:users")
    templates, path = at("roletemplates"), at("roletemplates", name="hers")
    plain = role_template("hers", rule("configmaps", "get"))
    wait_until(lambda: carol.create(templates, plain).status_code == 201, 5)
    assert carol.patch(path, {"rules": [rule("secrets", "get")]}).status_code == 403
    assert carol.patch(path, {"rules": [rule("*", "*", group="*")]}).status_code == 403
    for switch in ("locked", "newNamespaceDefault", "builtin"):
        assert carol.patch(path, {"spec": {switch: True}}).status_code == 403
    assert carol.delete(at("roletemplates", name=READER)).status_code == 403
    assert carol.patch(at("roletemplates", name=READER), {"rules": []}).status_code == 403
    labels = {"metadata": {"labels": {f"{RBAC}/aggregate-to-admin": "true"}}}
    assert carol.patch(at("clusterroles", name="view"), labels).status_code == 403
    assert carol.delete(path).status_code == 200


def test_builtin_roles_stay_as_they_are(native: Native) -> None:
    """An administrator renames and locks them, and that is all."""
    root = native.people["root"]
    for kind, name in (("roletemplates", OWNER), ("globalroles", "admin")):
        path = at(kind, name=name)
        assert root.delete(path).status_code == 403
        assert root.patch(path, {"rules": []}).status_code == 403
        assert root.patch(path, {"spec": {"builtin": False}}).status_code == 403
    shown = {"spec": {"displayName": "Boss"}}
    assert root.patch(at("roletemplates", name=OWNER), shown).status_code == 200


def test_what_a_member_makes_look_like_a_binding_is_not_one(
    native: Native, alice: Impersonated
) -> None:
    """RBAC-21: a RoleBinding of the name that a controller is going to use stays its author's."""
    names = [
        each["metadata"]["name"]
        for each in native.root.get(at("rolebindings", "team-a")).json()["items"]
        if each["metadata"]["name"].startswith("llmos-")
    ]
    path = at("rolebindings", "team-a", names[0])
    more = {"subjects": [subject("mallory")]}
    answer = alice.patch(path, more)
    mallory = native.person("mallory", "llmos:users")
    if answer.is_success:
        wait_until(lambda: mallory.get(at("configmaps", "team-a")).status_code == 403, 5)
    assert alice.delete(path).status_code == 200
    wait_until(lambda: native.root.get(path).status_code == 200, 5)


GRANTED_BY = "llmos.ai/granted-by"
WHO_GRANTED = "who granted a role is written by the platform"


def _saying(name: str, by: str | None, *people: str) -> Object:
    obj = member(name, "team-a", READER, *(subject(each) for each in people))
    if by is not None:
        obj["metadata"]["annotations"] = {GRANTED_BY: by}
    return obj


@pytest.mark.parametrize("who", ["alice", "root"])
def test_nobody_grants_in_the_name_of_another(native: Native, who: str) -> None:
    """Whoever makes a binding says his own name, or none."""
    person = native.people[who]
    name = f"said-by-{who}"
    path = at("roletemplatebindings", name=name)
    for by in ("bob", "system:serviceaccount:llmos-system:llmos-controllers"):
        answer = person.create(BINDINGS, _saying(name, by, "guest"))
        assert (answer.status_code, WHO_GRANTED in answer.text) == (403, True), answer.text
    for by in ("", None, person.name):
        answer = person.create(BINDINGS, _saying(name, by, "guest"))
        assert answer.status_code == 201, answer.text
        assert person.delete(path).status_code == 200


@pytest.mark.parametrize("who", ["alice", "root"])
def test_who_granted_a_role_stays_said(native: Native, who: str) -> None:
    """It changes with what is given alone, and then to who gives it."""
    person = native.people[who]
    name = f"kept-from-{who}"
    path = at("roletemplatebindings", name=name)
    # Operators say what they like: they restore backups.
    native.make(BINDINGS, _saying(name, "dora", "guest"))
    more = {"subjects": [subject("guest"), subject("vera")]}
    ends = {"expiresAt": "2090-01-01T00:00:00Z"}

    def write(by: str | None, change: Object, code: int) -> None:
        answer = person.patch(path, {**change, "metadata": {"annotations": {GRANTED_BY: by}}})
        assert (answer.status_code, WHO_GRANTED in answer.text) == (code, code == 403), answer.text

    for by in ("", None, person.name, "somebody"):
        write(by, {}, 403)
    for change in (more, ends):
        for by in ("dora", "somebody"):
            write(by, change, 403)
    assert person.patch(path, more).status_code == 403
    assert person.patch(path, {"metadata": {"labels": {"a": "b"}}}).status_code == 200
    write("dora", {}, 200)
    write(person.name, more, 200)
    write(person.name, {"subjects": [subject("vera")]}, 200)
    write(None, ends, 200)
    assert GRANTED_BY not in (native.root.get(path).json()["metadata"].get("annotations") or {})
    assert person.delete(path).status_code == 200
