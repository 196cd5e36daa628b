"""What an update may leave as it was though a schema does not allow it any more.

A stricter schema must not keep people from changing the rest of what they have: whatever is wrong
inside a value that did not change is let be.
Source: KEP-4008; k8s.io/apiextensions-apiserver/pkg/apiserver/validation/ratcheting.go and
k8s.io/apiserver/pkg/cel/common (CorrelatedObject), which says what the former self of a value is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.valuepath import ROOT, Path

Node = Mapping[str, Any]


class Ratchet(list[FieldError]):
    """Takes errors as a list does, but for those about what did not change."""

    def __init__(self, node: Node, new: Any, old: Any) -> None:
        super().__init__()
        self.unchanged = frozenset(_unchanged(node, new, old, ROOT))
        """The places of values that are as they were; not those inside of them."""


def deep_equal(node: Node, new: Any, old: Any) -> bool:
    """Whether a value of a schema is as it was; a list of type map may be in another order."""
    if new == old and _canonical(new) == _canonical(old):
        return True
    if isinstance(new, dict) and isinstance(old, dict):
        return new.keys() == old.keys() and all(
            deep_equal(_below(node, key), new[key], old[key]) for key in new
        )
    keys = keys_of(node)
    if keys is None or not isinstance(new, list) or not isinstance(old, list):
        return False
    items, former = node.get("items") or {}, former_elements(old, keys)
    return len(new) == len(old) and all(
        (before := former.get(identity(each, keys))) and deep_equal(items, each, before)
        for each in new
    )


def _below(node: Node, key: str) -> Node:
    """The schema of what an object has under a key; an empty one says nothing of it."""
    below = (node.get("properties") or {}).get(key, node.get("additionalProperties"))
    return below if isinstance(below, dict) else {}


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def identity(value: Any, keys: Sequence[str]) -> tuple[str, ...]:
    """What makes an element of a list of type map the one that it is."""
    return tuple(str(value.get(key)) for key in keys) if isinstance(value, dict) else ()


def former_elements(old: Any, keys: Sequence[str] | None) -> dict[tuple[str, ...], Any]:
    """The elements of a list as it was, by what they are; none where nothing says that."""
    if keys is None or not isinstance(old, list):
        return {}
    return {identity(each, keys): each for each in old}


def keys_of(node: Node) -> tuple[str, ...] | None:
    """The keys of a list of type map; None: its elements have no former selves."""
    if node.get("x-kubernetes-list-type") != "map":
        return None
    return tuple(node.get("x-kubernetes-list-map-keys") or ())


def _unchanged(node: Node, new: Any, old: Any, path: Path) -> Iterator[Path]:
    if deep_equal(node, new, old):
        yield path
    elif isinstance(new, dict) and isinstance(old, dict):
        for key in new.keys() & old.keys():
            yield from _unchanged(_below(node, key), new[key], old[key], (path, key))
    elif isinstance(new, list):
        keys, items = keys_of(node), node.get("items") or {}
        former = former_elements(old, keys)
        for index, each in enumerate(new):
            before = former.get(identity(each, keys or ()))
            if before is not None:
                yield from _unchanged(items, each, before, (path, index))
