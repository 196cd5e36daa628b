"""Kubernetes' functions on lists.

Source: k8s.io/apiserver/pkg/cel/library/lists.go.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from llmos.apimachinery.cel.functions import Function, NoOverloadError, method
from llmos.apimachinery.cel.times import as_texts
from llmos.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    list_of,
)

_SUMMABLE = (INT, DOUBLE, DURATION)
_ORDERED = (INT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES)
_KINDS: tuple[tuple[type, ...], ...] = (
    (bool,),
    (int, float),
    (str,),
    (bytes, bytearray),
    (datetime,),
    (timedelta,),
)


def _same_kind(values: Sequence[Any]) -> None:
    """Refuse what has no order: values of several kinds.

    Raises:
        NoOverloadError: they are.
    """
    if values:
        first = type(values[0])
        kinds = next((each for each in _KINDS if first in each), ())
        if not all(type(each) in kinds for each in values):
            raise NoOverloadError


def _sum(values: list[Any]) -> Any:
    _same_kind(values)
    if values and type(values[0]) not in (int, float, timedelta):
        raise NoOverloadError
    total = sum(values, timedelta()) if values and isinstance(values[0], timedelta) else sum(values)
    if isinstance(total, int) and not -(1 << 63) <= total < 1 << 63:
        raise ValueError("integer overflow")
    return as_texts(total)


def _extreme(name: str, choose: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def find(values: list[Any]) -> Any:
        if not values:
            raise ValueError(f"{name} called on empty list")
        _same_kind(values)
        return as_texts(choose(values))

    return find


def _is_sorted(values: list[Any]) -> bool:
    _same_kind(values)
    return all(one <= other for one, other in pairwise(values))


def _equals(one: Any, other: Any) -> bool:
    return (type(one) is bool) == (type(other) is bool) and bool(one == other)


def _index(values: list[Any], sought: Any) -> int:
    return next((index for index, each in enumerate(values) if _equals(each, sought)), -1)


def _last_index(values: list[Any], sought: Any) -> int:
    index = _index(values[::-1], sought)
    return -1 if index < 0 else len(values) - 1 - index


FUNCTIONS: tuple[Function, ...] = (
    *(method("sum", list_of(each), each, call=_sum) for each in _SUMMABLE),
    *(method("min", list_of(each), each, call=_extreme("min", min)) for each in _ORDERED),
    *(method("max", list_of(each), each, call=_extreme("max", max)) for each in _ORDERED),
    *(method("isSorted", list_of(each), BOOL, call=_is_sorted) for each in _ORDERED),
    method("indexOf", list_of(DYN), DYN, INT, call=_index),
    method("lastIndexOf", list_of(DYN), DYN, INT, call=_last_index),
)
