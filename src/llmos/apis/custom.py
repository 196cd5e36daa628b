"""Custom resources: the strategy that a CustomResourceDefinition makes for one of its versions.

Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource. Unknown fields are dropped while
decoding, with ``structural.prune``; all else that the schema says happens here. The catalog builds
one strategy for each served version and keeps it until the definition changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.jsonpath import Path, compile_path
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.schema_compile import compile_schema
from llmos.apimachinery.structural import (
    RuleCheck,
    Validator,
    apply_defaults,
    compile_validator,
    prune,
)
from llmos.apimachinery.validation import field_required
from llmos.apis import apiextensions_v1 as apiextensions
from llmos.apis.autoscaling_v1 import ScalePaths, scale_errors
from llmos.apis.strategy import Strategy

CompileRules = Callable[[dict[str, Any]], RuleCheck]
"""Compiles the ``x-kubernetes-validations`` of an OpenAPI schema."""


def custom_strategy(
    crd: Object,
    version: str,
    compile_rules: CompileRules | None = None,
    schema: Schema | None = None,
) -> Strategy:
    """The strategy of a definition's instances in one version.

    Args:
        crd: a valid definition.
        version: the name of one of its versions.
        compile_rules: evaluates CEL rules, called when an object is first judged by them; None:
            they are not checked.
        schema: the version's schema, where it is compiled already.

    Raises:
        KeyError: there is no such version.
    """
    node = apiextensions.schema_of(crd, version)
    schema = schema or compile_schema(node)
    has_status = apiextensions.has_status(crd, version)
    validator = compile_validator(node)
    rules = None
    if compile_rules is not None and validator.has_rules:
        rules = _when_judged(partial(compile_rules, node))
    judge = _Judge(validator, scale_paths(crd, version), rules)
    fields = apiextensions.selectable_fields_of(crd, version)
    return Strategy(
        check_name=dns1123_subdomain,
        default=partial(apply_defaults, schema=schema),
        prepare_create=partial(_prepare, namespaced=_is_namespaced(crd)),
        prepare_status=partial(_prepare_status, schema=schema),
        validate=judge.validate,
        revalidate=judge.revalidate,
        has_status=has_status,
        has_generation=True,
        unconditional_update=False,
        fields=selectable(fields),
        field_names=fields,
        columns=tuple(apiextensions.columns_of(crd, version)),
    )


def _when_judged(compiled: Callable[[], RuleCheck]) -> RuleCheck:
    """Rules that are compiled by the first object they judge: a start waits for none of them."""
    check = cache(compiled)

    def judge(obj: Object, old: Object | None, warnings: list[str]) -> Sequence[FieldError]:
        return check()(obj, old, warnings)

    return judge


def scale_paths(crd: Object, version: str) -> ScalePaths | None:
    """Where a version keeps its scale, if it has the ``scale`` subresource."""
    paths = apiextensions.scale_of(crd, version)
    return None if paths is None else ScalePaths.of(paths)


@dataclass(frozen=True, slots=True)
class _Judge:
    """Everything that can be wrong with an instance."""

    validator: Validator
    scale: ScalePaths | None
    rules: RuleCheck | None

    def validate(self, obj: Object) -> Sequence[FieldError]:
        """What is wrong with a new one."""
        return self._judge(obj, None, [])

    def revalidate(self, new: Object, old: Object, warnings: list[str]) -> Sequence[FieldError]:
        """What is wrong with one that was another before; a status is judged with the rest."""
        return self._judge(new, old, warnings)

    def _judge(self, obj: Object, old: Object | None, warnings: list[str]) -> Sequence[FieldError]:
        """By the schema, the scale paths, then the rules; errors may keep the latter unchecked."""
        scale = scale_errors(obj, self.scale) if self.scale is not None else ()
        errors = self.validator(obj, scale, old)
        # The registry itself says that a name is missing; here it only blocks the rules.
        nameless = [] if get_path(obj, "metadata", "name") else [field_required("metadata.name")]
        closing = self.validator.closing([*errors, *nameless])
        if not closing and self.rules is not None:
            closing = [*self.rules(obj, old, warnings)]
        return [*errors, *closing]


def _is_namespaced(crd: Object) -> bool:
    return bool(get_path(crd, "spec", "scope") == "Namespaced")


def _prepare(obj: Object, namespaced: bool) -> None:
    """A namespace in a cluster-scoped instance is dropped silently."""
    if not namespaced:
        obj["metadata"].pop("namespace", None)


def _prepare_status(new: Object, _: Object, schema: Schema) -> None:
    """What a client sends as status is pruned and defaulted like the rest."""
    below = schema.properties.get("status")
    status = new.get("status")
    if below is not None and isinstance(status, dict):
        prune({"status": status}, schema)
        apply_defaults(status, below)


def selectable(fields: Sequence[str]) -> Callable[[Object], Mapping[str, str]] | None:
    """Reads the selectable fields of an instance; None: there are none."""
    if not fields:
        return None
    paths: list[tuple[str, Path]] = [(each, compile_path(f".{each}")) for each in fields]

    def values(obj: Object) -> Mapping[str, str]:
        return {name: _field_value(find(obj)) for name, find in paths}

    return values


def _field_value(found: list[Any]) -> str:
    value = found[0] if found else None
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
