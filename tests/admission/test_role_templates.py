"""RoleTemplates and GlobalRoles: what is fixed, and what may be handed out."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CAROL,
    CONTROLLER,
    EVERYBODY,
    MANAGEMENT,
    MASTER,
    PLATFORM,
    World,
    changed,
    named,
)

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
both = pytest.mark.parametrize("plural", ["roletemplates", "globalroles"])
everybody = pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
ADMINISTRATORS = (ADMIN, *PLATFORM)


@pytest.fixture
def world() -> World:
    """Carol reads pods everywhere, Alice in team-a."""
    world = World()
    world.grant("carol", [PODS])
    world.grant("alice", [PODS], "team-a")
    return world


def template(*rules, spec=None, **fields):
    return named("t", spec=spec or {}, rules=list(rules), **fields)


BUILTIN = template(PODS, spec={"builtin": True, "displayName": "T"})


@both
@everybody
def test_builtin_is_not_deleted(world: World, plural, user):
    """A built-in one is deleted by the platform alone; another by who may."""
    verdict = world.verdict(user, "DELETE", plural, None, BUILTIN)
    assert verdict[0] == (0 if user in PLATFORM else 403)
    assert user in PLATFORM or verdict[2].endswith("it is built in and may not be deleted")
    assert world.code(user, "DELETE", plural, None, template(PODS)) == 0


@both
@everybody
@pytest.mark.parametrize(
    ("spec", "documented"),
    [
        ({"displayName": "New"}, True),
        ({"locked": True}, True),
        ({"newNamespaceDefault": True}, True),
        ({"newUserDefault": True}, True),
        ({"description": "x"}, False),
    ],
    ids=str,
)
def test_builtin_fields(world: World, plural, user, spec, documented):
    """An admin edits the documented fields of a built-in one; the platform any."""
    new = changed(BUILTIN, spec=BUILTIN["spec"] | spec)
    allowed = ADMINISTRATORS if documented else PLATFORM
    assert world.code(user, "UPDATE", plural, new, BUILTIN) == (0 if user in allowed else 403)


@both
@everybody
@pytest.mark.parametrize(
    "fields", [{"rules": []}, {"rules": [PODS, PODS]}, {"namespacedRules": {"team-a": [PODS]}}]
)
def test_builtin_rules(world: World, plural, user, fields):
    """Nobody but the platform touches the rules of a built-in one."""
    new = changed(BUILTIN, **fields)
    assert world.code(user, "UPDATE", plural, new, BUILTIN) == (0 if user in PLATFORM else 403)


@both
@everybody
@pytest.mark.parametrize("step", ["create", "set", "unset", "drop"])
def test_builtin_mark(world: World, plural, user, step):
    """``builtin`` is set and unset by the platform alone."""
    world.grant("alice", [PODS])
    plain = template(spec={})
    marked = template(spec={"builtin": True})
    new, old = {
        "create": (marked, None),
        "set": (marked, plain),
        "unset": (changed(marked, spec={"builtin": False}), marked),
        "drop": (plain, marked),
    }[step]
    operation = "UPDATE" if old else "CREATE"
    assert world.code(user, operation, plural, new, old) == (0 if user in PLATFORM else 403)


@both
@everybody
@pytest.mark.parametrize("field", ["locked", "newNamespaceDefault", "newUserDefault"])
@pytest.mark.parametrize("step", ["create", "on", "off"])
def test_switches(world: World, plural, user, field, step):
    """What is locked and what everybody gets is said by admins, also of templates of others."""
    on, off = template(spec={field: True}), template(spec={field: False})
    new, old = {"create": (on, None), "on": (on, off), "off": (off, on)}[step]
    operation = "UPDATE" if old else "CREATE"
    assert world.code(user, operation, plural, new, old) == (0 if user in ADMINISTRATORS else 403)


@both
@pytest.mark.parametrize(
    ("user", "rules", "code"),
    [
        (CAROL, [PODS], 0),
        (CAROL, [PODS, SECRETS], 403),
        (ALICE, [PODS], 403),
        (ALICE, [], 0),
        (ADMIN, [SECRETS], 0),
        (MASTER, [SECRETS], 0),
        (CONTROLLER, [SECRETS], 0),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_rules(world: World, plural, user, rules, code, operation):
    """Rules are written by who holds them in the whole cluster."""
    old = template(spec={"displayName": "x"}) if operation == "UPDATE" else None
    assert world.code(user, operation, plural, template(*rules), old) == code


@both
def test_text(world: World, plural):
    """The refusal lists what is missing."""
    message = world.verdict(CAROL, "CREATE", plural, template(SECRETS))[2]
    assert message.startswith(
        f'{plural}.management.llmos.ai "t" is forbidden: user "carol" (groups='
    )
    assert message.endswith('{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}')


@both
def test_other_changes_do_not_escalate(world: World, plural):
    """Renaming a template that holds more than its editor is no escalation."""
    old = template(SECRETS)
    new = changed(old, spec={"displayName": "x"})
    assert world.code(CAROL, "UPDATE", plural, new, old) == 0


@pytest.mark.parametrize(("names", "code"), [([], 0), (["t"], 0), (["other"], 403)])
def test_escalate(world: World, names, code):
    """The verb ``escalate`` lifts the rule for the templates it names."""
    rule = {"apiGroups": [MANAGEMENT], "resources": ["roletemplates"], "verbs": ["escalate"]}
    world.grant("carol", [rule | ({"resourceNames": names} if names else {})])
    assert world.code(CAROL, "UPDATE", "roletemplates", template(SECRETS), template()) == code
    assert world.code(CAROL, "UPDATE", "globalroles", template(SECRETS), template()) == 403


def test_namespaced_rules(world: World):
    """A GlobalRole's rules in single namespaces are held there."""
    for where, code in (("team-a", 0), ("team-b", 403)):
        obj = template(namespacedRules={where: [PODS]})
        assert world.code(ALICE, "CREATE", "globalroles", obj) == code


@everybody
def test_namespaced_rules_in_reserved_namespaces(world: World, user):
    """A GlobalRole reaches into no reserved namespace; what it had there it may lose."""
    obj = template(namespacedRules={"kube-system": [PODS]})
    assert world.code(user, "CREATE", "globalroles", obj) == (0 if user in PLATFORM else 403)
    assert world.code(user, "UPDATE", "globalroles", template(), obj) == 0
    same = changed(obj, spec={"displayName": "x"})
    assert world.code(user, "UPDATE", "globalroles", same, obj) == 0


@both
def test_escalate_by_name_is_for_what_exists(world: World, plural):
    """A new template has no name yet that ``escalate`` could be limited to."""
    rule = {"apiGroups": [MANAGEMENT], "resources": [plural], "verbs": ["escalate"]}
    world.grant("carol", [rule | {"resourceNames": ["t"]}])
    assert world.code(CAROL, "CREATE", plural, template(SECRETS)) == 403
    assert world.code(CAROL, "UPDATE", plural, template(SECRETS), template()) == 0


@both
@pytest.mark.parametrize("fields", [{"rules": None}, {"rules": [], "namespacedRules": None}, {}])
def test_no_rules(world: World, plural, fields):
    """A template without rules gives nothing, however that is written."""
    empty = named("t", spec={}, **fields)
    assert world.code(CAROL, "CREATE", plural, empty) == 0
    assert world.code(CAROL, "UPDATE", plural, empty, template(SECRETS)) == 0
    assert world.code(CAROL, "UPDATE", plural, empty, template()) == 0
    assert world.code(CAROL, "UPDATE", plural, template(), empty) == 0
