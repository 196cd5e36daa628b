"""All functions that Kubernetes adds to CEL, and how the runtime is told of them.

What several functions of one name cannot tell apart by the runtime's few kinds of value, they do
themselves: each is tried in turn.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cel_expr_python import cel

from llmos.apimachinery.cel import (
    addresses,
    lists,
    named_formats,
    orders,
    quantities,
    regexes,
    urls,
    versions,
)
from llmos.apimachinery.cel.functions import Function, NoOverloadError, function
from llmos.apimachinery.cel.types import (
    BOOL,
    BYTES,
    CIDR,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    IP,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    map_of,
)

KUBERNETES: tuple[Function, ...] = (
    *lists.FUNCTIONS,
    *regexes.FUNCTIONS,
    *urls.FUNCTIONS,
    *addresses.FUNCTIONS,
    *quantities.FUNCTIONS,
    *named_formats.FUNCTIONS,
    *versions.FUNCTIONS,
)
"""Everything but the authorizer."""


def _insert(into: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    if key in into:
        raise ValueError(f"insert failed: key {key!r} already exists")
    return {**into, key: value}


def _insert_all(into: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    for key, value in other.items():
        into = _insert(into, key, value)
    return into


RUNTIME_ONLY: tuple[Function, ...] = (
    *named_formats.STAND_INS,
    *orders.FUNCTIONS,
    function("cel.@mapInsert", map_of(DYN), DYN, DYN, map_of(DYN), call=_insert),
    function("cel.@mapInsert", map_of(DYN), map_of(DYN), map_of(DYN), call=_insert_all),
)
"""What macros turn into, and the stand-ins of optional values."""

_NATIVE: Mapping[CelType, cel.Type] = {
    BOOL: cel.Type.BOOL,
    INT: cel.Type.INT,
    UINT: cel.Type.UINT,
    DOUBLE: cel.Type.DOUBLE,
    STRING: cel.Type.STRING,
    BYTES: cel.Type.BYTES,
    TIMESTAMP: cel.Type.TIMESTAMP,
    DURATION: cel.Type.DURATION,
    NULL: cel.Type.NULL,
}


def native(kind: CelType) -> cel.Type:
    """The runtime's type; ``dyn`` for what it does not know."""
    if kind.name == "list":
        return cel.Type.List(native(kind.parameters[0]))
    if kind.name == "map":
        key, value = kind.parameters
        return cel.Type.Map(native(key), native(value))
    return _NATIVE.get(kind, cel.Type.DYN)


def _parameter(kind: CelType) -> cel.Type:
    """The runtime's type of a parameter; of Kubernetes' own types what carries them."""
    if kind in (IP, CIDR):
        return cel.Type.STRING
    return cel.Type.MAP if kind.name.startswith("kubernetes.") else native(kind)


def _kind(kind: CelType) -> cel.Type:
    """The same without what is in lists and maps: what the runtime chooses by as it runs."""
    whole = {"list": cel.Type.LIST, "map": cel.Type.MAP}
    return whole.get(kind.name) or _parameter(kind)


def declarations(functions: Iterable[Function]) -> list[cel.FunctionDecl]:
    """The functions as the type checker takes them: what they take and give, not what they do."""
    return _declared(functions, _parameter, _result)


def implementations(functions: Iterable[Function]) -> list[cel.FunctionDecl]:
    """The functions as they run."""
    return _declared(functions, _kind, lambda _: cel.Type.DYN)


def _result(group: Sequence[Function]) -> cel.Type:
    kinds = {each.result for each in group}
    return native(kinds.pop()) if len(kinds) == 1 else cel.Type.DYN


def _declared(
    functions: Iterable[Function],
    parameter: Callable[[CelType], cel.Type],
    result: Callable[[Sequence[Function]], cel.Type],
) -> list[cel.FunctionDecl]:
    groups: dict[str, dict[str, list[Function]]] = {}
    for each in functions:
        kinds = ", ".join(str(parameter(kind)) for kind in each.parameters)
        identity = f"{each.name}/{'method' if each.method else 'function'}({kinds})"
        groups.setdefault(each.name, {}).setdefault(identity, []).append(each)
    return [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    identity,
                    return_type=result(group),
                    parameters=[parameter(kind) for kind in group[0].parameters],
                    is_member=group[0].method,
                    impl=_any_of([each.call for each in group]),
                )
                for identity, group in overloads.items()
            ],
        )
        for name, overloads in groups.items()
    ]


def _any_of(calls: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    if len(set(calls)) == 1:
        return calls[0]

    def call(*values: Any) -> Any:
        for each in calls:
            try:
                return each(*values)
            except NoOverloadError:
                continue
        raise NoOverloadError

    return call
