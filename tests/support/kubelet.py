"""A node with pods whose exec, attach, port-forward and logs work: ``tests/cluster/kubelet``.

The processes of a pod are this machine's, so tests run only what they wrote themselves.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.controlplane import ControlPlane
from support.controlplane_binaries import find_kubelet
from support.objects import Object
from support.required import missing
from support.session import JSON_PATCH, MERGE_PATCH, Session

CONTAINER = "main"


@dataclass(frozen=True)
class Node:
    """A node whose kubelet answers."""

    name: str
    root: Session
    """Who may do everything in the cluster."""

    def pod(self, namespace: str, name: str) -> None:
        """A running pod."""
        pods = f"/api/v1/namespaces/{namespace}/pods"
        made = self.root.create(pods, _pod(name, self.name))
        assert made.status_code == 201, made.text
        said = self.root.patch(f"{pods}/{name}/status", {"status": _running()}, MERGE_PATCH)
        assert said.status_code == 200, said.text


@contextmanager
def node(plane: ControlPlane, root: Session, name: str = "node-one") -> Iterator[Node]:
    """A node for the length of a block."""
    program = find_kubelet()
    if program is None:
        missing("cluster", "there is no kubelet; make cluster-tools builds one")
    with (
        plane.log("kubelet").open("ab") as log,
        subprocess.Popen(
            [program, "--tls-cert-file=tls.crt", "--tls-private-key-file=tls.key"],
            cwd=plane.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            _register(root, name, int(process.stdout.readline()))
            yield Node(name, root)
            assert process.poll() is None, plane.log("kubelet").read_text()
        finally:
            process.kill()


def _register(root: Session, name: str, port: int) -> None:
    made = root.create("/api/v1/nodes", {"metadata": {"name": name}})
    assert made.status_code == 201, made.text
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
    }
    said = root.patch(f"/api/v1/nodes/{name}/status", {"status": status}, MERGE_PATCH)
    assert said.status_code == 200, said.text
    # The controllers taint a node while it is new.
    root.patch(
        f"/api/v1/nodes/{name}", [{"op": "add", "path": "/spec/taints", "value": []}], JSON_PATCH
    )


def _pod(name: str, where: str) -> Object:
    return {
        "metadata": {"name": name},
        "spec": {
            "nodeName": where,
            "containers": [{"name": CONTAINER, "image": "none"}],
            # Nobody sends heartbeats, and the pod stays for all that.
            "tolerations": [{"operator": "Exists"}],
        },
    }


def _running() -> Object:
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {
                "name": CONTAINER,
                "ready": True,
                "image": "none",
                "imageID": "none",
                "restartCount": 0,
                "state": {"running": {}},
            }
        ],
    }
