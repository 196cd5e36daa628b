"""The pytest plugin ``llmos``: a Kubernetes API for tests, ready in about a second."""

import secrets
from collections.abc import Iterator
from contextlib import suppress

import pytest

from llmos.testing.server import Server, ServerError

_NAMESPACES = "/api/v1/namespaces"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--llmos``."""
    parser.getgroup("llmos").addoption(
        "--llmos",
        action="store_true",
        help="Run against an llmos server of this session's own: KUBECONFIG names it.",
    )


@pytest.fixture(scope="session")
def llmos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running API server: url, kubeconfig, ca, token; stop, kill and restart."""
    server = Server(tmp_path_factory.mktemp("llmos"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def llmos_namespace(llmos_server: Server) -> Iterator[str]:
    """The name of a namespace of this test's own, deleted after it with all that is in it."""
    name = f"test-{secrets.token_hex(5)}"
    llmos_server.request("POST", _NAMESPACES, {"metadata": {"name": name}})
    yield name
    # The test may have stopped the server, or deleted the namespace.
    with suppress(OSError, ServerError):
        llmos_server.request("DELETE", f"{_NAMESPACES}/{name}")


@pytest.fixture(scope="session", autouse=True)
def _llmos_environment(request: pytest.FixtureRequest) -> Iterator[None]:
    """With ``--llmos``, clients that read KUBECONFIG find the server."""
    if not request.config.getoption("--llmos"):
        yield
        return
    server: Server = request.getfixturevalue("llmos_server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(server.kubeconfig))
        yield
