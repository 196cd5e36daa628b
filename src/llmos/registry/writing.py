"""Create and update, from the object a client sent to the write that is stored.

Everything here runs between ``Storage.latest`` and ``Storage.submit`` without giving the event
loop away, so no other write can come between. Used by ``store.Store`` alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from llmos.apimachinery.clock import Clock, rfc3339
from llmos.apimachinery.errors import (
    AlreadyExistsError,
    FieldError,
    InvalidError,
    ServiceUnavailableError,
)
from llmos.apimachinery.managedfields import WriteContext as FieldsContext
from llmos.apimachinery.managedfields import track_update
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object, is_terminating, metadata, name_of, namespace_of
from llmos.apimachinery.validation import validate_object_meta, validate_object_meta_update
from llmos.apis.admission_v1 import Admission, AdmissionAttributes, Operation
from llmos.apis.strategy import Strategy
from llmos.registry.context import WriteContext
from llmos.registry.metadata import carry_over, place, spec_changed, stamp_new
from llmos.registry.served import Served, encode_stored
from llmos.storage.interface import Storage, UnavailableError, Write
from llmos.watchcache.interface import Key, Record


@dataclass(frozen=True, slots=True)
class Change:
    """A write that is ready, or the object as it is when there is nothing to write."""

    obj: Object
    writes: Sequence[Write] = ()


@dataclass(frozen=True, slots=True)
class Writer:
    """Makes changes; submits them; never reads HTTP."""

    storage: Storage
    admission: Admission
    clock: Clock

    def attributes(
        self,
        operation: Operation,
        served: Served,
        context: WriteContext,
        objects: tuple[Object | None, Object | None],
        subresource: str = "",
    ) -> AdmissionAttributes:
        """What admission is asked about ``(new, old)``."""
        new, old = objects
        return AdmissionAttributes(
            operation=operation,
            resource=served.resource,
            subresource=subresource,
            namespace=context.namespace if served.resource.namespaced else "",
            name=name_of(new or old or {}),
            object=new,
            old_object=old,
            user=context.user,
            dry_run=context.dry_run,
            options=context.options,
            warnings=context.warnings,
            notes=context.notes,
        )

    def fields_context(
        self, served: Served, context: WriteContext, subresource: str = ""
    ) -> FieldsContext:
        """Who owns the fields of this write."""
        return FieldsContext(
            manager=context.field_manager,
            api_version=served.resource.api_version,
            subresource=subresource,
            schema=served.schema,
            now=rfc3339(self.clock()),
            reset=_reset_fields(served, subresource),
        )

    def create(
        self, served: Served, obj: Object, context: WriteContext, track: bool = True
    ) -> Change:
        """Prepare, admit and validate a new object.

        Args:
            served: the kind.
            obj: the object as the client wants it; changed in place.
            context: who and how.
            track: whether the field manager owns the fields (an apply has seen to it itself).

        Raises:
            AlreadyExistsError: the name is taken.
            InvalidError, ForbiddenError, …: what validation and admission say.
        """
        strategy = served.strategy
        place(served, obj, context.namespace)
        stamp_new(
            served,
            obj,
            rfc3339(self.clock()),
            lambda name: self.storage.latest(served.key(context.namespace, name)) is not None,
        )
        if strategy.has_status:
            obj.pop("status", None)
        strategy.default(obj)
        strategy.prepare_create(obj)
        attributes = self.attributes("CREATE", served, context, (obj, None))
        self.admission.mutate(attributes)
        errors = [] if context.valid else errors_of(served, obj)
        if errors:
            raise InvalidError.of(served.error_kind, name_of(obj), errors)
        context.warnings.extend(strategy.warnings(obj))
        self.admission.validate(attributes)
        self._check_free(served, obj, context)
        if track:
            track_update(None, obj, self.fields_context(served, context))
        key = served.key(context.namespace, name_of(obj))
        return Change(obj, [_write(served, key, 0, obj), *self._also(attributes)])

    def _check_free(self, served: Served, obj: Object, context: WriteContext) -> None:
        name = name_of(obj)
        taken = self.storage.latest(served.key(context.namespace, name))
        if taken is None:
            return
        prefix = "object is being deleted: " if is_terminating(served.load(taken.value)) else ""
        raise AlreadyExistsError.of(served.resource.group_resource, name, prefix)

    def update(
        self,
        served: Served,
        objects: tuple[Object, Object, Record],
        context: WriteContext,
        subresource: str = "",
        track: bool = True,
    ) -> Change:
        """Prepare, admit and validate a change of ``(new, old, old's record)``.

        Args:
            served: the kind.
            objects: the object as the client wants it, as it is, and its stored record.
            context: who and how.
            subresource: ``status``, ``finalize`` or ``""``.
            track: whether the field manager owns what changes (an apply has seen to it itself).

        Raises:
            InvalidError, ForbiddenError, …: what validation and admission say.
        """
        new, old, record = objects
        place(served, new, context.namespace)
        carry_over(new, old)
        new = _only_subresource(served, new, old, subresource)
        attributes = self.attributes("UPDATE", served, context, (new, old), subresource)
        self.admission.mutate(attributes)
        errors = _update_errors(served, (new, old), subresource, context.warnings)
        if errors:
            raise InvalidError.of(served.error_kind, name_of(old), errors)
        context.warnings.extend(served.strategy.warnings(new) if not subresource else ())
        self.admission.validate(attributes)
        if track:
            track_update(old, new, self.fields_context(served, context, subresource))
        if new == old:
            return Change(new)
        key = served.key(context.namespace, name_of(old))
        final = is_terminating(new) and not is_held(served, new)
        write = _write(served, key, record.revision, new, delete=final)
        return Change(new, [write, *self._also(attributes)])

    def _also(self, attributes: AdmissionAttributes) -> list[Write]:
        """The writes that admission wants to be made together with this one."""
        writes = []
        for resource, obj in attributes.also:
            key = Key(str(resource), namespace_of(obj), name_of(obj))
            record = self.storage.latest(key)
            if record is not None:
                writes.append(Write(key, record.revision, partial(encode_stored, obj)))
        return writes

    async def commit(self, served: Served, change: Change, dry_run: bool) -> bytes:
        """Store a change; the object's bytes come back once they are durable.

        Raises:
            ServiceUnavailableError: nothing can be written now.
        """
        if dry_run:
            version = metadata(change.obj).get("resourceVersion")
            revision = int(version) if version and not change.writes else None
            return served.encode(change.obj, revision)
        try:
            if not change.writes:
                await self.storage.settled()
                return served.encode(change.obj, int(metadata(change.obj)["resourceVersion"]))
            records = await self.storage.submit(change.writes)
        except UnavailableError as error:
            raise ServiceUnavailableError(str(error), {"retryAfterSeconds": 1}) from error
        return records[0].value


def _reset_fields(served: Served, subresource: str) -> tuple[tuple[str, ...], ...]:
    """What a write through this path cannot change, and so does not own."""
    if subresource == "status":
        return (("spec",), ("metadata",)) if served.resource.custom else (("spec",),)
    return (("status",),) if served.strategy.has_status else ()


def is_held(served: Served, obj: Object) -> bool:
    """Whether a deleted object stays until somebody lets it go."""
    return bool(metadata(obj).get("finalizers")) or served.strategy.held(obj)


def _write(served: Served, key: Key, previous: int, obj: Object, delete: bool = False) -> Write:
    return Write(key, previous, lambda revision: served.encode(obj, revision), delete)


def _only_subresource(served: Served, new: Object, old: Object, subresource: str) -> Object:
    """What of the new object this path may change; the rest is as it was."""
    strategy = served.strategy
    if subresource == "status":
        kept = {**old, "metadata": {**old["metadata"]}}
        kept["metadata"]["managedFields"] = metadata(new).get("managedFields", [])
        if "status" in new:
            kept["status"] = new["status"]
        else:
            kept.pop("status", None)
        strategy.prepare_status(kept, old)
        return kept
    if subresource == "finalize":
        return _only_finalizers(new, old)
    if strategy.has_status:
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)
    strategy.default(new)
    strategy.prepare_update(new, old)
    if strategy.has_generation and spec_changed(new, old):
        metadata(new)["generation"] = int(metadata(old).get("generation") or 0) + 1
    return new


def _only_finalizers(new: Object, old: Object) -> Object:
    spec = {key: value for key, value in (old.get("spec") or {}).items() if key != "finalizers"}
    finalizers = (new.get("spec") or {}).get("finalizers")
    if finalizers:
        spec["finalizers"] = finalizers
    return {**old, "metadata": {**old["metadata"]}, "spec": spec}


_EXTENSIONS = "apiextensions.k8s.io"


def errors_of(served: Served, obj: Object) -> list[FieldError]:
    """What is wrong with an object by itself."""
    return [*_meta_errors(served, obj), *served.strategy.validate(obj)]


def _meta_errors(served: Served, obj: Object) -> list[FieldError]:
    resource = served.resource
    return validate_object_meta(
        obj,
        resource.namespaced,
        served.strategy.check_name or dns1123_subdomain,
        # Definitions are validated by the API server that serves what they define.
        resource.custom or resource.group == _EXTENSIONS,
    )


def _update_errors(
    served: Served, objects: tuple[Object, Object], subresource: str, warnings: list[str]
) -> list[FieldError]:
    if subresource == "finalize":
        return []
    judged = _judged(served.strategy, objects, subresource, warnings)
    if subresource == "status":
        return judged
    new, old = objects
    return [
        *_meta_errors(served, new),
        # Both the generic layer and the kind's own validation report these of a built-in kind.
        *(validate_object_meta_update(new, old) * (1 if served.resource.custom else 2)),
        *judged,
    ]


def _judged(
    strategy: Strategy, objects: tuple[Object, Object], subresource: str, warnings: list[str]
) -> list[FieldError]:
    """What the kind itself says of an update."""
    new, old = objects
    if strategy.revalidate is not None:
        return [*strategy.revalidate(new, old, warnings)]
    if subresource == "status":
        return [*strategy.validate_status(new, old)]
    return [*strategy.validate(new), *strategy.validate_update(new, old)]
