"""Columns that many kinds share in server-side printing, and small ways to fill cells.

Source: kubernetes/pkg/printers/internalversion. Used by the modules of the kinds.
"""

from collections.abc import Callable, Iterable
from typing import Any

from llmos.apimachinery.duration import age
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apis.strategy import Column

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"
_NAME_DESCRIPTION = (
    "Name must be unique within a namespace. Is required when creating resources, although some "
    "resources may allow a client to request the generation of an appropriate name automatically."
)
_CREATED_DESCRIPTION = (
    "CreationTimestamp is a timestamp representing the server time when this object was created."
)


def created(obj: Object) -> Any:
    """``metadata.creationTimestamp``."""
    return get_path(obj, "metadata", "creationTimestamp")


NAME = Column("Name", lambda obj, _: name_of(obj), format="name", description=_NAME_DESCRIPTION)
AGE = Column("Age", lambda obj, now: age(created(obj), now), description=_CREATED_DESCRIPTION)
CREATED_AT = Column(
    "Created At", lambda obj, _: created(obj), type="date", description=_CREATED_DESCRIPTION
)
PLAIN = (NAME, AGE)
"""The columns of a kind that has none of its own."""
CREATED = (NAME, CREATED_AT)
"""Kubernetes' columns of a kind that it prints by its metadata alone."""


def text(
    name: str, cell: Callable[[Object], Any], description: str = "", *, wide: bool = False
) -> Column:
    """A column that does not depend on the time; ``wide`` shows it with ``-o wide`` only."""
    return Column(
        name, lambda obj, _: cell(obj), description=description, priority=1 if wide else 0
    )


def field(name: str, *path: str, default: Any = "", wide: bool = False) -> Column:
    """A column that shows a field."""

    def cell(obj: Object) -> Any:
        value = get_path(obj, *path)
        return default if value in (None, "") else value

    return text(name, cell, wide=wide)


def ages(name: str, *path: str) -> Column:
    """A column that shows how long ago a time was."""
    return Column(name, lambda obj, now: age(get_path(obj, *path), now))


def joined(values: Iterable[Any], default: str = NONE) -> str:
    """Values separated by commas."""
    return ",".join(str(each) for each in values) or default


def labels_text(labels: Any) -> str:
    """``a=b,c=d``, sorted; ``<none>`` for none."""
    return joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def selector_text(selector: Any) -> str:
    """A LabelSelector as kubectl writes it."""
    if not selector:
        return NONE
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or ():
        key, verb, values = each.get("key"), each.get("operator"), each.get("values") or ()
        if verb == "Exists":
            parts.append(f"{key}")
        elif verb == "DoesNotExist":
            parts.append(f"!{key}")
        else:
            parts.append(f"{key} {str(verb).lower()} ({','.join(sorted(values))})")
    return joined(parts)
