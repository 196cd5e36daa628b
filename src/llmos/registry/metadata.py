"""What the server itself keeps in an object's metadata.

Source: k8s.io/apiserver/pkg/registry/rest (BeforeCreate, BeforeUpdate).
"""

import os
import uuid
from collections.abc import Callable, Iterator

from llmos.apimachinery.errors import (
    BadRequestError,
    ConflictError,
    FieldError,
    InvalidError,
    NotFoundError,
)
from llmos.apimachinery.generated_names import generate_name
from llmos.apimachinery.object import Object, metadata
from llmos.apimachinery.resource import GroupVersionKind
from llmos.registry.served import Served

_GENERATE_ATTEMPTS = 8
"""How often a generated name that is taken is drawn again, as kube-apiserver does."""
_SERVER_FIELDS = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)
_KEPT_FIELDS = ("creationTimestamp", "uid")
_ONCE_SET_FIELDS = ("deletionTimestamp", "deletionGracePeriodSeconds")


def _draw_uids() -> Iterator[str]:
    """Random UUIDs, many from one call: each call to the system lets the writer's thread run."""
    size = 16
    while True:
        drawn = os.urandom(256 * size)
        for start in range(0, len(drawn), size):
            yield str(uuid.UUID(bytes=drawn[start : start + size], version=4))


_UIDS = _draw_uids()


def _free_name(base: str, taken: Callable[[str], bool]) -> str:
    name = generate_name(base)
    for _ in range(_GENERATE_ATTEMPTS - 1):
        if not taken(name):
            break
        name = generate_name(base)
    return name


def place(served: Served, obj: Object, namespace: str) -> None:
    """Put the object into the namespace of the request.

    Raises:
        BadRequestError: the object names another one.
    """
    meta = metadata(obj)
    if not served.resource.namespaced:
        meta.pop("namespace", None)
        return
    named = meta.get("namespace") or namespace
    if named != namespace:
        raise BadRequestError(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    meta["namespace"] = namespace


def stamp_new(served: Served, obj: Object, now: str, taken: Callable[[str], bool]) -> None:
    """Give a new object its identity; what a client may not choose is dropped.

    Args:
        served: the kind.
        obj: changed in place.
        now: RFC 3339 time.
        taken: whether a generated name is in use already.

    Raises:
        BadRequestError: a resourceVersion is given (kube-apiserver answers 500; bad input is not
            the server's fault here).
    """
    meta = metadata(obj)
    if meta.get("resourceVersion") not in (None, "", "0"):
        raise BadRequestError("resourceVersion should not be set on objects to be created")
    for field in _SERVER_FIELDS:
        meta.pop(field, None)
    meta.pop("resourceVersion", None)
    if meta.get("generateName") and not meta.get("name"):
        meta["name"] = _free_name(str(meta["generateName"]), taken)
    meta["uid"] = next(_UIDS)
    meta["creationTimestamp"] = now
    if served.strategy.has_generation:
        meta["generation"] = 1


def check_precondition(served: Served, name: str, sent: Object, old: Object) -> None:
    """Refuse an update of another incarnation of the object, or of an older version of it.

    Raises:
        ConflictError: uid or resourceVersion differ.
        InvalidError: the kind wants a resourceVersion and there is none.
    """
    meta, old_meta = metadata(sent), metadata(old)
    uid = meta.get("uid")
    if uid and uid != old_meta.get("uid"):
        raise ConflictError.of(
            served.resource.group_resource,
            name,
            # kube-apiserver's own words: it names the place in its store.
            f"StorageError: invalid object, Code: 4, Key: {_registry_path(served, old_meta)}, "
            "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
            f"UID in precondition: {uid}, UID in object meta: {old_meta.get('uid')}",
        )
    version = str(meta.get("resourceVersion") or "")
    if version in ("", "0"):
        if version == "0" or served.strategy.unconditional_update:
            return
        missing = FieldError(
            "FieldValueInvalid",
            "metadata.resourceVersion",
            "Invalid value: 0: must be specified for an update",
        )
        # Named by its resource here, unlike every other 422, as kube-apiserver does.
        named = GroupVersionKind(served.resource.group, "", served.resource.plural)
        raise InvalidError.of(named, name, [missing])
    if not version.isdigit():
        raise BadRequestError(f"invalid resourceVersion {version[:64]!r}")
    if version != old_meta.get("resourceVersion"):
        raise ConflictError.of(served.resource.group_resource, name)


def _registry_path(served: Served, meta: Object) -> str:
    parts = ("registry", served.resource.plural, meta.get("namespace"), meta["name"])
    return "/" + "/".join(each for each in parts if each)


def carry_over(obj: Object, old: Object) -> None:
    """Bring over what an update cannot change; a uid that differs is left for validation."""
    meta, old_meta = metadata(obj), metadata(old)
    for field in _KEPT_FIELDS:
        if field == "uid" and meta.get("uid"):
            continue
        _copy_field(meta, old_meta, field)
    for field in _ONCE_SET_FIELDS:
        if old_meta.get(field) is not None:
            meta[field] = old_meta[field]
    meta.pop("generation", None)
    _copy_field(meta, old_meta, "generation")
    meta.pop("selfLink", None)
    _copy_field(meta, old_meta, "resourceVersion")
    if "namespace" in old_meta and "namespace" not in meta:
        meta["namespace"] = old_meta["namespace"]


def _copy_field(meta: Object, old_meta: Object, field: str) -> None:
    if field in old_meta:
        meta[field] = old_meta[field]
    else:
        meta.pop(field, None)


def spec_changed(new: Object, old: Object) -> bool:
    """Whether anything but metadata and status differs: what ``metadata.generation`` counts."""
    ignored = ("metadata", "status", "kind", "apiVersion")
    keys = (new.keys() | old.keys()).difference(ignored)
    return any(new.get(key) != old.get(key) for key in keys)


def not_found(served: Served, name: str) -> NotFoundError:
    """The 404 of an object."""
    return NotFoundError.of(served.resource.group_resource, name)
