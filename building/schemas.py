"""Takes the OpenAPI definitions of the built-in kinds from ``kubernetes-validate``.

Which kinds is said once, in ``src/llmos/apis/kinds.json``; the result, ``schemas.json`` beside it,
is not committed and travels in the wheel. ``python -m building.schemas`` makes it by hand.
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

KUBERNETES = "v1.37.0"
APIS = Path(__file__).parents[1] / "src" / "llmos" / "apis"
SOURCE_REF = "#/$defs/"
SERVED_REF = "#/components/schemas/"
DEFAULTS = {
    "io.k8s.api.core.v1.ContainerPort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.ServicePort": {"protocol": "TCP"},
}
"""Defaults of list-map keys, which the package leaves out and field ownership needs."""


def write_schemas(target: Path = APIS / "schemas.json") -> int:
    """Extract, normalise and write the definitions; says how many there are."""
    package = files("kubernetes_validate") / "kubernetes-json-schema"
    source = (package / f"{KUBERNETES}-local" / "_definitions.json").read_text()
    definitions = json.loads(source)["$defs"]
    chosen = closure(definitions, wanted_names(definitions))
    schemas = {name: definition(name, definitions[name]) for name in sorted(chosen)}
    target.write_text(json.dumps(schemas, separators=(",", ":")))
    return len(schemas)


def wanted_names(definitions: dict[str, Any]) -> Iterator[str]:
    """The definitions that ``kinds.json`` names, and their lists."""
    for prefix, kinds in json.loads((APIS / "kinds.json").read_text()).items():
        for kind in kinds:
            yield f"{prefix}.{kind}"
            if f"{prefix}.{kind}List" in definitions:
                yield f"{prefix}.{kind}List"


def closure(definitions: dict[str, Any], names: Iterator[str]) -> set[str]:
    """The names and all that they refer to."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(references(definitions[name]))
    return found


def references(node: Any) -> Iterator[str]:
    """The names of the definitions that a node refers to."""
    if isinstance(node, list):
        for each in node:
            yield from references(each)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(SOURCE_REF)
        for each in node.values():
            yield from references(each)


def definition(name: str, node: dict[str, Any]) -> dict[str, Any]:
    """One definition in plain OpenAPI v3, without the constants of ``apiVersion`` and ``kind``."""
    plain = openapi(node)
    properties = plain.get("properties", {})
    if "x-kubernetes-group-version-kind" in plain:
        for key in ("apiVersion", "kind"):
            properties.get(key, {}).pop("enum", None)
    for key, value in DEFAULTS.get(name, {}).items():
        properties[key]["default"] = value
    if name.endswith(".IntOrString"):
        plain["format"] = "int-or-string"
    return plain


def openapi(node: dict[str, Any]) -> dict[str, Any]:
    """A schema node with single types; a reference that says more becomes an ``allOf`` of one."""
    plain: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$ref":
            reference = {"$ref": SERVED_REF + value.removeprefix(SOURCE_REF)}
            if len(node) == 1:
                return reference
            plain["allOf"] = [reference]
        elif key == "type" and isinstance(value, list):
            plain["type"] = next(each for each in value if each != "null")
        elif key == "properties":
            plain[key] = {name: openapi(each) for name, each in value.items()}
        elif key in ("items", "additionalProperties"):
            plain[key] = openapi(value) if isinstance(value, dict) else value
        elif key in ("oneOf", "anyOf", "allOf"):
            plain[key] = [openapi(each) for each in value]
        else:
            plain[key] = value
    return plain


if __name__ == "__main__":
    print(write_schemas(), "definitions")
