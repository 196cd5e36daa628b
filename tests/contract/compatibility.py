"""The parts of ``docs/compatibility.md`` that are made: what is served, and what differs.

Written anew with ``PYTHONPATH=tests python -m contract.compatibility`` from the repository's root.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from contract.deviations import reasons
from contract.replay import scenarios
from llmos.apimachinery.resource import STANDARD_VERBS, APIResource
from llmos.apis.apiextensions_v1 import resources_of
from llmos.apis.scheme import builtin_kinds, virtual_kinds
from llmos.manifests import load
from llmos.server.documents import KUBERNETES_MINOR

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
_PART = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_USUAL = frozenset(STANDARD_VERBS)


def resources() -> list[APIResource]:
    """Every kind that a fresh server serves, by group and name."""
    found = [each.resource for each in builtin_kinds()]
    found += virtual_kinds()
    found += [each for crd in load("crds") for each in resources_of(crd)]
    return sorted(found, key=lambda each: (each.group, each.plural))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def served_table() -> str:
    """A row for each kind."""
    head = ("group/version", "resource", "kind", "scope", "verbs", "subresources")
    rows = [_row(head), _row(["---"] * len(head))]
    for each in resources():
        names = f"`{each.plural}`"
        if each.short_names:
            names += f" ({', '.join(each.short_names)})"
        scope = "namespaced" if each.namespaced else "cluster"
        parts = ", ".join(sorted(part.name for part in each.subresources))
        rows.append(_row([each.api_version, names, each.kind, scope, _verbs(each), parts]))
    return "\n".join(rows)


def _verbs(resource: APIResource) -> str:
    missing = _USUAL - set(resource.verbs)
    if len(missing) > len(_USUAL) / 2:
        return ", ".join(resource.verbs)
    return "all but " + ", ".join(sorted(missing)) if missing else "all"


def deviations_table() -> str:
    """A row for each reason."""
    rows = [_row(("why", "recorded steps")), _row(("---", "---"))]
    rows += [_row((why, ", ".join(f"`{each}`" for each in steps))) for why, steps in reasons()]
    return "\n".join(rows)


def numbers() -> str:
    """How much is compared, and how much differs."""
    steps = sum(len(each["steps"]) for each in scenarios())
    different = sum(len(steps) for _, steps in reasons())
    return (
        f"Version 1.{KUBERNETES_MINOR} is spoken. Of {steps} recorded answers all but {different} "
        "are given exactly."
    )


def document() -> str:
    """The page with its parts made anew."""
    parts = {"numbers": numbers, "served": served_table, "deviations": deviations_table}
    return _PART.sub(
        lambda found: f"{found[1]}{parts[found[2]]()}\n{found[3]}", PAGE.read_text(encoding="utf-8")
    )


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
