"""Leases. Source: kubernetes/pkg/apis/coordination/validation and the printers."""

from collections.abc import Sequence

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object
from llmos.apimachinery.validation import field_invalid
from llmos.apis.printing import AGE, NAME, field
from llmos.apis.strategy import Strategy


def strategy() -> Strategy:
    """The strategy of ``leases``."""
    return Strategy(
        check_name=dns1123_subdomain,
        validate=_validate,
        create_on_update=True,
        unconditional_update=False,
        columns=(NAME, field("Holder", "spec", "holderIdentity"), AGE),
    )


def _validate(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    errors = []
    if duration is not None and duration <= 0:
        text = "must be greater than 0"
        errors.append(field_invalid("spec.leaseDurationSeconds", duration, text))
    if transitions is not None and transitions < 0:
        text = "must be greater than or equal to 0"
        errors.append(field_invalid("spec.leaseTransitions", transitions, text))
    if spec.get("holderIdentity") == "":
        errors.append(field_invalid("spec.holderIdentity", "", "must not be empty"))
    return errors
