"""A CRD schema node becomes a function that says what is wrong with a value.

Compiled once for each node, so that validating an object looks nothing up in the schema. Texts and
their order follow k8s.io/kube-openapi/pkg/validation/validate, as translated to field errors by
k8s.io/apiextensions-apiserver (pkg/apiserver/validation). Used by ``apimachinery.structural``.
"""

from collections.abc import Callable
from typing import Any

import orjson

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.ratcheting import Ratchet
from llmos.apimachinery.scalar_checks import (
    Check,
    Node,
    format_check,
    number_check,
    scalar_fast_path,
    string_check,
    type_error,
    type_name,
    types_of,
)
from llmos.apimachinery.structural_junctors import junctor_checks
from llmos.apimachinery.validation import (
    field_invalid,
    field_not_supported,
    field_required,
    field_too_many,
)
from llmos.apimachinery.valuepath import Path, render

_EXACT = 2**53
"""Floats up to here are exact as integers."""


def compile_check(node: Node) -> Check:
    """Compile a node with all below it.

    Raises:
        RegexError: a pattern cannot be compiled.
    """
    checks = [
        each
        for each in (
            _type_check(node),
            *junctor_checks(node, compile_check),
            string_check(node),
            format_check(node),
            number_check(node),
            _array_check(node),
            _enum_check(node),
            _object_check(node),
        )
        if each is not None
    ]
    passes = scalar_fast_path(node)
    null_checks = [each for each in (_null_check(node), _enum_check(node)) if each is not None]

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        if passes is not None and passes(value):
            return
        if type(errors) is Ratchet and path in errors.unchanged:
            return
        for each in checks if value is not None else null_checks:
            each(value, path, errors)

    return check


def _null_check(node: Node) -> Check | None:
    types = types_of(node)
    if not types or node.get("nullable"):
        return None

    def check(_: Any, path: Path, errors: list[FieldError]) -> None:
        errors.append(type_error(path, types, "null"))

    return check


def _type_check(node: Node) -> Check | None:
    types = types_of(node)
    if not types:
        return None
    accepted = {*types, "integer"} if "number" in types else set(types)
    whole = "integer" in types

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        name = type_name(value)
        if name in accepted:
            return
        if whole and type(value) is float and abs(value) <= _EXACT and value.is_integer():
            return
        errors.append(type_error(path, types, name))

    return check


def _array_check(node: Node) -> Check | None:
    least, most = node.get("minItems"), node.get("maxItems")
    items = compile_check(node["items"]) if isinstance(node.get("items"), dict) else None
    if items is None and least is None and most is None:
        return None

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        if type(value) is not list:
            return
        if items is not None:
            for index, each in enumerate(value):
                items(each, (path, index), errors)
        if least is not None and len(value) < least:
            text = f"{render(path)} in body should have at least {least} items"
            errors.append(field_invalid(render(path), len(value), text))
        if most is not None and len(value) > most:
            errors.append(field_too_many(render(path), len(value), most))

    return check


def _enum_check(node: Node) -> Check | None:
    allowed = node.get("enum")
    if not allowed:
        return None
    shown = [each if isinstance(each, str) else orjson.dumps(each).decode() for each in allowed]
    words = frozenset(each for each in allowed if isinstance(each, str))

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        found = value in words if type(value) is str else any(same(value, each) for each in allowed)
        if not found:
            errors.append(field_not_supported(render(path), value, shown))

    return check


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; Python alone would say that 1 is true."""
    return one == other and (type(one) is bool) == (type(other) is bool)


def _object_check(node: Node) -> Check | None:
    properties = {key: compile_check(each) for key, each in (node.get("properties") or {}).items()}
    additional = node.get("additionalProperties")
    others = compile_check(additional) if isinstance(additional, dict) else None
    required = tuple(node.get("required") or ())
    sizes = _size_check(node)
    if not properties and others is None and not required and sizes is None:
        return None

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        if type(value) is not dict or (sizes is not None and sizes(value, path, errors)):
            return
        missing = [key for key in required if key not in value]
        errors.extend(field_required(render((path, key))) for key in missing)
        for key, each in value.items():
            known = properties.get(key, others)
            if known is not None:
                known(each, (path, key), errors)

    return check


def _size_check(node: Node) -> Callable[[Node, Path, list[FieldError]], bool] | None:
    """The number of keys; where it is wrong nothing else about the object is said."""
    least, most = node.get("minProperties"), node.get("maxProperties")
    if least is None and most is None:
        return None

    def check(value: Node, path: Path, errors: list[FieldError]) -> bool:
        if least is not None and len(value) < least:
            text = f"{render(path)} in body should have at least {least} properties"
            errors.append(field_invalid(render(path), len(value), text))
            return True
        if most is not None and len(value) > most:
            errors.append(field_too_many(render(path), len(value), most))
            return True
        return False

    return check
