"""One rule of ``x-kubernetes-validations``: compiled, checked against its schema, evaluated.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/{compilation,validation}.go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from llmos.apimachinery.cel.environment import Environment
from llmos.apimachinery.cel.errors import CelError
from llmos.apimachinery.cel.expression import Budget, Expression, Inputs
from llmos.apimachinery.cel.reads import Reads
from llmos.apimachinery.cel.types import BOOL, STRING, CelType, optional_of
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.validation import (
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_required,
)

SELF, OLD_SELF = "self", "oldSelf"
_PREVIOUS = "previous"
"""A list of the old value, or of none; not for people's expressions."""
_MAX_MESSAGE = 5 * 1024


@cache
def environment() -> Environment:
    """Where rules are compiled."""
    return Environment((SELF, OLD_SELF))


@cache
def _optional_environment() -> Environment:
    """Where rules run for which ``oldSelf`` is an optional value.

    The runtime takes no optional values from outside, so that one is made of a list.
    """
    return Environment((SELF, _PREVIOUS))


@dataclass(frozen=True, slots=True)
class Rule:
    """Ready to be evaluated."""

    source: str
    message: str
    reason: str
    field_path: str
    condition: Expression
    reads: Reads
    message_expression: Expression | None
    uses_old: bool
    optional_old: bool

    @property
    def shown(self) -> str:
        """What errors call the rule."""
        return self.message or self.source.strip()


@dataclass(frozen=True, slots=True)
class Values:
    """A value and its former self, as expressions take them."""

    value: Any
    old: Any
    has_old: bool


def compile_rule(rule: Mapping[str, Any], kind: CelType) -> Rule:
    """Compile a rule over values of a type.

    Raises:
        CompileError: it is malformed.
    """
    source = str(rule.get("rule") or "")
    optional = bool(rule.get("optionalOldSelf"))
    condition = compile_condition(source, kind, optional)
    uses_old = OLD_SELF in condition.names
    where = environment()
    if optional:
        where = _optional_environment()
        wrapped = f"[{_PREVIOUS}[?0]].all({OLD_SELF}, {source}\n)"
        condition = where.compile(wrapped, {SELF: kind}, (BOOL,))
    message = str(rule.get("messageExpression") or "").strip()
    return Rule(
        source=source,
        message=str(rule.get("message") or "").strip(),
        reason=str(rule.get("reason") or ""),
        field_path=_normalized(str(rule.get("fieldPath") or "")),
        condition=condition,
        reads=where.reads([condition]),
        message_expression=compile_message(message, kind) if message else None,
        uses_old=uses_old or optional,
        optional_old=optional,
    )


def compile_condition(source: str, kind: CelType, optional: bool) -> Expression:
    """Compile what a rule says, with ``oldSelf`` as people see it.

    Raises:
        CompileError: it is malformed, or is no condition.
    """
    types = {SELF: kind, OLD_SELF: optional_of(kind) if optional else kind}
    return environment().compile(source, types, (BOOL,))


def compile_message(source: str, kind: CelType) -> Expression:
    """Compile the message of a rule.

    Raises:
        CompileError: it is malformed, or is no text.
    """
    return environment().compile(source, {SELF: kind, OLD_SELF: kind}, (STRING,))


def _normalized(path: str) -> str:
    """``.a['b.c']`` as field paths are written: ``a[b.c]``."""
    return path.removeprefix(".").replace("['", "[").replace("']", "]")


def inputs_of(rule: Rule, values: Values, budget: Budget) -> Inputs:
    """The variables of a rule.

    Raises:
        CostError: they are too large.
    """
    if not rule.optional_old:
        return environment().inputs({SELF: values.value, OLD_SELF: values.old}, rule.reads, budget)
    previous = [values.old] if values.has_old else []
    variables = {SELF: values.value, _PREVIOUS: previous}
    return _optional_environment().inputs(variables, rule.reads, budget)


def failure(rule: Rule, values: Values, field: str, shown: Any, budget: Budget) -> FieldError:
    """The error of a rule that does not hold.

    Raises:
        CostError: not even the message can be made.
    """
    text = _evaluated_message(rule, values, budget) or rule.message
    text = text or f"failed rule: {rule.shown}"
    if rule.field_path:
        field = rule.field_path if field == "<nil>" else f"{field}.{rule.field_path}"
    by_reason: Mapping[str, Callable[[], FieldError]] = {
        "FieldValueForbidden": lambda: field_forbidden(field, text),
        "FieldValueRequired": lambda: field_required(field, text),
        "FieldValueDuplicate": lambda: field_duplicate(field, shown),
    }
    return by_reason.get(rule.reason, lambda: field_invalid(field, shown, text))()


def _evaluated_message(rule: Rule, values: Values, budget: Budget) -> str:
    """What ``messageExpression`` says; empty where it says nothing usable."""
    expression = rule.message_expression
    if expression is None:
        return ""
    where = environment()
    variables = {SELF: values.value, OLD_SELF: values.old}
    try:
        inputs = where.inputs(variables, where.reads([expression]), budget)
        text = expression.evaluate(inputs, budget)
    except CelError:
        return ""
    text = text.strip() if isinstance(text, str) else ""
    return "" if "\n" in text or len(text) > _MAX_MESSAGE else text
