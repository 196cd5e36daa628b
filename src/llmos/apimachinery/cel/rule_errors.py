"""What is wrong with the rules of a schema, said when a CustomResourceDefinition is written.

Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation (ValidationRules).
"""

import re
from collections.abc import Iterator
from typing import Any

from llmos.apimachinery.cel.errors import CompileError
from llmos.apimachinery.cel.rule import OLD_SELF, SELF, compile_condition, compile_message
from llmos.apimachinery.cel.schema_types import Node, type_of
from llmos.apimachinery.cel.types import CelType
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.validation import (
    field_invalid,
    field_not_supported,
    field_required,
)

_REASONS = (
    "FieldValueInvalid",
    "FieldValueForbidden",
    "FieldValueRequired",
    "FieldValueDuplicate",
)
_MAX_MESSAGE = 2048
_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")


def rule_errors(node: Node, field: str) -> Iterator[FieldError]:
    """Find what is wrong with the rules of a structural schema.

    Args:
        node: the schema of a whole custom resource.
        field: where it stands in the definition.
    """
    yield from _errors(node, field, type_of(node, SELF, resource=True), "")


def _errors(node: Node, field: str, kind: CelType, uncorrelated: str) -> Iterator[FieldError]:
    for index, rule in enumerate(node.get("x-kubernetes-validations") or ()):
        where = f"{field}.x-kubernetes-validations[{index}]"
        yield from _rule(rule, where, kind, uncorrelated)
        yield from _field_path(rule.get("fieldPath"), node, f"{where}.fieldPath")
    atomic = node.get("x-kubernetes-map-type") == "atomic"
    below = uncorrelated or (field if atomic else "")
    for key, child in (node.get("properties") or {}).items():
        if isinstance(child, dict):
            yield from _below(child, f"{field}.properties[{key}]", below)
    if isinstance(node.get("additionalProperties"), dict):
        yield from _below(node["additionalProperties"], f"{field}.additionalProperties", below)
    if isinstance(node.get("items"), dict):
        correlated = node.get("x-kubernetes-list-type") == "map"
        yield from _below(
            node["items"], f"{field}.items", uncorrelated or ("" if correlated else field)
        )


def _below(node: Node, field: str, uncorrelated: str) -> Iterator[FieldError]:
    yield from _errors(node, field, type_of(node, SELF), uncorrelated)


def _rule(rule: Node, field: str, kind: CelType, uncorrelated: str) -> Iterator[FieldError]:
    source = str(rule.get("rule") or "")
    if not source.strip():
        yield field_required(f"{field}.rule", "rule is not specified")
        return
    yield from _message(rule, source, field)
    reason = rule.get("reason")
    if reason and reason not in _REASONS:
        yield field_not_supported(f"{field}.reason", reason, _REASONS)
    yield from _condition(rule, field, kind, uncorrelated)
    yield from _message_expression(str(rule.get("messageExpression") or ""), field, kind)


def _condition(rule: Node, field: str, kind: CelType, uncorrelated: str) -> Iterator[FieldError]:
    source, optional = str(rule["rule"]), bool(rule.get("optionalOldSelf"))
    try:
        condition = compile_condition(source, kind, optional)
    except CompileError as error:
        text = f"compilation failed: {error}"
        if str(error).startswith("must evaluate"):
            text = "cel expression must evaluate to a bool"
        yield field_invalid(f"{field}.rule", source, text)
        return
    uses_old = OLD_SELF in condition.names
    if uses_old and uncorrelated:
        text = "oldSelf cannot be used on the uncorrelatable portion of the schema within "
        yield field_invalid(f"{field}.rule", source, text + uncorrelated)
    if optional and not uses_old:
        text = "may not be set to true when oldSelf is not used in the rule"
        yield field_invalid(f"{field}.optionalOldSelf", value=True, detail=text)


def _message_expression(source: str, field: str, kind: CelType) -> Iterator[FieldError]:
    if not source.strip():
        return
    try:
        compile_message(source, kind)
    except CompileError as error:
        text = f"messageExpression compilation failed: {error}"
        if str(error).startswith("must evaluate"):
            text = "messageExpression must evaluate to a string"
        yield field_invalid(f"{field}.messageExpression", source, text)


def _message(rule: Node, source: str, field: str) -> Iterator[FieldError]:
    message = rule.get("message")
    if not message:
        if "\n" in source.strip() and not rule.get("messageExpression"):
            text = "message must be specified if rule contains line breaks"
            yield field_required(f"{field}.message", text)
        return
    if not message.strip():
        text = "message must be non-empty if specified"
        yield field_invalid(f"{field}.message", message, text)
    elif "\n" in message.strip():
        text = "message must not contain line breaks"
        yield field_invalid(f"{field}.message", message, text)
    elif len(message) > _MAX_MESSAGE:
        text = f"message must have a maximum length of {_MAX_MESSAGE} characters"
        yield field_invalid(f"{field}.message", f"{message[:10]}...", text)


def _field_path(path: Any, node: Node, field: str) -> Iterator[FieldError]:
    """A path leads, through fields and keys of maps, to a place in the schema."""
    if not path:
        return
    at, place = 0, node
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            text = f"fieldPath must be a valid path: expected [ or . but got: {path[at:]}"
            yield field_invalid(field, path, text)
            return
        below = (place.get("properties") or {}).get(step[1] or step[2])
        below = below or place.get("additionalProperties")
        if not isinstance(below, dict):
            text = "fieldPath must be a valid path: does not refer to a valid field"
            yield field_invalid(field, path, text)
            return
        at, place = step.end(), below
