"""OpenAPI documents: what kubectl and helm look for in them, and when they are made anew."""

import hashlib
from collections.abc import Iterator

import orjson
import pytest

from llmos.apimachinery.resource import APIResource, GroupVersionKind, Subresource
from llmos.apis.strategy import Strategy
from llmos.registry.catalog import Catalog
from llmos.registry.served import Served
from llmos.server.openapi import OpenAPI
from llmos.server.openapi_schemas import references
from llmos.server.openapi_v2 import encode_v2, v2_schema

SCALE = Subresource("scale", ("get", "update"), GroupVersionKind("autoscaling", "v1", "Scale"))
STATUS = Subresource("status")
NOTEBOOK = {
    "description": "A notebook server.",
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {"type": "string", "enum": ["jupyter"]},
                "port": {"x-kubernetes-int-or-string": True},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
    },
}


def _served(group, version, plural, kind, namespaced=True, custom=False, **more):
    resource = APIResource(
        group, version, plural, kind.lower(), kind, namespaced, custom=custom, **more
    )
    source = NOTEBOOK if custom else {}
    return Served(
        resource,
        Strategy(),
        lambda: None,
        lambda value: (value, []),
        resource.group_resource,
        schema_source=source,
    )


CONFIG_MAPS = _served("", "v1", "configmaps", "ConfigMap")
NAMESPACES = _served("", "v1", "namespaces", "Namespace", namespaced=False, subresources=(STATUS,))
ROLES = _served("rbac.authorization.k8s.io", "v1", "roles", "Role")
REVIEWS = _served(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    namespaced=False,
    verbs=("create",),
)
NOTEBOOKS = _served(
    "ml.llmos.ai", "v1", "notebooks", "Notebook", custom=True, subresources=(STATUS, SCALE)
)


@pytest.fixture
def catalog() -> Catalog:
    """A few built-in kinds and one custom one."""
    catalog = Catalog([CONFIG_MAPS, NAMESPACES, ROLES, REVIEWS])
    catalog.set_custom("notebooks.ml.llmos.ai", [NOTEBOOKS])
    return catalog


@pytest.fixture
def openapi(catalog: Catalog) -> OpenAPI:
    """The documents of that catalog."""
    return OpenAPI(catalog)


def _document(openapi: OpenAPI, name: str) -> dict:
    found = openapi.document(name)
    assert found is not None
    return orjson.loads(found.body)


def test_index(openapi):
    """The index names every group version with the hash of its document."""
    paths = orjson.loads(openapi.index().body)["paths"]
    assert set(paths) == {
        "api/v1",
        "apis/rbac.authorization.k8s.io/v1",
        "apis/authorization.k8s.io/v1",
        "apis/ml.llmos.ai/v1",
    }
    found = openapi.document("api/v1")
    digest = hashlib.sha512(found.body).hexdigest().upper()
    assert found.hash == digest
    assert paths["api/v1"]["serverRelativeURL"] == f"/openapi/v3/api/v1?hash={digest}"
    assert openapi.document("apis/nope/v1") is None


def test_recorded_operations(openapi):
    """What a real server says of namespaces and config maps."""
    document = _document(openapi, "api/v1")
    assert document["openapi"] == "3.0.0"
    assert document["info"] == {"title": "Kubernetes", "version": "1.36"}
    read = document["paths"]["/api/v1/namespaces/{name}"]["get"]
    assert read["operationId"] == "readCoreV1Namespace"
    assert read["x-kubernetes-action"] == "get"
    assert read["x-kubernetes-group-version-kind"] == {
        "group": "",
        "version": "v1",
        "kind": "Namespace",
    }
    create = document["paths"]["/api/v1/namespaces/{namespace}/configmaps"]["post"]
    names = [each["name"] for each in create["parameters"]]
    assert names == ["dryRun", "fieldManager", "fieldValidation"]
    patch = document["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]["patch"]
    assert [each["name"] for each in patch["parameters"]] == [*names, "force"]
    ref = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
    assert patch["requestBody"]["content"] == {
        media: {"schema": {"$ref": ref}}
        for media in (
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        )
    }


def test_recorded_schemas(openapi):
    """The schemas carry kinds and merge keys as published."""
    schemas = _document(openapi, "api/v1")["components"]["schemas"]
    assert schemas["io.k8s.api.core.v1.ConfigMap"]["x-kubernetes-group-version-kind"] == [
        {"group": "", "kind": "ConfigMap", "version": "v1"}
    ]
    meta = schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]
    assert meta["ownerReferences"]["x-kubernetes-patch-merge-key"] == "uid"


@pytest.mark.parametrize("name", ["api/v1", "apis/ml.llmos.ai/v1", "apis/authorization.k8s.io/v1"])
def test_references_resolve(openapi, name):
    """Every reference of a document is to a schema in it."""
    document = _document(openapi, name)
    assert set(references(document)) <= set(document["components"]["schemas"])


def test_paths_follow_the_resource(openapi):
    """There are operations for the verbs that a resource has, and paths for its subresources."""
    paths = _document(openapi, "api/v1")["paths"]
    assert set(paths) == {
        "/api/v1/configmaps",
        "/api/v1/namespaces",
        "/api/v1/namespaces/{name}",
        "/api/v1/namespaces/{name}/status",
        "/api/v1/namespaces/{namespace}/configmaps",
        "/api/v1/namespaces/{namespace}/configmaps/{name}",
    }
    everywhere = paths["/api/v1/configmaps"]
    assert set(everywhere) == {"get", "parameters"}
    assert everywhere["get"]["operationId"] == "listCoreV1ConfigMapForAllNamespaces"
    status = paths["/api/v1/namespaces/{name}/status"]["put"]
    assert status["operationId"] == "replaceCoreV1NamespaceStatus"
    reviews = _document(openapi, "apis/authorization.k8s.io/v1")["paths"]
    assert set(reviews) == {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}
    roles = _document(openapi, "apis/rbac.authorization.k8s.io/v1")["paths"]
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{name}"
    assert roles[path]["delete"]["operationId"] == "deleteRbacAuthorizationV1NamespacedRole"


def test_custom_kind(openapi):
    """A custom kind has its own schema with what every object has, and a list of its own."""
    document = _document(openapi, "apis/ml.llmos.ai/v1")
    schemas = document["components"]["schemas"]
    own = schemas["ai.llmos.ml.v1.Notebook"]
    assert own["properties"]["spec"] == NOTEBOOK["properties"]["spec"]
    assert own["properties"]["metadata"]["$ref"].endswith("meta.v1.ObjectMeta")
    assert own["properties"]["apiVersion"]["type"] == "string"
    assert own["x-kubernetes-group-version-kind"][0]["kind"] == "Notebook"
    listed = schemas["ai.llmos.ml.v1.NotebookList"]["properties"]["items"]
    assert listed["items"]["$ref"].endswith("ai.llmos.ml.v1.Notebook")
    item = "/apis/ml.llmos.ai/v1/namespaces/{namespace}/notebooks/{name}"
    patch = document["paths"][item]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]
    scale = document["paths"][f"{item}/scale"]["get"]
    assert scale["x-kubernetes-group-version-kind"]["kind"] == "Scale"
    assert "io.k8s.api.autoscaling.v1.Scale" in schemas


def test_documents_are_kept_until_their_kinds_change(openapi, catalog):
    """A new custom kind changes its own document, the index and v2, and no other document."""
    core, notebooks = openapi.document("api/v1"), openapi.document("apis/ml.llmos.ai/v1")
    index, v2 = openapi.index(), openapi.v2()
    assert openapi.index() is index
    assert openapi.v2() is v2
    catalog.set_custom("notebooks.ml.llmos.ai", [])
    assert openapi.document("api/v1") is core
    assert openapi.document("apis/ml.llmos.ai/v1") is None
    assert openapi.index().hash != index.hash
    assert openapi.v2().hash != v2.hash
    catalog.set_custom("notebooks.ml.llmos.ai", [NOTEBOOKS])
    assert openapi.document("apis/ml.llmos.ai/v1").hash == notebooks.hash
    assert openapi.index().hash == index.hash


def test_v2_json(openapi):
    """The JSON form has definitions with their kinds, and references of its own."""
    document = orjson.loads(openapi.v2_json().body)
    assert document["swagger"] == "2.0"
    namespace = document["definitions"]["io.k8s.api.core.v1.Namespace"]
    assert namespace["x-kubernetes-group-version-kind"] == [
        {"group": "", "kind": "Namespace", "version": "v1"}
    ]
    assert namespace["properties"]["spec"]["$ref"] == (
        "#/definitions/io.k8s.api.core.v1.NamespaceSpec"
    )
    assert openapi.v2_json() is openapi.v2_json()


@pytest.mark.parametrize(
    ("node", "made"),
    [
        ({"oneOf": [{"type": "string"}, {"type": "number"}]}, {"type": "string"}),
        (
            {"allOf": [{"$ref": "#/components/schemas/A"}], "description": "d", "default": {}},
            {"$ref": "#/definitions/A", "description": "d"},
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "x-kubernetes-preserve-unknown-fields": True,
            },
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        ),
        ({"type": "string", "nullable": True}, {}),
        (
            {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "string"}]},
            {"x-kubernetes-int-or-string": True},
        ),
        (
            {"type": "array", "items": {"type": "object", "additionalProperties": True}},
            {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        ),
    ],
)
def test_v2_schema(node, made):
    """What v2 cannot say becomes a field that may be anything."""
    assert v2_schema(node) == made


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each field of a message that has a length."""
    at = 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, bytes([varint()])
        else:
            size = varint()
            yield tag >> 3, data[at : at + size]
            at += size


def _all(data: bytes, number: int) -> list[bytes]:
    return [value for each, value in _fields(data) if each == number]


def _named(data: bytes, number: int) -> dict[str, bytes]:
    return {_all(each, 1)[0].decode(): (_all(each, 2) or [b""])[0] for each in _all(data, number)}


def test_v2_protobuf(openapi):
    """The protobuf form has, where old clients look, the patch operation's kind and parameters."""
    data = openapi.v2().body
    assert _all(data, 1) == [b"2.0"]
    paths = _named(_all(data, 8)[0], 2)
    path = paths["/apis/ml.llmos.ai/v1/namespaces/{namespace}/notebooks/{name}"]
    patch = _all(path, 8)[0]
    extensions = _named(patch, 13)
    kind = orjson.loads(_all(extensions["x-kubernetes-group-version-kind"], 2)[0])
    assert kind == {"group": "ml.llmos.ai", "version": "v1", "kind": "Notebook"}
    assert b"dryRun" in patch
    assert b"fieldValidation" in patch
    definitions = _named(_all(data, 9)[0], 1)
    properties = _named(_all(definitions["ai.llmos.ml.v1.Notebook"], 25)[0], 1)
    assert set(properties) == {"apiVersion", "kind", "metadata", "spec"}
    spec = _named(_all(properties["spec"], 25)[0], 1)
    assert _all(_all(spec["type"], 22)[0], 1) == [b"string"]
    assert _all(_all(spec["type"], 20)[0], 2) == [b'"jupyter"']
    assert _all(properties["spec"], 19) == [b"type"]
    assert _all(properties["metadata"], 1)[0].endswith(b"ObjectMeta")
    assert orjson.loads(_all(_named(spec["any"], 31)["x-kubernetes-preserve-unknown-fields"], 2)[0])


def test_v2_protobuf_of_free_maps():
    """A map of anything says so."""
    node = {"type": "object", "additionalProperties": True}
    document = {"info": {"title": "t", "version": "v"}, "paths": {}, "definitions": {"M": node}}
    definition = _named(_all(encode_v2(document), 9)[0], 1)["M"]
    assert _all(definition, 21) == [b"\x10\x01"]
