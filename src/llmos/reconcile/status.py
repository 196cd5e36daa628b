"""Reporting: an object's status says what its controller found, written when that changes."""

from collections.abc import Iterable
from typing import Any

from llmos.apimachinery.clock import rfc3339
from llmos.apimachinery.object import (
    Object,
    get_path,
    name_of,
    namespace_of,
    resource_version_of,
    set_condition,
)
from llmos.apimachinery.resource import APIResource
from llmos.client.client import Client

_MAX_MESSAGE = 1024


def condition(kind: str, reason: str, message: str, *, holds: bool) -> dict[str, Any]:
    """A condition that holds or does not."""
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "reason": reason,
        "message": message[:_MAX_MESSAGE],
    }


def with_conditions(obj: Object, new: Iterable[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """The object's conditions with the new ones put in; times change only with a status."""
    old = get_path(obj, "status", "conditions", default=None) or []
    conditions = [dict(each) for each in old]
    for each in new:
        set_condition(conditions, each, rfc3339(now))
    return conditions


async def report(client: Client, resource: APIResource, obj: Object, status: Object) -> bool:
    """Write the parts of the status that differ; says whether there were any.

    Raises:
        ConflictError: the object is not as it was read; read it again.
        StatusError: the server refused.
    """
    old = obj.get("status") or {}
    changed = {key: value for key, value in status.items() if old.get(key) != value}
    if not changed:
        return False
    patch = {"metadata": {"resourceVersion": resource_version_of(obj)}, "status": changed}
    place = (namespace_of(obj), name_of(obj))
    await client.patch(resource, *place, patch, subresource="status")
    return True
