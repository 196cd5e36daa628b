"""The world that every attack happens in: who is there, and what they must never see.

Everybody speaks through an ``Actor``, which sends raw bytes and checks every answer for what is
always also true: no 5xx, no stack trace, no canary of others, an answer within a second.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from attacks.stored import Stored
from attacks.wire import Answer, Pairs, Wire, request_bytes
from attacks.words import APPLY, GROUPS, JSON, JSON_PATCH, MERGE, MG, NS, RB, SSAR, canary, unique
from support.objects import Object, member, role_binding, subject, user
from support.running import RunningEngine
from support.waiting import wait_until
from support.watching import Watching, watching

_ODD_REVISION = re.compile(
    r"strconv\.ParseUint: parsing|resourceVersion should not be set on objects to be created"
)


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
        self.stored = Stored(self.engine)

    @property
    def on_cluster(self) -> bool:
        """Whether a cluster answers behind a proxy."""
        return self.engine.upstream is not None

    def close(self) -> None:
        """Close what the world keeps open."""
        self.stored.close()
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

    def do(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """A request of the operator, which must succeed; passwords are for the platform to keep."""
        people = path.startswith(f"{MG}/users")
        answer = (self.admin if people else self.operator).request(method, path, json=body, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return orjson.loads(answer.content) if answer.content else None

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing that happens in the block leaves a trace in the store, not even for a moment."""
        with self.stored.unchanged():
            yield

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
