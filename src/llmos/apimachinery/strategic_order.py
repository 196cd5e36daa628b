"""The order of lists that a strategic merge patch has merged.

Elements of the patch keep the patch's order, the others their own, and new ones go first.
Follows ``normalizeElementOrder`` and its callees in k8s.io/apimachinery/pkg/util/strategicpatch.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from llmos.apimachinery.errors import BadRequestError


def go_text(value: Any) -> str:
    """A JSON value as Go's ``%v`` prints it."""
    if isinstance(value, dict):
        inner = " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value))
        return f"map[{inner}]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def key_of(item: Any, key: str) -> Any:
    """What an element is known by: its merge key's value, or itself where there is no key.

    Raises:
        BadRequestError: the element does not have the key, or is no scalar and has no key.
    """
    if not key:
        if isinstance(item, dict | list):
            raise BadRequestError("list element types are not identical")
        return item
    if not isinstance(item, dict) or key not in item:
        raise BadRequestError(f"map: {go_text(item)} does not contain declared merge key: {key}")
    value = item[key]
    return go_text(value) if isinstance(value, dict | list) else value


def _positions(items: Sequence[Any], key: str) -> dict[Any, int]:
    positions: dict[Any, int] = {}
    for index, item in enumerate(items):
        positions.setdefault(key_of(item, key), index)
    return positions


def arrange(
    items: Sequence[Any], order: Sequence[Any], before: Sequence[Any], key: str
) -> list[Any]:
    """Put merged elements in order.

    Args:
        items: the elements.
        order: the elements of the patch (or only their keys), in the order they must have.
        before: the list as it was, which says where the other elements belong.
        key: the merge key; ``""`` for a list of scalars.
    """
    wanted, known = _positions(order, key), _positions(before, key)
    inner = [each for each in items if key_of(each, key) in wanted]
    outer = deque(each for each in items if key_of(each, key) not in wanted)
    inner.sort(key=lambda each: wanted[key_of(each, key)])
    arranged = []
    for item in inner:
        at = known.get(key_of(item, key))
        while at is not None and outer and known.get(key_of(outer[0], key), at) < at:
            arranged.append(outer.popleft())
        arranged.append(item)
    return [*arranged, *outer]


def check_order(change: Sequence[Any], order: Sequence[Any], key: str) -> None:
    """The elements of a patch must come in the order that the patch itself sets.

    Raises:
        BadRequestError: they do not.
    """
    remaining = iter([key_of(each, key) for each in order])
    for item in change:
        if isinstance(item, dict) and item.get("$patch") == "delete":
            continue
        if key_of(item, key) not in remaining:
            raise BadRequestError(
                f"The order in patch list:\n{go_text(list(change))}\n doesn't match "
                f"$setElementOrder list:\n{go_text(list(order))}\n"
            )
