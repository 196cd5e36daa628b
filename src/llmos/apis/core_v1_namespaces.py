"""Namespaces.

Source: kubernetes/pkg/registry/core/namespace. What ends a namespace is in the controllers, what is
refused in a terminating one in admission.
"""

from collections.abc import Iterator, Mapping, Sequence

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_label, qualified_name
from llmos.apimachinery.object import Object, get_path, is_terminating, metadata
from llmos.apimachinery.validation import STANDARD_FINALIZERS, field_invalid
from llmos.apis.printing import AGE, NAME, field
from llmos.apis.strategy import Strategy

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"
_NOT_QUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"


def strategy() -> Strategy:
    """The strategy of ``namespaces``."""
    return Strategy(
        check_name=dns1123_label,
        default=_default,
        prepare_create=_prepare_create,
        prepare_update=_prepare_update,
        validate=_validate,
        validate_status=_validate_status,
        has_status=True,
        delete_returns_object=True,
        begin_delete=_begin_delete,
        held=_held,
        fields=_fields,
        field_names=("status.phase",),
        columns=(NAME, field("Status", "status", "phase"), AGE),
    )


def _default(obj: Object) -> None:
    """The name is a label as well, whatever a client says, so that selectors can use it."""
    meta = metadata(obj)
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}


def _prepare_create(obj: Object) -> None:
    finalizers = get_path(obj, "spec", "finalizers") or []
    if FINALIZER not in finalizers:
        finalizers = [*finalizers, FINALIZER]
    obj["spec"] = {"finalizers": finalizers}
    obj["status"] = {"phase": "Active"}


def _prepare_update(new: Object, old: Object) -> None:
    """Finalizers of the spec change through the ``finalize`` subresource only."""
    new["spec"] = old.get("spec") or {}


def _validate(obj: Object) -> Sequence[FieldError]:
    return list(_finalizer_errors(get_path(obj, "spec", "finalizers") or []))


def _finalizer_errors(finalizers: list[str]) -> Iterator[FieldError]:
    for each in finalizers:
        for text in qualified_name(each):
            yield field_invalid("spec.finalizers", each, text)
        if "/" not in each and each not in STANDARD_FINALIZERS:
            yield field_invalid("spec.finalizers", each, _NOT_QUALIFIED)


def _validate_status(new: Object, old: Object) -> Sequence[FieldError]:
    phase = get_path(new, "status", "phase") or ""
    if is_terminating(old):
        if phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
            return [field_invalid("status.Phase", phase, text)]
    elif phase not in ("", "Active"):
        text = "may only be 'Active' if `deletionTimestamp` is empty"
        return [field_invalid("status.Phase", phase, text)]
    return []


def _begin_delete(obj: Object) -> None:
    """A namespace has no grace period; its phase says that it ends."""
    metadata(obj).pop("deletionGracePeriodSeconds", None)
    obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}


def _held(obj: Object) -> bool:
    return bool(get_path(obj, "spec", "finalizers"))


def _fields(obj: Object) -> Mapping[str, str]:
    return {"status.phase": get_path(obj, "status", "phase") or ""}
