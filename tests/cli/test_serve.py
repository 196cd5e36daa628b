"""``llmos serve``: what it says when it starts, and why it does not."""

import os
import socket
from types import SimpleNamespace

import pytest

from cli.api import invoke
from llmos.apimachinery.errors import InvalidError
from llmos.authentication.certificates import CertificateError, ensure_certificates
from llmos.authentication.static_tokens import TokenFileError
from llmos.cli import serve as module
from llmos.cli.fingerprint import fingerprint
from llmos.endpoints.metrics import Metrics
from llmos.endpoints.pipeline import Pipeline
from llmos.server.run import Started
from llmos.storage.interface import OpenError


@pytest.fixture
def started(home):
    """A server that has just started for the first time."""
    data = home / "llmos-data"
    ca_pem = ensure_certificates(data / "tls", ["127.0.0.1"], lambda: 1_700_000_000.0).ca_pem
    url = "https://127.0.0.1:8443"
    app = Pipeline((), handler=None, clock=None)
    metrics = Metrics(app.metrics, "")
    password = "one-time-password"
    return Started(url, data, ca_pem, app, data / "admin.kubeconfig", password, metrics)


@pytest.fixture
def run(monkeypatch):
    """Stands in for the server: gives its configuration, or fails as told."""
    seen = SimpleNamespace(config=None, error=None)

    def fake(config, ready, work):
        seen.config = config
        if seen.error:
            raise seen.error

    monkeypatch.setattr(module, "run", fake)
    return seen


def test_it_says_where_it_is_and_what_to_try(started, capsys, monkeypatch):
    """URL, fingerprint, password, kubeconfig, and three lines that work when they are pasted."""
    monkeypatch.setattr(module.shutil, "which", lambda _: "/usr/bin/llmos")
    module.say(started)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "llmos serves at https://127.0.0.1:8443"
    assert lines[1] == f"  certificate authority: SHA-256 {fingerprint(started.ca_pem)}"
    assert "  one-time password of the user admin: one-time-password" in lines
    kept = started.data_dir / "admin.password"
    assert f"    (also in {kept}: delete the file once you have it)" in lines
    assert f"  kubeconfig of the user admin: {started.admin_kubeconfig}" in lines
    assert lines[-3:] == [
        f"  export KUBECONFIG={started.admin_kubeconfig}",
        "  kubectl get namespaces",
        "  llmos namespace create team-vision --description 'Vision team'",
    ]


def test_it_says_no_password_that_there_is_not(started, capsys):
    """From the second start on, and after the admin was deleted, there is less to say."""
    from dataclasses import replace

    module.say(replace(started, one_time_password=None, admin_kubeconfig=None))
    out = capsys.readouterr().out
    assert "password" not in out
    assert "KUBECONFIG" not in out


def test_a_shell_that_does_not_find_llmos_is_helped(started, capsys, monkeypatch, home):
    """Make serve installs into .venv: the line to paste puts that on the PATH."""
    (home / "llmos").touch()
    monkeypatch.setattr(module.sys, "executable", str(home / "python"))
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    module.say(started)
    assert f"kubeconfig PATH={home}:$PATH\n" in capsys.readouterr().out


def test_options_reach_the_server(run, home, monkeypatch):
    """Each where it belongs; the password comes from the environment and does not stay there."""
    monkeypatch.setenv("LLMOS_ADMIN_PASSWORD", "correct-horse")
    (home / "t").touch()
    result = invoke(None, "serve", "--data-dir", "d", "--port", "0", "--token-auth-file", "t")
    assert result.exit_code == 0
    assert (run.config.data_dir, run.config.host, run.config.port) == (home / "d", "127.0.0.1", 0)
    assert (run.config.token_auth_file, run.config.admin_password) == (
        module.Path("t"), "correct-horse"
    )  # fmt: skip
    assert "LLMOS_ADMIN_PASSWORD" not in os.environ


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(98, "Address already in use"), "cannot listen on 127.0.0.1:8443: Address alre"),
        (socket.gaierror(-2, "Name or service not known"), "cannot listen on 127.0.0.1:8443: Name"),
        (PermissionError(13, "Permission denied", "/d"), "cannot use /d: Permission denied"),
        (OpenError("d/llmos.db: in use"), "d/llmos.db: in use"),
        (CertificateError("ca.crt broken"), "ca.crt broken"),
        (TokenFileError("t:1: the user is empty"), "t:1: the user is empty"),
        (InvalidError("too short"), "cannot start: too short"),
    ],
)
def test_why_it_does_not_start_is_one_line(run, error, said):
    """Exit code 1, no traceback."""
    run.error = error
    result = invoke(None, "serve")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_bad_admin_password_names_its_variable(run, monkeypatch):
    """The server says what is wrong with it, the command where it came from."""
    monkeypatch.setenv("LLMOS_ADMIN_PASSWORD", "x")
    run.error = InvalidError("too short")
    assert invoke(None, "serve").stderr == "Error: LLMOS_ADMIN_PASSWORD: too short\n"


@pytest.mark.parametrize(
    "arguments", [("--tls-cert", "t"), ("--tls-key", "t"), ("--port", "70000"), ("extra",)]
)
def test_usage(run, home, arguments):
    """A certificate has a key, a port is one."""
    (home / "t").touch()
    assert invoke(None, "serve", *arguments).exit_code == 2
    assert run.config is None
