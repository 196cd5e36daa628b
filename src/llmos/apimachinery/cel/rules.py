"""The rules of a whole schema: every value is judged by those of its place.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go. Used by
``apis.custom``; ``rule_errors`` says whether the rules themselves are right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.cel.errors import CelError, CompileError, CostError
from llmos.apimachinery.cel.expression import Budget
from llmos.apimachinery.cel.rule import SELF, Rule, Values, compile_rule, failure, inputs_of
from llmos.apimachinery.cel.schema_types import Convert, Node, converter, type_of
from llmos.apimachinery.cel.types import CelType
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.object import Object
from llmos.apimachinery.ratcheting import deep_equal, former_elements, identity, keys_of
from llmos.apimachinery.structural import RuleCheck
from llmos.apimachinery.validation import field_invalid
from llmos.apimachinery.valuepath import ROOT, Path, render

_OUT_OF_BUDGET = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)


@dataclass(frozen=True, slots=True)
class _Level:
    """The rules of one place in a schema, and of the places below it."""

    rules: tuple[Rule, ...]
    broken: tuple[str, ...]
    """Why rules do not compile; a definition from before they were checked may have such."""
    convert: Convert | None
    properties: "Mapping[str, _Level]"
    others: "_Level | None"
    items: "_Level | None"
    node: Node
    keys: tuple[str, ...] | None
    """What makes elements of a list the same ones as before; None: nothing does."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing here or below has a rule."""
        below = (self.others, self.items)
        here = self.rules or self.broken or self.properties
        return not here and all(each is None for each in below)


def compile_rules(node: dict[str, Any]) -> RuleCheck:
    """Compile the rules of an OpenAPI schema of a custom resource."""
    root = _compile(node, type_of(node, SELF, resource=True))

    def check(obj: Object, old: Object | None, warnings: list[str]) -> Sequence[FieldError]:
        run = _Run(warnings)
        try:
            run.visit(root, (obj, old), ROOT)
        except CostError:
            run.errors.append(field_invalid(run.at, "", _OUT_OF_BUDGET))
        return run.errors

    return check


def _compile(node: Node, kind: CelType) -> _Level:
    rules, broken = [], []
    for each in node.get("x-kubernetes-validations") or ():
        try:
            rules.append(compile_rule(each, kind))
        except CompileError as error:
            broken.append(f"rule compile error: {error}")
    properties = {
        key: _compile_below(child) for key, child in (node.get("properties") or {}).items()
    }
    return _Level(
        rules=tuple(rules),
        broken=tuple(broken),
        convert=converter(node) if rules else None,
        properties={key: each for key, each in properties.items() if each is not None},
        others=_compile_below(node.get("additionalProperties")),
        items=_compile_below(node.get("items")),
        node=node,
        keys=keys_of(node),
    )


def _compile_below(node: Any) -> _Level | None:
    if not isinstance(node, dict):
        return None
    level = _compile(node, type_of(node, SELF))
    return None if level.is_empty else level


@dataclass(slots=True)
class _Run:
    """One look at one object."""

    warnings: list[str]
    """Takes what is wrong with values that did not change."""
    budget: Budget = field(default_factory=Budget)
    errors: list[FieldError] = field(default_factory=list)
    at: str = "<nil>"

    def visit(self, level: _Level, pair: tuple[Any, Any], path: Path) -> None:
        """Judge a value, beside its former self, and all that is in it."""
        value, old = pair
        if value is None:
            return
        if level.rules or level.broken:
            self._judge(level, pair, path)
        if isinstance(value, dict):
            self._visit_map(level, value, old, path)
        elif isinstance(value, list) and level.items is not None:
            for index, pair_below in enumerate(_pairs(value, old, level.keys)):
                self.visit(level.items, pair_below, (path, index))

    def _visit_map(self, level: _Level, value: Object, old: Any, path: Path) -> None:
        before = old if isinstance(old, dict) else {}
        if level.others is not None:
            for key, each in value.items():
                self.visit(level.others, (each, before.get(key)), (path, (key,)))
        for key, below in level.properties.items():
            if key in value:
                self.visit(below, (value[key], before.get(key)), (path, key))

    def _judge(self, level: _Level, pair: tuple[Any, Any], path: Path) -> None:
        self.at = render(path)
        value, old = pair
        self.errors += [field_invalid(self.at, _shown(value), each) for each in level.broken]
        chosen = [each for each in level.rules if _concerns(each, old)]
        if not chosen:
            return
        values = self._values(level, pair)
        for rule in chosen:
            wrong = self._apply(rule, values, value)
            if wrong is None:
                continue
            if old is not None and not rule.uses_old and deep_equal(level.node, value, old):
                self.warnings.append(str(wrong))
            else:
                self.errors.append(wrong)

    @staticmethod
    def _values(level: _Level, pair: tuple[Any, Any]) -> Values:
        value, old = pair
        has_old = old is not None
        if level.convert is None:
            return Values(value, old, has_old)
        return Values(level.convert(value), level.convert(old) if has_old else None, has_old)

    def _apply(self, rule: Rule, values: Values, value: Any) -> FieldError | None:
        shown = _shown(value)
        try:
            inputs = inputs_of(rule, values, self.budget)
            if rule.condition.evaluate(inputs, self.budget) is True:
                return None
            return failure(rule, values, self.at, shown, self.budget)
        except CostError:
            raise
        except CelError as error:
            return field_invalid(self.at, shown, _failed(rule, str(error)))


def _pairs(value: list[Any], old: Any, keys: tuple[str, ...] | None) -> Iterable[tuple[Any, Any]]:
    """The elements of a list beside what they were, where that is known."""
    if keys is not None:
        former = former_elements(old, keys)
        return [(each, former.get(identity(each, keys))) for each in value]
    if isinstance(old, list) and deep_equal({}, value, old):
        return zip(value, old, strict=True)
    return [(each, None) for each in value]


def _concerns(rule: Rule, old: Any) -> bool:
    """Whether a rule is asked: one about changes has to know what was before."""
    return rule.optional_old or not rule.uses_old or old is not None


def _failed(rule: Rule, why: str) -> str:
    if why == "no such overload":
        return (
            f"'{why}': call arguments did not match a supported operator, function or macro "
            f"signature for rule: {rule.shown}"
        )
    return f"{why} evaluating rule: {rule.shown}"


def _shown(value: Any) -> Any:
    """What errors show of a value: objects and lists are only named, they may be large."""
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else value
