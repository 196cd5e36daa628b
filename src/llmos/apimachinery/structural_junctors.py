"""``allOf``, ``anyOf``, ``oneOf`` and ``not`` of a CRD schema.

Source: k8s.io/kube-openapi/pkg/validation/validate (schema_props.go).
"""

from collections.abc import Callable
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.golang import quote
from llmos.apimachinery.validation import field_invalid
from llmos.apimachinery.valuepath import ROOT, Path, render

Node = dict[str, Any]
Check = Callable[[Any, Path, list[FieldError]], None]
Compile = Callable[[Node], Check]


def junctor_checks(node: Node, compile_check: Compile) -> list[Check]:
    """The checks of a node's junctors; ``compile_check`` compiles what they join."""
    checks = []
    for name, build in (("anyOf", _any_of), ("oneOf", _one_of), ("allOf", _all_of)):
        choices = node.get(name)
        if choices and not (
            node.get("x-kubernetes-int-or-string") and _says_int_or_string(choices)
        ):
            checks.append(build([compile_check(each) for each in choices]))
    if isinstance(node.get("not"), dict):
        checks.append(_not(compile_check(node["not"])))
    return checks


def _says_int_or_string(choices: list[Node]) -> bool:
    """Whether ``anyOf`` only repeats what ``x-kubernetes-int-or-string`` says."""
    return choices == [{"type": "integer"}, {"type": "string"}]


def _refuse(path: Path, text: str) -> FieldError:
    where = render(path) if path != ROOT else ""
    return field_invalid("<nil>", "", f"{quote(where)} must {text}")


def _outcomes(checks: list[Check], value: Any, path: Path) -> list[list[FieldError]]:
    outcomes: list[list[FieldError]] = [[] for _ in checks]
    for check, errors in zip(checks, outcomes, strict=True):
        check(value, path, errors)
    return outcomes


def _fewest(outcomes: list[list[FieldError]]) -> list[FieldError]:
    """What the choice says that came nearest."""
    best = outcomes[0]
    for each in outcomes:
        if len(each) < len(best):
            best = each
    return best


def _any_of(checks: list[Check]) -> Check:
    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        outcomes = _outcomes(checks, value, path)
        if all(outcomes):
            errors.append(_refuse(path, "validate at least one schema (anyOf)"))
            errors.extend(_fewest(outcomes))

    return check


def _one_of(checks: list[Check]) -> Check:
    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        outcomes = _outcomes(checks, value, path)
        valid = sum(not each for each in outcomes)
        if valid == 1:
            return
        found = f"Found {valid} valid alternatives" if valid else "Found none valid"
        errors.append(_refuse(path, f"validate one and only one schema (oneOf). {found}"))
        if not valid:
            errors.extend(_fewest(outcomes))

    return check


def _all_of(checks: list[Check]) -> Check:
    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        outcomes = _outcomes(checks, value, path)
        if not any(outcomes):
            return
        for each in outcomes:
            errors.extend(each)
        none = ". None validated" if all(outcomes) else ""
        errors.append(_refuse(path, f"validate all the schemas (allOf){none}"))

    return check


def _not(inner: Check) -> Check:
    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        found: list[FieldError] = []
        inner(value, path, found)
        if not found:
            errors.append(_refuse(path, "not validate the schema (not)"))

    return check
