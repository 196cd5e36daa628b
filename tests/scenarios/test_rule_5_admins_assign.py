"""Rule 5: admins create and delete namespaces, and assign users and groups to them with roles."""

import pytest

from support.kubectl import Kubectl
from support.objects import (
    Object,
    config_map,
    limit_range,
    member,
    namespace,
    notebook,
    resource_quota,
    role_template,
    rule,
    secret,
    subject,
)
from support.resources import at
from support.session import Session
from support.teams import Teams
from support.waiting import wait_until
from support.world import EDITOR, OWNER, READER, World


def test_only_admins_create_namespaces(teams: Teams) -> None:
    """Owners, readers and members of nothing are refused on every way to make one."""
    name = teams.world.named("wished")
    path = at("namespaces", name=name)
    for person in (teams.alice, teams.bob, teams.dave):
        answers = {
            "create": person.create(at("namespaces"), namespace(name)),
            "create for a trial": person.create(at("namespaces"), namespace(name), dryRun="All"),
            "generate": person.create(
                at("namespaces"), {**namespace(""), "metadata": {"generateName": "wished-"}}
            ),
            "update": person.update(path, namespace(name)),
            "apply": person.apply(path, namespace(name)),
        }
        codes = {way: answer.status_code for way, answer in answers.items()}
        assert set(codes.values()) == {403}, codes
    assert teams.admin.get(path).status_code == 404
    assert teams.admin.create(at("namespaces"), namespace(name)).status_code == 201
    assert teams.admin.delete(path).status_code == 200


def test_only_admins_delete_namespaces(teams: Teams) -> None:
    """Not even its owner deletes one; the admin does, and all that is in it goes along."""
    name = teams.world.namespace("short-lived")
    owner = teams.world.user("owner")
    teams.world.member(OWNER, name, owner)
    assert owner.create(at("notebooks", name), notebook("exp-1")).status_code == 201
    path = at("namespaces", name=name)
    for person in (owner, teams.alice, teams.dave):
        assert person.delete(path).status_code == 403
        assert person.delete(at("namespaces")).status_code == 403
        ended = {**namespace(name), "spec": {"finalizers": []}}
        assert person.update(f"{path}/finalize", ended).status_code == 403
    assert teams.admin.delete(path).status_code == 200
    teams.world.gone(path)
    assert teams.admin.get(at("notebooks", name, "exp-1")).status_code == 404


def rights(session: Session, where: str, config: str) -> dict[str, bool]:
    """What somebody may do in a namespace, found out by trying; ``config`` is a ConfigMap there."""
    dry = {"dryRun": "All"}
    hers = member("tried", where, READER, subject("somebody"))
    answers = {
        "read": session.get(at("configmaps", where, config)),
        "list": session.get(at("notebooks", where)),
        "events": session.get(at("events", where)),
        "read secrets": session.get(at("secrets", where)),
        "create": session.create(at("notebooks", where), notebook("tried"), **dry),
        "create secrets": session.create(at("secrets", where), secret("tried"), **dry),
        "change": session.http.patch(
            at("configmaps", where, config),
            json={"data": {"tried": "yes"}},
            headers={"Content-Type": "application/merge-patch+json"},
            params=dry,
        ),
        "delete": session.delete(at("configmaps", where, config), **dry),
        "read quota": session.get(at("resourcequotas", where)),
        "change quota": session.create(at("resourcequotas", where), resource_quota("q"), **dry),
        "change limits": session.create(at("limitranges", where), limit_range("l"), **dry),
        "add members": session.create(at("roletemplatebindings"), hers, **dry),
    }
    codes = {what: answer.status_code for what, answer in answers.items()}
    assert set(codes.values()) <= {200, 201, 403}, codes
    return {what: code != 403 for what, code in codes.items()}


READ = {"read", "list", "events", "read quota"}
EDIT = READ | {"read secrets", "create", "create secrets", "change", "delete"}
ROLES = {OWNER: EDIT | {"add members"}, EDITOR: EDIT, READER: READ}


@pytest.mark.parametrize("role", ROLES)
def test_admins_assign_users_with_a_role(teams: Teams, role: str) -> None:
    """A user may what the role says in that namespace, and nothing in any other."""
    person = teams.world.user(f"user-{role}")
    config = f"for-{role}"
    for where in (teams.vision, teams.speech):
        teams.world.make(at("configmaps", where), config_map(config))
    assert not any(rights(person, teams.vision, config).values())
    teams.world.member(role, teams.vision, person)
    allowed = rights(person, teams.vision, config)
    assert {what for what, may in allowed.items() if may} == ROLES[role]
    assert not any(rights(person, teams.speech, config).values())
    assert person.names(at("namespaces")) == sorted(["llmos-public", teams.vision])


@pytest.mark.parametrize("role", ROLES)
def test_admins_assign_groups_with_a_role(teams: Teams, role: str) -> None:
    """Everybody in the group may what the role says, and nobody else."""
    group = teams.world.named(f"group-{role}")
    inside = teams.world.user(f"inside-{role}", groups=[group])
    outside = teams.world.user(f"outside-{role}", groups=[f"{group}-other"])
    config = f"for-group-{role}"
    teams.world.make(at("configmaps", teams.vision), config_map(config))
    teams.world.member(role, teams.vision, groups=(group,))
    allowed = rights(inside, teams.vision, config)
    assert {what for what, may in allowed.items() if may} == ROLES[role]
    assert not any(rights(outside, teams.vision, config).values())


def test_changed_groups_take_effect(world: World) -> None:
    """Whoever enters a group has its rights within 2 s, and whoever leaves it loses them."""
    where, group = world.namespace("by-group"), world.named("researchers")
    person = world.user("grace")
    world.member(READER, where, groups=(group,))
    path = at("configmaps", where)
    assert not person.may(path)
    for groups, allowed in (([group], True), ([], False), (["other", group], True)):
        spec = {"spec": {"groups": groups}}
        assert world.admin.patch(at("users", name=person.name), spec).status_code == 200
        wait_until(lambda wanted=allowed: person.may(path) is wanted, 2)


def test_a_group_has_to_be_given_by_an_admin(teams: Teams) -> None:
    """Nobody puts himself or another one into a group, or changes a user at all."""
    for name in (teams.dave.name, teams.bob.name):
        spec = {"spec": {"groups": ["researchers"], "isAdmin": True}}
        assert teams.dave.patch(at("users", name=name), spec).status_code == 403
        assert teams.alice.patch(at("users", name=name), spec).status_code == 403
    for reserved in ("system:masters", "llmos:admins", "llmos:users"):
        spec = {"spec": {"groups": [reserved]}}
        assert teams.admin.patch(at("users", name=teams.dave.name), spec).status_code == 422


def labeller(name: str) -> Object:
    """A role template of one's own: reads notebooks, and changes them without making any."""
    return role_template(
        name,
        rule("notebooks", "get", "list", "watch", "patch", group="ml.llmos.ai"),
        rule("namespaces", "get"),
    )


def test_admins_assign_a_custom_role_template(world: World) -> None:
    """A template of the admin's own gives just what its rules say."""
    where, other = world.namespace("custom"), world.namespace("other")
    template = world.named("labeller")
    world.make(at("roletemplates"), labeller(template))
    person = world.user("lena")
    for each in (where, other):
        world.make(at("notebooks", each), notebook("exp-1"))
    world.member(template, where, person)
    path = at("notebooks", where, "exp-1")
    label = {"metadata": {"labels": {"seen": "yes"}}}
    assert person.patch(path, label).status_code == 200
    assert person.names(at("notebooks", where)) == ["exp-1"]
    assert person.names(at("namespaces")) == sorted(["llmos-public", where])
    assert person.delete(path).status_code == 403
    assert person.create(at("notebooks", where), notebook("exp-2")).status_code == 403
    assert person.get(at("configmaps", where)).status_code == 403
    assert person.patch(at("notebooks", other, "exp-1"), label).status_code == 403


def test_a_changed_role_template_takes_effect(world: World) -> None:
    """New rules hold for everybody who is bound already, and rules taken away end."""
    where, template = world.namespace("changed"), world.named("changing")
    world.make(at("roletemplates"), labeller(template))
    person = world.user("max")
    world.member(template, where, person)
    path = at("configmaps", where)
    assert not person.may(path)
    more = labeller(template)["rules"] + [rule("configmaps", "get", "list")]
    template_path = at("roletemplates", name=template)
    assert world.admin.patch(template_path, {"rules": more}).status_code == 200
    wait_until(lambda: person.may(path), 2)
    assert world.admin.patch(template_path, {"rules": more[1:2]}).status_code == 200
    wait_until(lambda: not person.may(path) and not person.may(at("notebooks", where)), 2)


def test_nobody_else_makes_role_templates(teams: Teams) -> None:
    """Templates are for the whole cluster, so only admins create and change them."""
    template = labeller(teams.world.named("mine"))
    for person in (teams.alice, teams.dave):
        assert person.create(at("roletemplates"), template).status_code == 403
        changed = person.patch(at("roletemplates", name=READER), {"rules": []})
        assert changed.status_code == 403
        assert READER in person.names(at("roletemplates"))


def test_nobody_else_assigns(teams: Teams) -> None:
    """Members of nothing, readers, and owners of another namespace make nobody a member."""
    for person in (teams.dave, teams.bob, teams.carol):
        for name in (person.name, teams.dave.name):
            asked = member(teams.world.named("self-made"), teams.vision, READER, subject(name))
            assert person.create(at("roletemplatebindings"), asked).status_code == 403
        asked = member(teams.world.named("self-made"), "", "admin", subject(person.name))
        assert person.create(at("roletemplatebindings"), asked).status_code == 403


def test_an_admin_makes_a_second_admin_and_unmakes_him(world: World) -> None:
    """A binding to the GlobalRole ``admin`` gives all rights; without it they are gone in 2 s."""
    person = world.user("second")
    binding = world.member("admin", "", person)
    name = world.named("by-second")
    wait_until(lambda: person.may(at("secrets", "llmos-public")), 2)
    assert person.create(at("namespaces"), namespace(name)).status_code == 201
    assert "kube-system" in person.names(at("namespaces"))
    assert person.delete(at("namespaces", name="kube-system")).status_code == 403
    assert person.delete(at("namespaces", name=name)).status_code == 200
    with person.watch(at("nodes")) as nodes, person.watch(at("secrets", "llmos-public")) as secrets:
        assert (nodes.status, secrets.status) == (200, 200)
        world.remove(binding)
        wait_until(lambda: not person.may(at("secrets", "llmos-public")), 2)
        wait_until(secrets.ended.is_set, 5)
    assert person.create(at("namespaces"), namespace(name)).status_code == 403
    assert person.names(at("namespaces")) == ["llmos-public"]


def test_kubectl_assigns_members(world: World, kubectl: Kubectl) -> None:
    """``kubectl apply`` of a binding makes a member, and ``kubectl delete`` ends it."""
    where, person = world.namespace("by-kubectl"), world.user("kim")
    name = world.named("kim-reads")
    manifest = f"""
apiVersion: management.llmos.ai/v1
kind: RoleTemplateBinding
metadata:
  name: {name}
roleTemplateRef:
  apiGroup: management.llmos.ai
  kind: RoleTemplate
  name: {READER}
subjects:
- kind: User
  name: {person.name}
namespaceId: {where}
"""
    kubectl(world.admin, "apply", "-f", "-", stdin=manifest).ok()
    kubectl(world.admin, "wait", "--for=condition=InForce", f"rtb/{name}", "--timeout=10s").ok()
    assert where in kubectl(person, "get", "namespaces").column()
    kubectl(world.admin, "delete", "rtb", name).ok()
    wait_until(lambda: not person.may(at("configmaps", where)), 2)
    assert kubectl(person, "get", "namespaces").column() == ["llmos-public"]
