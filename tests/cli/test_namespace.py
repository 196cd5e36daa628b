"""``llmos namespace``."""

import json

import pytest

from llmos.apimachinery.errors import ForbiddenError
from llmos.client.resources import NAMESPACES, ROLE_TEMPLATE_BINDINGS, USERS

DESCRIBED = {"annotations": {"kubernetes.io/description": "Vision team"}}


def test_create_makes_the_namespace_and_its_members(api, llmos):
    """A namespace with its description, and a binding for each member, to the role's template."""
    api.kubernetes.create(USERS, "alice")
    result = llmos(
        "namespace", "create", "team", "--description", "Vision team",
        "--member", "alice=owner", "--member", "group:vision=readonly",
        "--member", "alice=own-role",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "namespace/team created",
        "alice is owner in team",
        "group vision is readonly in team",
        "alice is own-role in team",
    ]
    made = api.kubernetes.get(NAMESPACES, "", "team")
    assert made["metadata"]["annotations"] == DESCRIBED["annotations"]
    bindings = {
        (each["roleTemplateRef"]["name"], each["subjects"][0]["kind"], each["subjects"][0]["name"])
        for each in api.kubernetes.list(ROLE_TEMPLATE_BINDINGS)
        if each["namespaceId"] == "team" and each["roleTemplateRef"]["kind"] == "RoleTemplate"
    }
    assert bindings == {
        ("namespace-owner", "User", "alice"),
        ("namespace-readonly", "Group", "vision"),
        ("own-role", "User", "alice"),
    }


def test_create_takes_back_what_it_made_when_a_member_is_refused(api, llmos):
    """No namespace and no binding is left, and the message says which member and why."""
    api.kubernetes.create(USERS, "alice")
    api.refusals.append(("POST", "roletemplatebindings", ForbiddenError("no such role")))
    result = llmos("namespace", "create", "team", "--member", "bob=editor")
    assert result.exit_code == 1
    assert result.stderr == ("Error: cannot make bob a member: no such role; nothing was created\n")
    assert api.kubernetes.list(ROLE_TEMPLATE_BINDINGS) == []
    assert ("DELETE", "/api/v1/namespaces/team") in api.requests


def test_create_takes_back_the_members_before_the_one_that_failed(api, llmos):
    """What worked before the failure goes too."""
    api.refusals.append(("POST", 'roletemplatebindings .*"name":"b"', ForbiddenError("refused")))
    result = llmos("namespace", "create", "team", "--member", "a=editor", "--member", "b=editor")
    assert "cannot make b a member: refused; nothing was created" in result.stderr
    assert api.kubernetes.list(ROLE_TEMPLATE_BINDINGS) == []


def test_create_says_what_is_left_when_it_cannot_take_back(api, llmos):
    """Who cannot undo is told how to."""
    api.refusals += [
        ("POST", "roletemplatebindings", ForbiddenError("no")),
        ("DELETE", "namespaces/team", ForbiddenError("no")),
    ]
    result = llmos("namespace", "create", "team", "--member", "bob=editor")
    assert "the namespace is left: llmos namespace delete team" in result.stderr


def test_create_warns_of_users_who_do_not_exist(llmos):
    """A typo in a name does not pass in silence."""
    result = llmos("namespace", "create", "team", "--member", "alcie=owner")
    assert result.exit_code == 0
    assert result.stderr == "Warning: there is no user alcie: the role waits for one of this name\n"


@pytest.mark.parametrize("text", ["alice", "=owner", "alice=", "group:=owner"])
def test_members_have_a_name_and_a_role(api, llmos, text):
    """Anything else is a usage error, before anything is made."""
    result = llmos("namespace", "create", "team", "--member", text)
    assert result.exit_code == 2
    assert "USER=ROLE" in result.stderr
    assert api.requests == []


def test_list_is_a_table_for_people(api, llmos):
    """Name, status, description and age, aligned as kubectl does."""
    api.kubernetes.create(NAMESPACES, "a")
    api.kubernetes.create(NAMESPACES, "team-vision", metadata=DESCRIBED)
    assert llmos("namespace", "list").stdout.splitlines() == [
        "NAME          STATUS   DESCRIPTION   AGE",
        "a             Active   <none>        60s",
        "team-vision   Active   Vision team   60s",
    ]


def test_nothing_to_list_leaves_stdout_empty(llmos):
    """A program that reads names reads none; people are told."""
    result = llmos("namespace", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "No namespaces found.\n"


def test_programs_get_names_or_everything(api, llmos):
    """-o name as kubectl writes it, -o json as a List without managed fields."""
    api.kubernetes.create(NAMESPACES, "a", metadata={"managedFields": [{"manager": "x"}]})
    assert llmos("namespace", "list", "-o", "name").stdout == "namespace/a\n"
    shown = json.loads(llmos("namespace", "list", "-o", "json").stdout)
    assert (shown["kind"], shown["items"][0]["metadata"]["name"]) == ("List", "a")
    assert "managedFields" not in shown["items"][0]["metadata"]
    assert "kind: Namespace" in llmos("namespace", "get", "a", "-o", "yaml").stdout


def test_what_a_table_shows_moves_no_cursor(api, llmos):
    """A description that holds control characters is shown without them, and not too long."""
    text = "\x1b[2J" + "long " * 40
    meta = {"annotations": {"kubernetes.io/description": text}}
    api.kubernetes.create(NAMESPACES, "a", metadata=meta)
    out = llmos("namespace", "list").stdout
    assert "\x1b" not in out
    assert "…" in out
    assert max(map(len, out.splitlines())) < 100


def _gone(api, name):
    """Let a namespace that is being deleted end."""
    api.kubernetes.objects.pop(("", "namespaces", "", name), None)


def test_delete_asks_for_the_name(api, llmos):
    """Another name than the namespace's own deletes nothing."""
    api.kubernetes.create(NAMESPACES, "team")
    result = llmos("namespace", "delete", "team", text="taem\n")
    assert result.exit_code == 1
    assert ("DELETE", "/api/v1/namespaces/team") not in api.requests
    result = llmos("namespace", "delete", "team", "--no-wait", text="team\n")
    assert (result.exit_code, result.stdout) == (0, "namespace/team is being deleted\n")
    assert ("DELETE", "/api/v1/namespaces/team") in api.requests


def test_delete_without_anybody_to_ask_wants_a_flag(api, llmos):
    """A script says --yes, or nothing happens."""
    api.kubernetes.create(NAMESPACES, "team")
    result = llmos("namespace", "delete", "team")
    assert (result.exit_code, "--yes" in result.stderr) == (2, True)
    assert api.requests == []


def test_delete_waits_until_the_namespace_is_gone(api, llmos):
    """It asks again until the answer is 404, says once what stands in the way, and succeeds."""
    namespace = api.kubernetes.create(NAMESPACES, "team")
    remaining = {"type": "NamespaceContentRemaining", "status": "True", "message": "pods remain"}
    namespace["status"]["conditions"] = [remaining]
    real = api.kubernetes.handle_async_request
    seen = []

    async def answer(request):
        if request.method == "GET":
            seen.append(request)
            if len(seen) == 3:
                _gone(api, "team")
        return await real(request)

    api.kubernetes.handle_async_request = answer
    result = llmos("namespace", "delete", "team", "--yes")
    assert (result.exit_code, result.stdout) == (0, "namespace/team deleted\n")
    assert result.stderr == "Waiting: pods remain\n"
    assert len(seen) == 3


def test_delete_of_what_does_not_exist(llmos):
    """Exit code 5, as for every name that is not found."""
    assert llmos("namespace", "delete", "nope", "--yes").exit_code == 5
