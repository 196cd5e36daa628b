"""The pytest plugin, as somebody uses it who has nothing else of this repository."""

import os
import signal
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from llmos.testing.server import Server, ServerError

pytestmark = pytest.mark.slow
pytest_plugins = ["pytester"]

USER_TESTS = """
import json
import os
import ssl
import urllib.request

import pytest

seen = []


def read(server, path, token=None):
    context = ssl.create_default_context(cafile=server.ca)
    headers = {"Authorization": f"Bearer {token or server.token}"}
    request = urllib.request.Request(server.url + path, headers=headers)
    with urllib.request.urlopen(request, context=context) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [1, 2])
def test_namespace(llmos_server, llmos_namespace, number):
    listed = read(llmos_server, "/api/v1/namespaces")["items"]
    names = [each["metadata"]["name"] for each in listed]
    assert llmos_namespace in names
    assert llmos_namespace not in seen
    seen.append(llmos_namespace)


def test_kubeconfig(llmos_server):
    document = json.loads(llmos_server.kubeconfig.read_text())
    assert document["clusters"][0]["cluster"]["server"] == llmos_server.url
    assert document["users"][0]["user"]["token"] == llmos_server.token
    assert llmos_server.kubeconfig.stat().st_mode & 0o077 == 0


def test_environment(llmos_server):
    assert os.environ["KUBECONFIG"] == str(llmos_server.kubeconfig)


def test_restart(llmos_server, llmos_namespace):
    url, process = llmos_server.url, llmos_server.pid
    llmos_server.restart()
    assert (llmos_server.url, llmos_server.pid != process) == (url, True)
    read(llmos_server, f"/api/v1/namespaces/{llmos_namespace}")
    print("PID", llmos_server.pid)
"""


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What makes pytest load it where llmos is only on the path and not installed."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    installed = any(each.name == "llmos" for each in entry_points(group="pytest11"))
    return [] if installed else ["-p", "llmos.testing.plugin"]


def test_session(pytester: pytest.Pytester, plugin: list[str]) -> None:
    """A session has a server, a test a namespace; afterwards nothing runs any more."""
    pytester.makepyfile(USER_TESTS)
    result = pytester.runpytest_subprocess(*plugin, "--llmos", "-s", "-W", "error")
    result.assert_outcomes(passed=5)
    (said,) = [line for line in result.outlines if "PID" in line]
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.split()[-1]), 0)


def test_not_used(pytester: pytest.Pytester, plugin: list[str]) -> None:
    """Tests that ask for nothing get no server, and pay for none."""
    pytester.makepyfile(
        """
        import os
        import sys

        def test_nothing(tmp_path_factory):
            assert "KUBECONFIG" not in os.environ
            assert not list(tmp_path_factory.getbasetemp().glob("llmos*"))
            assert not {"httpx", "uvicorn", "yaml", "llmos.server"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess(*plugin).assert_outcomes(passed=1)


def test_crash(tmp_path: Path) -> None:
    """A server that was killed comes back at the same address with what was acknowledged."""
    server = Server(tmp_path)
    server.start()
    try:
        url = server.url
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": "kept"}})
        server.kill()
        assert server.pid == 0
        server.start()
        assert server.url == url
        assert server.request("GET", "/api/v1/namespaces/kept")["metadata"]["name"] == "kept"
        with pytest.raises(ServerError, match="404"):
            server.request("GET", "/api/v1/namespaces/lost")
    finally:
        server.stop()


def test_deaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not stop when it is asked to is killed."""
    monkeypatch.setattr("llmos.testing.server.STOP_SECONDS", 0.1)
    server = Server(tmp_path)
    server.start()
    process = server.pid
    os.kill(process, signal.SIGSTOP)
    server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_does_not_start(tmp_path: Path) -> None:
    """A server that cannot start says why."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "llmos.db").write_bytes(b"no database" * 1000)
    with pytest.raises(ServerError, match=r"does not start:\n.*llmos\.db"):
        Server(tmp_path).start()
