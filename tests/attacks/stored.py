"""All that a server has stored, and whether anything has changed there meanwhile."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from attacks.wire import Wire
from attacks.words import JSON
from support.etcd import Etcd, Row
from support.running import RunningEngine

_NOISE = re.compile(
    r"(leases|masterleases|peerserverleases|events|resourcequotas/quota-[^/]+)/|secrets/llmos-system/login-failures$"
)
"""Keys of a cluster's store that change while nobody asks it to."""
_CLAIM = re.compile(r"secrets/llmos-system/username-")
Key = tuple[str, str, str, str]
"""Group, plural, namespace, name."""


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


class Stored:
    """The store of one engine, as its operator sees it."""

    def __init__(self, engine: RunningEngine) -> None:
        self._store = engine.store
        self._operator = engine.operator
        self._connection = Wire(str(engine.operator.base_url), str(engine.ca_file)).keep()

    def close(self) -> None:
        """Close the connection that is kept open."""
        self._connection.close()

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
            if self.revision() == before or self._store is not None:
                return Dump(before, objects)
            assert time.monotonic() < deadline, "the server does not come to rest"

    def read(self, path: str, accept: str = JSON) -> Any:
        """A read of the operator on a bare connection: dumps make thousands of them."""
        headers = {"Accept": accept, "Authorization": self._operator.headers["Authorization"]}
        try:
            self._connection.request("GET", path, headers=headers)
            answer = self._connection.getresponse()
        except ConnectionError:
            # Idle for so long that the server has closed it.
            self._connection.close()
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
        store = self._store
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
        # The garbage collector takes the names of users who are gone in its own time.
        gone = {key for key in before.keys() - after.keys() if _CLAIM.match(key)}
        _assert_same(_quiet(before, gone), _quiet(after))
        renewed = [
            after[key].version - (before[key].version if key in before else 0)
            for key in after.keys() - _quiet(after).keys()
        ]
        if later - revision != sum(renewed) + len(gone):
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
            lines = self._operator.get(path).text.splitlines()
            events = [json.loads(line) for line in lines]
            assert all(each["type"] != "ERROR" for each in events), events
            keys = [
                (group, plural, meta.get("namespace", ""), meta["name"])
                for meta in (each["object"]["metadata"] for each in events)
            ]
            return [key for key in keys if not _noise(key)]

        with ThreadPoolExecutor(16) as pool:
            return [key for keys in pool.map(watch, self.kinds()) for key in keys]


def _quiet(rows: Mapping[str, Row], gone: Set[str] = frozenset()) -> dict[str, Row]:
    """The rows that nobody writes unasked, without some."""
    return {key: row for key, row in rows.items() if key not in gone and not _NOISE.match(key)}


def _assert_same(before: Mapping[Any, object], after: Mapping[Any, object]) -> None:
    keys = before.keys() | after.keys()
    changed = {key for key in keys if before.get(key) != after.get(key)}
    assert not changed, f"the store has changed: {sorted(changed)}"
