"""Discovery documents: which groups, versions and resources there are.

Legacy lists (APIVersions, APIGroupList, APIGroup, APIResourceList) and the aggregated
``apidiscovery.k8s.io/v2`` form, made from the catalog and kept until it changes.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import APIResource, Subresource
from llmos.registry.catalog import Catalog
from llmos.registry.served import Served

AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
AGGREGATED = frozenset({"APIGroupDiscoveryList/apidiscovery.k8s.io/v2"})


class Discovery:
    """Answers discovery from the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._revision = -1
        self._kept: dict[str, tuple[bytes, str]] = {}

    def groups(self) -> Sequence[str]:
        """Every served group."""
        return self._catalog.groups()

    def api_versions(self) -> Object:
        """``GET /api``."""
        cidr = {"clientCIDR": "0.0.0.0/0", "serverAddress": ""}
        return {
            "kind": "APIVersions",
            "versions": list(self._catalog.versions("")),
            "serverAddressByClientCIDRs": [cidr],
        }

    def group_list(self) -> Object:
        """``GET /apis``."""
        groups = [self._group(each) for each in self._catalog.groups() if each]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def group(self, name: str) -> Object | None:
        """``GET /apis/NAME``; None for an unknown group."""
        if not name or not self._catalog.versions(name):
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **self._group(name)}

    def _group(self, name: str) -> dict[str, Any]:
        versions = [
            {"groupVersion": f"{name}/{version}", "version": version}
            for version in self._catalog.versions(name)
        ]
        return {"name": name, "versions": versions, "preferredVersion": versions[0]}

    def resource_list(self, group: str, version: str) -> Object | None:
        """``GET /api/v1`` or ``GET /apis/GROUP/VERSION``; None where it is not served."""
        served = self._catalog.resources(group, version)
        if not served:
            return None
        document: Object = {"kind": "APIResourceList"}
        if group:
            document["apiVersion"] = "v1"
        document["groupVersion"] = f"{group}/{version}" if group else version
        ordered = sorted(served, key=lambda each: each.resource.plural)
        document["resources"] = [row for each in ordered for row in _rows(each.resource)]
        return document

    def aggregated(self, core: bool) -> tuple[bytes, str]:
        """The aggregated document of ``/api`` (core) or ``/apis``, and its ETag."""
        if self._revision != self._catalog.revision:
            self._kept = {}
            self._revision = self._catalog.revision
        key = "api" if core else "apis"
        if key not in self._kept:
            groups = [each for each in self._catalog.groups() if (each == "") is core]
            body = orjson.dumps(
                {
                    "kind": "APIGroupDiscoveryList",
                    "apiVersion": "apidiscovery.k8s.io/v2",
                    "metadata": {},
                    "items": [self._aggregated_group(each) for each in groups],
                }
            )
            self._kept[key] = (body, f'"{hashlib.sha512(body).hexdigest().upper()}"')
        return self._kept[key]

    def _aggregated_group(self, group: str) -> Object:
        versions = [
            {
                "version": version,
                "resources": [
                    _aggregated(each)
                    for each in sorted(
                        self._catalog.resources(group, version), key=lambda s: s.resource.plural
                    )
                ],
                "freshness": "Current",
            }
            for version in self._catalog.versions(group)
        ]
        return {"metadata": {"name": group} if group else {}, "versions": versions}


def _rows(resource: APIResource) -> list[dict[str, Any]]:
    row: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    return [row, *(_subresource_row(resource, each) for each in resource.subresources)]


def _subresource_row(resource: APIResource, subresource: Subresource) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": f"{resource.plural}/{subresource.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": subresource.kind.kind if subresource.kind else resource.kind,
        "verbs": list(subresource.verbs),
    }
    if subresource.kind:
        row["group"], row["version"] = subresource.kind.group, subresource.kind.version
    return row


def _aggregated(served: Served) -> dict[str, Any]:
    resource = served.resource
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    if not resource.custom:
        kind = {"group": "", "version": "", "kind": resource.kind}
    row: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.subresources:
        row["subresources"] = [
            {
                "subresource": each.name,
                "responseKind": _kind_of(each, kind),
                "verbs": list(each.verbs),
            }
            for each in resource.subresources
        ]
    return row


def _kind_of(subresource: Subresource, own: dict[str, str]) -> dict[str, str]:
    if subresource.kind is None:
        return own
    return subresource.kind._asdict()
