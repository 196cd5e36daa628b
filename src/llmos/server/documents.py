"""What is no resource: version, health, discovery, OpenAPI, and the list of paths."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

import orjson

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import MethodNotAllowedError, NotFoundError
from llmos.apimachinery.object import Object
from llmos.endpoints.http import Request, Response
from llmos.endpoints.negotiation import negotiate
from llmos.endpoints.responses import json_response, not_found_text, object_response, text_response
from llmos.server.discovery import AGGREGATED, AGGREGATED_TYPE, Discovery
from llmos.server.openapi import V2_TYPE, OpenAPI

KUBERNETES_MINOR = 36
"""The minor version of the Kubernetes API that is spoken."""
_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})


def version_info(product: str) -> Object:
    """``GET /version``: clients want a semantic version of Kubernetes."""
    return {
        "major": "1",
        "minor": str(KUBERNETES_MINOR),
        "gitVersion": f"v1.{KUBERNETES_MINOR}.0+llmos-{product}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"linux/{'amd64' if platform.machine() == 'x86_64' else platform.machine()}",
    }


@dataclass(frozen=True, slots=True)
class Documents:
    """Answers GET on paths that are not resources."""

    discovery: Discovery
    openapi: OpenAPI
    product_version: str
    unready: Callable[[], str]
    """Why the server should get no traffic; empty: it is ready."""
    clock: Clock

    def answer(self, request: Request) -> Response:
        """Answer, or 404."""
        if request.method != "GET":
            raise MethodNotAllowedError
        path = request.path
        if path.split("/")[1] in ("healthz", "livez", "readyz"):
            return self._health(path)
        if path.startswith("/openapi/"):
            return self._openapi(request, path)
        if path == "/version":
            return json_response(version_info(self.product_version))
        if path == "/":
            return json_response({"paths": self._paths()})
        return self._discovery(request, path)

    def _health(self, path: str) -> Response:
        if path in ("/readyz/ping", "/livez/ping", "/healthz/ping"):
            return text_response("ok")
        if path not in _HEALTH:
            return not_found_text()
        reason = self.unready() if path != "/livez" else ""
        return text_response(reason, 503) if reason else text_response("ok")

    def _paths(self) -> list[str]:
        groups = [each for each in self.discovery.groups() if each]
        paths = ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3"]
        paths += ["/metrics", "/readyz", "/version"]
        return sorted([*paths, *(f"/apis/{each}" for each in groups)])

    def _discovery(self, request: Request, path: str) -> Response:
        parts = path.split("/")[1:]
        if path in ("/api", "/apis"):
            return self._root(request, core=path == "/api")
        if parts[0] == "api" and len(parts) == 2:
            document = self.discovery.resource_list("", parts[1])
            if document is None:
                raise NotFoundError.resource()
            return _document(request, document)
        if parts[0] == "apis" and len(parts) in (2, 3):
            group = self.discovery.group(parts[1])
            if group is None:
                return not_found_text()
            document = group if len(parts) == 2 else self.discovery.resource_list(*parts[1:])
            if document is None:
                raise NotFoundError.resource()
            return _document(request, document)
        return not_found_text()

    def _root(self, request: Request, core: bool) -> Response:
        form = negotiate(request.headers.get("accept", ""), AGGREGATED)
        if not form.transform:
            document = self.discovery.api_versions() if core else self.discovery.group_list()
            response = object_response(orjson.dumps(document), form)
            response.headers.append((b"vary", b"Accept"))
            return response
        body, etag = self.discovery.aggregated(core)
        headers = [
            (b"vary", b"Accept"),
            (b"etag", etag.encode()),
            (b"cache-control", b"public"),
        ]
        if request.headers.get("if-none-match") == etag:
            return Response(304, b"", "", headers)
        return Response(200, body, AGGREGATED_TYPE, headers)

    def _openapi(self, request: Request, path: str) -> Response:
        if path == "/openapi/v2":
            return self._openapi_v2(request)
        if path == "/openapi/v3":
            return self._openapi_index(request)
        name = path.removeprefix("/openapi/v3/")
        found = self.openapi.document(name)
        if found is None:
            return Response(404, b"", "")
        wanted = request.query.get("hash", "")
        headers = [(b"etag", f'"{found.hash}"'.encode()), (b"vary", b"Accept")]
        if wanted and wanted != found.hash:
            location = f"/openapi/v3/{name}?hash={found.hash}".encode()
            return Response(301, b"", "text/plain", [(b"location", location)])
        if request.headers.get("if-none-match") == f'"{found.hash}"':
            return Response(304, b"", "", headers)
        if wanted:
            year = formatdate(self.clock() + 365 * 86400, usegmt=True).encode()
            headers += [(b"cache-control", b"public, immutable"), (b"expires", year)]
        return Response(200, found.body, "application/json", headers)

    def _openapi_index(self, request: Request) -> Response:
        found = self.openapi.index()
        headers = [(b"etag", f'"{found.hash}"'.encode()), (b"vary", b"Accept")]
        if request.headers.get("if-none-match") == f'"{found.hash}"':
            return Response(304, b"", "", headers)
        return Response(200, found.body, "text/plain; charset=utf-8", headers)

    def _openapi_v2(self, request: Request) -> Response:
        protobuf = "proto-openapi.spec.v2" in request.headers.get("accept", "")
        found = self.openapi.v2() if protobuf else self.openapi.v2_json()
        vary = [(b"vary", b"Accept-Encoding"), (b"vary", b"Accept")]
        headers = [(b"etag", f'"{found.hash}"'.encode()), *vary]
        if request.headers.get("if-none-match") == f'"{found.hash}"':
            return Response(304, b"", "", headers)
        return Response(200, found.body, V2_TYPE if protobuf else "application/json", headers)


def _document(request: Request, document: Object) -> Response:
    form = negotiate(request.headers.get("accept", ""))
    return object_response(orjson.dumps(document), form)
