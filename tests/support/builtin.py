"""Takes objects of built-in kinds the way that the registry does, without a registry."""

from llmos.apimachinery.decoding import decode_builtin
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.object import Object, copy_object
from llmos.apimachinery.validation import validate_object_meta
from llmos.apis.builtin_schemas import schema_for
from llmos.apis.scheme import BuiltinKind, builtin_kinds
from llmos.apis.tables import table

KINDS = {(each.resource.group, each.resource.kind): each for each in builtin_kinds()}
CREATED = "2026-01-01T00:00:00Z"
NOW = 1767225605.0
"""Five seconds after ``CREATED``."""


def kind_of(obj: Object) -> BuiltinKind:
    group = obj["apiVersion"].rpartition("/")[0]
    return KINDS[group, obj["kind"]]


def decoded(obj: Object) -> Object:
    kind = kind_of(obj)
    return decode_builtin(copy_object(obj), schema_for(kind.resource.gvk), kind.resource.gvk)[0]


def create(obj: Object, namespace: str = "team-a") -> tuple[Object, list[FieldError]]:
    """The object as it would be stored, and what is wrong with it."""
    kind, new = kind_of(obj), decoded(obj)
    meta = new.setdefault("metadata", {})
    meta.setdefault("name", "x")
    meta["creationTimestamp"] = CREATED
    if kind.resource.namespaced:
        meta["namespace"] = namespace
    if kind.strategy.has_status:
        new.pop("status", None)
    kind.strategy.default(new)
    kind.strategy.prepare_create(new)
    meta_errors = validate_object_meta(new, kind.resource.namespaced, kind.strategy.check_name)
    return new, [*meta_errors, *kind.strategy.validate(new)]


def update(obj: Object, old: Object) -> tuple[Object, list[FieldError]]:
    """The object as it would replace an old one, and what is wrong with that."""
    kind, new = kind_of(obj), decoded(obj)
    new["metadata"] = {**old["metadata"], **new.get("metadata", {})}
    if kind.strategy.has_status and "status" in old:
        new["status"] = old["status"]
    kind.strategy.default(new)
    kind.strategy.prepare_update(new, copy_object(old))
    return new, [*kind.strategy.validate(new), *kind.strategy.validate_update(new, old)]


def update_status(status: Object, old: Object) -> tuple[Object, list[FieldError]]:
    """The object with another status, and what is wrong with that."""
    strategy = kind_of(old).strategy
    new = {**old, "status": status}
    strategy.prepare_status(new, old)
    return new, [*strategy.validate_status(new, old)]


def columns(obj: Object) -> dict[str, object]:
    """What server-side printing shows of an object, five seconds after it was made."""
    printed = table([obj], kind_of(obj).strategy.columns, NOW)
    names = [each["name"] for each in printed["columnDefinitions"]]
    return dict(zip(names, printed["rows"][0]["cells"], strict=True))


def texts(errors: list[FieldError]) -> list[str]:
    return sorted(str(each) for each in errors)
