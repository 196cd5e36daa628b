"""What was done to the objects of a cluster, as a table or for programs."""

from collections.abc import Iterable

import click

from llmos.cli.output import Column, show, table
from llmos.installation.outcome import Action, Outcome

_COLUMNS = [
    Column("NAMESPACE", lambda row: row["namespace"]),
    Column("OBJECT", lambda row: row["object"]),
    Column("ACTION", lambda row: row["action"]),
]
_WITH_NOTES = [*_COLUMNS, Column("NOTE", lambda row: row.get("note", ""))]


def row(outcome: Outcome) -> dict[str, str]:
    """One object, for programs."""
    place = outcome.place
    shown = {
        "namespace": place.namespace,
        "object": f"{place.resource}/{place.name}",
        "action": str(outcome.action),
    }
    return {**shown, "note": outcome.note} if outcome.note else shown


def show_outcomes(outcomes: Iterable[Outcome], output: str | None) -> None:
    """Print what was done."""
    rows = [row(each) for each in outcomes if each.action is not Action.UNCHANGED]
    if output == "name":
        for each in rows:
            click.echo(each["object"])
    elif output:
        show({"objects": rows}, output)
    elif rows:
        noted = any("note" in each for each in rows)
        click.echo(table(_WITH_NOTES if noted else _COLUMNS, rows))
