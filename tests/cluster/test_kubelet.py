"""What the tests of exec, attach, port-forward and logs stand on works without a proxy."""

from collections.abc import Iterator

import httpx
import pytest

from support.controlplane import ControlPlane
from support.kubectl import Kubectl
from support.kubelet import node
from support.session import Session


@pytest.fixture(scope="module")
def pod(plane: ControlPlane, operator: Session) -> Iterator[str]:
    """A running pod in the namespace ``default``."""
    with node(plane, operator) as made:
        made.pod("default", "one")
        yield "one"


def test_exec(pod: str, operator: Session, kubectl: Kubectl) -> None:
    """What a process prints, what it is told and how it ends."""
    assert kubectl(operator, "exec", pod, "--", "echo", "hello").ok() == "hello\n"
    command = ("sh", "-c", "cat; echo bad >&2; exit 7")
    done = kubectl(operator, "exec", "-i", pod, "--", *command, stdin="typed")
    assert (done.code, done.out, done.err.splitlines()[0]) == (7, "typed", "bad")


def test_logs_and_attach(pod: str, operator: Session, kubectl: Kubectl) -> None:
    """The main process ticks, and repeats what is typed into it."""
    with kubectl.follow(operator, "logs", "-f", pod) as log:
        log.wait_for("tick", "3")
        kubectl(operator, "attach", "-i", pod, stdin="typed by hand\n").ok()
        log.wait_for("typed", "by", "hand")


def test_port_forward(pod: str, plane: ControlPlane, operator: Session, kubectl: Kubectl) -> None:
    """A port of the pod is one of this machine."""
    port = plane.url.rpartition(":")[2]
    with kubectl.follow(operator, "port-forward", pod, f":{port}") as forward:
        forward.wait_for("Forwarding")
        local = forward.lines[0].split()[2]
        with httpx.Client(verify=plane.trust) as client:
            assert client.get(f"https://{local}/livez").status_code in (200, 401)
