"""A small Kubernetes API in memory, behind an httpx transport: enough to run controllers against.

It has list with pages, watch, create, update, merge patch, status, finalizers, deletion with
preconditions and policies, deletecollection, namespaces that end, and discovery; no rights and no
schemas.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from llmos.apimachinery.clock import rfc3339
from llmos.apimachinery.errors import (
    AlreadyExistsError,
    ConflictError,
    ExpiredError,
    ForbiddenError,
    MethodNotAllowedError,
    NotFoundError,
    StatusError,
)
from llmos.apimachinery.object import copy_object
from llmos.apimachinery.resource import APIResource
from llmos.client import resources as known

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
DEFAULT_RESOURCES = (
    known.NAMESPACES,
    known.SECRETS,
    known.CONFIG_MAPS,
    known.SERVICE_ACCOUNTS,
    known.RESOURCE_QUOTAS,
    known.PODS,
    known.PERSISTENT_VOLUMES,
    known.PERSISTENT_VOLUME_CLAIMS,
    known.ROLES,
    known.ROLE_BINDINGS,
    known.CLUSTER_ROLES,
    known.CLUSTER_ROLE_BINDINGS,
    known.USERS,
    known.GLOBAL_ROLES,
    known.ROLE_TEMPLATES,
    known.ROLE_TEMPLATE_BINDINGS,
    known.SETTINGS,
    known.CUSTOM_RESOURCE_DEFINITIONS,
)


def merge(target: Any, patch: Any) -> Any:
    """JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


class EventStream(httpx.AsyncByteStream):
    """The body of a watch."""

    def __init__(self, api: "FakeAPI", queue: "asyncio.Queue[bytes | None]") -> None:
        self.api = api
        self.queue = queue

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (line := await self.queue.get()) is not None:
            yield line

    async def aclose(self) -> None:
        """Stop watching."""
        self.api.watches = [each for each in self.api.watches if each.queue is not self.queue]


@dataclass
class Watch:
    """Who watches what."""

    resource: APIResource
    namespace: str
    queue: "asyncio.Queue[bytes | None]"


@dataclass
class FakeAPI(httpx.AsyncBaseTransport):
    """The server; ``now`` is its clock."""

    now: float = 1_700_000_000.0
    revision: int = 100
    resources: dict[tuple[str, str], APIResource] = field(default_factory=dict)
    objects: dict[tuple[str, str, str, str], dict] = field(default_factory=dict)
    log: list[tuple[int, str, tuple[str, str, str, str], dict]] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    failures: list[StatusError | httpx.TransportError] = field(default_factory=list)
    """Answers that the next requests get, whatever they ask."""
    oldest: int = 0
    """Watches from before this revision have expired."""

    def __post_init__(self) -> None:
        for each in DEFAULT_RESOURCES:
            self.serve(each)

    def serve(self, resource: APIResource) -> None:
        """Serve a resource from now on."""
        self.resources[(f"{resource.group}/{resource.version}", resource.plural)] = resource

    def withdraw(self, resource: APIResource) -> None:
        """Serve a resource no more."""
        del self.resources[(f"{resource.group}/{resource.version}", resource.plural)]
        for watch in [each for each in self.watches if each.resource == resource]:
            watch.queue.put_nowait(None)

    # What tests use.

    def get(self, resource: APIResource, namespace: str, name: str) -> dict | None:
        """One object, or None."""
        return self.objects.get((resource.group, resource.plural, namespace, name))

    def list(self, resource: APIResource, namespace: str = "") -> list[dict]:
        """All objects, by name."""
        return [
            obj
            for key, obj in sorted(self.objects.items())
            if key[:2] == (resource.group, resource.plural) and namespace in ("", key[2])
        ]

    def create(self, resource: APIResource, name: str, namespace: str = "", **body: Any) -> dict:
        """Create an object."""
        meta = {"name": name, **body.pop("metadata", {})}
        return self._create(resource, namespace, {"metadata": meta, **body})

    def patch(self, resource: APIResource, name: str, patch: dict, namespace: str = "") -> dict:
        """Merge into an object, status included."""
        key = (resource.group, resource.plural, namespace, name)
        return self._store(resource, key, merge(self._find(key), patch))

    def delete(
        self, resource: APIResource, name: str, namespace: str = "", policy: str = ""
    ) -> None:
        """Delete an object."""
        key = (resource.group, resource.plural, namespace, name)
        self._delete(resource, key, {"propagationPolicy": policy})

    def break_watches(self) -> None:
        """End every watch."""
        for watch in self.watches:
            watch.queue.put_nowait(None)

    def expire(self) -> None:
        """Forget history, and end every watch."""
        self.oldest = self.revision + 1
        self.revision += 1
        self.break_watches()

    # HTTP.

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        path = request.url.path
        self.requests.append((request.method, path))
        try:
            if self.failures:
                raise self.failures.pop(0)
            return self._route(request, tuple(each for each in path.split("/") if each))
        except StatusError as error:
            return httpx.Response(error.code, content=orjson.dumps(error.status()))

    def _route(self, request: httpx.Request, parts: tuple[str, ...]) -> httpx.Response:
        if parts == ("apis",):
            return self._json(self._groups())
        version, rest = (
            (f"/{parts[1]}", parts[2:]) if parts[0] == "api" else ("/".join(parts[1:3]), parts[3:])
        )
        if not rest:
            return self._json(self._resource_list(version))
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        resource = self.resources.get((version, rest[0]))
        if resource is None:
            raise NotFoundError.resource()
        if len(rest) == 1:
            return self._collection(request, resource, namespace)
        return self._object(
            request, resource, (resource.group, resource.plural, namespace, rest[1]), rest[2:]
        )

    def _json(self, body: Any, code: int = 200) -> httpx.Response:
        return httpx.Response(code, content=orjson.dumps(body))

    def _groups(self) -> dict:
        versions = {version for version, _ in self.resources if not version.startswith("/")}
        return {
            "groups": [
                {
                    "name": each.split("/")[0],
                    "versions": [{"groupVersion": each, "version": each.split("/")[1]}],
                    "preferredVersion": {"groupVersion": each},
                }
                for each in sorted(versions)
            ]
        }

    def _resource_list(self, version: str) -> dict:
        entries = []
        for (found, plural), each in self.resources.items():
            if found == version:
                verbs = [v for v in VERBS if (v, plural) != ("deletecollection", "namespaces")]
                base = {"kind": each.kind, "namespaced": each.namespaced}
                entries.append(
                    {"name": plural, "singularName": each.singular, "verbs": verbs, **base}
                )
                entries.append(
                    {"name": f"{plural}/status", "singularName": "", "verbs": ["get"], **base}
                )
        return {"groupVersion": version.removeprefix("/"), "resources": entries}

    def _collection(
        self, request: httpx.Request, resource: APIResource, namespace: str
    ) -> httpx.Response:
        query = request.url.params
        if request.method == "POST":
            return self._json(self._create(resource, namespace, orjson.loads(request.content)), 201)
        if request.method == "DELETE":
            if resource.plural == "namespaces":
                raise MethodNotAllowedError
            for obj in self.list(resource, namespace):
                meta = obj["metadata"]
                key = (resource.group, resource.plural, meta.get("namespace", ""), meta["name"])
                self._delete(resource, key, {})
            return self._json({"kind": "Status", "status": "Success"})
        if query.get("watch") == "true":
            return self._watch(resource, namespace, int(query["resourceVersion"]))
        items = self.list(resource, namespace)
        start, limit = int(query.get("continue") or 0), int(query.get("limit") or 10**9)
        meta: dict[str, Any] = {"resourceVersion": str(self.revision)}
        if start + limit < len(items):
            meta |= {
                "continue": str(start + limit),
                "remainingItemCount": len(items) - start - limit,
            }
        stripped = [
            {key: value for key, value in each.items() if key not in ("kind", "apiVersion")}
            for each in items[start : start + limit]
        ]
        return self._json({"metadata": meta, "items": stripped})

    def _watch(self, resource: APIResource, namespace: str, since: int) -> httpx.Response:
        if since < self.oldest:
            raise ExpiredError("too old resource version")
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for revision, kind, key, obj in self.log:
            if revision > since and key[:2] == (resource.group, resource.plural):
                queue.put_nowait(self._line(kind, obj))
        self.watches.append(Watch(resource, namespace, queue))
        return httpx.Response(200, stream=EventStream(self, queue))

    def _object(
        self,
        request: httpx.Request,
        resource: APIResource,
        key: tuple[str, str, str, str],
        sub: tuple[str, ...],
    ) -> httpx.Response:
        body = orjson.loads(request.content) if request.content else {}
        old = self._find(key)
        if request.method == "GET":
            return self._json(old)
        if request.method == "DELETE":
            return self._json(self._delete(resource, key, body))
        new = merge(old, body) if request.method == "PATCH" else body
        version = body.get("metadata", {}).get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise ConflictError.of(resource.group_resource, key[3])
        uid = body.get("metadata", {}).get("uid")
        if uid and uid != old["metadata"]["uid"]:
            raise ConflictError.of(resource.group_resource, key[3], "uid mismatch")
        if sub == ("status",):
            new = {**copy_object(old), "status": new.get("status")}
        elif sub == ("finalize",):
            new = {**copy_object(old), "spec": new["spec"]}
        elif "status" in old:
            new = {**new, "status": old["status"]}
        return self._json(self._store(resource, key, new))

    # Storage.

    def _find(self, key: tuple[str, str, str, str]) -> dict:
        if key not in self.objects:
            raise NotFoundError(f"{key[1]} {key[3]!r} not found")
        return self.objects[key]

    def _create(self, resource: APIResource, namespace: str, obj: dict) -> dict:
        name = obj["metadata"]["name"]
        key = (resource.group, resource.plural, namespace if resource.namespaced else "", name)
        if key in self.objects:
            raise AlreadyExistsError.of(resource.group_resource, name)
        holder = self.objects.get(("", "namespaces", "", namespace))
        if resource.namespaced and holder and holder["metadata"].get("deletionTimestamp"):
            raise ForbiddenError.of(resource.group_resource, name, "being terminated")
        meta = {**obj["metadata"], "uid": str(uuid.uuid4()), "creationTimestamp": rfc3339(self.now)}
        meta["generation"] = 1
        if resource.namespaced:
            meta["namespace"] = namespace
        new = {"apiVersion": resource.api_version, "kind": resource.kind, **obj, "metadata": meta}
        if resource.plural == "namespaces":
            new["spec"] = {"finalizers": ["kubernetes"]}
            new["status"] = {"phase": "Active"}
        return self._store(resource, key, new)

    def _store(self, resource: APIResource, key: tuple[str, str, str, str], new: dict) -> dict:
        old = self.objects.get(key)
        new = copy_object(new)
        if old is not None:
            meta = {**new["metadata"], "resourceVersion": old["metadata"].get("resourceVersion")}
            meta |= {name: old["metadata"][name] for name in ("uid", "creationTimestamp")}
            new["metadata"] = {
                name: value for name, value in meta.items() if value not in (None, [])
            }
            if new == old:
                return old
        ending = new["metadata"].get("deletionTimestamp")
        held = new["metadata"].get("finalizers") or (new.get("spec") or {}).get("finalizers")
        if ending and not held:
            del self.objects[key]
            return self._tell(resource, "DELETED", key, new)
        self.objects[key] = new
        return self._tell(resource, "MODIFIED" if old else "ADDED", key, new)

    def _delete(self, resource: APIResource, key: tuple[str, str, str, str], options: dict) -> dict:
        old = self._find(key)
        wanted = options.get("preconditions") or {}
        if any(old["metadata"][name] != value for name, value in wanted.items()):
            raise ConflictError.of(resource.group_resource, key[3], "precondition failed")
        new = copy_object(old)
        meta = new["metadata"]
        extra = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(
            options.get("propagationPolicy", "")
        )
        if extra and extra not in meta.get("finalizers", []):
            meta["finalizers"] = [*meta.get("finalizers", []), extra]
        meta.setdefault("deletionTimestamp", rfc3339(self.now))
        if resource.plural == "namespaces":
            new["status"] = {**new["status"], "phase": "Terminating"}
        return self._store(resource, key, new)

    def _tell(
        self, resource: APIResource, kind: str, key: tuple[str, str, str, str], obj: dict
    ) -> dict:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self.log.append((self.revision, kind, key, copy_object(obj)))
        for watch in self.watches:
            if watch.resource == resource and watch.namespace in ("", key[2]):
                watch.queue.put_nowait(self._line(kind, obj))
        return obj

    def _line(self, kind: str, obj: dict) -> bytes:
        return orjson.dumps({"type": kind, "object": obj}) + b"\n"
