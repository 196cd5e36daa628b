"""A store over a storage in memory, with an admission that does what a test wants."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest

from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.object import Object, copy_object
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.authentication_v1 import UserInfo
from llmos.registry.builtin import builtin_served
from llmos.registry.catalog import Catalog
from llmos.registry.context import WriteContext
from llmos.registry.customserved import served_of
from llmos.registry.deleting import Deletion
from llmos.registry.served import Served
from llmos.registry.store import ApplyOptions, Store
from llmos.storage.config import StorageConfig
from llmos.storage.sqlite import open_storage
from llmos.watchcache.interface import Event
from llmos.watchcache.listing import EVERYTHING, ListOptions, Page, Scope
from llmos.watchcache.matching import Matches
from llmos.watchcache.watches import open_watch

ALICE = UserInfo("alice", "alice-uid", ("devs",))
START = 1767225600.0
"""2026-01-01T00:00:00Z."""
T = TypeVar("T")


def _nothing(attributes: AdmissionAttributes) -> None:
    """Admit as it is."""


class Recorder:
    """Admits, notes what it is asked, and does what a test wants besides."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, AdmissionAttributes]] = []
        self.on_mutate: Callable[[AdmissionAttributes], None] = _nothing
        self.on_validate: Callable[[AdmissionAttributes], None] = _nothing

    def mutate(self, attributes: AdmissionAttributes) -> None:
        """The first phase."""
        self.asked.append(("mutate", attributes))
        self.on_mutate(attributes)

    def validate(self, attributes: AdmissionAttributes) -> None:
        """The second."""
        self.asked.append(("validate", attributes))
        self.on_validate(attributes)


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {
            "kind": "Widget",
            "listKind": "WidgetList",
            "plural": "widgets",
            "singular": "widget",
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas",
                        "statusReplicasPath": ".status.replicas",
                    },
                },
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1, "default": 3},
                                    "replicas": {"type": "integer"},
                                },
                            },
                            "status": {
                                "type": "object",
                                "properties": {"replicas": {"type": "integer"}},
                            },
                        },
                    }
                },
            }
        ],
    },
}


class World:
    """The store, and how tests speak to it: each call returns when it is done."""

    def __init__(self, config: StorageConfig | None = None) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.now = START
        self.admission = Recorder()
        self.catalog = Catalog(builtin_served())
        self.catalog.set_custom("widgets.example.com", served_of(copy_object(CRD)))
        opening = open_storage(None, config or StorageConfig())
        self.storage = self.run(self._stack.enter_async_context(opening))
        self.store = Store(self.storage, self.admission, lambda: self.now)

    def run(self, doing: Awaitable[T]) -> T:
        """Wait for something."""

        async def wait() -> T:
            return await doing

        return self._runner.run(wait())

    def close(self) -> None:
        """End it."""
        self.run(self._stack.aclose())
        self._runner.close()

    def kind(self, plural: str, group: str = "", version: str = "v1") -> Served:
        """A served kind."""
        served = self.catalog.find(group, version, plural)
        assert served is not None, plural
        return served

    def of(self, obj: Object) -> Served:
        """The kind of an object."""
        group, _, version = obj["apiVersion"].rpartition("/")
        return next(
            each
            for each in self.catalog.resources(group, version)
            if each.resource.kind == obj["kind"]
        )

    @staticmethod
    def context(obj: Object, **more: Any) -> WriteContext:
        """Who writes, and where: Alice, in the object's namespace."""
        namespace = obj.get("metadata", {}).get("namespace", "")
        return WriteContext(ALICE, more.pop("namespace", namespace), "tests", **more)

    def create(self, obj: Object, **more: Any) -> Object:
        """Create; the stored object."""
        served = self.of(obj)
        decoded, _ = served.decode(copy_object(obj))
        return served.load(self.run(self.store.create(served, decoded, self.context(obj, **more))))

    def update(self, obj: Object, subresource: str = "", **more: Any) -> Object:
        """Replace; the stored object."""
        served = self.of(obj)
        decoded, _ = served.decode(copy_object(obj))
        name = more.pop("name", obj["metadata"]["name"])
        context = self.context(obj, **more)
        value, _ = self.run(self.store.update(served, name, decoded, context, subresource))
        return served.load(value)

    def patch(
        self, obj: Object, change: Callable[[Object], Object], subresource: str = "", **more: Any
    ) -> Object:
        """Change what is stored under an object's name by a function."""
        served, context = self.of(obj), self.context(obj, **more)
        name = obj["metadata"]["name"]
        return served.load(self.run(self.store.patch(served, name, change, context, subresource)))

    def apply(self, obj: Object, manager: str = "tests", **more: Any) -> tuple[Object, bool]:
        """Server-side apply; the stored object, and whether it is new."""
        served = self.of(obj)
        context = self.context(obj, **{k: more.pop(k) for k in ("dry_run",) if k in more})
        context.field_manager = manager
        options = ApplyOptions(more.get("force", False), more.get("before_create", lambda: None))
        name = obj["metadata"]["name"]
        subresource = more.get("subresource", "")
        value, created = self.run(
            self.store.apply(served, name, copy_object(obj), context, subresource, options)
        )
        return served.load(value), created

    def delete(self, obj: Object, options: Object | None = None, **more: Any) -> Deletion:
        """Delete, with DeleteOptions."""
        context = self.context(obj, options=options or {}, **more)
        return self.run(self.store.delete(self.of(obj), obj["metadata"]["name"], context))

    def get(self, obj: Object) -> Object | None:
        """What is stored under an object's name."""
        served, meta = self.of(obj), obj["metadata"]
        record = self.storage.get(served.key(meta.get("namespace", ""), meta["name"]))
        return None if record is None else served.load(record.value)

    def page(
        self,
        plural: str = "configmaps",
        namespace: str | None = None,
        scope: Scope = EVERYTHING,
        matches: Matches | None = None,
        **options: Any,
    ) -> Page:
        """A page of a list."""
        listing = self.store.list(
            self.kind(plural), namespace, ListOptions(**options), scope, matches
        )
        return self.run(listing)

    def events(self, plural: str = "configmaps", since: int = 0) -> list[Event]:
        """Every change of a kind after a revision."""
        found: list[Event] = []

        async def collect() -> None:
            open_watch(self.store.storage, self.kind(plural), None, since, found.extend).close()

        self.run(collect())
        return found

    @property
    def revision(self) -> int:
        """The newest revision: it does not move where nothing is written."""
        return self.storage.revision


def config_map(name: str = "a", namespace: str = "team-a", **data: str) -> Object:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data or {"k": "v"},
    }


def namespace(name: str) -> Object:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def widget(name: str = "w", **spec: Any) -> Object:
    """A custom resource."""
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "team-a"},
        "spec": spec,
    }


def changed(obj: Object, **fields: Any) -> Object:
    """A copy with other fields; those of ``metadata`` are merged."""
    new = copy_object(obj)
    new["metadata"] |= fields.pop("metadata", {})
    return {**new, **fields}


QUOTAS = GroupResource("", "resourcequotas")


def stored_nothing(
    world: World, action: Callable[[], object], error: type[StatusError]
) -> StatusError:
    """An action is refused, and nothing is written."""
    before = world.revision
    with pytest.raises(error) as caught:
        action()
    assert world.revision == before
    assert caught.value.code < 500
    return caught.value
