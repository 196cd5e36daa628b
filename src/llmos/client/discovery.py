"""Which resources a server has, from its discovery documents in their unaggregated form."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.resource import (
    APIResource,
    GroupVersionKind,
    Subresource,
    parse_api_version,
)
from llmos.client.client import Client


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, and which group versions could not be read."""

    resources: tuple[APIResource, ...]
    failed: tuple[str, ...] = ()


def _subresource(name: str, entry: dict[str, Any]) -> Subresource:
    kind = GroupVersionKind(entry.get("group", ""), entry.get("version", ""), entry["kind"])
    own = kind if entry.get("version") else None
    return Subresource(name, tuple(entry.get("verbs") or ()), own)


def parse_resource_list(document: dict[str, Any]) -> list[APIResource]:
    """Read an APIResourceList; subresources are put with their resources."""
    group, version = parse_api_version(document["groupVersion"])
    entries = document.get("resources") or []
    children: dict[str, list[Subresource]] = {}
    for entry in entries:
        plural, _, name = entry["name"].partition("/")
        if name:
            children.setdefault(plural, []).append(_subresource(name, entry))
    return [
        APIResource(
            group,
            version,
            entry["name"],
            entry.get("singularName") or entry["kind"].lower(),
            entry["kind"],
            bool(entry.get("namespaced")),
            verbs=tuple(entry.get("verbs") or ()),
            short_names=tuple(entry.get("shortNames") or ()),
            categories=tuple(entry.get("categories") or ()),
            subresources=tuple(children.get(entry["name"], ())),
        )
        for entry in entries
        if "/" not in entry["name"]
    ]


def preferred(resources: Iterable[APIResource]) -> list[APIResource]:
    """Each resource in one version only: the first one discovered, which the server prefers."""
    first: dict[tuple[str, str], APIResource] = {}
    for each in resources:
        first.setdefault(each.group_resource, each)
    return list(first.values())


async def discover(client: Client) -> Discovery:
    """Ask for every group and version; those that do not answer are named, not fatal.

    Raises:
        StatusError: the list of groups itself was refused.
        ConnectionFailedError: the server was not reached.
    """
    paths = ["/api/v1"]
    for group in (await client.call("GET", "/apis")).get("groups") or []:
        first = group.get("preferredVersion") or {}
        versions = [each["groupVersion"] for each in group["versions"]]
        versions.sort(key=lambda each: each != first.get("groupVersion"))
        paths += [f"/apis/{each}" for each in versions]
    found: list[APIResource] = []
    failed: list[str] = []
    for path in paths:
        try:
            found += parse_resource_list(await client.call("GET", path))
        except StatusError:
            failed.append(path.removeprefix("/apis/").removeprefix("/api/"))
    return Discovery(tuple(found), tuple(failed))
