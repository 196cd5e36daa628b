"""An operator made with kopf: it reconciles, and survives its own restarts and the server's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clients.modules import needed
from llmos.testing.server import Server, ServerError
from support.waiting import wait_until

pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.timeout(300)]
GROUP = "kopf.example.com"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
GADGETS = f"/apis/{GROUP}/v1/namespaces/default/gadgets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SECONDS = 60
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"gadgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": SCHEMA},
            }
        ],
    },
}


class Cluster:
    """A server with the operator's kind on it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def get(self, path: str) -> dict[str, Any] | None:
        """What is at a path; None: nothing."""
        try:
            return self.server.request("GET", path)
        except ServerError as error:
            if error.status != 404:
                raise
            return None

    def make(self, name: str, size: int) -> None:
        """Create a Gadget."""
        gadget = {
            "apiVersion": f"{GROUP}/v1",
            "kind": "Gadget",
            "metadata": {"name": name},
            "spec": {"size": size},
        }
        self.server.request("POST", GADGETS, gadget)

    def resize(self, name: str, size: int) -> None:
        """Change a Gadget; the operator may be changing it too."""

        def put() -> bool:
            gadget = self.server.request("GET", f"{GADGETS}/{name}")
            gadget["spec"]["size"] = size
            try:
                self.server.request("PUT", f"{GADGETS}/{name}", gadget)
            except ServerError as error:
                if error.status != 409:
                    raise
                return False
            return True

        wait_until(put, 10)

    def sized(self, name: str, size: int) -> None:
        """Wait until the operator has brought the child up to this size."""
        wait_until(
            lambda: (self.get(f"{CONFIG_MAPS}/{name}") or {}).get("data") == {"size": str(size)},
            SECONDS,
        )

    def settled(self, name: str) -> dict[str, Any]:
        """Wait until the operator has written down what it did; the Gadget."""
        return wait_until(lambda: self._settled(name), SECONDS)

    def _settled(self, name: str) -> dict[str, Any] | None:
        gadget = self.get(f"{GADGETS}/{name}") or {}
        notes = gadget["metadata"].get("annotations", {}) if gadget else {}
        done = "kopf.zalando.org/last-handled-configuration" in notes
        return gadget if done and gadget.get("status") else None


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """The server, with the kind that the operator handles."""
    needed("kopf")
    server = Server(tmp_path)
    server.start()
    server.request("POST", CRDS, CRD)
    made = Cluster(server)
    wait_until(lambda: made.get(GADGETS), SECONDS)
    yield made
    server.stop()


@contextmanager
def operator(server: Server) -> Iterator["subprocess.Popen[bytes]"]:
    """The operator, for the length of a block."""
    script = Path(__file__).with_name("kopf_operator.py")
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "-n", "default", str(script)]
    log = server.directory / "operator.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env={**os.environ, "KUBECONFIG": str(server.kubeconfig)},
        )
    try:
        yield process
        assert process.poll() is None, log.read_text()[-3000:]
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_life_of_a_gadget(cluster: Cluster) -> None:
    """Created, resized and deleted: child, status, event and finalizer, as the operator says."""
    with operator(cluster.server):
        cluster.make("g", 1)
        cluster.sized("g", 1)
        gadget = cluster.settled("g")
        assert gadget["status"]["created"] == {"child": "g", "size": 1}
        assert gadget["metadata"]["finalizers"] == [f"{GROUP}/operator"]
        wait_until(lambda: "Made" in reasons(cluster), SECONDS)

        cluster.resize("g", 2)
        cluster.sized("g", 2)
        wait_until(lambda: cluster.settled("g")["status"].get("resized") == 2, SECONDS)

        cluster.server.request("DELETE", f"{GADGETS}/g")
        wait_until(lambda: cluster.get(f"{GADGETS}/g") is None, SECONDS)
        assert cluster.get(f"{CONFIG_MAPS}/farewell-g")
        wait_until(lambda: cluster.get(f"{CONFIG_MAPS}/g") is None, SECONDS)


def reasons(cluster: Cluster) -> set[str]:
    """The reasons of all events."""
    events = cluster.server.request("GET", "/api/v1/namespaces/default/events")["items"]
    return {each["reason"] for each in events}


def test_restarts(cluster: Cluster) -> None:
    """What changes while the operator or the server is away is reconciled afterwards."""
    with operator(cluster.server):
        cluster.make("g", 1)
        cluster.settled("g")
    cluster.resize("g", 2)
    cluster.make("h", 5)
    cluster.server.request("DELETE", f"{GADGETS}/g")
    with operator(cluster.server):
        cluster.sized("h", 5)
        cluster.settled("h")
        wait_until(lambda: cluster.get(f"{GADGETS}/g") is None, SECONDS)
        cluster.server.restart()
        cluster.resize("h", 6)
        cluster.sized("h", 6)
        cluster.server.kill()
        cluster.server.start()
        cluster.resize("h", 7)
        cluster.sized("h", 7)
