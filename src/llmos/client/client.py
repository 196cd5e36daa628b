"""The one way to speak to an API server: the verbs of Kubernetes on httpx.

Controllers, CLI and proxy use it. Objects come back as plain JSON; every answer that is not success
is a ``StatusError``; a server that does not answer is a ``ConnectionFailedError``.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import httpx
import orjson

from llmos.apimachinery.errors import BadRequestError, ExpiredError
from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import APIResource
from llmos.client.config import Config
from llmos.client.credentials import CredentialError
from llmos.client.errors import ConnectionFailedError, status_error_from, status_of_text
from llmos.client.tls import make_context
from llmos.client.warnings import WarningHook

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

PAGE = 500
"""Objects of one page of a list."""
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=60)
_TIMEOUT = httpx.Timeout(30, connect=10)

_BROKEN = (httpx.TransportError, ssl.SSLError)
"""What a connection fails with; a server's late word on our certificate comes as the latter."""

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, or the whole."""

    items: list[Object]
    resource_version: str
    token: str = ""
    """``metadata.continue``."""
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class Selectors:
    """What narrows a list, a watch or a collection's deletion."""

    label: str = ""
    field: str = ""

    def params(self) -> dict[str, str]:
        """The query parameters."""
        pairs = (("labelSelector", self.label), ("fieldSelector", self.field))
        return {name: value for name, value in pairs if value}


EVERYTHING = Selectors()


def resource_path(
    resource: APIResource, namespace: str | None, name: str = "", subresource: str = ""
) -> str:
    """The URL path of a collection, an object or a subresource.

    Raises:
        BadRequestError: a name would climb to another path.
    """
    if {name, namespace} & {".", ".."}:
        raise BadRequestError("a name may not be '.' or '..'")
    root = f"/apis/{resource.group}" if resource.group else "/api"
    parts = [root, resource.version]
    if resource.namespaced and namespace:
        parts += ["namespaces", quote(namespace, safe=":")]
    parts.append(resource.plural)
    if name:
        parts.append(quote(name, safe=":"))
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


def delete_options(
    *, uid: str = "", resource_version: str = "", propagation_policy: str = ""
) -> Object:
    """DeleteOptions: which version of the object is meant, and what becomes of its dependents."""
    options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
    pairs = (("uid", uid), ("resourceVersion", resource_version))
    preconditions = {key: value for key, value in pairs if value}
    if preconditions:
        options["preconditions"] = preconditions
    if propagation_policy:
        options["propagationPolicy"] = propagation_policy
    return options


class Client:
    """Speaks to one API server under one identity; close it, or use it with ``async with``.

    Raises:
        CredentialError: the client's own certificate cannot be used.
        SSLError: the authority cannot be used.
    """

    def __init__(self, config: Config, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.config = config
        self._http = httpx.AsyncClient(
            base_url=config.server,
            verify=make_context(config) if config.server.startswith("https:") else False,
            transport=transport,
            limits=_LIMITS,
            timeout=_TIMEOUT,
            headers={"User-Agent": config.user_agent},
            trust_env=False,
            event_hooks={"response": [WarningHook(config.on_warning)] if config.on_warning else []},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def _build(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        sent = {"Accept": "application/json", **self._authorization()}
        content = body
        if body is not None and not isinstance(body, bytes):
            content = orjson.dumps(body)
        if content is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        request = self._http.build_request(
            method, path, params=params, content=content, headers=sent
        )
        if self.config.server_name:
            request.extensions["sni_hostname"] = self.config.server_name
        return request

    def _authorization(self) -> dict[str, str]:
        try:
            token = self.config.bearer()
        except CredentialError as error:
            raise ConnectionFailedError(str(error)) from error
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _failed(self, error: Exception) -> ConnectionFailedError:
        why = str(error) or type(error).__name__
        return ConnectionFailedError(f"the server {self.config.server} did not answer: {why}")

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send any request and give the whole answer, whatever its code.

        Args:
            method: The HTTP method.
            path: The path, percent-encoded.
            params: Query parameters.
            body: Bytes, sent as they are, or JSON.
            headers: More headers; they win over our own.

        Raises:
            ConnectionFailedError: no answer came, or our own credential cannot be had.
        """
        request = self._build(method, path, params, body, headers)
        try:
            response = await self._http.send(request)
            if await self._is_to_repeat(request, response):
                response = await self._http.send(self._build(method, path, params, body, headers))
        except (*_BROKEN, httpx.InvalidURL) as error:
            raise self._failed(error) from error
        else:
            return response

    async def _is_to_repeat(self, request: httpx.Request, response: httpx.Response) -> bool:
        """Whether a server refused our token, unread what we asked, and there is another now."""
        if response.status_code != httpx.codes.UNAUTHORIZED or self.config.renew is None:
            return False
        refused = request.headers.get("Authorization", "")
        if self._authorization().get("Authorization", "") != refused:
            return True
        return await self.config.renew()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Object:
        """Send a request and give the JSON of a successful answer.

        Raises:
            StatusError: the server refused.
            ConnectionFailedError: no answer came, or none that is JSON.
        """
        headers = {"Content-Type": content_type} if body is not None else None
        response = await self.request(method, path, params=params, body=body, headers=headers)
        return self._decoded(response)

    def _decoded(self, response: httpx.Response) -> Object:
        try:
            decoded = orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            if response.is_success:
                raise self._failed(error) from error
            decoded = None
        if response.is_success and isinstance(decoded, dict):
            return decoded
        if not isinstance(decoded, dict):
            decoded = status_of_text(response.status_code, response.text)
        raise status_error_from(decoded, response.status_code)

    @asynccontextmanager
    async def stream(
        self, path: str, params: Params, *, silence: float | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read an answer as it comes (watch, logs).

        Args:
            path: The path, percent-encoded.
            params: Query parameters.
            silence: Seconds after which a server that says nothing is gone; None: it may be long.

        Raises:
            StatusError: the server refused.
            ConnectionFailedError: no answer came, or it broke off.
        """
        timeout = httpx.Timeout(silence, connect=10).as_dict()
        request = self._build("GET", path, params)
        request.extensions["timeout"] = timeout
        try:
            response = await self._http.send(request, stream=True)
            if await self._is_to_repeat(request, response):
                await response.aclose()
                request = self._build("GET", path, params)
                request.extensions["timeout"] = timeout
                response = await self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    self._decoded(response)
                yield response.aiter_raw()
            finally:
                await response.aclose()
        except _BROKEN as error:
            raise self._failed(error) from error

    async def get(
        self, resource: APIResource, namespace: str, name: str, *, subresource: str = ""
    ) -> Object:
        """One object, or one of its subresources."""
        return await self.call("GET", resource_path(resource, namespace, name, subresource))

    async def list_page(
        self,
        resource: APIResource,
        namespace: str | None = None,
        *,
        selectors: Selectors = EVERYTHING,
        limit: int = PAGE,
        token: str = "",
    ) -> Page:
        """One page of a list; pass its ``token`` on to get the next."""
        params: dict[str, str | int] = {**selectors.params(), "limit": limit}
        if token:
            params["continue"] = token
        answer = await self.call("GET", resource_path(resource, namespace), params=params)
        meta = answer.get("metadata") or {}
        return Page(
            [_typed(resource, each) for each in answer.get("items") or ()],
            str(meta.get("resourceVersion") or ""),
            str(meta.get("continue") or ""),
            int(meta.get("remainingItemCount") or 0),
        )

    async def list(
        self,
        resource: APIResource,
        namespace: str | None = None,
        *,
        selectors: Selectors = EVERYTHING,
    ) -> list[Object]:
        """All objects, in one namespace or (None) in all; begins again when the pages expire."""
        items: list[Object] = []
        token = ""
        while True:
            try:
                page = await self.list_page(resource, namespace, selectors=selectors, token=token)
            except ExpiredError:
                if not token:
                    raise
                items, token = [], ""
                continue
            items += page.items
            token = page.token
            if not token:
                return items

    async def create(self, resource: APIResource, obj: Object, *, namespace: str = "") -> Object:
        """Create in ``namespace``, or in the one that the object names; reviews go here too."""
        path = resource_path(resource, namespace or namespace_of(obj))
        return await self.call("POST", path, body=_typed(resource, obj))

    async def create_subresource(
        self, resource: APIResource, namespace: str, name: str, subresource: str, body: Object
    ) -> Object:
        """POST to a subresource, e.g. ``token`` of a ServiceAccount."""
        path = resource_path(resource, namespace, name, subresource)
        return await self.call("POST", path, body=body)

    async def update(self, resource: APIResource, obj: Object, *, subresource: str = "") -> Object:
        """Replace; with ``metadata.resourceVersion`` set, only that version."""
        path = resource_path(resource, namespace_of(obj), name_of(obj), subresource)
        return await self.call("PUT", path, body=_typed(resource, obj))

    async def update_status(self, resource: APIResource, obj: Object) -> Object:
        """Replace the status."""
        return await self.update(resource, obj, subresource="status")

    async def patch(
        self,
        resource: APIResource,
        namespace: str,
        name: str,
        patch: Any,
        *,
        patch_type: str = MERGE_PATCH,
        subresource: str = "",
    ) -> Object:
        """Change a part of an object; the type says how ``patch`` is read."""
        path = resource_path(resource, namespace, name, subresource)
        return await self.call("PATCH", path, body=patch, content_type=patch_type)

    async def patch_status(
        self, resource: APIResource, namespace: str, name: str, status: Object
    ) -> Object:
        """Merge into the status."""
        return await self.patch(resource, namespace, name, {"status": status}, subresource="status")

    async def apply(
        self, resource: APIResource, obj: Object, *, manager: str, force: bool = True
    ) -> Object:
        """Server-side apply under a field manager's name."""
        return await self.call(
            "PATCH",
            resource_path(resource, namespace_of(obj), name_of(obj)),
            params={"fieldManager": manager, "force": "true" if force else "false"},
            body=_typed(resource, obj),
            content_type=APPLY_PATCH,
        )

    async def delete(
        self, resource: APIResource, namespace: str, name: str, options: Object | None = None
    ) -> Object:
        """Delete one object; the answer is a Status, or the object that goes on for a while."""
        return await self.call("DELETE", resource_path(resource, namespace, name), body=options)

    async def delete_collection(
        self,
        resource: APIResource,
        namespace: str | None,
        *,
        selectors: Selectors = EVERYTHING,
        options: Object | None = None,
    ) -> Object:
        """Delete all objects of a namespace, or those that the selectors name."""
        path = resource_path(resource, namespace)
        return await self.call("DELETE", path, params=selectors.params(), body=options)


def _typed(resource: APIResource, obj: Object) -> Object:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
