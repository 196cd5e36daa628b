"""What Go's types of the built-in kinds say beyond OpenAPI: wire numbers, omitempty, pointers.

The table is data (``protobuf_fields.json``); protobuf bodies are read by it, and JSON bodies are
given back as Go would encode them.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class GoField:
    """One field of a struct."""

    number: int
    name: str
    """Its JSON key; ``""`` for an inlined struct, whose keys are the outer one's own."""
    type: str
    """A scalar's name or a message's, after ``[]`` for lists and ``map:`` for maps."""
    omit_empty: bool
    pointer: bool


@cache
def message_fields(message: str) -> tuple[GoField, ...]:
    """The fields of a message by their numbers; none for a message that is not in the table."""
    rows: dict[str, list[Any]] = _table()["messages"].get(message, {})
    return tuple(
        GoField(int(number), name or "", kind, omit_empty, pointer)
        for number, (name, kind, omit_empty, pointer) in rows.items()
    )


@cache
def json_fields(message: str) -> dict[str, GoField]:
    """The fields of a message by JSON key, those of inlined structs among them."""
    found: dict[str, GoField] = {}
    for field in message_fields(message):
        found.update({field.name: field} if field.name else json_fields(field.type))
    return found


def message_of_kind(api_version: str, kind: str) -> str | None:
    """The message of a kind, e.g. ``core/v1.Secret``; every version has the options kinds."""
    kinds: dict[str, str] = _table()["kinds"]
    return kinds.get(f"v1 {kind}" if kind.endswith("Options") else f"{api_version} {kind}")


def message_of_definition(definition: str) -> str:
    """The message of an OpenAPI definition: ``io.k8s.api.core.v1.Secret`` → ``core/v1.Secret``."""
    group, _, rest = definition.rpartition(".v")
    return f"{group.rpartition('.')[2]}/v{rest}" if rest else definition


@cache
def _table() -> dict[str, Any]:
    data = (files("llmos.apimachinery") / "protobuf_fields.json").read_bytes()
    table: dict[str, Any] = orjson.loads(data)
    return table
