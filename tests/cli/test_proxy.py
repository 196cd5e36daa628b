"""``llmos proxy``: options, and why it does not start."""

import ssl
from types import SimpleNamespace

import pytest

from llmos.apimachinery.errors import ForbiddenError
from llmos.authentication.certificates import CertificateError
from llmos.cli import proxy as module
from llmos.client.errors import ConnectionFailedError


@pytest.fixture
def run(monkeypatch):
    """Stands in for the proxy: gives its configuration, or fails as told."""
    seen = SimpleNamespace(config=None, error=None)

    def fake(config, ready, work):
        seen.config = config
        if seen.error:
            raise seen.error

    monkeypatch.setattr(module, "run", fake)
    return seen


def test_options_reach_the_proxy(run, llmos):
    """Each where it belongs."""
    result = llmos("proxy", "--port", "0", "--tls-name", "llmos.example", "--no-controllers")
    assert result.exit_code == 0, result.stderr
    config = run.config
    assert (config.host, config.port, config.names) == ("127.0.0.1", 0, ("llmos.example",))
    assert config.controllers is False


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(98, "Address already in use"), 1, "cannot listen on 127.0.0.1:8443: Address"),
        (PermissionError(13, "Permission denied", "/d"), 1, "cannot use /d: Permission denied"),
        (CertificateError("a, b: no certificate"), 1, "a, b: no certificate"),
        (ssl.SSLError(9, "PEM lib"), 1, "the certificate authority of the server"),
        (ForbiddenError("not yours"), 1, "not yours"),
        (ConnectionFailedError("nobody answers"), 3, "nobody answers"),
    ],
)
def test_why_it_does_not_start_is_one_line(run, llmos, error, code, said):
    """No traceback, and the exit codes of every verb."""
    run.error = error
    result = llmos("proxy")
    assert result.exit_code == code
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("--tls-cert", "t"), ("--tls-key", "t")])
def test_a_certificate_has_a_key(run, llmos, home, arguments):
    """One without the other is a mistake."""
    (home / "t").touch()
    assert llmos("proxy", *arguments).exit_code == 2
    assert run.config is None
