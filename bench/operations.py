"""What is measured on a running server: one entry an operation, in the order in which they run."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bench.client import Client
from bench.engines import Endpoint
from bench.fixtures import (
    LARGE,
    NAMESPACES,
    PATCHED,
    RBAC,
    READS,
    SMALL,
    WATCHED,
    WRITES,
    Bodies,
    configmap,
    configmaps,
    fresh,
    namespace,
    role_binding,
)
from bench.generator import Generator, Job
from bench.measures import BenchError, Measured, of_latencies

_SEQUENCES = 30
"""How often a sequence of requests is measured in a round."""
_REST = 0.02
"""Seconds between two of them: they are rare, and controllers follow up on each."""
_TRIES = 100
_WRITERS = 8
_PACE = 20.0


@dataclass(frozen=True, slots=True)
class Bench:
    """What an operation runs with."""

    endpoint: Endpoint
    generator: Generator
    bodies: Bodies
    seconds: float
    """How long one run takes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the table."""

    name: str
    group: str
    title: str
    run: Callable[[Bench], Measured]


def _load(make: Callable[[Bodies], Job]) -> Callable[[Bench], Measured]:
    def run(bench: Bench) -> Measured:
        job = replace(make(bench.bodies), start=fresh())
        if not job.count:
            job = replace(job, seconds=bench.seconds)
        return bench.generator.run(bench.endpoint, job)

    return run


def _at(
    group: str, title: str, connections: Sequence[int], make: Callable[[Bodies], Job]
) -> list[Operation]:
    """An operation at several numbers of connections."""

    def one(number: int) -> Operation:
        name = f"{title.lower().replace(',', '').replace(' ', '-')}-c{number}"
        load = _load(lambda bodies: replace(make(bodies), connections=number))
        return Operation(name, group, f"{title}, c{number}", load)

    return [one(each) for each in connections]


def _get_namespace(_: Bodies) -> Job:
    return Job(f"{NAMESPACES}/{READS}", user="admin")


def _get_configmap(_: Bodies) -> Job:
    return Job(configmaps(READS, "cm-1"))


def _refused(_: Bodies) -> Job:
    return Job(configmaps("kube-system", "x"), expect=403)


def _review(bodies: Bodies) -> Job:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return Job(path, method="POST", body=bodies.review, expect=201)


def _list_small(_: Bodies) -> Job:
    return Job(configmaps(SMALL))


def _list_large(_: Bodies) -> Job:
    return Job(configmaps(LARGE))


def _list_gzip(_: Bodies) -> Job:
    return Job(configmaps(LARGE), gzip=True)


def _list_namespaces(_: Bodies) -> Job:
    return Job(NAMESPACES, user="admin")


def _create(bodies: Bodies) -> Job:
    return Job(configmaps(WRITES), method="POST", body=bodies.configmap, expect=201)


def _patch(bodies: Bodies) -> Job:
    return Job(
        configmaps(PATCHED, "cm-{o}"), method="PATCH", body=bodies.patch, modulo=1_000,
        content_type="application/merge-patch+json",
    )  # fmt: skip


def _sequence(bench: Bench, one: Callable[[Client, Client, str], float]) -> Measured:
    """Latencies of what is done now and then, with a fresh namespace's name each time."""
    start = fresh()
    with Client(bench.endpoint, "admin") as admin, Client(bench.endpoint, "alice") as alice:
        latencies = []
        for name in (f"bench-{start + each}" for each in range(_SEQUENCES)):
            latencies.append(one(admin, alice, name))
            time.sleep(_REST)
    return of_latencies(latencies)


def _new_namespace(admin: Client, _: Client, name: str) -> float:
    """An admin makes a namespace."""
    began = time.perf_counter()
    admin.ask("POST", NAMESPACES, namespace(name), (201,))
    return time.perf_counter() - began


def _namespace_with_object(admin: Client, _: Client, name: str) -> float:
    """An admin makes a namespace and the first object in it."""
    began = time.perf_counter()
    admin.ask("POST", NAMESPACES, namespace(name), (201,))
    admin.ask("POST", configmaps(name), configmap("first"), (201,))
    return time.perf_counter() - began


def _granted(admin: Client, alice: Client, name: str) -> float:
    """From the answer that a RoleBinding is there to alice's first POST that succeeds."""
    admin.ask("POST", NAMESPACES, namespace(name), (201,))
    time.sleep(_REST)
    if alice.send("POST", configmaps(name), configmap("early"))[0] != 403:
        raise BenchError(f"alice may write in {name} before she has a role there")
    admin.ask("POST", f"{RBAC}/namespaces/{name}/rolebindings", role_binding("alice"), (201,))
    began = time.perf_counter()
    for _ in range(_TRIES):
        if alice.send("POST", configmaps(name), configmap("first"))[0] == 201:
            return time.perf_counter() - began
    raise BenchError(f"alice's role in {name} does not come into force")


def _watch(watchers: int, rate: float = 0.0) -> Callable[[Bench], Measured]:
    def run(bench: Bench) -> Measured:
        with Client(bench.endpoint, "alice") as client:
            listed = client.ask("GET", f"{configmaps(WATCHED)}?limit=1")
        since = listed["metadata"]["resourceVersion"]
        count = int(rate * 2.5) if rate else min(1_000, 300_000 // watchers)
        job = Job(
            configmaps(WATCHED), method="POST", body=bench.bodies.configmap, expect=201,
            connections=4 if rate else _WRITERS, count=count, start=fresh(), rate=rate,
            watchers=watchers,
            watch_path=f"{configmaps(WATCHED)}?watch=true&resourceVersion={since}",
        )  # fmt: skip
        measured = bench.generator.run(bench.endpoint, job)
        return replace(measured, rate=0.0) if rate else measured

    return run


def _watches() -> list[Operation]:
    fast = [
        Operation(f"watch-{each}", "watch", f"Watch, {each:,} watchers, events", _watch(each))
        for each in (100, 500, 1_000)
    ]
    paced = [
        Operation(
            f"watch-paced-{each}", "watch", f"Watch, {each:,} watchers, 20 writes/s, latency",
            _watch(each, _PACE),
        )
        for each in (100, 1_000)
    ]  # fmt: skip
    return [*fast, *paced]


OPERATIONS = [
    *_at("get", "GET namespace, admin", (1, 16, 64), _get_namespace),
    *_at("get", "GET configmap", (1, 16, 64), _get_configmap),
    *_at("forbidden", "403", (1, 64), _refused),
    *_at("review", "SelfSubjectAccessReview", (1, 16, 64), _review),
    *_at("list", "LIST 1,000", (1, 16), _list_small),
    *_at("list", "LIST 10,000", (1, 4), _list_large),
    *_at("list", "LIST 10,000, gzip", (1,), _list_gzip),
    *_at("create", "CREATE", (1, 16, 64), _create),
    *_at("patch", "PATCH merge", (1, 16, 64), _patch),
    *(
        Operation(name, "namespace", title, partial(_sequence, one=one))
        for name, title, one in (
            ("namespace-create", "Namespace create", _new_namespace),
            ("namespace-object", "Namespace create + first object", _namespace_with_object),
            ("grant", "RoleBinding to first POST", _granted),
        )
    ),
    *_watches(),
]
LIST_NAMESPACES = Operation(
    "list-namespaces", "memory", "LIST 10,000 namespaces, admin, c1", _load(_list_namespaces)
)
"""Runs on the server that has so many."""
