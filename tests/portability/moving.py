"""A server with something of everything in it, and the command that moves it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.objects import Object
from support.server import ADMIN_PASSWORD, RunningServer
from support.waiting import wait_until

SECONDS = 120
ALICE, BOB = "alices-own-password", "bobs-own-password"
MANAGEMENT = "/apis/management.llmos.ai/v1"
TEAM = "/api/v1/namespaces/team-a"


def llmos(kubeconfig: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command to its end, in the name of whom the kubeconfig is."""
    environment = {key: each for key, each in os.environ.items() if not key.startswith("LLMOS_")}
    return subprocess.run(
        [sys.executable, "-m", "llmos", *arguments, "--kubeconfig", str(kubeconfig)],
        input=stdin,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def export(kubeconfig: Path, file: Path) -> list[Object]:
    """Export; the documents."""
    done = llmos(kubeconfig, "export", "-f", str(file))
    assert done.returncode == 0, done.stderr
    return documents(file)


def documents(file: Path) -> list[Object]:
    """What is in a file, without its header and its end."""
    return [json.loads(line) for line in file.read_text().splitlines()[1:-1]]


def write(file: Path, objects: list[Object]) -> Path:
    """A file as an export writes it."""
    import asyncio

    from llmos.portability import stream

    async def each() -> Any:
        for one in objects:
            yield one

    with file.open("wb") as out:
        asyncio.run(stream.write(each(), out))
    return file


KINDS = {
    "users": "User",
    "roletemplates": "RoleTemplate",
    "globalroles": "GlobalRole",
    "roletemplatebindings": "RoleTemplateBinding",
    "settings": "Setting",
    "notebooks": "Notebook",
    "widgets": "Widget",
    "customresourcedefinitions": "CustomResourceDefinition",
}


def typed(path: str, obj: Object) -> Object:
    """An object as its kind's collection takes it; built-in kinds need not be named."""
    kind = KINDS.get(path.rpartition("/")[2])
    if kind is None:
        return obj
    group, version = path.split("/")[2:4]
    return {"apiVersion": f"{group}/{version}", "kind": kind, **obj}


@dataclass
class People:
    """Who may do what on a server, seen from outside."""

    server: Any

    def login(self, username: str, password: str) -> httpx.Client:
        """Somebody who signed in."""
        return self.server.client(self.server.login(username, password))

    def may(self, who: httpx.Client, path: str) -> bool:
        """Whether a GET is answered."""
        status = who.get(path).status_code
        assert status in (200, 403), status
        return status == 200


def fill(server: RunningServer) -> str:
    """Make something of everything; alice's API token."""
    with server.client(server.login("admin", ADMIN_PASSWORD)) as admin:

        def create(path: str, **obj: Any) -> Object:
            answer = admin.post(path, json=typed(path, obj))
            assert answer.status_code == 201, answer.text
            return answer.json()

        def named(name: str, **more: Any) -> Object:
            return {"name": name, **more}

        _people(create, named)
        _definitions(create, named)
        space = {"annotations": {"kubernetes.io/description": "A"}, "labels": {"team": "a"}}
        create("/api/v1/namespaces", metadata=named("team-a", **space))
        create("/api/v1/namespaces", metadata=named("team-b"))
        _content(create, named)
        _workloads(create, named, admin)
        _owned(create, named, admin)
        _bindings(create, named)
        wait_until(lambda: _judged(admin), 20)
        answer = admin.delete(f"{MANAGEMENT}/users/gone")
        assert answer.status_code == 200
        with server.client(server.login("alice", ALICE)) as alice:
            made = alice.post("/auth/tokens", json={"ttlSeconds": 3600, "description": "robot"})
            assert made.status_code == 201, made.text
            return str(made.json()["token"])


def _judged(admin: httpx.Client) -> bool:
    items = admin.get(f"{MANAGEMENT}/roletemplatebindings").json()["items"]
    return all((each.get("status") or {}).get("conditions") for each in items)


def _people(create: Any, named: Any) -> None:
    for name, password, groups in (
        ("alice", ALICE, []),
        ("bob", BOB, ["vision"]),
        ("carol", "carols-own-password", []),
        ("gone", "nobodys-own-password", []),
    ):
        spec = {"username": name, "password": password, "groups": groups}
        create(f"{MANAGEMENT}/users", metadata=named(name), spec=spec)
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    create(f"{MANAGEMENT}/roletemplates", metadata=named("reader"), spec={}, rules=rules)
    # Whoever is new gets it; those who were there before it have not got it.
    nodes = [{"apiGroups": [""], "resources": ["events"], "verbs": ["list"]}]
    spec = {"newUserDefault": True}
    create(f"{MANAGEMENT}/globalroles", metadata=named("watcher"), spec=spec, rules=nodes)
    create(f"{MANAGEMENT}/settings", metadata=named("banner"), value="hello")


def _definitions(create: Any, named: Any) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    for plural, kind in (("widgets", "Widget"), ("unused", "Unused")):
        version = {"name": "v1", "served": True, "storage": True}
        version["schema"] = {"openAPIV3Schema": schema}
        spec = {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind, "singular": kind.lower()},
            "versions": [version],
        }
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        create(path, metadata=named(f"{plural}.example.com"), spec=spec)


POD = {"containers": [{"name": "c", "image": "example.com/x:1"}]}
LABELS = {"app": "x"}


def _content(create: Any, named: Any) -> None:
    create(f"{TEAM}/resourcequotas", metadata=named("q"), spec={"hard": {"configmaps": "9"}})
    limit = {"type": "Container", "default": {"memory": "1Gi"}}
    create(f"{TEAM}/limitranges", metadata=named("l"), spec={"limits": [limit]})
    create(f"{TEAM}/configmaps", metadata=named("c"), data={"a": "b"})
    create(f"{TEAM}/secrets", metadata=named("s"), stringData={"key": "hush-hush"})
    create(f"{TEAM}/serviceaccounts", metadata=named("robot"))
    create(
        f"{TEAM}/services",
        metadata=named("svc"),
        spec={"selector": LABELS, "ports": [{"port": 80}]},
    )
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    create(f"{TEAM}/persistentvolumeclaims", metadata=named("pvc"), spec=claim)
    create(f"{TEAM}/pods", metadata=named("bare"), spec=POD)


def _workloads(create: Any, named: Any, admin: httpx.Client) -> None:
    template = {"metadata": {"labels": LABELS}, "spec": POD}
    apps = TEAM.replace("/api/v1", "/apis/apps/v1")
    spec = {"selector": {"matchLabels": LABELS}, "template": template, "replicas": 0}
    create(f"{apps}/deployments", metadata=named("d"), spec=spec)
    jobs = TEAM.replace("/api/v1", "/apis/batch/v1") + "/jobs"
    job = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
    create(jobs, metadata=named("j"), spec={**job, "suspend": True})
    create(jobs, metadata=named("done"), spec=job)
    done = [
        {"type": "Complete", "status": "True"},
        {"type": "SuccessCriteriaMet", "status": "True"},
    ]
    times = {"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z"}
    status = {"conditions": done, "succeeded": 1, **times}
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = admin.patch(f"{jobs}/done/status", json={"status": status}, headers=headers)
    assert answer.status_code == 200, answer.text


def _owned(create: Any, named: Any, admin: httpx.Client) -> None:
    ml = TEAM.replace("/api/v1", "/apis/ml.llmos.ai/v1")
    notebook = create(f"{ml}/notebooks", metadata=named("n"), spec={"template": {"spec": POD}})
    widgets = TEAM.replace("/api/v1", "/apis/example.com/v1") + "/widgets"
    wait_until(lambda: admin.get(widgets).status_code == 200, 10)
    create(widgets, metadata=named("w"), spec={"size": 3})
    owner = {"apiVersion": "ml.llmos.ai/v1", "kind": "Notebook", "name": "n"}
    owner["uid"] = notebook["metadata"]["uid"]
    create(f"{TEAM}/configmaps", metadata=named("owned", ownerReferences=[owner]))
    made = {**owner, "controller": True}
    create(f"{TEAM}/configmaps", metadata=named("made-again", ownerReferences=[made]))


def _bindings(create: Any, named: Any) -> None:
    for name, role, subject, space in (
        ("a-alice", "namespace-owner", ("User", "alice"), "team-a"),
        ("a-vision", "namespace-editor", ("Group", "vision"), "team-a"),
        ("b-alice", "reader", ("User", "alice"), "team-b"),
        ("a-gone", "namespace-owner", ("User", "gone"), "team-a"),
    ):
        create(
            f"{MANAGEMENT}/roletemplatebindings",
            metadata=named(name),
            roleTemplateRef={
                "apiGroup": "management.llmos.ai",
                "kind": "RoleTemplate",
                "name": role,
            },
            subjects=[{"kind": subject[0], "name": subject[1]}],
            namespaceId=space,
        )


def has_rights(server: Any, token: str) -> None:
    """Everybody may do what he could, with what he signed in with, and no more."""
    people = People(server)
    alice, bob = people.login("alice", ALICE), people.login("bob", BOB)
    carol, robot = people.login("carol", "carols-own-password"), server.client(token)
    secrets, maps = f"{TEAM}/secrets/s", "/api/v1/namespaces/team-b/configmaps"
    wait_until(lambda: people.may(alice, secrets) and people.may(bob, secrets), 20)
    wait_until(lambda: people.may(alice, maps), 20)
    assert people.may(robot, secrets)
    assert not people.may(bob, maps)
    assert not people.may(carol, secrets)
    # What new users begin with is not given to those who had it not.
    time.sleep(0.5)
    for each in (alice, bob, carol):
        assert not people.may(each, "/api/v1/namespaces/kube-system/events")
    for each in (alice, bob, carol, robot):
        each.close()
