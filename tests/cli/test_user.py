"""``llmos user``."""

import json

import pytest

from cli.api import Account
from llmos.apimachinery.errors import ForbiddenError
from llmos.client.resources import ROLE_TEMPLATE_BINDINGS, USERS


def test_create_prints_a_one_time_password_once(api, llmos):
    """The user gets what was said, and the password is on stdout."""
    result = llmos(
        "user", "create", "alice", "--display-name", "Alice L", "--group", "vision", "--group", "ml"
    )
    assert result.stdout == "user.management.llmos.ai/alice created\none-time password: one-time\n"
    spec = api.kubernetes.get(USERS, "", "alice")["spec"]
    assert spec == {
        "username": "alice", "isActive": True, "displayName": "Alice L", "groups": ["vision", "ml"]
    }  # fmt: skip
    assert api.accounts["alice"].must_change
    assert api.kubernetes.list(ROLE_TEMPLATE_BINDINGS) == []


def test_programs_find_the_one_time_password_where_it_is_said(llmos):
    """A field with -o json; on stderr with -o name, which leaves the name alone on stdout."""
    shown = json.loads(llmos("user", "create", "alice", "-o", "json").stdout)
    assert (shown["kind"], shown["oneTimePassword"]) == ("User", "one-time")
    named = llmos("user", "create", "bob", "-o", "name")
    assert named.stdout == "user.management.llmos.ai/bob\n"
    assert named.stderr == "one-time password: one-time\n"


def test_create_takes_a_password_from_stdin(api, llmos, monkeypatch):
    """It goes to the server with the user, in one step, and is not printed."""
    sent = []
    real = api.kubernetes.handle_async_request

    async def note(request):
        sent.append(json.loads(request.content))
        return await real(request)

    api.kubernetes.handle_async_request = note
    result = llmos("user", "create", "alice", "--password-stdin", text="open sesame\n")
    assert (result.exit_code, result.stdout) == (0, "user.management.llmos.ai/alice created\n")
    assert sent[0]["spec"]["password"] == "open sesame"
    assert "alice" not in api.accounts


def test_create_admin_binds_the_global_role(api, llmos):
    """An administrator is whom a binding names; no field of the user says so."""
    assert llmos("user", "create", "root", "--admin").exit_code == 0
    (binding,) = api.kubernetes.list(ROLE_TEMPLATE_BINDINGS)
    assert binding["roleTemplateRef"] == {
        "apiGroup": "management.llmos.ai", "kind": "GlobalRole", "name": "admin"
    }  # fmt: skip
    assert binding["subjects"] == [{"kind": "User", "name": "root"}]
    assert "isAdmin" not in api.kubernetes.get(USERS, "", "root")["spec"]


@pytest.mark.parametrize(
    "refused", [("POST", "roletemplatebindings"), ("PUT", "/auth/users/root/password")]
)
def test_create_leaves_nothing_half_done(api, llmos, refused):
    """A user whose rights or password are refused is deleted again."""
    api.refusals.append((*refused, ForbiddenError("refused")))
    result = llmos("user", "create", "root", "--admin")
    assert (result.exit_code, result.stderr) == (1, "Error: refused\n")
    assert api.kubernetes.get(USERS, "", "root") is None


def test_list_shows_what_is_in_force(api, llmos):
    """Admin and active come from the status; until there is one, from the spec."""
    spec = {"displayName": "Alice L", "groups": ["a", "b"], "isActive": False}
    api.kubernetes.create(USERS, "alice", spec=spec)
    api.kubernetes.create(USERS, "root", spec={}, status={"isAdmin": True, "isActive": True})
    assert llmos("user", "list").stdout.splitlines() == [
        "NAME    DISPLAY NAME   GROUPS   ADMIN   ACTIVE   AGE",
        "alice   Alice L        a,b      no      no       60s",
        "root    <none>         <none>   yes     yes      60s",
    ]
    assert llmos("user", "get", "alice", "-o", "name").stdout == "user.management.llmos.ai/alice\n"


def test_activate_deactivate_and_delete(api, llmos):
    """Each does what it says, and says so."""
    api.kubernetes.create(USERS, "alice", spec={})
    for verb, active in (("deactivate", False), ("activate", True)):
        result = llmos("user", verb, "alice")
        assert result.stdout == f"user.management.llmos.ai/alice {verb}d\n"
        assert api.kubernetes.get(USERS, "", "alice")["spec"]["isActive"] is active
    assert llmos("user", "delete", "alice").stdout == "user.management.llmos.ai/alice deleted\n"
    assert api.kubernetes.get(USERS, "", "alice") is None
    assert llmos("user", "delete", "alice").exit_code == 5


def test_ones_own_password_is_asked_for_and_changed(api, llmos):
    """The current one, and the new one twice; nothing of it is printed."""
    api.accounts["admin"] = Account("old-password")
    typed = "old-password\nnew-password\nnew-password\n"
    result = llmos("user", "password", "admin", text=typed)
    assert result.exit_code == 0
    assert api.accounts["admin"] == Account("new-password")
    assert "new-password" not in result.output


def test_ones_own_password_from_stdin_is_two_lines(api, llmos):
    """The current one, then the new one; a line too few is an error."""
    api.accounts["admin"] = Account("old-password")
    arguments = ("user", "password", "admin", "--password-stdin")
    assert llmos(*arguments, text="old-password\n").exit_code == 1
    assert llmos(*arguments, text="old-password\nnew-password\n").exit_code == 0
    assert api.accounts["admin"] == Account("new-password")


def test_somebody_elses_password_is_made_or_given(api, llmos):
    """Without one, a one-time password is printed; both have to be changed by their user."""
    made = llmos("user", "password", "bob")
    assert made.stdout == "one-time password: one-time\n"
    given = llmos("user", "password", "bob", "--password-stdin", text="given-password\n")
    assert given.stdout == "The password of bob is changed.\n"
    assert api.accounts["bob"] == Account("given-password", must_change=True)


def test_nobody_to_ask_is_a_usage_error(llmos):
    """A script that forgot --password-stdin does not hang."""
    result = llmos("user", "password", "admin")
    assert (result.exit_code, "--password-stdin" in result.stderr) == (2, True)
