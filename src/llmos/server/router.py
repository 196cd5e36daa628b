"""Which handler answers: the whole route table of the embedded server.

Requests arrive here authenticated and authorized. Unknown groups answer as Go's file server does,
unknown resources of a known group with a Status; a method that a path does not have is a 405.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from llmos.apimachinery.errors import MethodNotAllowedError, NotFoundError
from llmos.endpoints.account import AccountServices, handle_account, is_account_path
from llmos.endpoints.http import Request, Response, StreamResponse
from llmos.endpoints.metrics import PATH, Metrics
from llmos.endpoints.reading import Reading
from llmos.endpoints.requestinfo import RequestInfo
from llmos.endpoints.responses import not_found_text
from llmos.registry.catalog import Catalog
from llmos.registry.served import Served
from llmos.server.changing import Changing
from llmos.server.documents import Documents
from llmos.server.subresources import Subresources

Answer = Response | StreamResponse
VirtualHandler = Callable[[Request, Served], Awaitable[Response]]
"""Answers a kind that is never stored: reviews."""
ResourceHandler = Callable[[Request, Served], Awaitable[Answer]]
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Router:
    """Finds the handler of a request."""

    catalog: Catalog
    reading: Reading
    changing: Changing
    subresources: Subresources
    documents: Documents
    virtual: Mapping[tuple[str, str], VirtualHandler]
    """By group and plural."""
    account: AccountServices
    metrics: Metrics

    async def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        info = request.info
        if not info.is_resource:
            if is_account_path(info.path):
                return await handle_account(request, self.account)
            if info.path == PATH:
                return await self.metrics.answer(request)
            return self.documents.answer(request)
        return await self._resource(request)

    async def _resource(self, request: Request) -> Answer:
        info = request.info
        served = self.catalog.find(info.group, info.version, info.resource)
        if served is None:
            return _unknown(self.catalog, info)
        if request.method not in _METHODS:
            raise MethodNotAllowedError
        if not _fits(served, info):
            if served.resource.custom:
                return not_found_text()
            # All namespaces together can be read and nothing else.
            across = served.resource.namespaced and not info.named
            raise MethodNotAllowedError if across else NotFoundError.resource()
        if served.resource.custom and request.method != "GET":
            await request.body()
            # Its definition may have changed while the body came in: what counts is the write.
            if self.catalog.find(info.group, info.version, info.resource) is not served:
                return await self._resource(request)
        return await self._served(request, served)

    async def _served(self, request: Request, served: Served) -> Answer:
        info = request.info
        virtual = self.virtual.get((info.group, info.resource))
        if virtual is not None:
            if info.named:
                raise NotFoundError.resource()
            if info.verb != "create":
                raise MethodNotAllowedError
            return await virtual(request, served)
        if served.warning:
            request.warnings.append(served.warning)
        if info.subresource:
            return await self.subresources.answer(request, served)
        if info.verb not in served.resource.verbs:
            raise MethodNotAllowedError
        return await self._verb(request, served)

    async def _verb(self, request: Request, served: Served) -> Answer:
        info = request.info
        choose = (_NAMED if info.named else _COLLECTION).get(info.verb)
        if choose is None:
            raise MethodNotAllowedError
        return await choose(self)(request, served)


_NAMED: Mapping[str, Callable[[Router], ResourceHandler]] = {
    "get": lambda router: router.reading.get,
    "update": lambda router: router.changing.update,
    "patch": lambda router: router.changing.patch,
    "delete": lambda router: router.changing.delete,
}
_COLLECTION: Mapping[str, Callable[[Router], ResourceHandler]] = {
    "list": lambda router: router.reading.list,
    "watch": lambda router: router.reading.watch,
    "create": lambda router: router.changing.create,
    "deletecollection": lambda router: router.changing.delete_collection,
}


def _unknown(catalog: Catalog, info: RequestInfo) -> Response:
    """No such resource: in no group, or one of custom kinds alone, there is no such path at all.

    Raises:
        NotFoundError: the group is built in, or the version has other resources.
    """
    if not catalog.versions(info.group):
        return not_found_text()
    if catalog.resources(info.group, info.version) or not catalog.is_custom(info.group):
        raise NotFoundError.resource()
    return not_found_text()


def _fits(served: Served, info: RequestInfo) -> bool:
    """Whether the path goes where the kind is: through a namespace or not."""
    if not served.resource.namespaced:
        return not info.in_namespace
    if info.in_namespace:
        return True
    return info.verb in ("list", "watch") and not info.named
