"""How results are shown: tables for people, JSON, YAML or names for programs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import click
import orjson
import yaml

from llmos.apimachinery.object import Object, name_of
from llmos.apimachinery.resource import APIResource
from llmos.cli.failures import one_line

NONE = "<none>"
_GAP = "   "


class Column(NamedTuple):
    """A column of a table."""

    title: str
    cell: Callable[[Object], str]


def without_managed_fields(obj: Object) -> Object:
    """The object as people want to read it, which kubectl does too."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    kept = {key: value for key, value in meta.items() if key != "managedFields"}
    return {**obj, "metadata": kept}


def show(value: Any, output: str) -> None:
    """Print a value as JSON or YAML."""
    value = without_managed_fields(value)
    if output == "yaml":
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    else:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    click.echo(text.rstrip("\n"))


def shortened(text: str, most: int = 60) -> str:
    """A text that leaves a table readable."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def table(columns: Sequence[Column], items: Iterable[Object]) -> str:
    """Rows under titles, aligned as kubectl aligns them."""
    rows = [[column.title for column in columns]]
    rows += [[one_line(column.cell(item)) or NONE for column in columns] for item in items]
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def full_name(resource: APIResource, name: str) -> str:
    """Resource and name as kubectl's ``-o name`` writes them."""
    group = f".{resource.group}" if resource.group else ""
    return f"{resource.singular}{group}/{name}"


def show_list(
    resource: APIResource, items: Sequence[Object], output: str | None, columns: Sequence[Column]
) -> None:
    """Print objects of a resource."""
    if output == "name":
        for each in items:
            click.echo(full_name(resource, name_of(each)))
    elif output:
        shown = [without_managed_fields(each) for each in items]
        show({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": shown}, output)
    elif items:
        click.echo(table(columns, items))
    else:
        click.echo(f"No {resource.plural} found.", err=True)


def show_one(
    resource: APIResource, obj: Object, output: str | None, columns: Sequence[Column]
) -> None:
    """Print one object."""
    if output in ("json", "yaml"):
        show(obj, output)
    else:
        show_list(resource, [obj], output, columns)


def show_done(resource: APIResource, obj: Object, output: str | None, done: str) -> None:
    """Tell that something was done to an object: ``namespace/team-a created``."""
    if output == "name":
        click.echo(full_name(resource, name_of(obj)))
    elif output:
        show(obj, output)
    else:
        click.echo(f"{full_name(resource, name_of(obj))} {done}")
