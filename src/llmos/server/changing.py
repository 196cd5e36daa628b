"""Handlers of create, update, patch, delete and deletecollection."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import BadRequestError, FieldError, InvalidError
from llmos.apimachinery.object import Object, namespace_of
from llmos.apimachinery.resource import GroupResource, GroupVersionKind
from llmos.apimachinery.yaml_reader import YAMLError, parse_yaml
from llmos.endpoints.http import Request, Response
from llmos.endpoints.narrowing import scope_of
from llmos.endpoints.negotiation import Representation
from llmos.endpoints.reading import namespace_of_request, selection_of
from llmos.endpoints.rendering import list_form, object_form, render_list, render_object
from llmos.endpoints.responses import object_response
from llmos.registry.context import WriteContext
from llmos.registry.served import Served
from llmos.registry.store import ApplyOptions, Store
from llmos.server.bodies import judge_fields, read_object, read_options
from llmos.server.options import delete_options, write_context
from llmos.server.patching import APPLY_PATCHES, patch_function, patch_type
from llmos.watchcache.listing import ListOptions, Page

Afterwards = Callable[[Object, Mapping[str, Any]], Awaitable[None]]
"""Takes the stored object and what admission noted about the request."""
_PATCH_OPTIONS = GroupVersionKind("meta.k8s.io", "", "PatchOptions")


@dataclass(frozen=True, slots=True)
class Changing:
    """Answers writes with what the store made of them."""

    store: Store
    clock: Clock
    may_create: Callable[[Request], Callable[[], None]]
    """Gives what raises a ForbiddenError if the user may not create what he applies."""
    afterwards: Mapping[GroupResource, Afterwards]
    """What else is done once an object of a kind is stored, before the answer."""

    async def _finish(self, served: Served, value: bytes, context: WriteContext) -> None:
        action = self.afterwards.get(served.resource.group_resource)
        if action is not None and not context.dry_run:
            await action(served.load(value), context.notes)

    def _answer(
        self,
        request: Request,
        served: Served,
        value: bytes,
        form: Representation,
        status: int = 200,
    ) -> Response:
        return render_object(request, served, value, self.clock(), (form, status))

    async def create(self, request: Request, served: Served) -> Response:
        """Create an object."""
        form = object_form(request, served)
        context = write_context(request, "CreateOptions")
        obj = await read_object(request, served)
        value = await self.store.create(served, obj, context)
        await self._finish(served, value, context)
        return self._answer(request, served, value, form, 201)

    async def update(self, request: Request, served: Served, subresource: str = "") -> Response:
        """Replace an object, or one of its subresources."""
        form = object_form(request, served)
        context = write_context(request, "UpdateOptions")
        obj = await read_object(request, served)
        value, created = await self.store.update(
            served, request.info.name, obj, context, subresource
        )
        await self._finish(served, value, context)
        return self._answer(request, served, value, form, 201 if created else 200)

    async def patch(self, request: Request, served: Served, subresource: str = "") -> Response:
        """Patch or apply an object, or one of its subresources."""
        form = object_form(request, served)
        kind = patch_type(request, served)
        context = write_context(request, "PatchOptions")
        _check_patch_options(request, kind)
        data = await request.body()
        name = request.info.name
        if kind in APPLY_PATCHES:
            return await self._apply(request, served, (data, context), subresource)
        patch = patch_function(request, served, kind, data)
        value = await self.store.patch(served, name, patch, context, subresource)
        await self._finish(served, value, context)
        return self._answer(request, served, value, form)

    async def _apply(
        self,
        request: Request,
        served: Served,
        body: tuple[bytes, WriteContext],
        subresource: str,
    ) -> Response:
        data, context = body
        try:
            value, problems = parse_yaml(data)
        except YAMLError as error:
            raise BadRequestError(f"error decoding YAML: {error}") from None
        config = _applied_config(request, served, value)
        judge_fields(request, served, [], problems)
        may_create = self.may_create(request)
        form = object_form(request, served)
        value, created = await self.store.apply(
            served,
            request.info.name,
            config,
            context,
            subresource,
            ApplyOptions(request.flag("force"), may_create),
        )
        await self._finish(served, value, context)
        return self._answer(request, served, value, form, 201 if created else 200)

    async def delete(self, request: Request, served: Served) -> Response:
        """Delete an object."""
        form = object_form(request, served)
        context = await self._delete_context(request)
        deletion = await self.store.delete(served, request.info.name, context)
        if not deletion.gone or served.strategy.delete_returns_object:
            return self._answer(request, served, deletion.value, form)
        return object_response(_success(served, served.load(deletion.value)), form)

    async def delete_collection(self, request: Request, served: Served) -> Response:
        """Delete what a list would show."""
        form = list_form(request, served)
        context = await self._delete_context(request)
        matches = selection_of(request, served)
        page = await self.store.list(
            served,
            namespace_of_request(request, served),
            ListOptions(),
            scope_of(request.visible),
            matches,
        )
        values = await self.store.delete_collection(served, page, context)
        content = values, {"resourceVersion": _deleted_revision(page, values)}
        return await render_list(request, served, content, self.clock(), form)

    @staticmethod
    async def _delete_context(request: Request) -> WriteContext:
        options = delete_options(request, await read_options(request))
        return WriteContext(
            user=request.user,
            namespace=request.info.namespace,
            field_manager="",
            dry_run=bool(options.get("dryRun")),
            options=options,
            warnings=request.warnings,
        )


def _check_patch_options(request: Request, kind: str) -> None:
    if kind in APPLY_PATCHES:
        if not request.query.get("fieldManager"):
            missing = "Required value: is required for apply patch"
            error = FieldError("FieldValueRequired", "fieldManager", missing)
            raise InvalidError.of(_PATCH_OPTIONS, "", [error])
    elif "force" in request.query:
        forbidden = "Forbidden: may not be specified for non-apply patch"
        error = FieldError("FieldValueForbidden", "force", forbidden)
        raise InvalidError.of(_PATCH_OPTIONS, "", [error])


def _applied_config(request: Request, served: Served, value: object) -> Object:
    """The configuration of an apply, checked against the URL.

    Raises:
        BadRequestError: it is for something else.
    """
    if not isinstance(value, dict):
        raise BadRequestError("error decoding YAML: the applied configuration is not an object")
    kind, api_version = value.get("kind") or "", value.get("apiVersion") or ""
    if (api_version, kind) != (served.resource.api_version, served.resource.kind):
        group, _, version = str(api_version).rpartition("/")
        raise BadRequestError(f"invalid object type: {group}/{version}, Kind={kind}")
    meta = value.setdefault("metadata", {})
    if not isinstance(meta, dict):
        raise BadRequestError("metadata is not an object")
    name = meta.setdefault("name", request.info.name)
    if name != request.info.name:
        raise BadRequestError(
            f"the name of the object ({name}) does not match the name on the URL "
            f"({request.info.name})"
        )
    if served.resource.namespaced and namespace_of(value) not in ("", request.info.namespace):
        raise BadRequestError(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return value


def _success(served: Served, obj: Object) -> bytes:
    """The Status of an object that is gone."""
    resource = served.resource
    details = {
        "name": obj["metadata"]["name"],
        "group": resource.group,
        "kind": resource.plural,
        "uid": obj["metadata"]["uid"],
    }
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
    return orjson.dumps(status)


def _deleted_revision(page: Page, values: Sequence[bytes]) -> str:
    """The newest revision of what was deleted, or of the list."""
    versions = (orjson.loads(each)["metadata"].get("resourceVersion") for each in values)
    return str(max([page.revision, *(int(each) for each in versions if each)]))
