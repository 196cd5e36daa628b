"""The types of expressions: CEL's own, Kubernetes' own, and objects with known fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Fields = Mapping[str, "CelType"]
Order = dict[str, Any]
"""Where in a value the order of a list means nothing.

``unique`` of such a list: the keys of its elements, or none for a set; ``items``, ``values`` and
``fields``: the same of what is inside.
"""


@dataclass(frozen=True)
class CelType:
    """One type. Two are the same if their texts are."""

    name: str
    parameters: "tuple[CelType, ...]" = ()
    find_fields: "Callable[[], Fields] | None" = field(default=None, compare=False, repr=False)
    """For objects; called when it is first asked for, since schemas may be recursive."""
    order: Order | None = field(default=None, compare=False, repr=False)
    """None: the order of every list counts."""

    @cached_property
    def fields(self) -> "Fields | None":
        """The fields of an object; None: it is none."""
        return None if self.find_fields is None else self.find_fields()

    def __str__(self) -> str:
        """As error messages name it: ``list(string)``."""
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(str(each) for each in self.parameters)})"


DYN = CelType("dyn")
UNBOUND = CelType("_")
"""Of the elements of an empty list: may become anything."""
BOOL = CelType("bool")
INT = CelType("int")
UINT = CelType("uint")
DOUBLE = CelType("double")
STRING = CelType("string")
BYTES = CelType("bytes")
TIMESTAMP = CelType("timestamp")
DURATION = CelType("duration")
NULL = CelType("null_type")
TYPE = CelType("type")
NUMBERS = frozenset((INT, UINT, DOUBLE))

QUANTITY = CelType("kubernetes.Quantity")
URL = CelType("kubernetes.URL")
IP = CelType("net.IP")
CIDR = CelType("net.CIDR")
SEMVER = CelType("kubernetes.Semver")
FORMAT = CelType("kubernetes.NamedFormat")
PATH_CHECK = CelType("kubernetes.authorization.PathCheck")
GROUP_CHECK = CelType("kubernetes.authorization.GroupCheck")
RESOURCE_CHECK = CelType("kubernetes.authorization.ResourceCheck")
DECISION = CelType("kubernetes.authorization.Decision")
AUTHORIZER = CelType(
    "kubernetes.authorization.Authorizer",
    find_fields=lambda: {"requestResource": RESOURCE_CHECK},
)


def list_of(element: CelType) -> CelType:
    """A list."""
    order = None if element.order is None else {"items": element.order}
    return CelType("list", (element,), order=order)


def map_of(value: CelType, key: CelType = STRING) -> CelType:
    """A map."""
    order = None if value.order is None else {"values": value.order}
    return CelType("map", (key, value), order=order)


def optional_of(value: CelType) -> CelType:
    """A value that may be missing."""
    return CelType("optional_type", (value,))


def object_of(name: str, find_fields: Callable[[], Fields]) -> CelType:
    """An object whose fields are known."""
    return CelType(name, find_fields=find_fields)


def element_of(kind: CelType) -> CelType:
    """What the elements of a list are, or the keys of a map."""
    return kind.parameters[0] if kind.name in ("list", "map") else DYN


def common(one: CelType, other: CelType) -> CelType:
    """The type of what may be of either type."""
    if other in (one, UNBOUND):
        return one
    if one == UNBOUND:
        return other
    if one.name == other.name and len(one.parameters) == len(other.parameters) > 0:
        pairs = zip(one.parameters, other.parameters, strict=True)
        return CelType(one.name, tuple(common(*pair) for pair in pairs))
    return DYN


def comparable(one: CelType, other: CelType) -> bool:
    """Whether ``==`` makes sense between two types; in doubt it does."""
    if {one, other} & {DYN, NULL, UNBOUND}:
        return True
    if {one, other} <= NUMBERS:
        return True
    if one.name != other.name:
        return False
    pairs = zip(one.parameters, other.parameters, strict=False)
    return all(comparable(*pair) for pair in pairs)
