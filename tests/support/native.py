"""A cluster with llmos in it, and people who go to its API server without the proxy.

They are impersonated by the cluster's own administrator: what arrives is the same as with a
certificate or a token that carries exactly their name and groups. The platform's controllers run
as they do in the proxy, under their own account.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.installing import install
from support.objects import Object, member, namespace, subject
from support.resources import at
from support.session import Session
from support.waiting import wait_until

USERS, ADMINS = "llmos:users", "llmos:admins"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/llmos-system/leases/llmos-controllers"
TOKEN = "/api/v1/namespaces/llmos-system/serviceaccounts/llmos-proxy/token"


@dataclass(eq=False)
class Impersonated(Session):
    """Somebody by name and groups."""

    groups: tuple[str, ...] = ()

    @property
    def http(self) -> httpx.Client:
        """A connection pool on which every request is his."""
        if self._http is None:
            self._http = self.engine.client(self.token)
            headers = [*self._http.headers.multi_items(), ("Impersonate-User", self.name)]
            headers += [("Impersonate-Group", each) for each in self.groups]
            self._http.headers = httpx.Headers(headers)
        return self._http


@dataclass(eq=False)
class Native:
    """The cluster and its people."""

    plane: ControlPlane
    root: Session
    """The cluster's own administrator."""
    people: dict[str, Impersonated] = field(default_factory=dict)

    def person(self, name: str, *groups: str) -> Impersonated:
        """Somebody who has a credential of the cluster that names him so."""
        made = Impersonated(name, ADMIN_TOKEN, self.plane, groups=groups)
        self.people[name] = made
        return made

    def make(self, path: str, obj: Object) -> Object:
        """Create as the cluster's administrator."""
        answer = self.root.create(path, obj)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def bind(self, name: str, role: str, where: str, who: Object) -> None:
        """Give somebody a role, and wait until it is in force."""
        self.make(at("roletemplatebindings"), member(name, where, role, who))
        wait_until(lambda: self._in_force(name), 10)

    def _in_force(self, name: str) -> bool:
        found = self.root.get(at("roletemplatebindings", name=name)).json()
        conditions = found.get("status", {}).get("conditions", [])
        return any(each["type"] == "InForce" and each["status"] == "True" for each in conditions)

    def grant_cluster(self, name: str, role: str, kind: str, who: str) -> None:
        """Bind a ClusterRole as an operator does, without llmos."""
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": role,
            },
            "subjects": [subject(who, kind)],
        }
        self.make(at("clusterrolebindings"), binding)

    @staticmethod
    def clock_tick() -> None:
        """Let a second begin: times of creation know no less."""
        time.sleep(1.1)

    def admin_is_known(self) -> None:
        """Wait until the status of the first user says that he is an administrator."""
        path = at("users", name="admin")
        wait_until(lambda: self.root.get(path).json().get("status", {}).get("isAdmin"), 10)

    def gone(self, path: str, seconds: float = 20) -> None:
        """Wait until there is nothing there."""
        wait_until(lambda: self.root.get(path).status_code == 404, seconds)

    def close(self) -> None:
        """Close all connections."""
        for each in (self.root, *self.people.values()):
            each.close()


@contextmanager
def running_controllers(plane: ControlPlane, root: Session) -> Iterator[None]:
    """Run the platform's controllers: in a proxy, under the accounts that it has in production."""
    token = root.create(TOKEN, {"spec": {"expirationSeconds": 3600}}).json()["status"]["token"]
    config = plane.session("llmos-proxy", token).kubeconfig(plane.directory)
    log = (plane.directory / "proxy.log").open("ab")
    options = ("--kubeconfig", str(config), "--port", "0", "--tls-cert", "tls.crt", "--tls-key")
    process = subprocess.Popen(
        [sys.executable, "-m", "llmos", "proxy", *options, "tls.key"],
        cwd=plane.directory,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        wait_until(lambda: _leads(root), 30)
        yield
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _leads(root: Session) -> bool:
    """Whether somebody holds the Lease of the controllers."""
    lease = root.get(LEASE)
    return lease.is_success and bool(lease.json()["spec"].get("holderIdentity"))


def people_of(native: Native) -> None:
    """Two teams: alice owns team-a, bob team-b; everybody else is in team-a."""
    root = native.root
    for name in ("team-a", "team-b"):
        native.make(at("namespaces"), namespace(name))
    people = {
        "alice": ("namespace-owner", "team-a"),
        "bob": ("namespace-owner", "team-b"),
        "eddie": ("namespace-editor", "team-a"),
        "vera": ("namespace-readonly", "team-a"),
        "outsider": ("namespace-owner", "team-a"),
    }
    for name, (role, where) in people.items():
        native.person(name, *(() if name == "outsider" else (USERS,)))
        native.bind(f"{name}-{where}", role, where, subject(name))
    native.person("root", USERS, ADMINS)
    native.person("newbie", USERS)
    native.person("system:serviceaccount:team-a:runner")
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "runner", "namespace": "team-a"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "llmos:roletemplate:namespace-owner",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "runner", "namespace": "team-a"}],
    }
    assert root.create(at("rolebindings", "team-a"), binding).status_code == 201


@contextmanager
def native_cluster(directory: Path) -> Iterator[Native]:
    """A control plane with llmos, its controllers and its people."""
    with control_plane(directory, controllers=True) as plane:
        install(plane)
        native = Native(plane, plane.session("admin", ADMIN_TOKEN))
        with running_controllers(plane, native.root):
            people_of(native)
            yield native
        native.close()
