"""Delete: preconditions, finalizers, propagation, grace; what is gone and what waits.

Source: k8s.io/apiserver/pkg/registry/generic/registry (Store.Delete) and the meaning of
DeleteOptions in k8s.io/apimachinery/pkg/apis/meta/v1.
"""

from dataclasses import dataclass

from llmos.apimachinery.clock import rfc3339
from llmos.apimachinery.errors import ConflictError
from llmos.apimachinery.object import Object, copy_object, is_terminating, metadata, name_of
from llmos.apimachinery.resource import GroupResource
from llmos.registry.context import WriteContext
from llmos.registry.served import Served
from llmos.registry.writing import Change, Writer, is_held
from llmos.storage.interface import Write
from llmos.watchcache.interface import Record

FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"
_PRECONDITIONS = (
    ("uid", "UID", "deleted and then recreated"),
    ("resourceVersion", "ResourceVersion", "modified"),
)
_PROPAGATION_FINALIZERS = {"Foreground": FOREGROUND_FINALIZER, "Orphan": ORPHAN_FINALIZER}


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a delete did: the object as it was or is now, and whether it is gone."""

    value: bytes
    gone: bool


def check_preconditions(served: Served, obj: Object, options: Object) -> None:
    """Refuse a delete that was meant for another object or version.

    Raises:
        ConflictError: uid or resourceVersion differ.
    """
    wanted = options.get("preconditions") or {}
    meta = metadata(obj)
    for field, label, happened in _PRECONDITIONS:
        if wanted.get(field) and wanted[field] != meta.get(field):
            if served.strategy.held(obj):
                raise ConflictError.of(
                    served.resource.group_resource,
                    name_of(obj),
                    f"Precondition failed: {label} in precondition: {wanted[field]}, "
                    f"{label} in object meta: {meta.get(field)}",
                )
            # Named by its Kind here: kube-apiserver does not know the resource at this depth.
            raise ConflictError.of(
                GroupResource(served.resource.group, served.resource.kind),
                name_of(obj),
                f"the {label} in the precondition ({wanted[field]}) does not match the {label} in "
                f"record ({meta.get(field)}). The object might have been {happened}",
            )


def propagation_finalizers(options: Object) -> tuple[str | None, bool]:
    """The finalizer that a propagation policy adds, and whether a policy was given at all."""
    policy = options.get("propagationPolicy")
    if policy is None and options.get("orphanDependents") is not None:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    return _PROPAGATION_FINALIZERS.get(policy or ""), policy is not None


def prepare_delete(
    writer: Writer, served: Served, current: tuple[Object, Record], context: WriteContext
) -> tuple[Change, bool]:
    """Admit a delete and say what it writes, and whether the object will be gone.

    Raises:
        ConflictError: a precondition fails.
        ForbiddenError: admission refuses.
    """
    obj, record = current
    check_preconditions(served, obj, context.options)
    attributes = writer.attributes("DELETE", served, context, (None, obj))
    writer.admission.mutate(attributes)
    writer.admission.validate(attributes)
    key = served.key(context.namespace, name_of(obj))
    new = _with_finalizers(obj, context.options)
    if not is_held(served, new):
        write = Write(key, record.revision, lambda revision: served.encode(obj, revision), True)
        return Change(copy_object(obj), [write]), True
    if is_terminating(obj) and metadata(new).get("finalizers") == metadata(obj).get("finalizers"):
        return Change(obj), False
    if not is_terminating(new):
        _begin(served, new, rfc3339(writer.clock()))
    write = Write(key, record.revision, lambda revision: served.encode(new, revision))
    return Change(new, [write]), False


def _with_finalizers(obj: Object, options: Object) -> Object:
    new: Object = copy_object(obj)
    wanted, given = propagation_finalizers(options)
    if not given:
        return new
    meta = metadata(new)
    others = [
        each
        for each in meta.get("finalizers") or []
        if each not in (FOREGROUND_FINALIZER, ORPHAN_FINALIZER)
    ]
    finalizers = [*others, wanted] if wanted else others
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    return new


def _begin(served: Served, obj: Object, now: str) -> None:
    meta = metadata(obj)
    meta["deletionTimestamp"] = now
    meta["deletionGracePeriodSeconds"] = 0
    if served.strategy.has_generation:
        meta["generation"] = int(meta.get("generation") or 0) + 1
    served.strategy.begin_delete(obj)
