"""The paths of OpenAPI v3 documents: what can be done with each resource, and with what options.

Clients look for the operation with a kind's ``x-kubernetes-group-version-kind`` and for its
parameters (``fieldValidation``, ``dryRun``); names and shapes are kube-apiserver's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from llmos.apimachinery.resource import APIResource, GroupVersionKind, Subresource
from llmos.apis.builtin_schemas import GVK_EXTENSION
from llmos.server.openapi_schemas import META, Kind, Node, definition_of, reference

OBJECT_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_LIST = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_TYPES = {
    **dict.fromkeys(("gracePeriodSeconds", "limit", "timeoutSeconds"), "integer"),
    **dict.fromkeys(
        ("allowWatchBookmarks", "force", "orphanDependents", "sendInitialEvents", "watch"),
        "boolean",
    ),
}


@dataclass(frozen=True, slots=True)
class _Verb:
    """How one verb looks as an operation."""

    method: str
    action: str
    prefix: str
    """Of the operation's id."""
    parameters: tuple[str, ...] = ()
    body: str = ""
    """``object``, ``patch``, ``options`` or nothing."""
    answers: str = "object"
    """``object``, ``list`` or ``status``."""
    codes: tuple[str, ...] = ("200",)


_COLLECTION = {
    "list": _Verb("get", "list", "list", _LIST, answers="list"),
    "create": _Verb("post", "post", "create", _WRITE, "object", codes=("200", "201", "202")),
    "deletecollection": _Verb(
        "delete", "deletecollection", "deleteCollection", (*_LIST, *_DELETE), "options", "status"
    ),
}
_ITEM = {
    "get": _Verb("get", "get", "read"),
    "update": _Verb("put", "put", "replace", _WRITE, "object", codes=("200", "201")),
    "patch": _Verb("patch", "patch", "patch", (*_WRITE, "force"), "patch", codes=("200", "201")),
    "delete": _Verb("delete", "delete", "delete", _DELETE, "options", "status", ("200", "202")),
}
_SUBRESOURCE = {**_ITEM, "create": _COLLECTION["create"]}


@dataclass(frozen=True, slots=True)
class _Target:
    """What an operation works on."""

    kind: Kind
    gvk: GroupVersionKind
    subresource: str = ""
    everywhere: bool = False

    def operation_id(self, prefix: str) -> str:
        """E.g. ``replaceCoreV1NamespacedPodStatus``."""
        resource = self.kind.resource
        group = resource.group.removesuffix(".k8s.io") or "core"
        words = [*group.split("."), resource.version]
        space = "Namespaced" if resource.namespaced and not self.everywhere else ""
        tail = "ForAllNamespaces" if self.everywhere else self.subresource.title()
        return prefix + "".join(map(_capital, words)) + space + resource.kind + tail


def group_path(resource: APIResource) -> str:
    """``/api/v1`` or ``/apis/GROUP/VERSION``."""
    if resource.group:
        return f"/apis/{resource.group}/{resource.version}"
    return f"/api/{resource.version}"


def collection_path(resource: APIResource) -> str:
    """The path that objects are created at."""
    namespace = "/namespaces/{namespace}" if resource.namespaced else ""
    return f"{group_path(resource)}{namespace}/{resource.plural}"


def paths_of(kinds: Iterable[Kind]) -> dict[str, Node]:
    """All paths of some kinds."""
    return {path: item for kind in kinds for path, item in _paths(kind)}


def _paths(kind: Kind) -> Iterator[tuple[str, Node]]:
    resource = kind.resource
    target = _Target(kind, resource.gvk)
    collection = collection_path(resource)
    operations = _operations(target, _COLLECTION, resource.verbs)
    if operations:
        yield collection, {**operations, "parameters": _path_parameters(collection)}
    item = f"{collection}/{{name}}"
    operations = _operations(target, _ITEM, resource.verbs)
    if operations:
        yield item, {**operations, "parameters": _path_parameters(item)}
    if resource.namespaced and "list" in resource.verbs:
        path = f"{group_path(resource)}/{resource.plural}"
        everywhere = _Target(kind, resource.gvk, everywhere=True)
        operations = _operations(everywhere, _COLLECTION, ("list",))
        yield path, {**operations, "parameters": _path_parameters(path)}
    for subresource in resource.subresources:
        path = f"{item}/{subresource.name}"
        operations = _subresource(kind, subresource)
        yield path, {**operations, "parameters": _path_parameters(path)}


def _subresource(kind: Kind, subresource: Subresource) -> Node:
    gvk = subresource.kind or kind.resource.gvk
    return _operations(_Target(kind, gvk, subresource.name), _SUBRESOURCE, subresource.verbs)


def _operations(target: _Target, known: dict[str, _Verb], verbs: Iterable[str]) -> Node:
    return {known[verb].method: _operation(target, known[verb]) for verb in verbs if verb in known}


def _operation(target: _Target, verb: _Verb) -> Node:
    resource = target.kind.resource
    answer = _content(OBJECT_TYPES, _answered(target, verb.answers))
    operation: Node = {
        "operationId": target.operation_id(verb.prefix),
        "tags": [_tag(resource)],
        "description": f"{verb.prefix} {resource.plural}",
        "parameters": [_query_parameter(name) for name in verb.parameters],
        "responses": {
            **{code: {"description": "OK", "content": answer} for code in verb.codes},
            "401": {"description": "Unauthorized"},
        },
        "x-kubernetes-action": verb.action,
        GVK_EXTENSION: target.gvk._asdict(),
    }
    body = _body(target, verb.body)
    if body:
        operation["requestBody"] = body
    return operation


def _answered(target: _Target, answers: str) -> Node:
    if answers == "list":
        return reference(target.kind.list_definition)
    if answers == "status":
        return reference(f"{META}Status")
    return reference(definition_of(target.gvk))


def _body(target: _Target, body: str) -> Node:
    if body == "patch":
        custom = target.kind.resource.custom
        types = [each for each in PATCH_TYPES if not (custom and "strategic" in each)]
        return {"content": _content(types, reference(f"{META}Patch")), "required": True}
    if body == "options":
        return {"content": _content(OBJECT_TYPES, reference(f"{META}DeleteOptions"))}
    if body == "object":
        content = _content(OBJECT_TYPES, reference(definition_of(target.gvk)))
        return {"content": content, "required": True}
    return {}


def _content(types: Iterable[str], schema: Node) -> Node:
    return {media: {"schema": schema} for media in types}


def _query_parameter(name: str) -> Node:
    schema: dict[str, Any] = {"type": _TYPES.get(name, "string"), "uniqueItems": True}
    return {"name": name, "in": "query", "schema": schema}


def _path_parameters(path: str) -> list[Node]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("name", "namespace")
        if f"{{{name}}}" in path
    ]


def _tag(resource: APIResource) -> str:
    group = resource.group.removesuffix(".k8s.io") or "core"
    return "_".join(map(str, [_camel(group), resource.version]))


def _camel(group: str) -> str:
    first, *rest = group.split(".")
    return first + "".join(map(_capital, rest))


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
