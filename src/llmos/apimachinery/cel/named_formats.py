"""``format.dns1123Label().validate('x')``: the formats that Kubernetes has names for.

Source: k8s.io/apiserver/pkg/cel/library/format.go. The runtime lets no function give an optional
value, so ``validate`` gives the list of messages or null, and what is asked of an optional is
answered for these two as well; but for ``orValue``, which the runtime keeps to itself.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llmos.apimachinery.cel.functions import Function, function, method, unwrap, wrap
from llmos.apimachinery.cel.types import (
    BOOL,
    DYN,
    FORMAT,
    NULL,
    STRING,
    list_of,
    map_of,
    optional_of,
)
from llmos.apimachinery.formats import STRING_FORMATS
from llmos.apimachinery.names import (
    dns1035_label,
    dns1123_label,
    dns1123_subdomain,
    label_value,
    qualified_name,
)

Check = Callable[[str], list[str]]


def _by_format(name: str) -> Check:
    fits = STRING_FORMATS[name]
    return lambda text: [] if fits(text) else [f"invalid {name}"]


def _as_prefix(check: Check) -> Check:
    """Names that are begun by a prefix may end with a dash there."""
    return lambda text: check(f"{text[:-1]}a" if text.endswith("-") else text)


_CHECKS: Mapping[str, Check] = {
    "dns1123Label": dns1123_label,
    "dns1123Subdomain": dns1123_subdomain,
    "dns1035Label": dns1035_label,
    "qualifiedName": qualified_name,
    "labelValue": label_value,
    "dns1123LabelPrefix": _as_prefix(dns1123_label),
    "dns1123SubdomainPrefix": _as_prefix(dns1123_subdomain),
    "dns1035LabelPrefix": _as_prefix(dns1035_label),
    "uri": _by_format("uri"),
    "uuid": _by_format("uuid"),
    "byte": _by_format("byte"),
    "date": _by_format("date"),
    "datetime": _by_format("date-time"),
}


def _named(name: str) -> dict[str, Any] | None:
    return wrap(FORMAT, name) if name in _CHECKS else None


def _validate(carried: Any, text: str) -> list[str] | None:
    return _CHECKS[unwrap(FORMAT, carried)](text) or None


_MISSING = "optional.none() dereference"


def _value(found: Any) -> Any:
    """What is in the stand-in of an optional value.

    Raises:
        ValueError: nothing is.
    """
    if found is None:
        raise ValueError(_MISSING)
    return found


def _has_value(found: Any) -> bool:
    """Whether anything is in the stand-in of an optional value."""
    return found is not None


FUNCTIONS: tuple[Function, ...] = (
    *(function(f"format.{each}", FORMAT, call=partial(wrap, FORMAT, each)) for each in _CHECKS),
    function("format.named", STRING, optional_of(FORMAT), call=_named),
    method("validate", FORMAT, STRING, optional_of(list_of(STRING)), call=_validate),
)
STAND_INS: tuple[Function, ...] = tuple(
    each
    for kind in (NULL, map_of(DYN), list_of(DYN))
    for each in (
        method("hasValue", kind, BOOL, call=_has_value),
        method("value", kind, DYN, call=_value),
    )
)
"""What takes the place of optional values at run time."""
