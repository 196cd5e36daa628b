"""Answers lists, watches and gets of users who see a part: from memory, through their ``View``.

The same handlers as on the embedded engine, over the cache of the resource in place of the storage.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import ForbiddenError, NotFoundError
from llmos.endpoints.filters import attributes_of, forbidden
from llmos.endpoints.http import Request, Response, StreamResponse
from llmos.endpoints.reading import Reading
from llmos.endpoints.streams import OpenStreams
from llmos.proxy.caches import Caches

_VERBS = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Handles a request that authorization lets pass narrowed (``request.visible`` is a View)."""

    caches: Caches
    clock: Clock
    """For the ages in Tables."""
    still_allowed: Callable[[Request], Awaitable[bool]]
    """Runs the filters again for an open watch, which sets ``request.visible`` anew; False where
    its user may neither list whole nor sees a part."""
    streams: OpenStreams

    async def __call__(self, request: Request) -> Response | StreamResponse:
        """Answer.

        Raises:
            ForbiddenError: it is no read; nothing else is ever narrowed.
            NotFoundError: the cluster serves no such kind, or he does not see the object.
            ServiceUnavailableError: the cluster does not say what there is.
        """
        info = request.info
        if request.visible is None or info.verb not in _VERBS or info.subresource:
            raise forbidden(attributes_of(request.user, info))
        kind = self.caches.kinds.find(info)
        if kind is None or not kind.followed:
            raise NotFoundError.resource()
        try:
            cache = await self.caches.use(kind)
        except ForbiddenError:
            # The proxy itself may not read it: then nobody sees a part of it here.
            raise forbidden(attributes_of(request.user, info)) from None
        reading = Reading(cache, self.clock, self.still_allowed, self.streams)
        if info.verb == "get":
            return await reading.get(request, kind)
        if info.verb == "list":
            return await reading.list(request, kind)
        return await reading.watch(request, kind)
