"""Custom resources by their schema: prune, default, validate.

The way of a custom resource through these is the one of k8s.io/apiextensions-apiserver: unknown
fields go, defaults come, then the value is judged. Rules in CEL (``x-kubernetes-validations``) are
judged last, by an evaluator that is handed in. Used by ``apis.custom`` and the decoder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmos.apimachinery.defaulting import apply_defaults
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.object import Object
from llmos.apimachinery.pruning import prune
from llmos.apimachinery.ratcheting import Ratchet
from llmos.apimachinery.scalar_checks import Check, Node
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.structural_lists import compile_embedded_check, compile_list_check
from llmos.apimachinery.structural_validation import compile_check
from llmos.apimachinery.valuepath import ROOT

__all__ = ["Validator", "apply_defaults", "compile_validator", "has_rules", "prune", "validate"]

RuleCheck = Callable[[Object, Object | None, list[str]], Sequence[FieldError]]
"""``(object, old, warnings)``: what rules say of an object that is new, or was another before.

What is wrong with a value that did not change becomes a warning.
"""

_BLOCKING = frozenset(
    (
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    )
)
_UNCHECKED = FieldError(
    "FieldValueInvalid",
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)


@dataclass(frozen=True, slots=True)
class Validator:
    """The compiled checks of one schema."""

    node: Node
    values: Check
    embedded: Check | None
    lists: Check | None
    has_rules: bool

    def __call__(
        self, obj: Object, others: Sequence[FieldError] = (), old: Object | None = None
    ) -> list[FieldError]:
        """Find what is wrong with an object.

        Args:
            obj: a pruned and defaulted object.
            others: what is known to be wrong with it already; comes back too.
            old: what it was before an update: values that did not change may be wrong.
        """
        errors: list[FieldError] = []
        self.values(obj, ROOT, errors)
        if errors and old is not None:
            errors = Ratchet(self.node, obj, old)
            self.values(obj, ROOT, errors)
        errors = [*others, *errors]
        if self.embedded is not None:
            self.embedded(obj, ROOT, errors)
        if self.lists is not None and not (old and self._repeats(old)):
            self.lists(obj, ROOT, errors)
        return errors

    def _repeats(self, old: Object) -> bool:
        """Whether a list had one element twice; then lists may, wherever they are."""
        errors: list[FieldError] = []
        if self.lists is not None:
            self.lists(old, ROOT, errors)
        return bool(errors)

    def closing(self, errors: Sequence[FieldError]) -> list[FieldError]:
        """What is to be said when errors keep the schema's rules from being checked."""
        blocked = self.has_rules and any(each.reason in _BLOCKING for each in errors)
        return [_UNCHECKED] if blocked else []


def compile_validator(node: Node) -> Validator:
    """Compile the OpenAPI schema of a CRD's version.

    Raises:
        RegexError: a pattern cannot be compiled.
    """
    return Validator(
        node,
        compile_check(node),
        compile_embedded_check(node),
        compile_list_check(node),
        has_rules(node),
    )


def has_rules(node: Node) -> bool:
    """Whether a schema has ``x-kubernetes-validations`` anywhere."""
    if node.get("x-kubernetes-validations"):
        return True
    children = [*(node.get("properties") or {}).values()]
    children += [node.get("items"), node.get("additionalProperties")]
    return any(has_rules(each) for each in children if isinstance(each, dict))


@lru_cache(maxsize=512)
def _validator_of(schema: Schema) -> Validator:
    return compile_validator(schema.source)


def validate(obj: Object, schema: Schema) -> list[FieldError]:
    """Find what is wrong with an object by its schema; compiled once for each schema."""
    validator = _validator_of(schema)
    errors = validator(obj)
    return [*errors, *validator.closing(errors)]
