"""The recorder passes on what it sees byte for byte, and makes the trouble that it is told to."""

import socket
import ssl
import time
from collections.abc import Iterator

import httpx
import pytest

from support.controlplane import ADMIN_TOKEN, ControlPlane
from support.engine import Engine
from support.kubectl import Kubectl
from support.kubelet import node
from support.objects import config_map
from support.recorder import Recorder, Trouble
from support.session import Session
from support.waiting import wait_until

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def recorder(plane: ControlPlane) -> Iterator[Recorder]:
    """A recorder before the cluster."""
    with Recorder(plane.url, plane.directory).running() as running:
        yield running


@pytest.fixture
def root(plane: ControlPlane, recorder: Recorder) -> Iterator[Session]:
    """The operator, through the recorder."""
    session = Session("admin", ADMIN_TOKEN, Engine(recorder.url, plane.ca_file, ""))
    yield session
    session.close()


def raw(recorder: Recorder, data: bytes) -> bytes:
    """What is answered to bytes, until the connection ends."""
    context = ssl.create_default_context(cafile=str(recorder.directory / "ca.crt"))
    with (
        socket.create_connection(("127.0.0.1", recorder.port), 20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        tls.sendall(data)
        got = b""
        while more := tls.recv(65536):
            got += more
        return got


def test_requests_are_passed_on_and_written_down(recorder: Recorder, root: Session) -> None:
    """Method, target, headers, body and trailers; on one connection as on many."""
    mark = recorder.log.mark()
    assert root.get(MAPS, labelSelector="a=b").json()["items"] == []
    made = root.create(MAPS, config_map("passed", of="x" * 300_000))
    assert made.status_code == 201
    assert root.get(f"{MAPS}/passed").json() == made.json()
    asked, posted, read = recorder.log.sent[mark:]
    assert asked.target == f"{MAPS}?labelSelector=a%3Db"
    assert (posted.method, len(posted.body) > 300_000) == ("POST", True)
    assert read.all("authorization") == [f"Bearer {ADMIN_TOKEN}"]
    with pytest.raises(AssertionError, match="a credential that is not ours"):
        recorder.log.check()


def test_odd_targets_and_trailers_stay_as_they_are(recorder: Recorder) -> None:
    """Nothing is normalised on the way into the log."""
    head = (
        f"GET {MAPS}/%2e%2E/a//b?x=%zz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\n"
    )
    mark = recorder.log.mark()
    raw(recorder, head.encode() + b"3\r\nabc\r\n0\r\nX-Late: yes\r\n\r\n")
    sent = recorder.log.sent[mark]
    assert sent.target == f"{MAPS}/%2e%2E/a//b?x=%zz"
    assert (sent.body, sent.trailers) == (b"abc", [("x-late", "yes")])
    with pytest.raises(AssertionError, match="trailers"):
        recorder.log.check()


def test_a_watch_streams(root: Session) -> None:
    """Events arrive when they happen."""
    with root.watch(MAPS) as watch:
        root.create(MAPS, config_map("streamed"))
        wait_until(lambda: "streamed" in watch.shown(), 5)


def test_an_upgrade_passes(
    plane: ControlPlane, operator: Session, root: Session, kubectl: Kubectl
) -> None:
    """After a 101 both directions are bytes; after a refusal the connection is good for more."""
    with node(plane, operator, "recorder-node") as made:
        made.pod("default", "recorded")
        done = kubectl(root, "exec", "-i", "recorded", "--", "cat", stdin="typed")
        assert done.ok() == "typed"
    nobody = kubectl(root, "exec", "missing", "--", "true")
    nobody.refused("not found")


def test_troubles(recorder: Recorder, root: Session) -> None:
    """Another answer, a delay, a cut and silence; each only where it is asked for, and while."""

    def at(name: str, **what) -> Trouble:
        return Trouble(lambda sent: sent.path.endswith(name), **what)

    answer = b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with recorder.trouble(at("/scripted", answer=answer)):
        assert root.get(f"{MAPS}/scripted").headers["retry-after"] == "7"
        assert root.get(f"{MAPS}/other").status_code == 404
    assert root.get(f"{MAPS}/scripted").status_code == 404
    with recorder.trouble(at("/slow", delay=0.5)):
        began = time.monotonic()
        assert root.get(f"{MAPS}/slow").status_code == 404
        assert time.monotonic() - began >= 0.5
    with recorder.trouble(at("/cut", cut_after=100)), pytest.raises(httpx.TransportError):
        root.get(f"{MAPS}/cut")
    with recorder.trouble(at("/silent", hang=True)), pytest.raises(httpx.ReadTimeout):
        root.http.get(f"{MAPS}/silent", timeout=0.5)


def test_an_outage_and_its_end(recorder: Recorder, root: Session) -> None:
    """Open connections are reset, new ones refused, and later all is as before."""
    assert root.get(MAPS).status_code == 200
    url = recorder.url
    with recorder.outage(), pytest.raises(httpx.TransportError):
        root.get(MAPS)
    assert recorder.url == url
    assert root.get(MAPS).status_code == 200
