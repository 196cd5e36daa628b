"""The expressions of a ValidatingAdmissionPolicy: what they may use, and whether they compile.

Source: k8s.io/apiserver/pkg/admission/plugin/cel (compile.go, composition.go) and
kubernetes/pkg/apis/admissionregistration/validation. ``admission`` runs what is compiled here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from llmos.apimachinery.cel.environment import Environment
from llmos.apimachinery.cel.errors import CompileError
from llmos.apimachinery.cel.expression import Expression
from llmos.apimachinery.cel.types import (
    AUTHORIZER,
    BOOL,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    CelType,
    Fields,
    list_of,
    map_of,
    object_of,
)
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.object import Object
from llmos.apimachinery.validation import field_invalid

NAMES = (
    "object",
    "oldObject",
    "request",
    "params",
    "namespaceObject",
    "variables",
    "authorizer",
)
"""The variables of every expression."""


def _texts(name: str, *keys: str) -> CelType:
    fields = dict.fromkeys(keys, STRING)
    return object_of(name, lambda: fields)


_KIND = _texts("kubernetes.GroupVersionKind", "group", "version", "kind")
_RESOURCE = _texts("kubernetes.GroupVersionResource", "group", "version", "resource")
_USER_FIELDS: Fields = {
    "username": STRING,
    "uid": STRING,
    "groups": list_of(STRING),
    "extra": map_of(list_of(STRING)),
}
_REQUEST_FIELDS: Fields = {
    "uid": STRING,
    "kind": _KIND,
    "resource": _RESOURCE,
    "subResource": STRING,
    "requestKind": _KIND,
    "requestResource": _RESOURCE,
    "requestSubResource": STRING,
    "name": STRING,
    "namespace": STRING,
    "operation": STRING,
    "userInfo": object_of("kubernetes.UserInfo", lambda: _USER_FIELDS),
    "dryRun": BOOL,
    "options": DYN,
}
_METADATA_FIELDS: Fields = {
    **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion"), STRING),
    "labels": map_of(STRING),
    "annotations": map_of(STRING),
    "creationTimestamp": TIMESTAMP,
    "deletionTimestamp": TIMESTAMP,
    "deletionGracePeriodSeconds": INT,
    "generation": INT,
    "finalizers": list_of(STRING),
}
_SPEC_FIELDS: Fields = {"finalizers": list_of(STRING)}
_NAMESPACE_FIELDS: Fields = {
    "apiVersion": STRING,
    "kind": STRING,
    "metadata": object_of("kubernetes.NamespaceMetadata", lambda: _METADATA_FIELDS),
    "spec": object_of("kubernetes.NamespaceSpec", lambda: _SPEC_FIELDS),
    "status": _texts("kubernetes.NamespaceStatus", "phase"),
}
TYPES: Fields = {
    "request": object_of("kubernetes.AdmissionRequest", lambda: _REQUEST_FIELDS),
    "namespaceObject": object_of("kubernetes.Namespace", lambda: _NAMESPACE_FIELDS),
    "authorizer": AUTHORIZER,
}
"""Of the variables whose fields are always the same."""


@dataclass(frozen=True, slots=True)
class Named:
    """An expression with the name that its policy gives it."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Validation:
    """A condition, and what is said where it does not hold."""

    condition: Expression
    message: str
    message_expression: Expression | None
    reason: str


@dataclass(slots=True)
class Compiler:
    """Compiles the expressions of one policy and notes what is wrong with them."""

    environment: Environment
    known: Mapping[str, CelType] = field(default_factory=dict)
    """What is known of ``object``, ``oldObject`` and ``params``."""
    errors: list[FieldError] = field(default_factory=list)
    variables: dict[str, CelType] = field(default_factory=dict)

    def compile(self, source: str, path: str, *results: CelType) -> Expression | None:
        """Compile one; None: it is wrong, and the error is noted."""
        declared = dict(self.variables)
        types = {**TYPES, **self.known, "variables": object_of("variables", lambda: declared)}
        try:
            return self.environment.compile(source, types, results)
        except CompileError as error:
            text = str(error)
            if not text.startswith("must evaluate to"):
                text = f"compilation failed: {text}"
            self.errors.append(field_invalid(path, source, text))
            return None

    def conditions(self, spec: Object) -> list[Named]:
        """The ``matchConditions``; they cannot use the policy's variables."""
        found = (
            (each, self.compile(each.get("expression") or "", path, BOOL))
            for each, path in _items(spec, "matchConditions", "expression")
        )
        return [Named(each.get("name") or "", done) for each, done in found if done is not None]

    def declare(self, spec: Object) -> list[Named]:
        """The ``variables``, each of which may use those before it."""
        compiled = []
        for each, path in _items(spec, "variables", "expression"):
            name = each.get("name") or ""
            done = self.compile(each.get("expression") or "", path)
            self.variables[name] = DYN if done is None else done.result
            if done is not None:
                compiled.append(Named(name, done))
        return compiled

    def validations(self, spec: Object) -> list[Validation]:
        """The ``validations``."""
        compiled = []
        for each, path in _items(spec, "validations", "expression"):
            done = self.compile(each.get("expression") or "", path, BOOL)
            text = (each.get("messageExpression") or "").strip()
            where = path.replace(".expression", ".messageExpression")
            message = self.compile(text, where, STRING) if text else None
            if done is not None:
                compiled.append(
                    Validation(
                        done, (each.get("message") or "").strip(), message, each.get("reason") or ""
                    )
                )
        return compiled

    def annotations(self, spec: Object) -> list[Named]:
        """The ``auditAnnotations``."""
        found = (
            (each, self.compile(each.get("valueExpression") or "", path, STRING, NULL))
            for each, path in _items(spec, "auditAnnotations", "valueExpression")
        )
        return [Named(each.get("key") or "", done) for each, done in found if done is not None]


def _items(spec: Object, key: str, expression: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Those that have an expression at all, with the path of the expression."""
    for index, each in enumerate(spec.get(key) or ()):
        if (each.get(expression) or "").strip():
            yield each, f"spec.{key}[{index}].{expression}"


@cache
def _environment() -> Environment:
    """To see whether expressions compile; nothing runs in it."""
    return Environment(NAMES)


def expression_errors(
    spec: Object, known: Mapping[str, CelType] | None = None
) -> Iterable[FieldError]:
    """What is wrong with a policy's expressions.

    Args:
        spec: the policy's.
        known: types of ``object``, ``oldObject`` and ``params``, where they are known.
    """
    compiler = Compiler(_environment(), known or {})
    compiler.conditions(spec)
    compiler.declare(spec)
    compiler.validations(spec)
    compiler.annotations(spec)
    return compiler.errors
