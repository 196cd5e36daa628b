"""Handlers of subresources: status, finalize, scale, and a service account's token."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from llmos.apimachinery.errors import MethodNotAllowedError, NotFoundError
from llmos.endpoints.http import Request, Response
from llmos.endpoints.reading import Reading
from llmos.registry.served import Served
from llmos.server.changing import Changing
from llmos.server.scaling import Scaling

TokenHandler = Callable[[Request, Served], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Subresources:
    """Answers requests for a part of an object."""

    reading: Reading
    changing: Changing
    scaling: Scaling
    token: TokenHandler

    async def answer(self, request: Request, served: Served) -> Response:
        """Answer, or 404 and 405 as the kind has it."""
        info = request.info
        subresource = served.resource.subresource(info.subresource)
        if subresource is None or not info.named:
            raise NotFoundError.resource()
        if info.verb not in subresource.verbs:
            raise MethodNotAllowedError
        if info.subresource == "token":
            return await self.token(request, served)
        if info.subresource == "scale":
            return await self._scale(request, served)
        match info.verb:
            case "get":
                return await self.reading.get(request, served)
            case "update":
                return await self.changing.update(request, served, info.subresource)
            case _:
                return await self.changing.patch(request, served, info.subresource)

    async def _scale(self, request: Request, served: Served) -> Response:
        match request.info.verb:
            case "get":
                return await self.scaling.get(request, served)
            case "update":
                return await self.scaling.update(request, served)
            case _:
                return await self.scaling.patch(request, served)
