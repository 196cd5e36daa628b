"""Exec, attach, port-forward and logs through the proxy; they end with the right to them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from support.cluster import Cluster
from support.kubectl import Kubectl
from support.kubelet import node
from support.running import RunningEngine
from support.session import Session
from support.waiting import wait_until
from support.world import OWNER, READER, World

pytestmark = pytest.mark.clients
ENDS_SECONDS = 5
POD = "one"


@dataclass
class Place:
    """A namespace with a running pod, and who is in it."""

    engine: RunningEngine
    world: World
    namespace: str
    alice: Session
    """Its owner."""
    newbie: Session
    """Somebody else."""


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Place]:
    """One for all tests here."""
    engine = cluster.engine(cluster.proxies[0])
    admin = Session("admin", engine.login("admin", engine.admin_password), engine)
    world = World(engine, admin)
    namespace = world.namespace("pods")
    alice, newbie = world.user("alice"), world.user("newbie")
    world.member(OWNER, namespace, alice)
    with node(cluster.plane, cluster.operator) as where:
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        wait_until(lambda: admin.get(account).status_code == 200, 10)
        where.pod(namespace, POD)
        yield Place(engine, world, namespace, alice, newbie)
    cluster.operator.http.delete("/api/v1/nodes/node-one")
    world.close()
    admin.close()


@pytest.fixture(autouse=True)
def _judged(place: Place) -> Iterator[None]:
    """Tunnels too are sent under the name of whoever asks."""
    yield
    assert place.engine.upstream is not None
    place.engine.upstream.check()


def test_exec(place: Place, kubectl: Kubectl) -> None:
    """What a process prints, what it is told and how it ends."""
    inside = ("-n", place.namespace)
    done = kubectl(place.alice, "exec", *inside, POD, "--", "echo", "hello")
    assert done.ok() == "hello\n"
    command = ("sh", "-c", "cat; echo bad >&2; exit 7")
    done = kubectl(place.alice, "exec", *inside, "-i", POD, "--", *command, stdin="typed")
    assert (done.code, done.out, done.err.splitlines()[0]) == (7, "typed", "bad")


def test_logs_and_attach(place: Place, kubectl: Kubectl) -> None:
    """The main process ticks, and repeats what is typed into it."""
    inside = ("-n", place.namespace)
    with kubectl.follow(place.alice, "logs", *inside, "-f", POD) as log:
        log.wait_for("tick", "3")
        kubectl(place.alice, "attach", *inside, "-i", POD, stdin="typed by hand\n").ok()
        log.wait_for("typed", "by", "hand")


def test_port_forward(place: Place, cluster: Cluster, kubectl: Kubectl) -> None:
    """A port of the pod is one of this machine."""
    port = cluster.plane.url.rpartition(":")[2]
    forwarded = ("port-forward", "-n", place.namespace, POD, f":{port}")
    with kubectl.follow(place.alice, *forwarded) as forward:
        forward.wait_for("Forwarding")
        local = forward.lines[0].split()[2]
        with httpx.Client(verify=cluster.plane.trust) as client:
            assert client.get(f"https://{local}/livez").status_code in (200, 401)


@pytest.mark.parametrize(
    "words", [("exec", POD, "--", "echo", "x"), ("attach", POD), ("logs", POD),
              ("port-forward", POD, ":1")],
)  # fmt: skip
def test_others_are_refused(place: Place, kubectl: Kubectl, words: tuple[str, ...]) -> None:
    """Who is no member is told so by the cluster."""
    done = kubectl(place.newbie, "-n", place.namespace, *words)
    assert done.code != 0
    assert "forbidden" in done.err.lower()


@pytest.mark.parametrize(
    ("role", "words", "shown"),
    [
        (OWNER, ("exec", POD, "--", "sh", "-c", "echo here; exec sleep 30"), "here"),
        (OWNER, ("attach", POD), "tick"),
        (READER, ("logs", "-f", POD), "tick"),
    ],
)
def test_what_is_open_ends_with_the_right(
    place: Place, kubectl: Kubectl, role: str, words: tuple[str, ...], shown: str
) -> None:
    """A removed member's session and log end within five seconds."""
    leaver = place.world.user("leaver-" + words[0])
    binding = place.world.member(role, place.namespace, leaver)
    with kubectl.follow(leaver, "-n", place.namespace, *words) as follow:
        follow.wait_for(shown)
        assert not follow.ended
        place.world.remove(binding)
        removed = time.monotonic()
        wait_until(lambda: follow.ended, ENDS_SECONDS)
        assert time.monotonic() - removed < ENDS_SECONDS
