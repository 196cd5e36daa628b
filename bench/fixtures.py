"""What is there before anything is measured: namespaces, alice's role in them, objects.

All of it is made through the API. An object is a ConfigMap of about 1.1 KB with its metadata.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench.client import Client
from bench.engines import Endpoint
from bench.generator import Generator, Job

NAMESPACES = "/api/v1/namespaces"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
READS, SMALL, LARGE, PATCHED, WRITES, WATCHED = (
    f"bench-{each}" for each in ("reads", "1k", "10k", "patched", "writes", "watched")
)
_STEP = 10_000_000
_ROLE = "bench-editor"
_NUMBERS = count(_STEP, _STEP)


def configmaps(namespace: str, name: str = "") -> str:
    """The path of ConfigMaps, or of one."""
    path = f"{NAMESPACES}/{namespace}/configmaps"
    return f"{path}/{name}" if name else path


def fresh() -> int:
    """A number after which none is used yet, for the names of a run."""
    return next(_NUMBERS)


@dataclass(frozen=True, slots=True)
class Bodies:
    """The request bodies, as files for the generator."""

    directory: Path
    configmap: str = field(init=False)
    patch: str = field(init=False)
    review: str = field(init=False)
    namespace: str = field(init=False)

    def __post_init__(self) -> None:
        for name, value in _bodies().items():
            path = self.directory / f"{name}.json"
            path.write_text(json.dumps(value, separators=(",", ":")))
            object.__setattr__(self, name, str(path))


def _bodies() -> dict[str, object]:
    data = {"ts": "{t}", "config": "{x}", "note": "what somebody wrote about it " * 4}
    asked = {"namespace": READS, "verb": "get", "resource": "configmaps", "name": "cm-1"}
    return {
        "configmap": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "cm-{i}", "labels": {"app": "bench"}},
            "data": data,
        },
        "patch": {"data": {"ts": "{t}", "note": "what somebody else wrote about it"}},
        "review": {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        },
        "namespace": {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "bench-{i}"},
        },
    }


def configmap(name: str) -> dict[str, object]:
    """A small ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"key": "value"},
    }


def namespace(name: str) -> dict[str, object]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def role_binding(name: str) -> dict[str, object]:
    """A RoleBinding that makes alice an editor."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "subjects": [{"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"kind": "ClusterRole", "name": _ROLE, "apiGroup": "rbac.authorization.k8s.io"},
    }


def make_role(endpoint: Endpoint) -> None:
    """Make the role that alice gets in namespaces."""
    verbs = ["get", "list", "watch", "create", "update", "patch", "delete"]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _ROLE},
        "rules": [{"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": verbs}],
    }
    with Client(endpoint, "admin") as client:
        client.create(f"{RBAC}/clusterroles", role)


def make_namespaces(endpoint: Endpoint, names: Iterable[str]) -> None:
    """Make namespaces in which alice is an editor."""
    with Client(endpoint, "admin") as client:
        for name in names:
            client.create(NAMESPACES, namespace(name))
            client.create(f"{RBAC}/namespaces/{name}/rolebindings", role_binding("alice"))


@dataclass(frozen=True, slots=True)
class Filler:
    """Makes many objects, by the load generator."""

    endpoint: Endpoint
    generator: Generator
    bodies: Bodies

    def configmaps(self, name: str, number: int) -> None:
        """Make ConfigMaps ``cm-0``, ``cm-1`` … in a namespace."""
        self._fill(configmaps(name), self.bodies.configmap, number, 0)

    def namespaces(self, number: int) -> None:
        """Make so many more namespaces."""
        self._fill(NAMESPACES, self.bodies.namespace, number, fresh())

    def _fill(self, path: str, body: str, number: int, start: int) -> None:
        job = Job(
            path=path, user="admin", method="POST", body=body, expect=201, connections=16,
            count=number, start=start,
        )  # fmt: skip
        self.generator.run(self.endpoint, job)


def prepare(filler: Filler, groups: Sequence[str]) -> None:
    """Make what the operations of some groups need."""
    make_role(filler.endpoint)
    make_namespaces(filler.endpoint, (READS, SMALL, LARGE, PATCHED, WRITES, WATCHED))
    filler.configmaps(READS, 10)
    if "list" in groups:
        filler.configmaps(SMALL, 1_000)
        filler.configmaps(LARGE, 10_000)
    if "patch" in groups:
        filler.configmaps(PATCHED, 1_000)
