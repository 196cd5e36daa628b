"""ValidatingAdmissionPolicies and their bindings.

Source: kubernetes/pkg/apis/admissionregistration (v1/defaults.go, validation) and the printers.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from llmos.apimachinery.cel.words import RESERVED
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.lazy import LazyModule
from llmos.apimachinery.names import dns1123_subdomain, qualified_name
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.validation import (
    field_duplicate,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.printing import AGE, NAME, UNSET, field, selector_text, text
from llmos.apis.strategy import Strategy

if TYPE_CHECKING:
    from llmos.apis import admissionregistration_v1_expressions as expressions
else:
    expressions = LazyModule("llmos.apis.admissionregistration_v1_expressions")

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FAILURE_POLICIES = ("Fail", "Ignore")
_MATCH_POLICIES = ("Equivalent", "Exact")
_ACTIONS = ("Audit", "Deny", "Warn")
_NOT_FOUND_ACTIONS = ("Allow", "Deny")
_RULE_LISTS = ("operations", "apiGroups", "apiVersions", "resources")
_OPERATIONS = ("*", "CREATE", "UPDATE", "DELETE", "CONNECT")


def policies() -> Strategy:
    """The strategy of ``validatingadmissionpolicies``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_policy,
        validate=_validate_policy,
        has_status=True,
        has_generation=True,
        columns=(
            NAME,
            text("Validations", lambda obj: len(get_path(obj, "spec", "validations") or ())),
            text("ParamKind", _param_kind),
            AGE,
        ),
    )


def bindings() -> Strategy:
    """The strategy of ``validatingadmissionpolicybindings``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_binding,
        validate=_validate_binding,
        has_generation=True,
        columns=(NAME, field("PolicyName", "spec", "policyName"), text("ParamRef", _ref), AGE),
    )


def _param_kind(obj: Object) -> str:
    kind = get_path(obj, "spec", "paramKind")
    return f"{kind.get('apiVersion')}/{kind.get('kind')}" if kind else UNSET


def _ref(obj: Object) -> str:
    ref = get_path(obj, "spec", "paramRef")
    if not ref:
        return UNSET
    name = ref.get("name") or selector_text(ref.get("selector"))
    return f"{ref['namespace']}/{name}" if ref.get("namespace") else str(name)


def _default_policy(obj: Object) -> None:
    spec = obj.get("spec")
    if isinstance(spec, dict):
        spec["failurePolicy"] = spec.get("failurePolicy") or "Fail"
        _default_match(spec.get("matchConstraints"))


def _default_binding(obj: Object) -> None:
    _default_match(get_path(obj, "spec", "matchResources"))


def _default_match(match: Object | None) -> None:
    if match is None:
        return
    match["matchPolicy"] = match.get("matchPolicy") or "Equivalent"
    for key in ("namespaceSelector", "objectSelector"):
        if match.get(key) is None:
            match[key] = {}
    for key in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(key) or ():
            rule["scope"] = rule.get("scope") or "*"


def _validate_policy(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if spec.get("failurePolicy") not in _FAILURE_POLICIES:
        errors.append(
            field_not_supported("spec.failurePolicy", spec.get("failurePolicy"), _FAILURE_POLICIES)
        )
    match = spec.get("matchConstraints")
    if match is None:
        errors.append(field_required("spec.matchConstraints"))
    else:
        errors += _match_errors(match, "spec.matchConstraints")
        if not match.get("resourceRules"):
            errors.append(field_required("spec.matchConstraints.resourceRules"))
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        detail = "validations or auditAnnotations must contain at least one item"
        errors.append(field_required("spec.validations", detail))
    return [
        *errors,
        *_param_kind_errors(spec.get("paramKind")),
        *_expression_errors(spec),
        *expressions.expression_errors(spec),
    ]


def _param_kind_errors(kind: Object | None) -> Iterator[FieldError]:
    for key in ("apiVersion", "kind") if kind is not None else ():
        if not (kind or {}).get(key):
            yield field_required(f"spec.paramKind.{key}")


def _expression_errors(spec: Object) -> Iterator[FieldError]:
    """Every named or unnamed expression of a policy must be there, under a name of its own."""
    for key, named, expression in (
        ("validations", "", "expression"),
        ("matchConditions", "name", "expression"),
        ("variables", "name", "expression"),
        ("auditAnnotations", "key", "valueExpression"),
    ):
        seen: set[str] = set()
        for index, each in enumerate(spec.get(key) or ()):
            path = f"spec.{key}[{index}]"
            if not (each.get(expression) or "").strip():
                yield field_required(f"{path}.{expression}", f"{expression} is not specified")
            if named:
                check = _identifier if key == "variables" else qualified_name
                yield from _name_errors(each.get(named) or "", f"{path}.{named}", seen, check)


def _identifier(name: str) -> Iterator[str]:
    """What keeps a name from being one of CEL (validateVariable of the same source)."""
    if not _IDENTIFIER.fullmatch(name) or name in RESERVED:
        yield "must be a valid CEL identifier"


def _name_errors(
    name: str, path: str, seen: set[str], check: Callable[[str], Iterable[str]]
) -> Iterator[FieldError]:
    if not name:
        yield field_required(path)
        return
    yield from (field_invalid(path, name, each) for each in check(name))
    if name in seen:
        yield field_duplicate(path, name)
    seen.add(name)


def _match_errors(match: Object, path: str) -> Iterator[FieldError]:
    policy = match.get("matchPolicy")
    if policy not in _MATCH_POLICIES:
        yield field_not_supported(f"{path}.matchPolicy", policy, _MATCH_POLICIES)
    for key in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(key) or ()):
            yield from _rule_errors(rule, f"{path}.{key}[{index}]")


def _rule_errors(rule: Object, path: str) -> Iterator[FieldError]:
    for key in _RULE_LISTS:
        values = rule.get(key) or []
        if not values:
            yield field_required(f"{path}.{key}")
        elif "*" in values and len(values) > 1 and key != "resources":
            text_ = f"if '*' is present, must not specify other {_words(key)}"
            yield field_invalid(f"{path}.{key}", values, text_)
    for index, each in enumerate(rule.get("operations") or ()):
        if each not in _OPERATIONS:
            yield field_not_supported(f"{path}.operations[{index}]", each, _OPERATIONS)


def _words(key: str) -> str:
    return {"apiGroups": "API groups", "apiVersions": "API versions"}.get(key, key)


def _validate_binding(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    name = spec.get("policyName") or ""
    if not name:
        errors.append(field_required("spec.policyName"))
    else:
        errors += [field_invalid("spec.policyName", name, each) for each in dns1123_subdomain(name)]
    errors += _param_ref_errors(spec.get("paramRef"))
    if spec.get("matchResources") is not None:
        errors += _match_errors(spec["matchResources"], "spec.matchResources")
    return [*errors, *_action_errors(spec.get("validationActions") or [])]


def _param_ref_errors(ref: Object | None) -> Iterator[FieldError]:
    if ref is None:
        return
    if bool(ref.get("name")) == (ref.get("selector") is not None):
        detail = "one of name or selector must be specified"
        yield field_required("spec.paramRef", detail)
    action = ref.get("parameterNotFoundAction")
    if not action:
        yield field_required("spec.paramRef.parameterNotFoundAction")
    elif action not in _NOT_FOUND_ACTIONS:
        path = "spec.paramRef.parameterNotFoundAction"
        yield field_not_supported(path, action, _NOT_FOUND_ACTIONS)


def _action_errors(actions: list[str]) -> Iterator[FieldError]:
    if not actions:
        yield field_required("spec.validationActions", "at least one validation action is required")
    for index, action in enumerate(actions):
        path = f"spec.validationActions[{index}]"
        if action not in _ACTIONS:
            yield field_not_supported(path, action, _ACTIONS)
        if action in actions[:index]:
            yield field_duplicate(path, action)
    if {"Deny", "Warn"}.issubset(actions):
        detail = (
            "must not contain both Deny and Warn (repeating the same validation failure information"
            " in the API response and headers serves no purpose)"
        )
        yield field_invalid("spec.validationActions", actions, detail)
