"""The data path before a real kube-apiserver, with the clients that people use."""

import asyncio
import gzip
import json
import random
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from llmos.apis.authentication_v1 import UserInfo
from llmos.client.config import Config
from proxy.front import Running, running
from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.engine import Engine
from support.kubectl import Kubectl
from support.objects import config_map, namespace
from support.session import Session
from support.waiting import wait_until
from support.websocket import PROTOCOL, token_protocol, watch_path, websocket

pytestmark = pytest.mark.slow
CM = "/api/v1/namespaces/team-a/configmaps"
REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
EXTRA = {"authentication.kubernetes.io/pod-name": ("p",), "Scopes/é": ("a b", "c")}
PEOPLE = {
    "alice": UserInfo("alice", "alice-uid", ("devs", "a,system:masters"), EXTRA),
    "bob": UserInfo("bob"),
    "robot": UserInfo("system:serviceaccount:team-a:robot", "", ("system:authenticated",)),
    "anonymous": UserInfo("system:anonymous", "", ("system:unauthenticated",)),
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "devs"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "cluster-admin",
    },
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "devs"}],
}


@dataclass
class Site:
    """A cluster, and the proxy before it."""

    plane: ControlPlane
    proxy: Running

    def session(self, name: str) -> Session:
        """Somebody who goes through the proxy."""
        return Session(name, name, Engine(self.proxy.url, self.proxy.ca_file, ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A namespace of which alice's group may do everything."""
    directory = tmp_path_factory.mktemp("real")
    with control_plane(directory / "plane") as plane:
        root = plane.session("admin", ADMIN_TOKEN)
        assert root.create("/api/v1/namespaces", namespace("team-a")).status_code == 201
        path = "/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/rolebindings"
        assert root.create(path, BINDING).status_code == 201
        root.close()
        config = Config(plane.url, token=ADMIN_TOKEN, ca_pem=plane.ca_file.read_text())
        with running(lambda anew: config, directory, PEOPLE) as proxy:
            yield Site(plane, proxy)


@pytest.fixture
def alice(site: Site) -> Iterator[Session]:
    """A member."""
    session = site.session("alice")
    yield session
    session.close()


@pytest.mark.parametrize("who", ["alice", "bob", "robot"])
def test_the_cluster_knows_exactly_who_asks(site: Site, who: str) -> None:
    """Name, uid, groups and extra values, as the cluster itself sees them."""
    session = site.session(who)
    user = PEOPLE[who]
    seen = session.create(REVIEWS, REVIEW).json()["status"]["userInfo"]
    assert (seen["username"], seen.get("uid", "")) == (user.name, user.uid)
    assert set(user.groups) <= set(seen["groups"])
    assert set(seen["groups"]) - set(user.groups) <= {
        "system:authenticated", "system:serviceaccounts", "system:serviceaccounts:team-a",
    }  # fmt: skip
    assert seen.get("extra", {}) == {key: list(values) for key, values in user.extra.items()}
    session.close()


def test_the_cluster_refuses_in_its_own_words(site: Site) -> None:
    """Who has no rights there has none here, and hears whom it was that asked."""
    for who in ("bob", "anonymous"):
        session = site.session(who)
        answer = session.get(CM)
        assert answer.status_code == 403
        assert f'User "{PEOPLE[who].name}" cannot list' in answer.json()["message"]
        session.close()


def test_an_object_lives(alice: Session) -> None:
    """Create, read, update, patch, apply, delete."""
    path = f"{CM}/one"
    assert alice.create(CM, config_map("one")).status_code == 201
    assert alice.create(CM, config_map("one")).status_code == 409
    read = alice.get(path).json()
    assert alice.update(path, {**read, "data": {"a": "1"}}).json()["data"] == {"a": "1"}
    assert alice.update(path, read).status_code == 409
    assert alice.patch(path, {"data": {"b": "2"}}).json()["data"] == {"a": "1", "b": "2"}
    applied = alice.apply(path, {**config_map("one"), "data": {"c": "3"}}, force="true")
    assert applied.json()["data"]["c"] == "3"
    assert alice.delete(path).status_code == 200
    assert alice.get(path).status_code == 404


def test_a_long_list_is_the_same_as_without_the_proxy(site: Site, alice: Session) -> None:
    """Byte by byte, packed or not, in every format."""
    root = site.plane.session("admin", ADMIN_TOKEN)
    for number in range(60):
        made = {**config_map(f"long-{number}"), "data": {"text": "some words " * 1500}}
        assert root.create(CM, made).status_code == 201
    for headers in (
        {"Accept": "application/json"},
        {"Accept": "application/json", "Accept-Encoding": "gzip"},
        {"Accept": "application/vnd.kubernetes.protobuf"},
        {"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"},
        {"Accept": "application/yaml"},
    ):
        bodies = []
        for session in (root, alice):
            with session.http.stream("GET", CM, headers=headers) as answer:
                assert answer.status_code == 200
                raw = b"".join(answer.iter_raw())
                packed = answer.headers.get("content-encoding") == "gzip"
                bodies.append((packed, gzip.decompress(raw) if packed else raw))
        assert bodies[0] == bodies[1]
    root.close()


def test_pages(alice: Session) -> None:
    """A continue token goes there and back as it is."""
    for number in range(10):
        assert alice.create(CM, config_map(f"page-{number}")).status_code == 201
    names, token = [], ""
    while True:
        page = alice.get(CM, limit="7", **({"continue": token} if token else {})).json()
        names += [each["metadata"]["name"] for each in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert len(names) >= 10
    assert sorted(names) == sorted(alice.names(CM))


def test_a_watch_tells_at_once(alice: Session) -> None:
    """Every change, while it is open."""
    assert alice.create(CM, config_map("there")).status_code == 201
    with alice.watch(CM, resourceVersion="0") as watch:
        watch.wait_for("ADDED", "there", 20)
        began = time.monotonic()
        alice.create(CM, config_map("watched"))
        watch.wait_for("ADDED", "watched")
        assert time.monotonic() - began < 1
        alice.delete(f"{CM}/watched")
        watch.wait_for("DELETED", "watched")


def test_a_watch_ends_with_the_rights(site: Site) -> None:
    """Within seconds."""
    front, loop = site.proxy.front, site.proxy.loop
    session = site.session("robot")
    root = site.plane.session("admin", ADMIN_TOKEN)
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/rolebindings"
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "team-a"}
    binding = {**BINDING, "metadata": {"name": "robot"}, "subjects": [subject]}
    assert root.create(path, binding).status_code == 201
    name = PEOPLE["robot"].name
    try:
        with session.http.stream("GET", CM, params={"watch": "1"}) as answer:
            assert answer.status_code == 200
            front.refused.add(name)
            loop.call_soon_threadsafe(front.streams.rights_changed)
            began = time.monotonic()
            # Amid an event, too: nobody takes a part for the whole.
            with suppress(httpx.RemoteProtocolError):
                for _ in answer.iter_raw():
                    pass
            assert time.monotonic() - began < 5
    finally:
        front.refused.discard(name)
        session.close()
        root.close()


def test_a_watch_over_a_websocket(site: Site, alice: Session) -> None:
    """The token comes as a subprotocol; the cluster speaks with the browser itself."""
    protocols = (token_protocol("alice"), PROTOCOL)
    target, engine = watch_path(CM, resourceVersion="0"), alice.engine
    with websocket(engine, target, protocols) as refused:
        assert refused.status == 403
    with websocket(engine, target, protocols, Origin=engine.url) as opened:
        assert opened.status == 101
        assert opened.headers["sec-websocket-protocol"] == PROTOCOL
        alice.create(CM, config_map("socket"))
        opened.until("ADDED", "socket")
        front = site.proxy.front
        front.refused.add("alice")
        try:
            site.proxy.loop.call_soon_threadsafe(front.streams.rights_changed)
            assert opened.close_code() == 1006
        finally:
            front.refused.discard("alice")
    alice.delete(f"{CM}/socket")


def test_answers_belong_to_their_askers(site: Site) -> None:
    """Two users on many connections, some of which break off: nobody hears another's name."""
    context = ssl.create_default_context(cafile=str(site.proxy.ca_file))
    chance = random.Random(7)

    async def ask(number: int) -> None:
        async with httpx.AsyncClient(base_url=site.proxy.url, verify=context) as client:
            for _ in range(40):
                who = chance.choice(("alice", "bob"))
                headers = {"Authorization": f"Bearer {who}"}
                if chance.random() < 0.2:
                    async with client.stream("POST", REVIEWS, json=REVIEW, headers=headers):
                        continue
                answer = await client.post(REVIEWS, json=REVIEW, headers=headers)
                assert answer.json()["status"]["userInfo"]["username"] == who

    async def all_of_them() -> None:
        await asyncio.gather(*map(ask, range(12)))

    asyncio.run(all_of_them())


def test_kubectl(kubectl: Kubectl, site: Site, alice: Session, tmp_path: Path) -> None:
    """As people use it."""
    manifest = tmp_path / "cm.yaml"
    manifest.write_text(json.dumps(config_map("from-kubectl")))
    run = partial(kubectl, alice, namespace="team-a")
    assert "created" in run("apply", "-f", str(manifest)).ok()
    assert "from-kubectl" in run("get", "configmaps").column()
    with kubectl.follow(alice, "get", "configmaps", "-w", "--no-headers", namespace="team-a") as f:
        f.wait_for("from-kubectl")
        run("create", "configmap", "later").ok()
        f.wait_for("later")
    assert (
        "apply"
        in run("get", "configmap", "from-kubectl", "-o", "yaml", "--show-managed-fields").ok()
    )
    assert "yes" in run("auth", "can-i", "create", "pods").ok()
    run("delete", "configmap", "from-kubectl", "later").ok()
    assert "alice" in run("auth", "whoami").ok()
    run("get", "secrets", "-n", "kube-system").refused("Forbidden", "alice")


def test_a_killed_cluster_comes_back(site: Site, alice: Session) -> None:
    """While it is away 503 at once; then all is well, and nothing was done twice."""
    for number in range(2):
        site.plane.processes["kube-apiserver"].kill()
        site.plane.processes["kube-apiserver"].wait()
        wait_until(lambda: alice.get(CM).status_code == 503, 2)
        began = time.monotonic()
        refused = alice.create(CM, config_map(f"after-{number}"))
        assert refused.status_code == 503
        assert time.monotonic() - began < 1
        site.plane.start_again("kube-apiserver")
        site.plane.wait_for("/readyz", time.monotonic() + 30)
        wait_until(lambda: alice.get(CM).status_code == 200, 2)
        assert alice.create(CM, config_map(f"after-{number}")).status_code == 201
