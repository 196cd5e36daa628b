"""The ``scale`` subresource: a Scale is read from an object, and its replicas are put back."""

from dataclasses import dataclass

import orjson

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import InvalidError, NotFoundError
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import APIResource, GroupVersionKind
from llmos.apis.autoscaling_v1 import ScalePaths, scale_from, set_replicas, validate_scale
from llmos.apis.builtin_schemas import schema_for
from llmos.apis.strategy import Strategy
from llmos.endpoints.http import Request, Response
from llmos.endpoints.negotiation import Representation
from llmos.endpoints.rendering import object_form, render_object
from llmos.registry.builtin import builtin_decoder
from llmos.registry.served import Served
from llmos.registry.store import Patch, Store
from llmos.server.bodies import read_object
from llmos.server.options import write_context
from llmos.server.patching import patch_function, patch_type

_SCALE = GroupVersionKind("autoscaling", "v1", "Scale")


def _scale_served(served: Served) -> Served:
    """How a Scale is decoded and sent; it is never stored."""
    resource = APIResource("autoscaling", "v1", "scales", "scale", "Scale", namespaced=True)
    return Served(
        resource,
        Strategy(),
        lambda: schema_for(_SCALE),
        builtin_decoder(_SCALE),
        served.stored_as,
    )


@dataclass(frozen=True, slots=True)
class Scaling:
    """Answers requests for the scale of an object."""

    store: Store
    clock: Clock

    async def get(self, request: Request, served: Served) -> Response:
        """The Scale of an object."""
        form = object_form(request, _scale_served(served))
        record = self.store.get(served, request.info.namespace, request.info.name)
        return self._answer(request, served, record.value, form)

    async def update(self, request: Request, served: Served) -> Response:
        """Replace the Scale."""
        form = object_form(request, _scale_served(served))
        context = write_context(request, "UpdateOptions")
        scale = await read_object(request, _scale_served(served))
        change = _put_back(served, lambda _: scale)
        value = await self.store.patch(served, request.info.name, change, context)
        return self._answer(request, served, value, form)

    async def patch(self, request: Request, served: Served) -> Response:
        """Patch the Scale."""
        shape = _scale_served(served)
        form = object_form(request, shape)
        kind = patch_type(request, served)
        context = write_context(request, "PatchOptions")
        patch = patch_function(request, shape, kind, await request.body())
        change = _put_back(served, patch)
        value = await self.store.patch(served, request.info.name, change, context)
        return self._answer(request, served, value, form)

    def _answer(
        self, request: Request, served: Served, value: bytes, form: Representation
    ) -> Response:
        scale = scale_from(served.load(value), _paths(served))
        stored = {key: each for key, each in scale.items() if key not in ("kind", "apiVersion")}
        shape = _scale_served(served)
        return render_object(request, shape, orjson.dumps(stored), self.clock(), (form, 200))


def _paths(served: Served) -> ScalePaths:
    if served.scale is None:
        raise NotFoundError.resource()
    return served.scale


def _put_back(served: Served, patch: Patch) -> Patch:
    """A change of an object by a change of its Scale."""
    paths = _paths(served)

    def change(current: Object) -> Object:
        scale = patch(scale_from(current, paths))
        errors = validate_scale(scale)
        if errors:
            raise InvalidError.of(_SCALE, str(current["metadata"]["name"]), errors)
        set_replicas(current, paths, scale)
        return current

    return change
