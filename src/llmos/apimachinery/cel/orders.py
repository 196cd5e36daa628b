"""Lists whose order means nothing: those that a schema says are sets, or maps of their keys.

Kubernetes compares them whatever their order, and adds them without saying anything twice. The
runtime knows lists only; so ``check`` finds where such lists are compared and added, by the order
that their types have, and these functions are called there.
Source: k8s.io/apiserver/pkg/cel/common (UnstructuredToVal: unstructuredSetList, -MapList).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from llmos.apimachinery.cel.functions import Function, function
from llmos.apimachinery.cel.times import as_texts
from llmos.apimachinery.cel.types import DYN, STRING, Order

UNORDERED, UNION = "kubernetes.@unordered", "kubernetes.@union"
"""Names that no expression can spell."""


def spelled(order: Order) -> str:
    """An order as the functions take it."""
    return orjson.dumps(order).decode()


@cache
def _order(text: str) -> Order:
    found: Order = orjson.loads(text)
    return found


def _unordered(value: Any, order: str) -> Any:
    """The value with its lists sorted where their order means nothing."""
    return as_texts(_sorted(value, _order(order)))


def _sorted(value: Any, order: Order | None) -> Any:
    if order is None:
        return value
    if isinstance(value, list):
        items = [_sorted(each, order.get("items")) for each in value]
        return items if order.get("unique") is None else sorted(items, key=_canonical)
    if isinstance(value, dict):
        fields, values = order.get("fields") or {}, order.get("values")
        return {key: _sorted(each, fields.get(key, values)) for key, each in value.items()}
    return value


def _canonical(value: Any) -> bytes:
    return orjson.dumps(as_texts(value), option=orjson.OPT_SORT_KEYS, default=repr)


def _union(values: list[Any], order: str) -> Any:
    """A sum of two lists without repetitions: a later element takes the place of its like."""
    keys = _order(order)["unique"]
    found: dict[bytes, Any] = {}
    for each in values:
        own = [each.get(key) for key in keys] if keys and isinstance(each, Mapping) else each
        found[_canonical(own)] = each
    return as_texts([*found.values()])


FUNCTIONS: tuple[Function, ...] = (
    function(UNORDERED, DYN, STRING, DYN, call=_unordered),
    function(UNION, DYN, STRING, DYN, call=_union),
)
