"""``quantity('1Gi')`` and what can be done with it.

Source: k8s.io/apiserver/pkg/cel/library/quantity.go.
"""

from collections.abc import Callable
from typing import Any

from llmos.apimachinery.cel.functions import Function, function, method, unwrap, wrap
from llmos.apimachinery.cel.types import BOOL, DOUBLE, INT, QUANTITY, STRING
from llmos.apimachinery.quantity import NANOS, Quantity, QuantityError

_LIMIT = 1 << 63


def _carried(nanos: int) -> dict[str, Any]:
    return wrap(QUANTITY, str(nanos))


def _nanos(carried: Any) -> int:
    return int(unwrap(QUANTITY, carried))


def _parse(text: str) -> dict[str, Any]:
    return _carried(Quantity.parse(text).nanos)


def _is_quantity(text: str) -> bool:
    try:
        Quantity.parse(text)
    except QuantityError:
        return False
    return True


def _is_integer(carried: Any) -> bool:
    nanos = _nanos(carried)
    return nanos % NANOS == 0 and -_LIMIT <= nanos // NANOS < _LIMIT


def _as_integer(carried: Any) -> int:
    if not _is_integer(carried):
        raise ValueError("cannot convert value to integer")
    return _nanos(carried) // NANOS


def _sign(carried: Any) -> int:
    nanos = _nanos(carried)
    return (nanos > 0) - (nanos < 0)


def _compare(one: Any, other: Any) -> int:
    return (_nanos(one) > _nanos(other)) - (_nanos(one) < _nanos(other))


def _with_integer(combine: Callable[[int, int], int]) -> Callable[[Any, int], Any]:
    return lambda one, other: _carried(combine(_nanos(one), other * NANOS))


def _with_quantity(combine: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    return lambda one, other: _carried(combine(_nanos(one), _nanos(other)))


FUNCTIONS: tuple[Function, ...] = (
    function("quantity", STRING, QUANTITY, call=_parse),
    function("isQuantity", STRING, BOOL, call=_is_quantity),
    method("sign", QUANTITY, INT, call=_sign),
    method("isInteger", QUANTITY, BOOL, call=_is_integer),
    method("asInteger", QUANTITY, INT, call=_as_integer),
    method("asApproximateFloat", QUANTITY, DOUBLE, call=lambda one: _nanos(one) / NANOS),
    method("isGreaterThan", QUANTITY, QUANTITY, BOOL, call=lambda *two: _compare(*two) > 0),
    method("isLessThan", QUANTITY, QUANTITY, BOOL, call=lambda *two: _compare(*two) < 0),
    method("compareTo", QUANTITY, QUANTITY, INT, call=_compare),
    method("add", QUANTITY, QUANTITY, QUANTITY, call=_with_quantity(int.__add__)),
    method("add", QUANTITY, INT, QUANTITY, call=_with_integer(int.__add__)),
    method("sub", QUANTITY, QUANTITY, QUANTITY, call=_with_quantity(int.__sub__)),
    method("sub", QUANTITY, INT, QUANTITY, call=_with_integer(int.__sub__)),
)
