"""OpenAPI v2 (Swagger) made from v3, and its protobuf form, which kubectl before 1.29 needs.

Field numbers are those of gnostic's ``openapi_v2.Document``; vendor extensions are YAML text in
it, and JSON is YAML.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from llmos.apimachinery.protobuf_wire import field_bytes, varint
from llmos.server.openapi_schemas import REF, Node

_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
_KEPT = ("format", "description", "required", "enum", "type")
_OPERATION_KEPT = ("operationId", "tags", "description")
_UNTYPED = ("nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string")


def swagger(document: Node) -> Node:
    """The v2 document that says what a v3 document says."""
    return {
        "swagger": "2.0",
        "info": document["info"],
        "paths": {path: _path(item) for path, item in document["paths"].items()},
        "definitions": {
            name: v2_schema(node) for name, node in document["components"]["schemas"].items()
        },
    }


def v2_schema(node: Node) -> Node:
    """A schema without what v2 has no words for; such fields may be anything."""
    target = _reference(node)
    if target is not None:
        return {**_picked(node, ("description",)), **_extensions(node), "$ref": target}
    if "oneOf" in node and "type" not in node:
        return {**_picked(node, ("description", "format")), "type": "string"}
    out = {**_picked(node, _KEPT), **_extensions(node)}
    if any(node.get(key) for key in _UNTYPED):
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            out.pop("type", None)
        return out
    if node.get("properties"):
        out["properties"] = {key: v2_schema(each) for key, each in node["properties"].items()}
    if isinstance(node.get("items"), dict):
        out["items"] = v2_schema(node["items"])
    additional = node.get("additionalProperties")
    if additional is not None:
        is_schema = isinstance(additional, dict)
        out["additionalProperties"] = v2_schema(additional) if is_schema else bool(additional)
    return out


def _reference(node: Node) -> str | None:
    choices = node.get("allOf") or [{}]
    target = node.get("$ref") or (choices[0].get("$ref") if "type" not in node else None)
    return "#/definitions/" + target.removeprefix(REF) if target else None


def _picked(node: Node, keys: Iterable[str]) -> Node:
    return {key: node[key] for key in keys if key in node}


def _extensions(node: Node) -> Node:
    return {key: value for key, value in node.items() if key.startswith("x-")}


def _path(item: Node) -> Node:
    path = {method: _operation(item[method]) for method in _METHODS if method in item}
    return {**path, "parameters": [_parameter(each) for each in item["parameters"]]}


def _operation(operation: Node) -> Node:
    parameters = [_parameter(each) for each in operation["parameters"]]
    body = operation.get("requestBody")
    if body is not None:
        required = bool(body.get("required"))
        schema = v2_schema(_schema_of(body))
        parameters.append({"name": "body", "in": "body", "required": required, "schema": schema})
    responses = {
        code: {"description": each["description"], "schema": v2_schema(_schema_of(each))}
        for code, each in operation["responses"].items()
        if "content" in each
    }
    return {
        **_picked(operation, _OPERATION_KEPT),
        "parameters": parameters,
        "responses": responses,
        **_extensions(operation),
    }


def _parameter(parameter: Node) -> Node:
    """A query or path parameter, whose type stands in it and not in a schema."""
    kept = _picked(parameter, ("name", "in", "required"))
    return {**kept, "type": parameter["schema"]["type"], "uniqueItems": True}


def _schema_of(content: Node) -> Node:
    schema: Node = next(iter(content["content"].values()))["schema"]
    return schema


def encode_v2(document: Node) -> bytes:
    """A v2 document as an ``openapi_v2.Document``."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    paths = b"".join(
        _named(2, path, _encode_path(item)) for path, item in document["paths"].items()
    )
    definitions = b"".join(
        _named(1, name, _encode_schema(node)) for name, node in document["definitions"].items()
    )
    return (
        _text(1, "2.0") + field_bytes(2, info) + field_bytes(8, paths) + field_bytes(9, definitions)
    )


def _encode_path(item: Node) -> bytes:
    operations = b"".join(
        field_bytes(number, _encode_operation(item[method]))
        for method, number in _METHODS.items()
        if method in item
    )
    return operations + b"".join(_encode_parameter(9, each) for each in item["parameters"])


def _encode_operation(operation: Node) -> bytes:
    responses = b"".join(
        _named(1, code, field_bytes(1, _encode_response(each)))
        for code, each in operation["responses"].items()
    )
    return (
        b"".join(_text(1, each) for each in operation["tags"])
        + _text(3, operation["description"])
        + _text(5, operation["operationId"])
        + b"".join(_encode_parameter(8, each) for each in operation["parameters"])
        + field_bytes(9, responses)
        + b"".join(_encode_extensions(13, operation))
    )


def _encode_response(response: Node) -> bytes:
    schema = field_bytes(1, _encode_schema(response["schema"]))
    return _text(1, response["description"]) + field_bytes(2, schema)


def _encode_parameter(number: int, parameter: Node) -> bytes:
    """A ParametersItem: of a body, of the query or of the path."""
    name, where = parameter["name"], parameter["in"]
    required = bool(parameter.get("required"))
    if where == "body":
        body = _text(2, name) + _text(3, where) + _flag(4, required)
        body += field_bytes(5, _encode_schema(parameter["schema"]))
        return field_bytes(number, field_bytes(1, field_bytes(1, body)))
    fields = _flag(1, required) + _text(2, where) + _text(4, name)
    kind, type_number = (3, 6) if where == "query" else (4, 5)
    fields += _text(type_number, parameter["type"])
    return field_bytes(number, field_bytes(1, field_bytes(2, field_bytes(kind, fields))))


def _encode_schema(node: Node) -> bytes:
    parts = [_text(1, node.get("$ref", "")), _text(2, node.get("format", ""))]
    parts.append(_text(4, node.get("description", "")))
    parts += [_text(19, each) for each in node.get("required", ())]
    parts += [field_bytes(20, _any(each)) for each in node.get("enum", ())]
    additional = node.get("additionalProperties")
    if isinstance(additional, dict):
        parts.append(field_bytes(21, field_bytes(1, _encode_schema(additional))))
    elif additional:
        parts.append(field_bytes(21, _flag(2, value=True)))
    if node.get("type"):
        parts.append(field_bytes(22, _text(1, node["type"])))
    if "items" in node:
        parts.append(field_bytes(23, field_bytes(1, _encode_schema(node["items"]))))
    properties = node.get("properties", {})
    named = [_named(1, key, _encode_schema(each)) for key, each in properties.items()]
    if named:
        parts.append(field_bytes(25, b"".join(named)))
    parts += _encode_extensions(31, node)
    return b"".join(parts)


def _encode_extensions(number: int, node: Node) -> Iterator[bytes]:
    for key, value in node.items():
        if key.startswith("x-"):
            yield _named(number, key, _any(value))


def _any(value: Any) -> bytes:
    return _text(2, orjson.dumps(value).decode())


def _named(number: int, name: str, value: bytes) -> bytes:
    return field_bytes(number, _text(1, name) + field_bytes(2, value))


def _text(number: int, text: str) -> bytes:
    return field_bytes(number, text.encode()) if text else b""


def _flag(number: int, value: bool) -> bytes:
    return varint(number << 3) + b"\x01" if value else b""
