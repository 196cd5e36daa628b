"""``llmos member``."""

import asyncio
import json

import pytest

from cli.api import SERVER
from llmos.apimachinery.errors import ConflictError
from llmos.cli import members
from llmos.cli.members import Member, Membership, binding_name, parse_membership
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.resources import NAMESPACES, ROLE_TEMPLATE_BINDINGS, USERS

BINDINGS = "/apis/management.llmos.ai/v1/roletemplatebindings"


@pytest.fixture(autouse=True)
def team(api):
    """A namespace and two users."""
    api.kubernetes.create(NAMESPACES, "team")
    for name in ("alice", "bob"):
        api.kubernetes.create(USERS, name)


def roles(api):
    """Who has which role in the namespace."""
    return {
        (subject["name"], each["roleTemplateRef"]["name"])
        for each in api.kubernetes.list(ROLE_TEMPLATE_BINDINGS)
        for subject in each["subjects"]
    }


def bind(api, name, template, *people, **more):
    """A binding as the web page or kubectl would make it."""
    return api.kubernetes.create(
        ROLE_TEMPLATE_BINDINGS,
        name,
        roleTemplateRef={"kind": "RoleTemplate", "name": template},
        subjects=[{"kind": "User", "name": each} for each in people],
        namespaceId="team",
        status={"conditions": [{"type": "InForce", "status": "True"}]},
        **more,
    )


def test_add_makes_a_binding_with_a_readable_name(api, llmos):
    """The name follows from namespace, member and role; the template from the role's word."""
    result = llmos("member", "add", "-n", "team", "--user", "alice", "--role", "editor")
    assert (result.exit_code, result.stdout, result.stderr) == (
        0, "alice is editor in team\n", ""
    )  # fmt: skip
    (made,) = api.kubernetes.list(ROLE_TEMPLATE_BINDINGS)
    name = binding_name("team", Membership(Member("User", "alice"), "namespace-editor"))
    assert made["metadata"]["name"] == name
    assert name.startswith("team-alice-")
    assert made["roleTemplateRef"] == {
        "apiGroup": "management.llmos.ai", "kind": "RoleTemplate", "name": "namespace-editor"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("User", "a", "r"), ("Group", "a", "r")),
        (("User", "a", "r"), ("User", "a", "s")),
        (("User", "a.b", "r"), ("User", "a-b", "r")),
    ],
)
def test_every_membership_has_a_name_of_its_own(one, other):
    """Kind, name and role all count, also where they read alike."""
    names = {
        binding_name("team", Membership(Member(kind, name), role))
        for kind, name, role in (one, other)
    }
    assert len(names) == 2


def test_names_of_groups_become_names_of_objects():
    """Whatever a group is called, the name of its binding is valid."""
    name = binding_name("team", Membership(Member("Group", "//Ünï @x"), "r"))
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert name.startswith("team-n-x-")


def test_memberships_are_read_from_the_last_equals_sign():
    """Names may hold what they like; groups say so."""
    assert parse_membership("a=b=owner") == (("User", "a=b"), "namespace-owner")
    assert parse_membership("group:g=own") == (("Group", "g"), "own")


def test_add_twice_is_a_conflict(llmos):
    """Exit code 6, and the message says what is so already."""
    arguments = ("member", "add", "-n", "team", "--group", "vision", "--role", "readonly")
    assert llmos(*arguments).exit_code == 0
    result = llmos(*arguments)
    assert (result.exit_code, result.stderr) == (
        6, "Error: group vision is already readonly in team\n"
    )  # fmt: skip


def test_add_replaces_what_is_left_of_an_earlier_namespace(api, llmos):
    """A binding of the same name that is not in force does not keep the new member out."""
    name = binding_name("team", Membership(Member("User", "alice"), "namespace-editor"))
    old = bind(api, name, "namespace-editor", "alice")
    old["status"]["conditions"][0] |= {"status": "False", "reason": "NamespaceRecreated"}
    result = llmos("member", "add", "-n", "team", "--user", "alice", "--role", "editor")
    assert result.exit_code == 0
    (new,) = api.kubernetes.list(ROLE_TEMPLATE_BINDINGS)
    assert new["metadata"]["uid"] != old["metadata"]["uid"]


def test_set_changes_the_role_without_a_gap(api, llmos):
    """The new binding is made and seen in force before the old one is deleted."""
    llmos("member", "add", "-n", "team", "--user", "alice", "--role", "owner")
    api.requests.clear()
    result = llmos("member", "set", "-n", "team", "--user", "alice", "--role", "readonly")
    assert result.stdout == "alice is readonly in team\n"
    assert roles(api) == {("alice", "namespace-readonly")}
    methods = [method for method, path in api.requests if path.startswith(BINDINGS)]
    assert methods == ["GET", "POST", "GET", "DELETE"]


def test_set_keeps_the_old_role_when_the_new_one_is_not_in_force(api, llmos, monkeypatch):
    """Nobody loses a role for one that he does not get."""
    monkeypatch.setattr(members, "_STEPS", (0.0, 0.0))
    bind(api, "old", "namespace-owner", "alice")
    api.in_force = False
    result = llmos("member", "set", "-n", "team", "--user", "alice", "--role", "readonly")
    assert result.exit_code == 1
    assert "the old one stays" in result.stderr
    assert roles(api) == {("alice", "namespace-owner")}


def test_set_of_the_role_that_is_there_takes_the_others_away(api, llmos):
    """A member with two roles has the one that was said; setting it again changes nothing."""
    bind(api, "one", "namespace-owner", "alice")
    bind(api, "two", "namespace-editor", "alice")
    arguments = ("member", "set", "-n", "team", "--user", "alice", "--role", "editor")
    for _ in range(2):
        assert llmos(*arguments).exit_code == 0
        assert roles(api) == {("alice", "namespace-editor")}


@pytest.mark.parametrize("verb", [("set", "--role", "editor"), ("remove",)])
def test_who_is_no_member_is_not_found(llmos, verb):
    """Exit code 5, and the way to become one is another verb."""
    result = llmos("member", verb[0], "-n", "team", "--user", "bob", *verb[1:])
    assert (result.exit_code, result.stderr) == (5, "Error: bob is no member of team\n")


def test_remove_takes_somebody_out_of_every_binding(api, llmos):
    """His own bindings go; those with others keep these; other namespaces are left alone."""
    bind(api, "alone", "namespace-owner", "alice")
    bind(api, "both", "namespace-editor", "alice", "bob")
    other = bind(api, "elsewhere", "namespace-editor", "alice")
    other["namespaceId"] = "other"
    result = llmos("member", "remove", "-n", "team", "--user", "alice")
    assert result.stdout == "alice is no member of team any more\n"
    left = {each["metadata"]["name"]: each for each in api.kubernetes.list(ROLE_TEMPLATE_BINDINGS)}
    assert set(left) == {"both", "elsewhere"}
    assert [each["name"] for each in left["both"]["subjects"]] == ["bob"]
    assert [each["name"] for each in left["elsewhere"]["subjects"]] == ["alice"]


def test_remove_deletes_what_gives_the_right_to_remove_last(api, llmos):
    """An owner who leaves can still take away his other roles."""
    bind(api, "a", "namespace-owner", "alice")
    bind(api, "b", "namespace-editor", "alice")
    assert llmos("member", "remove", "-n", "team", "--user", "alice").exit_code == 0
    deleted = [path.rpartition("/")[2] for method, path in api.requests if method == "DELETE"]
    assert deleted == ["b", "a"]


def test_remove_keeps_what_others_change_meanwhile(api):
    """A conflict is read again: who was added in between stays a member."""
    bind(api, "both", "namespace-editor", "alice", "bob")
    real, added = api.kubernetes.handle_async_request, []

    async def meddle(request):
        if request.method == "PATCH" and not added:
            added.append("carl")
            subjects = [{"kind": "User", "name": each} for each in ("alice", "bob", "carl")]
            api.kubernetes.patch(ROLE_TEMPLATE_BINDINGS, "both", {"subjects": subjects})
        return await real(request)

    api.kubernetes.handle_async_request = meddle

    async def work():
        async with Client(Config(SERVER, token="admin-token"), api) as client:
            await members.remove(client, "team", Member("User", "alice"))

    asyncio.run(work())
    assert roles(api) == {("bob", "namespace-editor"), ("carl", "namespace-editor")}


def test_remove_gives_up_when_conflicts_do_not_end(api, llmos):
    """After five attempts it is a conflict, exit code 6."""
    bind(api, "both", "namespace-editor", "alice", "bob")
    api.refusals += [("PATCH", "both", ConflictError("again")) for _ in range(5)]
    result = llmos("member", "remove", "-n", "team", "--user", "alice")
    assert (result.exit_code, result.stderr) == (6, "Error: again\n")


LISTED = """\
NAME    KIND   ROLE       GRANTED BY     SINCE   STATUS                               BINDING
alice   User   editor     dora           60s     InForce until 2030-01-01T00:00:00Z   both
bob     User   editor     dora           60s     InForce until 2030-01-01T00:00:00Z   both
carl    User   own-role   the platform   60s     RoleTemplateNotFound                 lost
dora    User   owner      the platform   60s     Pending                              new
"""


def test_list_says_who_what_by_whom_since_when_and_whether_it_counts(api, llmos):
    """One row for each subject, with the reason where a binding is not in force."""
    both = bind(api, "both", "namespace-editor", "alice", "bob", expiresAt="2030-01-01T00:00:00Z")
    both["metadata"]["annotations"] = {"llmos.ai/granted-by": "dora"}
    lost = bind(api, "lost", "own-role", "carl")
    lost["status"]["conditions"][0] |= {"status": "False", "reason": "RoleTemplateNotFound"}
    del bind(api, "new", "namespace-owner", "dora")["status"]
    assert llmos("member", "list", "-n", "team").stdout == LISTED


def test_programs_get_the_bindings(api, llmos):
    """-o json lists the objects, -o name their names."""
    both = bind(api, "both", "namespace-editor", "alice", "bob")
    both["metadata"]["annotations"] = {"llmos.ai/granted-by": "dora"}
    shown = json.loads(llmos("member", "list", "-n", "team", "-o", "json").stdout)
    assert [each["metadata"]["name"] for each in shown["items"]] == ["both"]
    assert shown["items"][0]["metadata"]["annotations"] == {"llmos.ai/granted-by": "dora"}
    named = llmos("member", "list", "-n", "team", "-o", "name").stdout
    assert named == "roletemplatebinding.management.llmos.ai/both\n"


def test_a_namespace_without_members_and_none_at_all(llmos):
    """The first is an empty list, the second an error."""
    empty = llmos("member", "list", "-n", "team")
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert llmos("member", "list", "-n", "nope").exit_code == 5


@pytest.mark.parametrize("who", [(), ("--user", "alice", "--group", "vision")])
def test_exactly_one_member_is_meant(llmos, who):
    """A user or a group, not both and not none."""
    result = llmos("member", "remove", "-n", "team", *who)
    assert result.exit_code == 2
    assert "either --user or --group" in result.stderr


def test_a_role_that_is_not_in_force_yet_is_said(api, llmos, monkeypatch):
    """Who adds a member while controllers are slow learns that it takes a while."""
    monkeypatch.setattr(members, "_STEPS", (0.0,))
    api.in_force = False
    result = llmos("member", "add", "-n", "team", "--user", "alice", "--role", "editor")
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: the role is not in force yet (Pending)")
