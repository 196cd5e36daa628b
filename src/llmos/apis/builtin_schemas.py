"""Schemas of the built-in kinds, from Kubernetes' published OpenAPI.

The definitions are read when first asked for, and a kind is compiled when first written to.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from llmos.apimachinery.resource import GroupVersionKind
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.schema_compile import SchemaCompiler

GVK_EXTENSION = "x-kubernetes-group-version-kind"


@cache
def definitions() -> dict[str, dict[str, Any]]:
    """Every definition by its OpenAPI name, as OpenAPI v3 schemas. Shared: never change them."""
    data = (files("llmos.apis") / "schemas.json").read_bytes()
    loaded: dict[str, dict[str, Any]] = orjson.loads(data)
    return loaded


def definition_name(gvk: GroupVersionKind) -> str | None:
    """The OpenAPI name of a built-in kind (or of its list), e.g. ``io.k8s.api.core.v1.Secret``."""
    return _names().get(gvk)


def schema_for(gvk: GroupVersionKind) -> Schema | None:
    """The compiled schema of a built-in kind; None for a kind that is not one."""
    name = _names().get(gvk)
    return None if name is None else _compiler().definition(name)


@cache
def _names() -> dict[GroupVersionKind, str]:
    return {
        GroupVersionKind(each["group"], each["version"], each["kind"]): name
        for name, node in definitions().items()
        for each in node.get(GVK_EXTENSION, ())
    }


@cache
def _compiler() -> SchemaCompiler:
    return SchemaCompiler(definitions())


def is_registered(gvk: GroupVersionKind) -> bool:
    """Whether there is such a built-in kind, served or not."""
    return gvk in _names() or (gvk.kind == "List" and gvk.api_version == "v1")
