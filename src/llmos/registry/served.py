"""One kind in one version, as the API serves it: its resource, strategy, schema and encoding.

Objects are stored without ``kind`` and ``apiVersion``, so that the same bytes answer in every
version and join into lists; ``prefix`` puts them back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import APIResource, GroupResource, GroupVersionKind
from llmos.apimachinery.schema import Schema
from llmos.apis.autoscaling_v1 import ScalePaths
from llmos.apis.strategy import Column, Strategy
from llmos.watchcache.interface import Key

Decode = Callable[[Any], tuple[Object, list[str]]]
"""A JSON value becomes an object of the kind; with it come the paths of unknown fields.

Raises BadRequestError or InvalidError where the value is not of the kind.
"""
Convert = Callable[[Object], Object]


@dataclass(frozen=True, slots=True)
class Served:
    """A served kind; ``Catalog`` finds it by group, version and plural."""

    resource: APIResource
    strategy: Strategy
    find_schema: Callable[[], Schema | None]
    """Gives the compiled schema; kept by whoever made it."""
    decode: Decode
    stored_as: GroupResource
    """Where its objects stand; two resources may share a place (both kinds of Event)."""
    to_stored: Convert | None = None
    from_stored: Convert | None = None
    """Given where the stored shape is another one: stored bytes cannot be sent as they are."""
    scale: ScalePaths | None = None
    """Where the ``scale`` subresource keeps its numbers, where there is one."""
    warning: str = ""
    """Sent with every use of a deprecated version."""
    since: int = 0
    """The revision from which on the kind is served; a watch from before that is too old."""
    defined: int = 0
    """The revision that wrote what its CustomResourceDefinition says of it; 0: it is built in."""
    terminating: bool = False
    """Its CustomResourceDefinition is being deleted: nothing is created any more."""
    schema_source: dict[str, Any] = field(default_factory=dict)
    """The OpenAPI schema of a custom resource."""
    storage_name: str = field(init=False, default="")
    prefix: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        head = {"kind": self.resource.kind, "apiVersion": self.resource.api_version}
        object.__setattr__(self, "prefix", orjson.dumps(head)[:-1] + b",")
        object.__setattr__(self, "storage_name", str(self.stored_as))

    @property
    def schema(self) -> Schema | None:
        """What patches and field ownership know of the type."""
        return self.find_schema()

    @property
    def columns(self) -> Sequence[Column]:
        """Of its Tables; none: Name and Age."""
        return self.strategy.columns

    @property
    def fields(self) -> Callable[[Object], Mapping[str, str]] | None:
        """Values of the field labels that selectors may use besides name and namespace."""
        return self.strategy.fields

    @property
    def field_names(self) -> Sequence[str]:
        """The names of those field labels."""
        return self.strategy.field_names

    @property
    def error_kind(self) -> GroupVersionKind:
        """How errors name the kind: by the group it is stored in."""
        return GroupVersionKind(self.stored_as.group, self.resource.version, self.resource.kind)

    @property
    def converted(self) -> bool:
        """Whether the stored shape is another one than the served."""
        return self.from_stored is not None

    def key(self, namespace: str, name: str) -> Key:
        """Where an object of this kind stands."""
        return Key(self.storage_name, namespace if self.resource.namespaced else "", name)

    def load(self, value: bytes) -> Object:
        """The object of stored bytes, with its kind and apiVersion."""
        stored = orjson.loads(value)
        return {
            "kind": self.resource.kind,
            "apiVersion": self.resource.api_version,
            **(self.from_stored(stored) if self.from_stored else stored),
        }

    def wire(self, value: bytes) -> bytes:
        """Stored bytes as they are sent: with kind and apiVersion in front."""
        if self.from_stored:
            return orjson.dumps(self.load(value))
        return self.prefix + value[1:]

    def encode(self, obj: Object, revision: int | None) -> bytes:
        """The bytes to store for an object at a revision (None: a dry run, which has none)."""
        return encode_stored(self.to_stored(obj) if self.to_stored else obj, revision)


def encode_stored(obj: Object, revision: int | None) -> bytes:
    """An object as storage keeps it: without its type, with the revision as resourceVersion."""
    meta = obj["metadata"]
    if revision is not None:
        meta["resourceVersion"] = str(revision)
    else:
        meta.pop("resourceVersion", None)
    stored = orjson.dumps({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")})
    # A copy, because orjson leaves its whole buffer to what it returns: eight times the memory.
    return bytes(memoryview(stored))
