"""RoleTemplateBindings: who makes whom a member of what."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CAROL,
    CONTROLLER,
    EVERYBODY,
    KINDS,
    MANAGEMENT,
    MASTER,
    PLATFORM,
    PRETENDER,
    ROBOT,
    RUNNER,
    World,
    changed,
    named,
)
from llmos.admission.members import record_granter
from llmos.apimachinery.object import copy_object
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.role_template_bindings import GRANTED_BY

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
MEMBERS = {"apiGroups": [""], "resources": ["namespaces/members"], "verbs": ["*"]}
LATER = "2030-01-01T00:00:00Z"
plural = "roletemplatebindings"


def bind(*names, kind="roletemplates"):
    rule = {"apiGroups": [MANAGEMENT], "resources": [kind], "verbs": ["bind"]}
    return rule | ({"resourceNames": [*names]} if names else {})


@pytest.fixture
def world() -> World:
    """Alice manages the members of team-a and hands out ``editor`` there."""
    world = World()
    for name, rules, spec in (
        ("editor", [PODS, SECRETS], {}),
        ("viewer", [PODS], {}),
        ("locked", [PODS], {"locked": True}),
    ):
        world.put("roletemplates", named(name, rules=rules, spec=spec))
    world.put("globalroles", named("admin", rules=[{"apiGroups": ["*"]}], spec={"builtin": True}))
    world.put("globalroles", named("auditor", rules=[PODS]))
    world.grant("alice", [MEMBERS, bind("editor"), PODS], "team-a")
    world.grant("carol", [MEMBERS])
    return world


def subject(name="bob", kind="User"):
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def binding(template="editor", namespace="team-a", kind="RoleTemplate", **fields):
    reference = {"apiGroup": MANAGEMENT, "kind": kind, "name": template}
    obj = named("m", **{"roleTemplateRef": reference, "subjects": [subject()]} | fields)
    return obj | ({"namespaceId": namespace} if namespace else {})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"namespaceId": ""}, "namespaceId"),
        ({"namespaceId": "*"}, "namespaceId"),
        ({"namespaceId": "team-a,team-b"}, "namespaceId"),
        ({"namespaceId": "gone"}, "namespaceId"),
        ({"roleTemplateRef": {"name": "x"}}, "roleTemplateRef.kind"),
        (
            {"roleTemplateRef": {"kind": "Foo", "name": "x"}},
            "roleTemplateRef.kind",
        ),
        (
            {"roleTemplateRef": {"apiGroup": "x", "kind": "RoleTemplate", "name": "editor"}},
            "roleTemplateRef.apiGroup",
        ),
        (
            {"roleTemplateRef": {"kind": "RoleTemplate", "name": ""}},
            "roleTemplateRef.name",
        ),
        (
            {"roleTemplateRef": {"kind": "RoleTemplate", "name": "none"}},
            "roleTemplateRef.name",
        ),
        (
            {"roleTemplateRef": {"kind": "GlobalRole", "name": "auditor"}},
            "namespaceId",
        ),
        ({"subjects": None}, "subjects"),
        ({"subjects": []}, "subjects"),
        ({"subjects": [subject()] * 257}, "subjects"),
        ({"subjects": ["bob"]}, "subjects[0]"),
        ({"subjects": {"kind": "User"}}, "subjects"),
        ({"subjects": [subject(7)]}, "subjects[0].name"),
        ({"namespaceId": 7}, "namespaceId"),
        (
            {"subjects": [subject(), subject(kind="ServiceAccount")]},
            "subjects[1].kind",
        ),
        (
            {"subjects": [subject() | {"apiGroup": "x"}]},
            "subjects[0].apiGroup",
        ),
        (
            {"subjects": [subject() | {"namespace": "team-a"}]},
            "subjects[0].namespace",
        ),
        ({"subjects": [subject("")]}, "subjects[0].name"),
        ({"subjects": [subject("b\u200bob")]}, "subjects[0].name"),
        ({"subjects": [subject("bob\u202e")]}, "subjects[0].name"),
        ({"subjects": [subject("bob\n")]}, "subjects[0].name"),
        ({"subjects": [subject(" bob")]}, "subjects[0].name"),
        ({"subjects": [subject("b" * 254)]}, "subjects[0].name"),
        ({"expiresAt": "2026-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "tomorrow"}, "expiresAt"),
        ({"expiresAt": "2030-01-01T00:00:00"}, "expiresAt"),
    ],
)
@pytest.mark.parametrize("user", [ADMIN, MASTER, CONTROLLER], ids=lambda each: each.name)
def test_invalid(world: World, user, fields, field):
    """A malformed binding is 422 and told where it is wrong, whoever sends it."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its causes are compared
        world.admit(user, "CREATE", plural, changed(binding(), **fields))
    assert caught.value.code == 422
    assert field in {cause["field"] for cause in caught.value.details["causes"]}


@pytest.mark.parametrize(
    "obj",
    [
        binding(),
        binding(subjects=[subject()] * 256),
        binding(expiresAt=LATER),
        binding(subjects=[subject("Team A", "Group")]),
        binding(subjects=[{"kind": "User", "name": "bob"}]),
        binding(subjects=[subject() | {"apiGroup": ""}]),
        binding(subjects=[subject() | {"apiGroup": MANAGEMENT}]),
        binding(roleTemplateRef={"kind": "RoleTemplate", "name": "editor"}),
        binding("auditor", None, "GlobalRole"),
        binding("auditor", None, "GlobalRole", namespaceId=""),
        binding("auditor", None, "GlobalRole", namespaceId=None),
    ],
)
def test_valid(world: World, obj):
    """Well-formed bindings pass."""
    assert world.code(ADMIN, "CREATE", plural, obj) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"namespaceId": "team-b"},
        {"namespaceId": ""},
        {"roleTemplateRef": {"apiGroup": MANAGEMENT, "kind": "RoleTemplate", "name": "viewer"}},
        {"roleTemplateRef": {"apiGroup": MANAGEMENT, "kind": "GlobalRole", "name": "editor"}},
    ],
)
@pytest.mark.parametrize("user", [ADMIN, MASTER, CONTROLLER, ALICE], ids=lambda each: each.name)
def test_immutable(world: World, user, fields):
    """``namespaceId`` and ``roleTemplateRef`` never change."""
    new = changed(binding(), **fields)
    assert world.code(user, "UPDATE", plural, new, binding()) == 422


@pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
@pytest.mark.parametrize("where", ["kube-system", "llmos-system", "storage-system"])
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_reserved(world: World, user, where, operation):
    """No binding points into a reserved namespace, an admin's neither."""
    world.put("namespaces", named(where))
    obj = binding(namespace=where)
    old = obj if operation == "UPDATE" else None
    assert world.code(user, operation, plural, obj, old) == (0 if user in PLATFORM else 403)


def test_public_namespace_has_members(world: World):
    """An admin names members in ``llmos-public``."""
    assert world.code(ADMIN, "CREATE", plural, binding(namespace="llmos-public")) == 0


@pytest.mark.parametrize(
    ("user", "where", "code"),
    [
        (ALICE, "team-a", 0),
        (ALICE, "team-b", 403),
        (PRETENDER, "team-a", 403),
        (CAROL, "team-a", 403),
        (ADMIN, "team-b", 0),
        (MASTER, "team-b", 0),
        (CONTROLLER, "team-b", 0),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_author_of_a_binding(world: World, user, where, code):
    """A binding is made by who manages the members of its namespace and may hand the role out."""
    assert world.code(user, "CREATE", plural, binding(namespace=where)) == code


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])
def test_members_verb(world: World, verb, operation):
    """Each operation has its own verb on ``namespaces/members``, in the namespace it points to."""
    world.grant("nina", [MEMBERS | {"verbs": [verb]}, bind()], "team-a")
    nina = ALICE.__class__("nina", groups=ALICE.groups)
    new = None if operation == "DELETE" else binding()
    old = None if operation == "CREATE" else binding()
    verdict = world.verdict(nina, operation, plural, new, old)
    if operation.lower() == verb:
        assert verdict[0] == 0
    else:
        assert verdict[:2] == (403, "Forbidden")
        assert verdict[2].partition(" denied request: ")[2] == (
            f'User "nina" cannot {operation.lower()} resource "namespaces/members" in API group "" '
            'in the namespace "team-a"'
        )


def test_right_is_read_from_what_is_stored(world: World):
    """A binding of another namespace is not edited or deleted by renaming its target."""
    old = binding(namespace="team-b")
    assert world.code(ALICE, "DELETE", plural, None, old) == 403
    assert (
        world.code(ALICE, "UPDATE", plural, changed(old, metadata={"labels": {"a": "b"}}), old)
        == 403
    )


def test_label_says_nothing(world: World):
    """Only ``namespaceId`` says which namespace is meant."""
    obj = binding(namespace="team-b")
    obj["metadata"]["labels"] = {"llmos.ai/namespace": "team-a"}
    assert world.code(ALICE, "CREATE", plural, obj) == 403


def test_names_are_not_probed(world: World):
    """Who may not manage members learns nothing about namespaces and templates."""
    for obj in (binding(namespace="gone"), binding("none", "team-b"), binding(namespace="team-b")):
        assert world.code(ALICE, "CREATE", plural, obj) == 403


def test_ending_namespace(world: World):
    """An ending namespace takes no new members."""
    verdict = world.verdict(ADMIN, "CREATE", plural, binding(namespace="ending"))
    assert verdict[0] == 403
    assert "because it is being terminated" in verdict[2]
    assert world.code(ADMIN, "DELETE", plural, None, binding(namespace="ending")) == 0


@pytest.mark.parametrize(
    ("template", "code"), [("editor", 0), ("viewer", 0), ("locked", 422), ("admin-like", 403)]
)
def test_grant(world: World, template, code):
    """A template is handed out by who may ``bind`` it or holds its rules, if it is not locked."""
    world.put("roletemplates", named("admin-like", rules=[PODS, SECRETS]))
    assert world.code(ALICE, "CREATE", plural, binding(template)) == code


@pytest.mark.parametrize("user", [ADMIN, MASTER, CONTROLLER], ids=lambda each: each.name)
def test_locked(world: World, user):
    """A locked template takes no new binding and no new subject, from anybody."""
    old = binding("locked")
    more = changed(old, subjects=[subject(), subject("eve")])
    fewer = changed(more, subjects=[subject()])
    assert world.code(user, "CREATE", plural, old) == 422
    assert world.code(user, "UPDATE", plural, more, old) == 422
    assert world.code(user, "UPDATE", plural, fewer, more) == 0
    assert world.code(user, "DELETE", plural, None, old) == 0


def test_deleted_template(world: World):
    """A template that is being deleted takes no new members."""
    gone = named("editor", rules=[])
    gone["metadata"]["deletionTimestamp"] = LATER
    world.put("roletemplates", gone)
    assert world.code(ADMIN, "CREATE", plural, binding()) == 422


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"subjects": [subject(), subject("eve")]}, 403),
        ({"expiresAt": LATER}, 403),
        ({"metadata": {"labels": {"a": "b"}}}, 0),
    ],
)
def test_update_grants(world: World, fields, code):
    """More subjects and more time are grants; metadata is not."""
    world.put("roletemplates", named("admin-like", rules=[SECRETS]))
    old = binding("admin-like", expiresAt="2029-01-01T00:00:00Z")
    assert world.code(ALICE, "UPDATE", plural, changed(old, **fields), old) == code


def test_no_namespace_is_no_namespace(world: World):
    """An empty ``namespaceId`` and none are the same."""
    old = binding("auditor", None, "GlobalRole")
    for new, before in ((changed(old, namespaceId=""), old), (old, changed(old, namespaceId=None))):
        assert world.code(ADMIN, "UPDATE", plural, new, before) == 0


def test_expiry_may_be_lifted(world: World):
    """A binding for a time becomes one for good, by who may grant it."""
    old = binding(expiresAt=LATER)
    assert world.code(ALICE, "UPDATE", plural, binding(), old) == 0
    assert world.code(CAROL, "UPDATE", plural, binding(), old) == 403


def test_unchanged_expiry_may_have_passed(world: World):
    """A binding that has expired can still be edited, for example to remove a label."""
    old = binding(expiresAt="2026-01-01T00:00:00Z")
    new = changed(old, metadata={"labels": {"a": "b"}})
    assert world.code(ALICE, "UPDATE", plural, new, old) == 0


@pytest.mark.parametrize(
    ("grants", "code"),
    [
        ([], 403),
        ([bind(kind="globalroles")], 0),
        ([bind()], 403),
        ([PODS], 0),
    ],
)
def test_global_role(world: World, grants, code):
    """A GlobalRole needs the rights in the whole cluster, and ``bind`` on GlobalRoles."""
    if grants:
        world.grant("carol", grants)
    obj = binding("auditor", None, "GlobalRole")
    assert world.code(CAROL, "CREATE", plural, obj) == code
    assert world.code(ALICE, "CREATE", plural, obj) == 403


def test_namespaced_rules_are_granted_too(world: World):
    """A GlobalRole's rules in single namespaces must be held there."""
    world.grant("carol", [PODS])
    world.put("globalroles", named("odd", rules=[PODS], namespacedRules={"team-b": [SECRETS]}))
    obj = binding("odd", None, "GlobalRole")
    assert world.code(CAROL, "CREATE", plural, obj) == 403
    world.grant("carol", [SECRETS], "team-b")
    assert world.code(CAROL, "CREATE", plural, obj) == 0


@pytest.mark.parametrize(
    ("user", "group", "code"),
    [
        (ALICE, "system:authenticated", 403),
        (ALICE, "llmos:users", 403),
        (ADMIN, "system:authenticated", 0),
        (ADMIN, "system:masters", 403),
        (MASTER, "system:authenticated", 0),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_platform_groups(world: World, user, group, code):
    """Groups of the platform are named by admins alone, with a warning."""
    obj = binding(subjects=[subject(group, "Group")])
    assert world.code(user, "CREATE", plural, obj) == code
    if user is ADMIN and not code:
        assert world.admit(user, "CREATE", plural, obj).warnings


@pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
def test_status(world: World, user):
    """The controllers write the status, and nobody else."""
    new = changed(binding(), status={"conditions": []})
    code = world.code(user, "UPDATE", plural, new, binding(), subresource="status")
    assert code == (0 if user in PLATFORM else 403)


def granter(user, new, old=None):
    """Who has granted a binding, once somebody has written it."""
    name = KINDS[plural]
    operation = "UPDATE" if old else "CREATE"
    sent = copy_object(new)
    record_granter(AdmissionAttributes(operation, name, "", "", "m", sent, old, user))
    return sent["metadata"].get("annotations", {}).get(GRANTED_BY)


def by(name, **fields):
    """A binding that says who granted it, beside something of somebody else's."""
    said = {"x": "y"} | ({GRANTED_BY: name} if name else {})
    return changed(binding(**fields), metadata={"annotations": said})


MORE = [subject(), subject("eve")]
AUTHORS = (ADMIN, ALICE, CAROL, ROBOT, RUNNER, PRETENDER)


@pytest.mark.parametrize("user", AUTHORS, ids=lambda each: each.name)
@pytest.mark.parametrize("said", [None, "somebody"])
def test_who_makes_a_binding_has_granted_it(user, said):
    """Whatever he says of it himself."""
    assert granter(user, by(said)) == user.name
    assert granter(user, binding()) == user.name


@pytest.mark.parametrize("user", AUTHORS, ids=lambda each: each.name)
@pytest.mark.parametrize("said", [None, "somebody", "dora"])
@pytest.mark.parametrize("before", [None, "dora"])
@pytest.mark.parametrize(
    ("new", "old", "gives"),
    [
        ({}, {}, False),
        ({"subjects": MORE}, {}, True),
        ({"subjects": [subject("eve")]}, {}, True),
        ({"subjects": [subject(kind="Group")]}, {}, True),
        ({"subjects": MORE[:1]}, {"subjects": MORE}, False),
        ({"subjects": MORE[::-1]}, {"subjects": MORE}, False),
        ({"subjects": [{"kind": "User", "name": "bob", "namespace": ""}]}, {}, False),
        ({"expiresAt": LATER}, {}, True),
        ({"expiresAt": LATER}, {"expiresAt": LATER}, False),
        ({}, {"expiresAt": LATER}, True),
    ],
)
def test_who_gives_more_has_granted_it(user, said, before, new, old, gives):
    """New subjects or another end; all else leaves the name as it was."""
    found = granter(user, by(said, **new), by(before, **old))
    assert found == (user.name if gives else before)


@pytest.mark.parametrize("user", PLATFORM, ids=lambda each: each.name)
@pytest.mark.parametrize("said", [None, "somebody"])
def test_the_platform_says_who_granted_it(user, said):
    """It restores what was, and gives the roles that come by default."""
    assert granter(user, by(said)) == said
    assert granter(user, by(said, subjects=MORE), by("dora")) == said


@pytest.mark.parametrize(
    "fields",
    [{"subjects": 5}, {"subjects": "bob"}, {"subjects": [5, None]}, {"metadata": {}},
     {"metadata": {"annotations": None}}],
)  # fmt: skip
def test_what_is_no_binding_is_left_to_its_schema(fields):
    """Who granted it is written before anything is judged."""
    assert granter(ALICE, {**binding(), **fields}) == "alice"


@pytest.mark.parametrize("annotations", ["x", 5, ["x"]])
def test_annotations_that_are_none_stay_as_they_are(annotations):
    """They are refused with what they are."""
    obj = changed(binding(), metadata={"annotations": annotations})
    record_granter(AdmissionAttributes("CREATE", KINDS[plural], "", "", "m", obj, None, ALICE))
    assert obj["metadata"]["annotations"] == annotations


@pytest.mark.parametrize("user", [ADMIN, ALICE], ids=lambda each: each.name)
def test_it_is_a_part_of_admission(world: World, user):
    """The policies find that what was written is right."""
    made = world.admit(user, "CREATE", plural, by("somebody")).object
    assert made["metadata"]["annotations"] == {"x": "y", GRANTED_BY: user.name}
    kept = world.admit(user, "UPDATE", plural, by("somebody"), by("dora")).object
    assert kept["metadata"]["annotations"] == {"x": "y", GRANTED_BY: "dora"}
    new = world.admit(user, "UPDATE", plural, by("dora", subjects=MORE), by("dora")).object
    assert new["metadata"]["annotations"] == {"x": "y", GRANTED_BY: user.name}
