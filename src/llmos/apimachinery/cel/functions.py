"""How a function of Kubernetes' own is declared, and how values of its own types are carried.

The runtime knows no types but CEL's. A quantity or an authorizer is a map with one entry there,
whose key is the type's name; addresses and networks are their texts. ``check`` sees to it that no
expression looks inside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmos.apimachinery.cel.types import CelType


@dataclass(frozen=True, slots=True)
class Function:
    """One overload."""

    name: str
    parameters: tuple[CelType, ...]
    result: CelType
    call: Callable[..., Any]
    """Takes and gives plain values; raises ValueError where there is no value."""
    method: bool = True
    """The first parameter stands before the dot."""


class NoOverloadError(ValueError):
    """The function is not for values of these types."""

    def __init__(self) -> None:
        super().__init__("no such overload")


def function(name: str, *signature: CelType, call: Callable[..., Any]) -> Function:
    """A plain function; the last type is its result's."""
    return Function(name, signature[:-1], signature[-1], call, method=False)


def method(name: str, *signature: CelType, call: Callable[..., Any]) -> Function:
    """A method; the first type is the one it is called on, the last its result's."""
    return Function(name, signature[:-1], signature[-1], call)


def wrap(kind: CelType, value: Any) -> dict[str, Any]:
    """Carry a value of a type of Kubernetes' own."""
    return {kind.name: value}


def unwrap(kind: CelType, carried: Any) -> Any:
    """The value that is carried.

    Raises:
        NoOverloadError: it is of another type.
    """
    if type(carried) is not dict or kind.name not in carried:
        raise NoOverloadError
    return carried[kind.name]
