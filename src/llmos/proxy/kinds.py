"""Which kinds the cluster serves, and how they are read: their names, columns and field labels.

Discovery says which there are. What built-in kinds look like in a Table is known here, as on the
embedded engine; for custom kinds their definitions say it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.object import Object, find_condition, get_path, name_of
from llmos.apimachinery.resource import APIResource
from llmos.apis import apiextensions_v1 as apiextensions
from llmos.apis.custom import selectable
from llmos.apis.scheme import builtin_kinds
from llmos.apis.strategy import Column
from llmos.client.client import Client
from llmos.client.discovery import discover
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import CUSTOM_RESOURCE_DEFINITIONS
from llmos.client.watch import Backoff, EventType
from llmos.endpoints.requestinfo import RequestInfo
from llmos.reconcile.informer import Change, Informer
from llmos.reconcile.runner import supervise
from llmos.watchcache.interface import Key

DISCOVER_SECONDS = 60.0
"""How often discovery is asked again; definitions are watched."""
_LOG = logging.getLogger(__name__)

Path = tuple[str, str, str]
"""Group, version and plural."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of the cluster in one version: a ``Readable``."""

    resource: APIResource
    columns: Sequence[Column] = ()
    fields: Callable[[Object], Mapping[str, str]] | None = None
    field_names: Sequence[str] = ()
    storage_name: str = field(init=False, default="")
    prefix: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        head = {"kind": self.resource.kind, "apiVersion": self.resource.api_version}
        object.__setattr__(self, "prefix", orjson.dumps(head)[:-1] + b",")
        object.__setattr__(self, "storage_name", str(self.resource.group_resource))

    @property
    def path(self) -> Path:
        """Where it is served."""
        return self.resource.group, self.resource.version, self.resource.plural

    @property
    def followed(self) -> bool:
        """Whether it can be listed and watched."""
        return {"list", "watch"} <= set(self.resource.verbs)

    @property
    def since(self) -> int:
        """Watches from before the cache began are too old by themselves."""
        return 0

    @property
    def defined(self) -> int:
        """The cluster ends the watch that feeds the cache, and so all that it feeds."""
        return 0

    @property
    def converted(self) -> bool:
        """The bytes are those of this version."""
        return False

    def key(self, namespace: str, name: str) -> Key:
        """Where an object of this kind stands."""
        return Key(self.storage_name, namespace if self.resource.namespaced else "", name)

    def load(self, value: bytes) -> Object:
        """The object of stored bytes, with its kind and apiVersion."""
        return {
            "kind": self.resource.kind,
            "apiVersion": self.resource.api_version,
            **orjson.loads(value),
        }

    def wire(self, value: bytes) -> bytes:
        """Stored bytes as they are sent: with kind and apiVersion in front."""
        return self.prefix + value[1:]


_PRINTED = {
    (each.resource.group, each.resource.version, each.resource.plural): each.strategy
    for each in builtin_kinds()
}


def builtin(resource: APIResource) -> Kind:
    """A kind that no definition brings; one that is not known here has the plain columns."""
    strategy = _PRINTED.get((resource.group, resource.version, resource.plural))
    if strategy is None:
        return Kind(resource)
    return Kind(resource, strategy.columns, strategy.fields, strategy.field_names)


def custom(crd: Object) -> list[Kind]:
    """The kinds of a definition; none until the cluster has accepted its names.

    Raises:
        KeyError, TypeError, ValueError: the definition makes no sense.
    """
    established = find_condition(crd, "Established") or {}
    if established.get("status") != "True":
        return []
    found = []
    for resource in apiextensions.resources_of(crd):
        names = apiextensions.selectable_fields_of(crd, resource.version)
        columns = tuple(apiextensions.columns_of(crd, resource.version))
        found.append(Kind(resource, columns, selectable(names), names))
    return found


def _keep(crd: Object) -> Object:
    """A definition without its schemas: its name is enough to know when it is gone."""
    return {"metadata": {"name": name_of(crd), "uid": get_path(crd, "metadata", "uid")}}


@dataclass(slots=True)
class Kinds:
    """What the cluster serves, kept true while ``run`` runs."""

    client: Client
    clock: Callable[[], float] = time.monotonic
    _found: dict[Path, Kind] = field(default_factory=dict)
    _custom: dict[str, list[Kind]] = field(default_factory=dict)
    _by_path: dict[Path, Kind] = field(default_factory=dict)
    _definitions: Informer = field(init=False)
    _discovered: asyncio.Event = field(default_factory=asyncio.Event)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._definitions = Informer(self.client, CUSTOM_RESOURCE_DEFINITIONS, _keep)
        self._definitions.add_handler(self._defined)

    @property
    def known(self) -> bool:
        """Whether discovery and definitions were read."""
        return self._discovered.is_set() and self._definitions.synced.is_set()

    def find(self, info: RequestInfo) -> Kind | None:
        """The kind at a path; for an unknown one discovery is asked again, soon."""
        kind = self._by_path.get((info.group, info.version, info.resource))
        if kind is None:
            self._wanted.set()
        return kind

    def serves(self, info: RequestInfo) -> bool:
        """Whether there is a kind at a path, as far as is known."""
        return (info.group, info.version, info.resource) in self._by_path

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(supervise("informer of definitions", self._definitions.run))
            tasks.create_task(supervise("discovery", self._discover))

    async def _discover(self) -> None:
        backoff = Backoff(first=1.0, most=30.0)
        while True:
            self._wanted.clear()
            try:
                found = await discover(self.client)
            except (StatusError, ConnectionFailedError) as error:
                _LOG.warning("discovery: %s", error)
                await asyncio.sleep(backoff.next())
                continue
            backoff.reset()
            kinds = map(builtin, found.resources)
            fresh = {each.path: each for each in kinds}
            # A group that did not answer is not gone.
            kept = {path: each for path, each in self._found.items() if _of(path) in found.failed}
            self._found = {**kept, **fresh}
            self._index()
            self._discovered.set()
            await asyncio.sleep(2.0)
            try:
                await asyncio.wait_for(self._wanted.wait(), DISCOVER_SECONDS)
            except TimeoutError:
                continue

    def _defined(self, change: Change) -> None:
        name = name_of(change.object)
        self._custom.pop(name, None)
        if change.type is not EventType.DELETED:
            try:
                self._custom[name] = custom(change.object)
            except (KeyError, TypeError, ValueError):
                _LOG.warning("the definition %s cannot be read", name)
        self._index()

    def _index(self) -> None:
        customs = {each.path: each for kinds in self._custom.values() for each in kinds}
        self._by_path = {**self._found, **customs}


def _of(path: Path) -> str:
    group, version, _ = path
    return f"{group}/{version}" if group else version
