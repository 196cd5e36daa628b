"""Where the proxy cannot know who asks, or the cluster does not say, nobody gets in.

What it has to be told, and how the cluster fails to tell it: the answer is a refusal or an error in
Kubernetes' words, in time, and nothing goes up in the proxy's own name.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmos.authentication.certificates import ensure_certificates
from support.cluster import Cluster
from support.engine import Engine
from support.recorder import Recorder, Trouble
from support.resources import at
from support.running import RunningEngine
from support.server import ADMIN_PASSWORD
from support.session import Session
from support.waiting import wait_until
from support.world import OWNER, PASSWORD, World

GARBAGE = (
    b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"items":'
)
NONSENSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\nnull"


def _refusal(code: int) -> bytes:
    body = json.dumps({"kind": "Status", "apiVersion": "v1", "code": code}).encode()
    head = f"HTTP/1.1 {code} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


FAULTS: dict[str, dict[str, object]] = {
    "401": {"answer": _refusal(401)},
    "403": {"answer": _refusal(403)},
    "500": {"answer": _refusal(500)},
    "garbage": {"answer": GARBAGE},
    "nonsense": {"answer": NONSENSE},
    "silence": {"hang": True},
    "cut": {"cut_after": 0},
}
SECRET = r"/api/v1/namespaces/llmos-system/secrets/token-[a-z0-9]+"
ASKED = {
    "whose a foreign token is": r"/apis/authentication\.k8s\.io/v1/tokenreviews",
    "whether a token of ours was just made": SECRET,
    "to keep a session": r"/api/v1/namespaces/llmos-system/secrets",
    "what somebody asks for": r"/api/v1/namespaces/.*/configmaps.*",
}


@pytest.fixture(scope="module")
def robot(cluster: Cluster) -> str:
    """A token of the cluster's own, of an account that may read the namespace ``default``."""
    made = cluster.operator.create(
        "/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {}}
    )
    return str(made.json()["status"]["token"])


def _ask(what: str, place: World, who: Session) -> httpx.Response:
    """Make the proxy ask the cluster for something."""
    path = at("configmaps", place.named("team"))
    match what:
        case "whose a foreign token is":
            with place.engine.client(f"unknown-{time.monotonic_ns()}") as client:
                return client.get(path)
        case "whether a token of ours was just made":
            with place.engine.client(f"token-{time.monotonic_ns()}:abcdefghijklm") as client:
                return client.get(path)
        case "to keep a session":
            return place.engine.try_login(who.name, PASSWORD)
    return who.get(path, timeout="2s")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("what", ASKED)
def test_what_the_cluster_does_not_say_lets_nobody_in(
    cluster: Cluster, place: World, what: str, fault: str
) -> None:
    """28 combinations; the user is the same before and after, and nobody else at any time."""
    who = place.user("alice")
    place.member(OWNER, place.namespace("team"), who)
    path = ASKED[what]
    trouble = Trouble(
        lambda sent: re.fullmatch(path, sent.path) is not None and "watch" not in sent.query,
        **FAULTS[fault],
    )
    with cluster.recorder.trouble(trouble):
        began = time.monotonic()
        answer = _ask(what, place, who)
        took = time.monotonic() - began
    if what == "what somebody asks for" and fault in ("garbage", "nonsense"):
        # What the cluster says of its own is not the proxy's to judge.
        assert answer.content in GARBAGE + NONSENSE
    else:
        # What is refused to the platform is no word about who asks.
        passed_on = {int(fault)} if what == "what somebody asks for" and fault.isdigit() else set()
        unknown = {401} if what == "whose a foreign token is" and fault == "nonsense" else set()
        assert answer.status_code in {502, 503, 504} | passed_on | unknown, answer.text
        assert answer.json()["kind"] == "Status"
    assert took < 12, f"answered after {took:.1f} s"
    # Signing in failed for no fault of his, and is not held against him.
    wait_until(lambda: place.engine.try_login(who.name, PASSWORD).status_code == 200, 3)
    assert who.get(at("configmaps", place.named("team"))).status_code == 200


# What has never been heard of


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Recorder]:
    """What calls itself the cluster, by a certificate of another authority."""
    directory = tmp_path_factory.mktemp("strangers")
    ensure_certificates(directory, (), time.time)
    recorder = Recorder(cluster.plane.url, directory)
    with recorder.running():
        yield recorder


@pytest.fixture(scope="module")
def silent(cluster: Cluster) -> Iterator[Recorder]:
    """A cluster that takes every request and answers none."""
    recorder = Recorder(cluster.plane.url, cluster.plane.directory, troubles=[Trouble(hang=True)])
    with recorder.running():
        yield recorder


@pytest.fixture(scope="module")
def partial(cluster: Cluster) -> Iterator[Recorder]:
    """A cluster that says everything but who its users are."""
    recorder = Recorder(
        cluster.plane.url,
        cluster.plane.directory,
        troubles=[Trouble(lambda sent: sent.path.endswith("/users"), answer=_refusal(500))],
    )
    with recorder.running():
        yield recorder


@pytest.mark.parametrize("kind", ["strangers", "silent", "partial"])
def test_a_proxy_that_does_not_know_the_cluster_knows_nobody(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    boss: Session,
    robot: str,
    kind: str,
) -> None:
    """Each is told to come again, also who signs in, with whatever password."""
    recorder: Recorder = request.getfixturevalue(kind)
    proxy = cluster.start_proxy("--no-controllers", name=kind, upstream=recorder.url)
    try:
        engine = Engine(proxy.url, cluster.plane.ca_file, ADMIN_PASSWORD)
        for password in [ADMIN_PASSWORD, *["wrong"] * 12]:
            answer = engine.try_login("admin", password)
            assert answer.status_code == 503, answer.text
            assert answer.json()["kind"] == "Status"
        for token in (boss.token, robot, "token-abc:def", "unknown"):
            with engine.client(token) as client:
                for path in (at("configmaps", "default"), at("namespaces"), "/auth/whoami"):
                    assert client.get(path).status_code == 503, (token[:12], path)
        with engine.client() as client:
            assert client.get("/readyz").status_code == 503
            assert client.get("/livez").status_code == 200
        assert [str(each) for each in recorder.log.sent if each.impersonates] == []
        recorder.log.check()
    finally:
        cluster.end_proxy(proxy)


def test_guesses_before_the_cluster_is_known_do_not_count(
    cluster: Cluster, front: RunningEngine
) -> None:
    """Who was told to come again is let in as soon as the cluster is known."""
    unknown = Trouble(lambda sent: sent.path.endswith("/users"), answer=_refusal(500))
    with cluster.recorder.trouble(unknown):
        proxy = cluster.start_proxy("--no-controllers", name="late")
        engine = Engine(proxy.url, front.ca_file, ADMIN_PASSWORD)
        statuses = {engine.try_login("admin", ADMIN_PASSWORD).status_code for _ in range(30)}
        assert statuses == {503}
    try:
        wait_until(lambda: engine.try_login("admin", ADMIN_PASSWORD).status_code != 503, 40, 0.2)
        assert engine.try_login("admin", ADMIN_PASSWORD).status_code == 200
    finally:
        cluster.end_proxy(proxy)


def test_a_replica_says_itself_that_it_is_not_ready(cluster: Cluster, tmp_path: Path) -> None:
    """And stops when it is told to, although it never got to know the cluster."""
    away = f"https://127.0.0.1:{_free_port()}"
    proxy = cluster.start_proxy("--no-controllers", name=tmp_path.name, upstream=away)
    with proxy.client() as client:
        assert client.get("/readyz").status_code == 503
    cluster.proxies.remove(proxy)
    assert proxy.stop() == 0


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
