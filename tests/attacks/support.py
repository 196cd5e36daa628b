"""The world that every attack happens in: who is there, what they must never see, what must stay.

Everybody speaks through an ``Actor``, which sends raw bytes and checks every answer for what is
always also true: no 5xx, no stack trace, no canary of others, an answer within a second.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from attacks.wire import Answer, Pairs, Wire, request_bytes
from support.etcd import Etcd, Row
from support.objects import Object, member, role_binding, subject, user
from support.running import RunningEngine
from support.waiting import wait_until
from support.watching import Watching, watching

NS = "/api/v1/namespaces"
MG = "/apis/management.llmos.ai/v1"
RB = "/apis/rbac.authorization.k8s.io/v1"
SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
JSON = "application/json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
GROUPS = ("llmos:users", "system:authenticated")
"""What everybody is a member of whom the platform knows."""
RESERVED = (
    "kube-node-lease", "kube-public", "kube-system", "llmos-dashboards", "llmos-db-system",
    "llmos-gpu-stakc-system", "llmos-gpu-stack-system", "llmos-monitoring-system", "llmos-system",
    "storage-system", "system-upgrade",
)  # fmt: skip

_NOISE = re.compile(
    r"(leases|masterleases|peerserverleases|events|resourcequotas/quota-[^/]+)/|secrets/llmos-system/login-failures$"
)
"""Keys of a cluster's store that change while nobody asks it to."""
_ODD_REVISION = re.compile(
    r"strconv\.ParseUint: parsing|resourceVersion should not be set on objects to be created"
)

Key = tuple[str, str, str, str]
"""Group, plural, namespace, name."""


def canary() -> str:
    """A text that nobody guesses and that is easy to find wherever it leaks."""
    return f"CANARY-{secrets.token_hex(8)}"


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{secrets.token_hex(3)}"


def _noise(key: Key) -> bool:
    """What the server writes by itself while nobody asks it to."""
    group, plural, namespace, name = key
    return (
        (
            plural in ("nodes", "events", "leases")
            and namespace in ("", "kube-node-lease", "kube-system", "llmos-system", "default")
        )
        or (plural, namespace, name) == ("secrets", "llmos-system", "login-failures")
        or group == "events.k8s.io"
    )


@dataclass(frozen=True)
class Dump:
    """Every object of every kind, and where the log stood."""

    revision: int
    objects: Mapping[Key, str]


@dataclass
class Actor:
    """Somebody who sends requests, and what he must never get to see."""

    name: str
    world: "World" = field(repr=False)
    token: str = ""
    password: str = ""
    uid: str = ""

    def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        content: str = JSON,
        headers: Pairs = (),
        source: str = "127.0.0.1",
        within: float = 1.0,
    ) -> Answer:
        """Send a request; a body that is not bytes goes as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        pairs = [("Authorization", f"Bearer {self.token}")] if self.token else []
        if data is not None:
            pairs.append(("Content-Type", content))
        return self.send(
            request_bytes(method, target, [*pairs, *headers], data), source=source, within=within
        )

    def status(self, method: str, target: str) -> int:
        """The status of an answer, whose body may go on for ever."""
        pairs = [("Authorization", f"Bearer {self.token}")]
        return self.world.wire.status(request_bytes(method, target, pairs))

    def send(self, data: bytes, *, source: str = "127.0.0.1", within: float = 1.0) -> Answer:
        """Send bytes."""
        busy = self.world.cpu_seconds()
        answer = self.world.wire.send(data, source)
        self.check(answer, data)
        if answer.seconds > within:
            # On a busy machine the wall clock says little: then what counts is the server's work.
            used = self.world.cpu_seconds() - busy
            assert used < within, f"{data[:200]!r}: {answer.seconds:.1f} s"
        return answer

    def check(self, answer: Answer, sent: bytes = b"") -> None:
        """What is always also true of an answer."""
        shown = sent[:200]
        said = f"{shown!r}: {answer.status} {answer.text[:500]}"
        assert answer.status < 500 or self.world.is_of_the_cluster(answer), said
        assert b"Traceback" not in answer.body, f"{shown!r}: a stack trace"
        self.world.look_for_canaries(self.name, str(answer.headers).encode() + answer.body, sent)

    def get(self, target: str, **more: Any) -> Answer:
        """Read."""
        return self.call("GET", target, **more)

    def post(self, target: str, body: Any, **more: Any) -> Answer:
        """Create."""
        return self.call("POST", target, body, **more)

    def put(self, target: str, body: Any, **more: Any) -> Answer:
        """Replace."""
        return self.call("PUT", target, body, **more)

    def delete(self, target: str, body: Any = None, **more: Any) -> Answer:
        """Delete."""
        return self.call("DELETE", target, body, **more)

    def patch(self, target: str, body: Any, content: str = MERGE, **more: Any) -> Answer:
        """Patch; a merge patch unless said otherwise."""
        return self.call("PATCH", target, body, content=content, **more)

    def apply(self, target: str, body: Any, manager: str = "k", force: bool = True) -> Answer:
        """Server-side apply."""
        query = f"fieldManager={manager}" + ("&force=true" if force else "")
        return self.patch(f"{target}?{query}", body, APPLY)

    def json_patch(self, target: str, *operations: Mapping[str, Any]) -> Answer:
        """Apply the operations of a JSON patch."""
        return self.patch(target, list(operations), JSON_PATCH)

    def may(self, verb: str, resource: str, namespace: str = "", **more: str) -> bool:
        """What a SelfSubjectAccessReview says."""
        attributes = {"verb": verb, "resource": resource, "namespace": namespace, **more}
        answer = self.post(SSAR, {"spec": {"resourceAttributes": attributes}})
        assert answer.status == 201, answer.text
        return bool(answer.json()["status"]["allowed"])

    def with_token(self, token: str) -> "Actor":
        """The same person with another token."""
        return Actor(self.name, self.world, token, self.password, self.uid)

    @contextmanager
    def watch(self, path: str, **query: str) -> Iterator[Watching]:
        """The events of a watch, which goes on in the background."""
        with watching(self.world.engine, self.token, path, query) as watch:
            yield watch
        seen = json.dumps(watch.events).encode()
        self.world.look_for_canaries(self.name, seen)

    def new_token(self, ttl: int = 3600) -> dict[str, Any]:
        """An API token: its name, and ``token``."""
        answer = self.post("/auth/tokens", {"ttlSeconds": ttl})
        assert answer.status == 201, answer.text
        return dict(answer.json())


@dataclass
class World:
    """One running engine with the people and namespaces of every case."""

    engine: RunningEngine
    actors: dict[str, Actor] = field(default_factory=dict)
    canaries: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    """Each with the names of those who may see it."""

    def __post_init__(self) -> None:
        self.operator = self.engine.operator
        token = self.engine.login("admin", self.engine.admin_password)
        self.admin = self.engine.client(token)
        self.wire = Wire(self.engine.url, str(self.engine.ca_file))
        self.anonymous = Actor("anonymous", self)
        self._connection = Wire(str(self.operator.base_url), str(self.engine.ca_file)).keep()

    @property
    def on_cluster(self) -> bool:
        """Whether a cluster answers behind a proxy."""
        return self.engine.upstream is not None

    def close(self) -> None:
        """Close what the world keeps open."""
        self._connection.close()
        self.admin.close()

    # What must not happen

    def cpu_seconds(self) -> float:
        """The work of the server so far."""
        times = self.engine.process.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        """The memory of the server."""
        return int(self.engine.process.memory_info().rss)

    def guard(self, text: str, *entitled: str) -> str:
        """Nobody but these may ever see the text."""
        self.canaries.append((text, frozenset(entitled)))
        return text

    def look_for_canaries(self, name: str, seen: bytes, sent: bytes = b"") -> None:
        """Nobody sees what is not his; what he sent himself he may hear again."""
        for text, entitled in self.canaries:
            raw = text.encode()
            if name not in entitled and raw in seen and raw not in sent:
                raise AssertionError(f"{name} saw a canary of {sorted(entitled)}")

    def is_of_the_cluster(self, answer: Answer) -> bool:
        """Whether Kubernetes itself calls it a fault of its own that a revision is none."""
        return (
            self.engine.upstream is not None
            and answer.status == 500
            and _ODD_REVISION.search(answer.text) is not None
        )

    def log(self) -> str:
        """What the server has logged so far."""
        return self.engine.log.read_text()

    # What must stay

    def do(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """A request of the operator, which must succeed; passwords are for the platform to keep."""
        people = path.startswith(f"{MG}/users")
        answer = (self.admin if people else self.operator).request(method, path, json=body, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return orjson.loads(answer.content) if answer.content else None

    def kinds(self) -> list[tuple[str, str, str]]:
        """Group, version and plural of all that can be listed."""
        accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        found = []
        for root in ("/api", "/apis"):
            for group in self.read(root, accept)["items"]:
                version = group["versions"][0]
                found += [
                    (group["metadata"].get("name", ""), version["version"], each["resource"])
                    for each in version["resources"]
                    if "list" in each["verbs"]
                ]
        return found

    def dump(self) -> Dump:
        """Everything that is stored, at a moment when nothing is being written."""
        deadline = time.monotonic() + 15
        while True:
            before, objects = self.revision(), self._objects()
            if self.revision() == before or self.engine.store is not None:
                return Dump(before, objects)
            assert time.monotonic() < deadline, "the server does not come to rest"

    def read(self, path: str, accept: str = JSON) -> Any:
        """A read of the operator on a bare connection: dumps make thousands of them."""
        headers = {"Accept": accept, "Authorization": self.operator.headers["Authorization"]}
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{path}: {answer.status}"
        return orjson.loads(body)

    def revision(self) -> int:
        """Where the log stands."""
        return int(self.read("/api/v1/configmaps?limit=1")["metadata"]["resourceVersion"])

    def _objects(self) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for group, version, plural in self.kinds():
            root = f"/apis/{group}/{version}" if group else f"/api/{version}"
            for each in self.read(f"{root}/{plural}")["items"]:
                meta = each["metadata"]
                key = (group, plural, meta.get("namespace", ""), meta["name"])
                if not _noise(key):
                    found[key] = orjson.dumps(each, option=orjson.OPT_SORT_KEYS).decode()
        return found

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing that happens in the block leaves a trace in the store, not even for a moment."""
        store = self.engine.store
        if store is not None:
            with self._unchanged_in(store):
                yield
            return
        self._come_to_rest(self.revision)
        before = self.dump()
        yield
        after = self.dump()
        _assert_same(before.objects, after.objects)
        if after.revision != before.revision:
            self._assert_no_events(before.revision)

    @contextmanager
    def _unchanged_in(self, store: Etcd) -> Iterator[None]:
        """The same, where the store can be asked itself and its leases are renewed all the time."""
        self._come_to_rest(lambda: _quiet(store.rows()[1]))
        revision, before = store.rows()
        yield
        later, after = store.rows()
        _assert_same(_quiet(before), _quiet(after))
        renewed = [
            after[key].version - (before[key].version if key in before else 0)
            for key in after.keys() - _quiet(after).keys()
        ]
        if later - revision != sum(renewed):
            self._assert_no_events(revision)

    def _come_to_rest(self, state: Callable[[], object]) -> None:
        """Wait until what earlier tests began is over: tokens go a moment after their users."""
        deadline = time.monotonic() + 15
        last = state()
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if (now := state()) == last:
                return
            last = now

    def _assert_no_events(self, revision: int) -> None:
        events = self._events_since(revision)
        assert not events, f"the store has changed meanwhile: {events}"

    def _events_since(self, revision: int) -> list[Any]:
        """What a watch of every kind saw since; only what nobody asked for is left out."""

        def watch(kind: tuple[str, str, str]) -> list[Any]:
            group, version, plural = kind
            root = f"/apis/{group}/{version}" if group else f"/api/{version}"
            path = f"{root}/{plural}?watch=1&timeoutSeconds=1&resourceVersion={revision}"
            lines = self.operator.get(path).text.splitlines()
            events = [json.loads(line) for line in lines]
            assert all(each["type"] != "ERROR" for each in events), events
            keys = [
                (group, plural, meta.get("namespace", ""), meta["name"])
                for meta in (each["object"]["metadata"] for each in events)
            ]
            return [key for key in keys if not _noise(key)]

        with ThreadPoolExecutor(16) as pool:
            return [key for keys in pool.map(watch, self.kinds()) for key in keys]

    # Who is there

    def add_user(self, name: str, **spec: Any) -> Actor:
        """A user with a password, signed in."""
        password = self.guard(canary(), name)
        made = self.do("POST", f"{MG}/users", user(name, password, **spec))
        actor = Actor(name, self, "", password, made["metadata"]["uid"])
        actor.token = self.guard(self.sign_in(name, password), name)
        self.actors[name] = actor
        return actor

    def know_groups(self, name: str, *more: str) -> None:
        """Whatever goes upstream for somebody is to carry the groups of everybody and these."""
        if self.engine.upstream is not None:
            self.engine.upstream.groups[name] = frozenset((*GROUPS, *more))

    def sign_in(self, username: str, password: str) -> str:
        """A session token."""
        return self.engine.login(username, password)

    def throwaway(self, prefix: str = "eve", **spec: Any) -> Actor:
        """A user of one test alone."""
        return self.add_user(unique(prefix), **spec)

    def bind(self, name: str, role: str, who: str, namespace: str = "") -> Object:
        """A RoleTemplateBinding, in force."""
        body = member(name, namespace, role, subject(who))
        self.do("POST", f"{MG}/roletemplatebindings", body)
        return wait_until(lambda: self._in_force(name), 10)

    def _in_force(self, name: str) -> dict[str, Any] | None:
        found = self.do("GET", f"{MG}/roletemplatebindings/{name}")
        holds = [
            each["status"]
            for each in found.get("status", {}).get("conditions", ())
            if each["type"] == "InForce"
        ]
        return found if holds == ["True"] else None

    def odd_rule(self, actor: Actor, namespace: str, *rules: Mapping[str, Any]) -> str:
        """Give somebody a Role of these rules; its name, and that of its binding."""
        name = unique("odd")
        root = f"{RB}/namespaces/{namespace}"
        self.do("POST", f"{root}/roles", {"metadata": {"name": name}, "rules": list(rules)})
        made = role_binding(name, name, subject(actor.name), kind="Role")
        self.do("POST", f"{root}/rolebindings", made)
        return name

    def add_namespace(self, name: str) -> None:
        """A namespace of a team, with what controllers put into it."""
        self.do("POST", NS, {"metadata": {"name": name}})
        path = f"{NS}/{name}/serviceaccounts/default"
        wait_until(lambda: self.operator.get(path).status_code == 200, 10)


def _quiet(rows: Mapping[str, Row]) -> dict[str, Row]:
    """The rows that nobody writes unasked."""
    return {key: row for key, row in rows.items() if not _NOISE.match(key)}


def _assert_same(before: Mapping[Any, object], after: Mapping[Any, object]) -> None:
    keys = before.keys() | after.keys()
    changed = {key for key in keys if before.get(key) != after.get(key)}
    assert not changed, f"the store has changed: {sorted(changed)}"


def rule(groups: str, resources: str, verbs: str, *names: str) -> dict[str, Any]:
    """A PolicyRule; each of the first three is a list in one string, separated by spaces."""
    made: dict[str, Any] = {
        "apiGroups": groups.split() or [""],
        "resources": resources.split(),
        "verbs": verbs.split(),
    }
    return made | ({"resourceNames": list(names)} if names else {})


def global_role(name: str, *rules: Object) -> Object:
    """A GlobalRole."""
    return {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "GlobalRole",
        "metadata": {"name": name},
        "spec": {"displayName": name},
        "rules": list(rules),
    }
