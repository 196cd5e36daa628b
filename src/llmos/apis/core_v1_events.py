"""Events, of both API groups: one store, two shapes.

The core shape is stored; ``to_core`` and ``from_core`` translate ``events.k8s.io/v1``. Source:
kubernetes/pkg/apis/{core,events}, pkg/apis/core/validation/events.go, and the printers.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmos.apimachinery.duration import age
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain, qualified_name
from llmos.apimachinery.object import Object, get_path, namespace_of
from llmos.apimachinery.validation import field_invalid, field_required
from llmos.apis.printing import UNKNOWN, field, text
from llmos.apis.strategy import Column, Strategy

_MAX_WORD = 128
_MAX_NOTE = 1024
_CLUSTER_NAMESPACES = ("", "default")
_RENAMED = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
)
"""Fields by their names in core and in events.k8s.io."""
_TO_NEW = dict(_RENAMED)
_TO_CORE = {new: core for core, new in _RENAMED}
_ZEROS: Mapping[str, Any] = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}
"""What Go writes for fields that are not set."""
_OBJECT_FIELDS = (
    "kind",
    "namespace",
    "name",
    "uid",
    "apiVersion",
    "resourceVersion",
    "fieldPath",
)
_FIELDS = (
    *(f"involvedObject.{each}" for each in _OBJECT_FIELDS),
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_NEW_FIELDS = (
    *(f"regarding.{each}" for each in _OBJECT_FIELDS),
    "reason",
    "reportingController",
    "type",
)


def core_strategy() -> Strategy:
    """The strategy of core ``events``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default,
        validate=_validate,
        create_on_update=True,
        fields=_core_fields,
        field_names=_FIELDS,
        columns=_COLUMNS,
    )


def events_strategy() -> Strategy:
    """The strategy of ``events`` of events.k8s.io; it works on objects of that shape."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_new,
        validate=_validate_new,
        create_on_update=True,
        fields=_new_fields,
        field_names=_NEW_FIELDS,
        columns=tuple(_on_core(each) for each in _COLUMNS),
    )


def to_core(obj: Object) -> Object:
    """An event of events.k8s.io in the shape that is stored."""
    core = {_TO_CORE.get(key, key): value for key, value in obj.items()}
    if "apiVersion" in core:
        core["apiVersion"] = "v1"
    return core


def from_core(obj: Object) -> Object:
    """A stored event in the shape of events.k8s.io."""
    new = {_TO_NEW.get(key, key): value for key, value in obj.items()}
    if "apiVersion" in new:
        new["apiVersion"] = "events.k8s.io/v1"
    return new


def _default(obj: Object) -> None:
    for key, zero in _ZEROS.items():
        if obj.get(key) is None:
            obj[key] = {} if zero == {} else zero


def _default_new(obj: Object) -> None:
    for key, zero in _ZEROS.items():
        new = _TO_NEW.get(key, key)
        if obj.get(new) is None:
            obj[new] = {} if zero == {} else zero


def _validate(obj: Object) -> Sequence[FieldError]:
    return [*_agreement(obj), *(_with_time(obj) if obj.get("eventTime") else ())]


def _validate_new(obj: Object) -> Sequence[FieldError]:
    core = to_core(obj)
    errors = [*_validate(core)]
    if not core.get("eventTime"):
        errors.append(field_required("eventTime"))
    kind = core.get("type") or ""
    if kind not in ("Normal", "Warning"):
        errors.append(field_invalid("type", "", f"has invalid value: {kind}"))
    return errors


def _agreement(obj: Object) -> Iterator[FieldError]:
    """An event is in its object's namespace; those of cluster-wide objects are in ``default``."""
    namespace = namespace_of(obj)
    involved = get_path(obj, "involvedObject", "namespace") or ""
    path = "involvedObject.namespace"
    if involved and not obj.get("eventTime"):
        agrees = involved == namespace
    elif involved:
        agrees = True
    elif obj.get("eventTime"):
        agrees = namespace in (*_CLUSTER_NAMESPACES, "kube-system")
    else:
        agrees = namespace in _CLUSTER_NAMESPACES
    if not agrees:
        yield field_invalid(path, involved, "does not match event.namespace")


def _with_time(obj: Object) -> Iterator[FieldError]:
    """Events that say when they happened say all else as well."""
    controller = obj.get("reportingComponent") or ""
    if not controller:
        yield field_required("reportingController")
    else:
        for each in qualified_name(controller):
            yield field_invalid("reportingController", controller, each)
    for key in ("reportingInstance", "action", "reason"):
        value = obj.get(key) or ""
        if not value:
            yield field_required(key)
        elif len(value) > _MAX_WORD:
            yield field_invalid(key, "", f"can have at most {_MAX_WORD} characters")
    if len((obj.get("message") or "").encode()) > _MAX_NOTE:
        yield field_invalid("message", "", f"can have at most {_MAX_NOTE} bytes")


def _core_fields(obj: Object) -> Mapping[str, str]:
    involved = obj.get("involvedObject") or {}
    values = {f"involvedObject.{key}": str(involved.get(key) or "") for key in _OBJECT_FIELDS}
    reporter = obj.get("reportingComponent") or ""
    return {
        **values,
        "reason": obj.get("reason") or "",
        "reportingComponent": reporter,
        "source": get_path(obj, "source", "component") or reporter,
        "type": obj.get("type") or "",
    }


def _new_fields(obj: Object) -> Mapping[str, str]:
    regarding = obj.get("regarding") or {}
    values = {f"regarding.{key}": str(regarding.get(key) or "") for key in _OBJECT_FIELDS}
    return {
        **values,
        "reason": obj.get("reason") or "",
        "reportingController": obj.get("reportingController") or "",
        "type": obj.get("type") or "",
    }


def _on_core(column: Column) -> Column:
    """A column of the core shape for objects of the other."""
    return Column(
        name=column.name,
        cell=lambda obj, now: column.cell(to_core(obj), now),
        type=column.type,
        format=column.format,
        description=column.description,
        priority=column.priority,
    )


def _first_seen(obj: Object, now: float) -> str:
    return age(obj.get("firstTimestamp") or obj.get("eventTime"), now)


def _last_seen(obj: Object, now: float) -> str:
    last = get_path(obj, "series", "lastObservedTime") or obj.get("lastTimestamp")
    return age(last, now) if last else _first_seen(obj, now)


def _object(obj: Object) -> str:
    involved = obj.get("involvedObject") or {}
    name = involved.get("name") or ""
    kind = str(involved.get("kind") or "").lower()
    return f"{kind}/{name}" if name else kind


def _source(obj: Object) -> str:
    component = get_path(obj, "source", "component") or obj.get("reportingComponent") or ""
    host = get_path(obj, "source", "host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def _count(obj: Object) -> int:
    return get_path(obj, "series", "count") or obj.get("count") or 1


def _message(obj: Object) -> str:
    return str(obj.get("message") or "").strip()


def _event_name(obj: Object) -> str:
    return get_path(obj, "metadata", "name") or UNKNOWN


_COLUMNS = (
    Column("Last Seen", _last_seen),
    field("Type", "type"),
    field("Reason", "reason"),
    text("Object", _object),
    field("Subobject", "involvedObject", "fieldPath", wide=True),
    text("Source", _source, wide=True),
    text("Message", _message),
    Column("First Seen", _first_seen, priority=1),
    text("Count", _count, wide=True),
    Column("Name", lambda obj, _: _event_name(obj), format="name", priority=1),
)
