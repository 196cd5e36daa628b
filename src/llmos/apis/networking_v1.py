"""Ingresses, kept and printed; nothing here routes them.

Source: kubernetes/pkg/apis/networking/validation and the printers.
"""

from collections.abc import Sequence

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.validation import field_invalid
from llmos.apis.printing import AGE, NAME, NONE, field, joined, text
from llmos.apis.strategy import Strategy

_MAX_SHOWN_HOSTS = 3


def ingresses() -> Strategy:
    """The strategy of ``ingresses``."""
    return Strategy(
        check_name=dns1123_subdomain,
        prepare_create=_prepare_create,
        validate=_validate,
        has_status=True,
        has_generation=True,
        columns=(
            NAME,
            field("Class", "spec", "ingressClassName", default=NONE),
            text("Hosts", _hosts),
            text("Address", _address),
            text("Ports", lambda obj: "80, 443" if get_path(obj, "spec", "tls") else "80"),
            AGE,
        ),
    )


def _prepare_create(obj: Object) -> None:
    obj["status"] = {"loadBalancer": {}}


def _validate(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    if spec.get("rules") or spec.get("defaultBackend"):
        return []
    return [field_invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")]


def _hosts(obj: Object) -> str:
    found = [each["host"] for each in get_path(obj, "spec", "rules") or () if each.get("host")]
    more = len(found) - _MAX_SHOWN_HOSTS
    shown = joined(found[:_MAX_SHOWN_HOSTS], default="*")
    return f"{shown} + {more} more..." if more > 0 else shown


def _address(obj: Object) -> str:
    ingress = get_path(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(str(each.get("ip") or each.get("hostname") or "") for each in ingress)
