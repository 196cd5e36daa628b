"""The table: a line an operation, the engines side by side, and how they compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.measures import Measured, medians, ratio

BUSY = 0.9
"""From this share of its core on, the load generator is the limit."""


@dataclass(slots=True)
class Row:
    """All rounds of one operation."""

    name: str
    title: str
    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    """By engine."""

    def medians(self) -> dict[str, Measured]:
        """By engine the medians of its rounds."""
        return {name: medians(found) for name, found in self.rounds.items() if found}


class Report:
    """The figures as they come."""

    def __init__(self, engines: Sequence[str]) -> None:
        self.engines = list(engines)
        self.rows: dict[str, Row] = {}

    def add(self, name: str, title: str, engine: str, measured: Measured) -> None:
        """Take one round of an operation."""
        row = self.rows.setdefault(name, Row(name, title))
        row.rounds.setdefault(engine, []).append(measured)

    def table(self) -> str:
        """All of it, as Markdown."""
        head = ["operation"]
        for engine in self.engines:
            head += [f"{engine}", "p50 / p99 ms"]
        if len(self.engines) == 2:
            head.append("ratio")
        return markdown(head, [self._line(row) for row in self.rows.values()])

    def _line(self, row: Row) -> list[str]:
        found = row.medians()
        cells = [row.title]
        for engine in self.engines:
            cells += shown(found.get(engine))
        if len(self.engines) == 2:
            compared = [found.get(engine) for engine in self.engines]
            cells.append(_ratio(compared))
        return cells

    def as_json(self, machine: Mapping[str, str]) -> dict[str, object]:
        """Everything, each round by itself."""
        operations = {
            row.name: {
                "title": row.title,
                "rounds": {
                    engine: [each.as_json() for each in found]
                    for engine, found in row.rounds.items()
                },
            }
            for row in self.rows.values()
        }
        return {"machine": dict(machine), "operations": operations}


def _ratio(compared: Sequence[Measured | None]) -> str:
    ours, theirs = compared
    found = ratio(ours, theirs) if ours and theirs else None
    return "" if found is None else f"{found:.1f}"


def shown(measured: Measured | None) -> tuple[str, str]:
    """The main figure and the latencies of a measurement, as the table has them."""
    if measured is None:
        return "", ""
    star = "*" if measured.generator_busy >= BUSY else ""
    if measured.megabytes:
        return f"{measured.megabytes:,.0f} MB", ""
    if measured.count == 1:
        return f"{measured.p50_ms:,.0f} ms", ""
    latencies = f"{_short(measured.p50_ms)} / {_short(measured.p99_ms)}"
    return f"{measured.rate:,.0f}/s{star}" if measured.rate else "", latencies


def _short(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.2g}"


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table with columns of even width; all but the first stand to the right."""
    rows = [list(head), *(list(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]

    def text(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([text(rows[0]), text(rule), *(text(row) for row in rows[1:])])
