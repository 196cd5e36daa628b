"""``llmos login``, ``logout`` and ``whoami``."""

import json
import stat

import httpx
import pytest

from cli.api import EXPIRES, SERVER, Account, invoke
from llmos.apimachinery.errors import TooManyRequestsError
from llmos.cli.fingerprint import fingerprint
from llmos.cli.kubeconfigs import Kubeconfigs
from llmos.client import kubeconfig
from llmos.client.kubeconfig import Login
from llmos.client.resources import CONFIG_MAPS


@pytest.fixture
def accounts(api):
    """Alice has a password of her own, bob one that he was given."""
    api.accounts |= {"alice": Account("alice-password"), "bob": Account("given", must_change=True)}
    return api.accounts


@pytest.fixture
def authority(home):
    """The certificate of an authority."""
    from llmos.authentication.certificates import ensure_certificates

    return ensure_certificates(home / "tls", ["llmos.test"], lambda: 1_700_000_000.0).ca_pem


def sign_in(command, *arguments, user="alice", password="alice-password"):
    """Log in as a script does."""
    return command("login", *arguments, "-u", user, "--password-stdin", text=f"{password}\n")


def test_login_makes_the_context_that_kubectl_uses(accounts, stranger, home):
    """A context named llmos without a namespace is current, in a file that only we can read."""
    result = sign_in(stranger, SERVER)
    assert result.exit_code == 0
    assert result.stdout == (
        f"Signed in to {SERVER} as alice until {EXPIRES}.\n"
        f"kubectl uses the context llmos of {home}/.kube/config.\n"
    )
    path = home / ".kube" / "config"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    login = Kubeconfigs().get()
    assert (login.name, login.server, login.namespace) == ("llmos", SERVER, "")
    assert login.token == "session-1"
    assert "alice-password" not in path.read_text()


def test_login_asks_for_what_is_missing(accounts, stranger):
    """The username is echoed, the password is not."""
    result = stranger("login", "llmos.test:8443", text="alice\nalice-password\n")
    assert result.exit_code == 0
    assert "alice-password" not in result.output
    assert Kubeconfigs().get().server == SERVER


def test_login_again_needs_no_url(accounts, stranger):
    """The server and the name of the context in use are taken."""
    sign_in(stranger, SERVER, "--context", "mine")
    assert sign_in(stranger).exit_code == 0
    assert [each.name for each in Kubeconfigs().logins()] == ["mine"]
    assert Kubeconfigs().get().token == "session-2"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("http://llmos.test",),
        ("ftp://x",),
        ("https://",),
        ("https://u@llmos.test",),
        (SERVER, "--insecure-skip-tls-verify", "--certificate-authority", "ca.crt"),
    ],
)
def test_login_wants_one_server_of_https(accounts, stranger, api, home, arguments):
    """A password goes to no server that anybody can listen to."""
    (home / "ca.crt").write_text("")
    assert sign_in(stranger, *arguments).exit_code == 2
    assert api.requests == []


def test_wrong_passwords_are_exit_code_4(accounts, stranger, home):
    """The server's own text, and no context."""
    result = sign_in(stranger, SERVER, password="wrong")
    assert (result.exit_code, result.stderr) == (
        4, "Error: the username or the password is wrong\n"
    )  # fmt: skip
    assert not (home / ".kube").exists()


def test_too_many_attempts_are_told(accounts, stranger, api):
    """The limit is a refusal like any other."""
    api.refusals.append(("POST", "/auth/login", TooManyRequestsError("please wait")))
    assert sign_in(stranger, SERVER).exit_code == 1


def test_a_given_password_is_replaced_at_once(accounts, stranger, api):
    """It is asked for twice; the session that goes on is one of the new password."""
    typed = "given\nbobs-own-password\nbobs-own-password\n"
    result = stranger("login", SERVER, "-u", "bob", text=typed)
    assert result.exit_code == 0
    assert accounts["bob"] == Account("bobs-own-password")
    assert Kubeconfigs().get().token == "session-2"
    assert ("POST", "/auth/logout") in api.requests


def test_a_new_password_that_is_refused_is_asked_for_again(accounts, stranger, api):
    """Until it is good enough."""
    from llmos.apimachinery.errors import InvalidError

    api.refusals.append(("PUT", "/auth/password", InvalidError("too short")))
    typed = "given\nshort\nshort\nbobs-own-password\nbobs-own-password\n"
    result = stranger("login", SERVER, "-u", "bob", text=typed)
    assert result.exit_code == 0
    assert "Error: too short" in result.stderr
    assert accounts["bob"] == Account("bobs-own-password")


def test_a_script_with_a_given_password_is_warned(accounts, stranger):
    """It is signed in, and told on stderr how to change the password."""
    result = sign_in(stranger, SERVER, user="bob", password="given")
    assert result.exit_code == 0
    assert "llmos user password bob" in result.stderr
    assert accounts["bob"].must_change


def test_a_context_of_another_server_keeps_its_name(accounts, stranger):
    """The new one is named after the host, then after user and host."""
    files = Kubeconfigs()
    files.put(Login("llmos", "https://other.test", "other", user="x"))
    sign_in(stranger, SERVER)
    assert files.get().name == "llmos.test"
    sign_in(stranger, SERVER, user="bob", password="given")
    assert files.get().name == "bob@llmos.test"
    assert files.get("llmos").token == "other"


def test_signing_in_again_as_the_same_user_takes_the_same_context(accounts, stranger):
    """Sessions do not pile up in the kubeconfig."""
    for _ in range(2):
        sign_in(stranger, SERVER)
    document = kubeconfig.read(Kubeconfigs().paths[0])
    assert [each["name"] for each in document["users"]] == ["alice@llmos"]


def test_another_user_under_one_name_leaves_no_credentials_behind(accounts, stranger):
    """--context replaces the context, and the entry of who had it before."""
    sign_in(stranger, SERVER, "--context", "here")
    sign_in(stranger, SERVER, "--context", "here", user="bob", password="given")
    document = kubeconfig.read(Kubeconfigs().paths[0])
    assert [each["name"] for each in document["users"]] == ["bob@here"]


def test_the_first_file_of_the_variable_is_written(accounts, stranger, home, monkeypatch):
    """As kubectl reads them, the first one wins."""
    monkeypatch.setenv("KUBECONFIG", f"{home}/one:{home}/two")
    sign_in(stranger, SERVER)
    assert (home / "one").exists()
    assert not (home / "two").exists()
    sign_in(stranger, SERVER, "--kubeconfig", str(home / "three"))
    assert (home / "three").exists()


# Trust


def test_an_unknown_authority_stops_a_script(accounts, stranger, api):
    """No password is sent; the message names both flags."""
    api.trusted = False
    result = sign_in(stranger, SERVER)
    assert result.exit_code == 3
    assert "--certificate-authority" in result.stderr
    assert "--insecure-skip-tls-verify" in result.stderr
    assert api.requests == [("GET", "/readyz")]


def test_an_unknown_authority_is_shown_and_confirmed(accounts, stranger, api, authority):
    """Its fingerprint is printed; with a yes it is kept, else no password is asked for."""
    api.trusted = False
    api.kubernetes.create(
        CONFIG_MAPS, "kube-root-ca.crt", "kube-public", data={"ca.crt": authority}
    )
    refused = stranger("login", SERVER, "-u", "alice", text="n\n")
    assert refused.exit_code == 3
    assert ("POST", "/auth/login") not in api.requests
    result = stranger("login", SERVER, "-u", "alice", text="y\nalice-password\n")
    assert f"SHA-256 {fingerprint(authority)}" in result.stderr
    assert Kubeconfigs().get().ca_pem == authority


def test_an_authority_that_nobody_publishes_is_not_trusted(accounts, stranger, api):
    """There is nothing to compare, so there is nothing to confirm."""
    api.trusted = False
    result = stranger("login", SERVER, "-u", "alice", text="y\nalice-password\n")
    assert result.exit_code == 3
    assert ("POST", "/auth/login") not in api.requests


def test_a_known_authority_that_does_not_fit_is_never_replaced_in_silence(
    accounts, stranger, api, authority
):
    """A server that has changed its authority, or somebody in its place, is no first use."""
    Kubeconfigs().put(Login("llmos", SERVER, "t", authority, user="alice@llmos"))
    api.trusted = False
    result = stranger("login", SERVER, "-u", "alice", text="y\nalice-password\n")
    assert result.exit_code == 3
    assert "is not signed by the authority that is known for it" in result.stderr


def test_the_authority_of_a_kubeconfig_or_a_local_server_is_known(
    accounts, stranger, home, authority
):
    """A cluster with this URL, under any of this machine's names, vouches for the server."""
    (home / "llmos-data").mkdir()
    local = Kubeconfigs(home / "llmos-data" / "admin.kubeconfig")
    local.put(Login("llmos", "https://127.0.0.1:8443", "t", authority, user="admin"))
    sign_in(stranger, "https://localhost:8443")
    assert Kubeconfigs().get().ca_pem == authority
    sign_in(stranger, "https://elsewhere.test")
    assert Kubeconfigs().get().ca_pem == ""


def test_a_given_authority_is_kept_or_refused(accounts, stranger, home, authority):
    """What is no certificate is an error before anything is sent."""
    (home / "ca.crt").write_text(authority)
    (home / "junk.crt").write_text("junk")
    sign_in(stranger, SERVER, "--certificate-authority", "ca.crt")
    assert Kubeconfigs().get().ca_pem == authority
    result = sign_in(stranger, SERVER, "--certificate-authority", "junk.crt")
    assert (result.exit_code, result.stderr) == (1, "Error: junk.crt holds no certificates\n")


def test_trusting_anything_is_written_down(accounts, stranger, api):
    """The context then says so too, and kubectl does the same."""
    api.trusted = False
    sign_in(stranger, SERVER, "--insecure-skip-tls-verify")
    assert Kubeconfigs().get().insecure


# Logout and whoami


def test_logout_ends_the_session_and_removes_the_context(llmos, api):
    """On the server and here."""
    result = llmos("logout")
    assert result.stdout == f"Signed out of {SERVER}; the context llmos is removed.\n"
    assert ("POST", "/auth/logout") in api.requests
    assert list(Kubeconfigs().logins()) == []
    assert llmos("logout").exit_code == 4


def test_logout_of_a_session_that_is_over(llmos, api):
    """There is nothing to end on the server, and the context goes."""
    api.tokens.clear()
    assert llmos("logout").exit_code == 0
    assert list(Kubeconfigs().logins()) == []


def test_logout_without_a_server_removes_the_context_and_says_so(llmos):
    """The credentials leave this machine; that the session lives on is an error."""
    down = httpx.MockTransport(_down)
    result = invoke(down, "logout")
    assert result.exit_code == 3
    assert "the session on the server was not ended" in result.stderr
    assert list(Kubeconfigs().logins()) == []


def _down(request):
    raise httpx.ConnectError("refused")


def test_whoami(llmos):
    """Name, groups, credential and its end; JSON and the name alone for programs."""
    assert llmos("whoami").stdout.splitlines() == [
        "Username:    admin",
        "Groups:      llmos:users",
        "Credential:  session t",
        f"Valid until: {EXPIRES}",
        f"Server:      {SERVER}",
        "Context:     llmos",
    ]
    assert llmos("whoami", "-o", "name").stdout == "admin\n"
    assert json.loads(llmos("whoami", "-o", "json").stdout)["kind"] == "session"


def test_whoami_of_who_has_no_account():
    """A service account, or any Kubernetes server, answers with Kubernetes' own review."""
    Kubeconfigs().put(Login("llmos", SERVER, "robot", user="robot"))

    def answer(request):
        if request.url.path == "/auth/whoami":
            return httpx.Response(403, json={"kind": "Status", "code": 403, "message": "no"})
        status = {"userInfo": {"username": "system:serviceaccount:a:b", "groups": ["g"]}}
        return httpx.Response(201, json={"status": status})

    result = invoke(httpx.MockTransport(answer), "whoami", "-o", "name")
    assert result.stdout == "system:serviceaccount:a:b\n"
