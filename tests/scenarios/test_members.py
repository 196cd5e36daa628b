"""An owner manages the members and roles of his namespace, and rises to nothing more."""

import pytest

from support.objects import (
    RBAC,
    Object,
    config_map,
    global_role,
    limit_range,
    member,
    notebook,
    resource_quota,
    role_binding,
    role_template,
    rule,
    subject,
)
from support.resources import at
from support.session import Session
from support.teams import Teams
from support.waiting import wait_until
from support.world import EDITOR, OWNER, READER, World

BINDINGS = at("roletemplatebindings")
PROTECTED = (
    "pod-security.kubernetes.io/enforce",
    "resource.kubernetes.io/admin-access",
    "kubernetes.io/metadata.name",
    "llmos.ai/creator",
    "quota.llmos.ai/class",
)


@pytest.mark.parametrize("role", [OWNER, EDITOR, READER])
def test_an_owner_manages_members_of_his_own_namespace(world: World, role: str) -> None:
    """He gives each of the built-in roles away, and takes it back, by rights in it alone."""
    where, alice, person = world.namespace("vision"), world.user("alice"), world.user("newcomer")
    world.member(OWNER, where, alice)
    asked = member(world.named("hers"), where, role, subject(person.name))
    assert alice.create(BINDINGS, asked).status_code == 201
    path = at("roletemplatebindings", name=world.named("hers"))
    wait_until(lambda: person.may(at("configmaps", where)), 2)
    made = person.create(at("configmaps", where), config_map("mine"))
    assert made.status_code == (403 if role == READER else 201)
    assert world.named("hers") in alice.names(BINDINGS)
    nobody = {"subjects": [subject(world.named("nobody"))]}
    assert alice.patch(path, nobody).status_code == 200
    wait_until(lambda: not person.may(at("configmaps", where)), 2)
    assert alice.delete(path).status_code == 200


def test_an_owner_manages_members_of_no_other_namespace(teams: Teams) -> None:
    """The namespace that the body names counts: another one, a list of them, none, or all."""
    for where in (teams.speech, "llmos-public", "default", "*", f"{teams.vision},{teams.speech}"):
        asked = member(teams.world.named("abroad"), where, READER, subject(teams.alice.name))
        assert teams.alice.create(BINDINGS, asked).status_code in (403, 422), where
    everywhere = member(teams.world.named("abroad"), "", "user", subject(teams.alice.name))
    assert teams.alice.create(BINDINGS, everywhere).status_code == 403
    unscoped = {**everywhere, "roleTemplateRef": {"kind": "RoleTemplate", "name": OWNER}}
    assert teams.alice.create(BINDINGS, unscoped).status_code in (403, 422)
    theirs = [
        each["metadata"]["name"]
        for each in teams.admin.get(BINDINGS).json()["items"]
        if each.get("namespaceId") == teams.speech
    ]
    path = at("roletemplatebindings", name=theirs[0])
    assert teams.alice.delete(path).status_code == 403
    assert teams.alice.patch(path, {"subjects": [subject(teams.alice.name)]}).status_code == 403
    assert teams.carol.may(at("configmaps", teams.speech))


@pytest.mark.parametrize("role", [EDITOR, READER])
def test_nobody_else_manages_members(teams: Teams, role: str) -> None:
    """Editors and readers neither add nor remove one, nor change a role binding."""
    person = teams.world.user(f"person-{role}")
    teams.world.member(role, teams.vision, person)
    asked = member(teams.world.named("theirs"), teams.vision, role, subject(teams.dave.name))
    assert person.create(BINDINGS, asked).status_code == 403
    for each in person.names(BINDINGS):
        assert person.delete(at("roletemplatebindings", name=each)).status_code == 403
    binding = role_binding("theirs", "view", subject(teams.dave.name))
    assert person.create(at("rolebindings", teams.vision), binding).status_code == 403


def test_nobody_grants_what_he_does_not_hold(teams: Teams) -> None:
    """Neither by a role template with more rights, nor by a Role, nor by a strong ClusterRole."""
    strong = teams.world.named("strong")
    teams.world.make(at("roletemplates"), role_template(strong, rule("*", "*", group="*")))
    asked = member(teams.world.named("risen"), teams.vision, strong, subject(teams.alice.name))
    assert teams.alice.create(BINDINGS, asked).status_code == 403
    asked = member(teams.world.named("risen"), "", "admin", subject(teams.alice.name))
    assert teams.alice.create(BINDINGS, asked).status_code == 403
    for name in ("cluster-admin", "no-such-role", "llmos:globalrole:admin"):
        binding = role_binding("risen", name, subject(teams.alice.name))
        answer = teams.alice.create(at("rolebindings", teams.vision), binding)
        assert answer.status_code in (403, 404), name
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "risen"},
        "rules": [rule("resourcequotas", "*")],
    }
    assert teams.alice.create(at("roles", teams.vision), role).status_code == 403
    for kind in ("clusterroles", "clusterrolebindings", "globalroles", "roletemplates"):
        assert teams.alice.create(at(kind), {**role, "kind": "x"}).status_code == 403
    assert (
        teams.alice.create(at("resourcequotas", teams.vision), resource_quota("q")).status_code
        == 403
    )


def test_an_owner_makes_roles_of_what_he_holds(teams: Teams) -> None:
    """A Role with rights of his own, bound to somebody, works at once."""
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "notebook-watcher"},
        "rules": [rule("notebooks", "get", "list", "watch", group="ml.llmos.ai")],
    }
    assert teams.alice.create(at("roles", teams.vision), role).status_code == 201
    binding = role_binding("watchers", "notebook-watcher", subject(teams.dave.name), kind="Role")
    assert teams.alice.create(at("rolebindings", teams.vision), binding).status_code == 201
    path = at("notebooks", teams.vision)
    assert teams.dave.get(path).status_code == 200
    assert teams.dave.create(path, notebook("mine")).status_code == 403
    everybody = subject("system:authenticated", "Group")
    binding = role_binding("all", "notebook-watcher", everybody, kind="Role")
    assert teams.alice.create(at("rolebindings", teams.vision), binding).status_code == 403
    assert teams.alice.delete(at("rolebindings", teams.vision, "watchers")).status_code == 200
    assert teams.dave.get(path).status_code == 403


def test_an_owner_reads_quota_and_limits_but_does_not_change_them(teams: Teams) -> None:
    """What the admin set stays, on every way to change it."""
    for kind, obj in (
        ("resourcequotas", resource_quota("given")),
        ("limitranges", limit_range("given")),
    ):
        teams.world.make(at(kind, teams.vision), obj)
        path = at(kind, teams.vision, "given")
        for person in (teams.alice, teams.bob):
            assert person.get(path).status_code == 200
            answers = {
                "create": person.create(at(kind, teams.vision), {**obj, "metadata": {"name": "x"}}),
                "update": person.update(path, obj),
                "patch": person.patch(path, {"spec": {"hard": {"count/configmaps": "99"}}}),
                "apply": person.apply(path, obj, force="true"),
                "delete": person.delete(path),
                "deletecollection": person.delete(at(kind, teams.vision)),
                "status": person.patch(f"{path}/status", {"status": {}}),
            }
            codes = {way: answer.status_code for way, answer in answers.items()}
            if kind == "limitranges":
                assert codes.pop("status") in (403, 404)
            assert set(codes.values()) == {403}, codes


def test_a_quota_holds(world: World) -> None:
    """What the admin allows is all that an owner makes."""
    where, alice = world.namespace("small"), world.user("alice")
    world.member(OWNER, where, alice)
    quota = resource_quota("small")
    quota["spec"]["hard"] = {"count/notebooks.ml.llmos.ai": "2"}
    world.make(at("resourcequotas", where), quota)
    path = at("resourcequotas", where, "small")
    # A cluster looks for new kinds to count twice a minute.
    wait_until(lambda: alice.get(path).json().get("status", {}).get("used"), 60)
    for name in ("one", "two"):
        assert alice.create(at("notebooks", where), notebook(name)).status_code == 201
    over = alice.create(at("notebooks", where), notebook("three"))
    assert over.status_code == 403
    assert "exceeded quota" in over.text
    assert alice.names(at("notebooks", where)) == ["one", "two"]


@pytest.mark.parametrize("key", PROTECTED)
@pytest.mark.parametrize("part", ["labels", "annotations"])
def test_protected_keys_change_only_by_an_admin(teams: Teams, part: str, key: str) -> None:
    """An owner labels his namespace, but adds, changes and removes none of the platform's keys."""
    path = at("namespaces", name=teams.vision)
    free = {"metadata": {part: {"example.com/stage": "test"}}}
    assert teams.alice.patch(path, free).status_code == 200
    before = teams.admin.get(path).json()["metadata"].get(part, {})
    for value in ("privileged", None):
        change = {"metadata": {part: {key: value}}}
        answer = teams.alice.patch(path, change)
        assert answer.status_code in (200, 403)
        assert teams.admin.get(path).json()["metadata"].get(part, {}) == before
    applied: Object = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": teams.vision, part: {key: "privileged"}},
    }
    teams.alice.apply(path, applied, force="true")
    assert teams.admin.get(path).json()["metadata"].get(part, {}) == before
    if key == PROTECTED[0]:
        change = {"metadata": {part: {key: "baseline"}}}
        assert teams.admin.patch(path, change).json()["metadata"][part][key] == "baseline"
        removed = {"metadata": {part: {key: None}}}
        assert teams.alice.patch(path, removed).status_code == 403
        assert teams.admin.patch(path, removed).status_code == 200


def test_an_owner_neither_ends_nor_finalizes_his_namespace(teams: Teams) -> None:
    """Status, finalizers and owners of a namespace are not his to write."""
    path = at("namespaces", name=teams.vision)
    before = teams.admin.get(path).json()
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1-2-3"}
    for body, where in (
        ({"status": {"phase": "Terminating"}}, f"{path}/status"),
        ({"metadata": {"labels": {"llmos.ai/x": "y"}}}, f"{path}/status"),
        ({"metadata": {"finalizers": ["example.com/held"]}}, path),
        ({"metadata": {"ownerReferences": [owner]}}, path),
    ):
        assert teams.alice.patch(where, body).status_code == 403, body
    assert teams.alice.update(f"{path}/finalize", before).status_code == 403
    assert teams.admin.get(path).json() == before


def test_a_locked_role_template_takes_no_new_members(world: World) -> None:
    """``locked`` is enforced by the server, whoever asks; those bound before keep their role."""
    where, template = world.namespace("locked"), world.named("locked")
    world.make(at("roletemplates"), role_template(template, rule("configmaps", "get", "list")))
    old, new = world.user("old"), world.user("new")
    world.member(template, where, old)
    lock = {"spec": {"locked": True}}
    assert world.admin.patch(at("roletemplates", name=template), lock).status_code == 200
    asked = member(world.named("late"), where, template, subject(new.name))
    assert world.admin.create(BINDINGS, asked).status_code == 422
    assert old.may(at("configmaps", where))


def test_whoever_manages_role_templates_does_not_rise(world: World) -> None:
    """A delegated manager writes into a template what he holds, and no more; nor locks it."""
    role = world.named("template-manager")
    # Every verb but escalate, which is for writing what one does not hold.
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete")
    held = [
        rule("roletemplates", *verbs, group="management.llmos.ai"),
        rule("configmaps", "get", "list"),
    ]
    world.make(at("globalroles"), global_role(role, *held))
    manager = world.user("nina")
    world.member(role, "", manager)
    name = world.named("hers")
    path = at("roletemplates", name=name)
    plain = role_template(name, rule("configmaps", "get"))
    assert manager.create(at("roletemplates"), plain).status_code == 201
    assert manager.patch(path, {"rules": [rule("secrets", "get")]}).status_code == 403
    for switch in ("locked", "newNamespaceDefault"):
        assert manager.patch(path, {"spec": {switch: True}}).status_code == 403
    assert manager.delete(path).status_code == 200


def test_a_role_for_the_status_of_a_namespace_ends_none(world: World) -> None:
    """Only admins end a namespace, whatever a custom role says of its subresources."""
    where, template = world.namespace("status"), world.named("status-writer")
    rules = [rule(f"namespaces/{each}", "update", "patch") for each in ("status", "finalize")]
    world.make(at("roletemplates"), role_template(template, *rules, rule("namespaces", "get")))
    person = world.user("sam")
    world.member(template, where, person)
    path = at("namespaces", name=where)
    current = person.get(path).json()
    assert person.patch(f"{path}/status", {"status": {"phase": "Active"}}).status_code == 403
    assert person.update(f"{path}/finalize", current).status_code == 403


def test_a_binding_that_cannot_hold_is_refused(teams: Teams) -> None:
    """One for a namespace, a template or a time that is not there says so at once."""
    who = subject(teams.dave.name)
    late = member(teams.world.named("bad"), teams.vision, READER, who)
    late["expiresAt"] = "2001-01-01T00:00:00Z"
    wrong = {
        "namespace": member(teams.world.named("bad"), teams.world.named("nowhere"), READER, who),
        "template": member(teams.world.named("bad"), teams.vision, "no-such-role", who),
        "time": late,
        "subjects": member(teams.world.named("bad"), teams.vision, READER),
    }
    for what, asked in wrong.items():
        assert teams.admin.create(BINDINGS, asked).status_code == 422, what


def test_an_owner_invites_nobody_of_the_platforms(teams: Teams) -> None:
    """Groups that everybody is in, and the platform's own users, are not his to name."""
    for name in ("llmos:users", "llmos:admins", "system:authenticated", "system:masters"):
        asked = member(teams.world.named("all"), teams.vision, READER, subject(name, "Group"))
        assert teams.alice.create(BINDINGS, asked).status_code == 403, name
        binding = role_binding("all", "view", subject(name, "Group"))
        assert teams.alice.create(at("rolebindings", teams.vision), binding).status_code == 403
    asked = member(
        teams.world.named("all"), teams.vision, READER, subject("system:masters", "Group")
    )
    assert teams.admin.create(BINDINGS, asked).status_code == 403


def test_only_the_platform_says_what_is_in_force(teams: Teams) -> None:
    """The status of a binding is written by nobody who signed in."""
    for name in teams.alice.names(BINDINGS):
        path = at("roletemplatebindings", name=name, subresource="status")
        for person in (teams.alice, teams.admin):
            forged = {"status": {"namespaceUID": "forged"}}
            assert person.patch(path, forged).status_code == 403


def test_builtin_roles_stay_as_they_are(teams: Teams) -> None:
    """Not even an admin changes their rules or deletes them."""
    for kind, name in (
        ("roletemplates", OWNER),
        ("roletemplates", READER),
        ("globalroles", "admin"),
    ):
        path = at(kind, name=name)
        before = teams.admin.get(path).json()["rules"]
        assert teams.admin.delete(path).status_code == 403
        assert teams.admin.patch(path, {"rules": []}).status_code == 403
        assert teams.admin.patch(path, {"spec": {"builtin": False}}).status_code == 403
        forged = role_template(teams.world.named("forged"))
        forged["spec"]["builtin"] = True
        assert teams.admin.create(at("roletemplates"), forged).status_code == 403
        assert teams.admin.get(path).json()["rules"] == before


def test_what_a_binding_says_never_changes(teams: Teams) -> None:
    """``namespaceId`` and ``roleTemplateRef`` are immutable."""
    name = teams.world.named("fixed")
    asked = member(name, teams.vision, READER, subject(teams.dave.name))
    assert teams.alice.create(BINDINGS, asked).status_code == 201
    path = at("roletemplatebindings", name=name)
    for change in ({"namespaceId": teams.speech}, {"roleTemplateRef": {"name": OWNER}}):
        for person in (teams.alice, teams.admin):
            assert person.patch(path, change).status_code == 422, change
    assert teams.alice.delete(path).status_code == 200


def test_drift_is_repaired(world: World) -> None:
    """A RoleBinding that somebody deletes or changes by hand comes back as the binding says."""
    where, person, other = world.namespace("drift"), world.user("bob"), world.user("eve")
    world.member(READER, where, person)
    made = world.admin.get(at("rolebindings", where)).json()["items"]
    path = at("rolebindings", where, made[0]["metadata"]["name"])
    assert world.admin.delete(path).status_code == 200
    wait_until(lambda: person.may(at("configmaps", where)), 5)
    made = world.admin.get(at("rolebindings", where)).json()["items"]
    path = at("rolebindings", where, made[0]["metadata"]["name"])
    more = {"subjects": [subject(person.name), subject(other.name)]}
    assert world.admin.patch(path, more).status_code == 200
    wait_until(lambda: not other.may(at("configmaps", where)), 5)
    assert person.may(at("configmaps", where))


def test_what_one_may_do_is_told_as_it_is(teams: Teams) -> None:
    """SelfSubjectAccessReview agrees with what happens, for owners, readers and strangers."""

    def told(person: Session, verb: str, resource: str, group: str) -> bool:
        asked = {
            "namespace": teams.vision,
            "verb": verb,
            "resource": resource,
            "group": group,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        answer = person.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        assert answer.status_code == 201
        return bool(answer.json()["status"]["allowed"])

    kinds = {
        "configmaps": ("", config_map("tried")),
        "notebooks": ("ml.llmos.ai", notebook("tried")),
        "resourcequotas": ("", resource_quota("tried")),
    }
    for person in (teams.admin, teams.alice, teams.bob, teams.carol):
        for kind, (group, obj) in kinds.items():
            path = at(kind, teams.vision)
            made = person.create(path, obj, dryRun="All").status_code == 201
            assert told(person, "create", kind, group) is made
            assert told(person, "list", kind, group) is (person.get(path).status_code == 200)
