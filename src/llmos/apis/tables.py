"""Server-side printing: objects become a ``Table`` of meta.k8s.io.

Source: k8s.io/apiserver/pkg/endpoints/handlers (response.go) and kubernetes/pkg/printers. The
handlers of get, list, watch, create and update use it when a client asks for ``as=Table``.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.object import Object
from llmos.apis.printing import PLAIN
from llmos.apis.strategy import Column

IncludeObject = Literal["None", "Metadata", "Object"]

_INCLUDE_OBJECT: dict[str, IncludeObject] = {
    "": "Metadata",
    "Metadata": "Metadata",
    "None": "None",
    "Object": "Object",
}


def parse_include_object(value: str) -> IncludeObject:
    """Read the ``includeObject`` parameter of a request.

    Raises:
        BadRequestError: there is no such choice.
    """
    if value not in _INCLUDE_OBJECT:
        raise BadRequestError(
            "Unable to convert to Table as requested: includeObject: Invalid value: "
            f"\"{value}\": must be 'Metadata', 'Object', 'None', or empty"
        )
    return _INCLUDE_OBJECT[value]


def table(
    objects: Iterable[Object],
    columns: Sequence[Column],
    now: float,
    *,
    metadata: dict[str, Any] | None = None,
    include_object: IncludeObject = "Metadata",
    version: str = "v1",
) -> Object:
    """A Table of objects.

    Args:
        objects: with their kind and apiVersion.
        columns: of their kind; none: Name and Age.
        now: seconds since the epoch, for ages.
        metadata: of the list (resourceVersion, continue, remainingItemCount).
        include_object: what goes along with each row.
        version: of meta.k8s.io, ``v1`` or ``v1beta1``.
    """
    columns = columns or PLAIN
    api_version = f"meta.k8s.io/{version}"
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": metadata or {},
        "columnDefinitions": [definition(each) for each in columns],
        "rows": [
            {
                "cells": [each.cell(obj, now) for each in columns],
                "object": _included(obj, include_object, api_version),
            }
            for obj in objects
        ],
    }


def definition(column: Column) -> dict[str, Any]:
    """A column as a TableColumnDefinition."""
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def partial_metadata(obj: Object, api_version: str = "meta.k8s.io/v1") -> Object:
    """An object's metadata alone, as a PartialObjectMetadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": api_version,
        "metadata": obj.get("metadata") or {},
    }


def _included(obj: Object, choice: IncludeObject, api_version: str) -> Object | None:
    if choice == "None":
        return None
    return obj if choice == "Object" else partial_metadata(obj, api_version)
