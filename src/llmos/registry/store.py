"""The verbs, written once for every kind: get, list, watch, create, update, patch, apply, delete.

Handlers call it with what they decoded; what differs from kind to kind is in ``Served``. Answers
are stored bytes (``Served.wire`` makes them JSON with kind and apiVersion), so that nothing is
encoded twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    StatusError,
)
from llmos.apimachinery.managedfields import apply as apply_fields
from llmos.apimachinery.object import Object, metadata, name_of
from llmos.apis.admission_v1 import Admission
from llmos.registry.context import WriteContext
from llmos.registry.deleting import Deletion, prepare_delete
from llmos.registry.metadata import check_precondition, not_found
from llmos.registry.served import Served
from llmos.registry.writing import Writer
from llmos.storage.interface import Storage
from llmos.watchcache.interface import Record
from llmos.watchcache.listing import ListOptions, Page, Scope, list_page
from llmos.watchcache.matching import Matches

Patch = Callable[[Object], Object]
"""Makes the patched object of the current one (a copy it may change); raises StatusErrors."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How a server-side apply goes."""

    force: bool
    """Take fields from other managers."""
    before_create: Callable[[], None]
    """Called before an object is created that does not exist; raises to refuse."""


def _decoded(served: Served, applied: Object) -> Object:
    """What a merge left behind becomes an object of its kind again: no nulls, no empty maps."""
    obj, _ = served.decode(applied)
    return obj


@dataclass(frozen=True, slots=True)
class Store:
    """Reads and writes objects of every served kind."""

    storage: Storage
    admission: Admission
    clock: Clock

    @property
    def _writer(self) -> Writer:
        return Writer(self.storage, self.admission, self.clock)

    def get(self, served: Served, namespace: str, name: str) -> Record:
        """The committed record of an object.

        Raises:
            NotFoundError: there is none.
        """
        record = self.storage.get(served.key(namespace, name))
        if record is None:
            raise not_found(served, name)
        return record

    async def list(
        self,
        served: Served,
        namespace: str | None,
        options: ListOptions,
        scope: Scope,
        matches: Matches | None,
    ) -> Page:
        """One page of a list; see ``listing.list_page`` for what it raises."""
        return await list_page(self.storage, served, namespace, options, scope, matches)

    async def create(self, served: Served, obj: Object, context: WriteContext) -> bytes:
        """Create an object; what is stored comes back.

        Raises:
            AlreadyExistsError, InvalidError, ForbiddenError, BadRequestError, …
        """
        if served.terminating:
            raise ForbiddenError.of(
                served.resource.group_resource,
                name_of(obj),
                "create not allowed while custom resource definition is terminating",
            )
        writer = self._writer
        change = writer.create(served, obj, context)
        return await writer.commit(served, change, context.dry_run)

    async def update(
        self,
        served: Served,
        name: str,
        obj: Object,
        context: WriteContext,
        subresource: str = "",
    ) -> tuple[bytes, bool]:
        """Replace an object; what is stored comes back, and whether it was created.

        Raises:
            NotFoundError, ConflictError, InvalidError, ForbiddenError, BadRequestError, …
        """
        self._check_name(name, obj)
        writer = self._writer
        current = self._latest(served, context.namespace, name)
        if current is None:
            if not served.strategy.create_on_update or subresource:
                raise not_found(served, name)
            metadata(obj).pop("uid", None)
            change = writer.create(served, obj, context)
            return await writer.commit(served, change, context.dry_run), True
        old, record = current
        check_precondition(served, name, obj, old)
        change = writer.update(served, (obj, old, record), context, subresource)
        return await writer.commit(served, change, context.dry_run), False

    @staticmethod
    def _check_name(name: str, obj: Object) -> None:
        given = name_of(obj)
        if not given:
            raise BadRequestError(
                f"the name of the object ({name} based on URL) was undeterminable: "
                "name must be provided"
            )
        if given != name:
            raise BadRequestError(
                f"the name of the object ({given}) does not match the name on the URL ({name})"
            )

    async def patch(
        self,
        served: Served,
        name: str,
        patch: Patch,
        context: WriteContext,
        subresource: str = "",
    ) -> bytes:
        """Change an object by a function of its current state; what is stored comes back.

        Raises:
            NotFoundError, ConflictError, InvalidError, ForbiddenError, BadRequestError, …
        """
        current = self._latest(served, context.namespace, name)
        if current is None:
            raise not_found(served, name)
        old, record = current
        new = patch(served.load(record.value))
        self._check_patched(served, new, old)
        writer = self._writer
        change = writer.update(served, (new, old, record), context, subresource)
        return await writer.commit(served, change, context.dry_run)

    @staticmethod
    def _check_patched(served: Served, new: Object, old: Object) -> None:
        meta, old_meta = metadata(new), metadata(old)
        if meta.get("name") != old_meta.get("name"):
            raise BadRequestError(
                f"the name of the object ({meta.get('name') or ''}) does not match the name on "
                f"the URL ({old_meta.get('name') or ''})"
            )
        if meta.get("namespace") != old_meta.get("namespace"):
            raise BadRequestError(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        version = str(meta.get("resourceVersion") or "")
        if version not in ("", "0", old_meta["resourceVersion"]):
            raise ConflictError.of(served.resource.group_resource, str(old_meta["name"]))

    async def apply(
        self,
        served: Served,
        name: str,
        config: Object,
        context: WriteContext,
        subresource: str,
        options: "ApplyOptions",
    ) -> tuple[bytes, bool]:
        """Server-side apply; what is stored comes back, and whether it was created.

        Raises:
            ConflictError: another manager owns a field, and it is not forced.
            NotFoundError, InvalidError, ForbiddenError, BadRequestError, …
        """
        writer = self._writer
        current = self._latest(served, context.namespace, name)
        fields = writer.fields_context(served, context, subresource)
        if current is None:
            if subresource:
                raise not_found(served, name)
            if metadata(config).get("uid"):
                raise ConflictError.of(
                    served.resource.group_resource,
                    name,
                    f"uid mismatch: the provided object specified uid "
                    f"{metadata(config)['uid']}, and no existing object was found",
                )
            options.before_create()
            new = _decoded(served, apply_fields(None, config, fields, options.force))
            metadata(new).pop("resourceVersion", None)
            change = writer.create(served, new, context, track=False)
            return await writer.commit(served, change, context.dry_run), True
        old, record = current
        self._check_applied(served, name, config, old)
        live = served.load(record.value)
        new = _decoded(served, apply_fields(live, config, fields, options.force))
        change = writer.update(served, (new, old, record), context, subresource, track=False)
        return await writer.commit(served, change, context.dry_run), False

    @staticmethod
    def _check_applied(served: Served, name: str, config: Object, old: Object) -> None:
        version = str(metadata(config).get("resourceVersion") or "")
        if version not in ("", "0", metadata(old)["resourceVersion"]):
            raise ConflictError.of(served.resource.group_resource, name)

    async def delete(self, served: Served, name: str, context: WriteContext) -> Deletion:
        """Delete an object, or begin to (``context.options`` are the DeleteOptions).

        Raises:
            NotFoundError, ConflictError, ForbiddenError, …
        """
        current = self._latest(served, context.namespace, name)
        if current is None:
            raise not_found(served, name)
        writer = self._writer
        change, gone = prepare_delete(writer, served, current, context)
        return Deletion(await writer.commit(served, change, context.dry_run), gone)

    async def delete_collection(
        self, served: Served, page: Page, context: WriteContext
    ) -> Sequence[bytes]:
        """Delete every object of a list; their last states come back.

        An object that went away meanwhile is left out; the first refusal ends it and is raised.
        """
        deleted = []
        for key, _ in page.items:
            each = WriteContext(
                user=context.user,
                namespace=key.namespace,
                field_manager=context.field_manager,
                dry_run=context.dry_run,
                options=context.options,
                warnings=context.warnings,
            )
            try:
                deleted.append((await self.delete(served, key.name, each)).value)
            except StatusError as error:
                if error.code != 404:
                    raise
        return deleted

    def _latest(self, served: Served, namespace: str, name: str) -> tuple[Object, Record] | None:
        record = self.storage.latest(served.key(namespace, name))
        return None if record is None else (served.load(record.value), record)
