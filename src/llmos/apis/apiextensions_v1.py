"""CustomResourceDefinitions: what the API makes of one, and what one makes the API serve.

Source: k8s.io/apiextensions-apiserver (apis/apiextensions/v1/defaults.go,
registry/customresourcedefinition, apiserver/customresource_discovery_controller.go). Validation is
in ``apiextensions_v1_validation``, names in ``apiextensions_v1_names``, instances in ``custom``.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from llmos.apimachinery.duration import age
from llmos.apimachinery.jsonpath import Path, compile_path
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object, get_path, is_terminating, metadata
from llmos.apimachinery.resource import APIResource, GroupVersionKind, Subresource
from llmos.apis import apiextensions_v1_validation as validation
from llmos.apis.apiextensions_v1_names import accepted_status, is_established, names_conflict
from llmos.apis.printing import CREATED, NAME
from llmos.apis.strategy import Column, Strategy

__all__ = [
    "CLEANUP_FINALIZER",
    "accepted_status",
    "columns_of",
    "deprecation_of",
    "has_status",
    "is_established",
    "names_conflict",
    "resources_of",
    "scale_of",
    "schema_of",
    "selectable_fields_of",
    "storage_version_of",
    "strategy",
    "version_of",
    "version_priority",
    "versions_of",
]

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Keeps a definition until its instances are gone."""
SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
_CUSTOM_VERBS = (
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
)
"""In the order that discovery lists them for custom resources."""
_SUBRESOURCE_VERBS = ("get", "patch", "update")
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STAGES = {None: 2, "beta": 1, "alpha": 0}
_NO_NAMES = {"plural": "", "kind": ""}


def strategy() -> Strategy:
    """The strategy of ``customresourcedefinitions``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default,
        prepare_create=_prepare_create,
        prepare_update=_prepare_update,
        validate=validation.validate,
        validate_update=validation.validate_update,
        has_status=True,
        has_generation=True,
        unconditional_update=False,
        delete_returns_object=True,
        begin_delete=_begin_delete,
        held=_held,
        columns=CREATED,
    )


def spec_of(crd: Object) -> dict[str, Any]:
    """Its spec, or an empty one."""
    return crd.get("spec") or {}


def versions_of(crd: Object) -> list[dict[str, Any]]:
    """Its versions, the most stable and newest first, as discovery orders them."""
    versions = spec_of(crd).get("versions") or []
    return sorted(versions, key=lambda each: version_priority(each.get("name") or ""), reverse=True)


def version_of(crd: Object, name: str) -> dict[str, Any]:
    """One of its versions.

    Raises:
        KeyError: it has no such version.
    """
    for version in spec_of(crd).get("versions") or []:
        if version.get("name") == name:
            return dict(version)
    raise KeyError(name)


def version_priority(name: str) -> tuple[int, int, int, int, str]:
    """The rank of a version's name: ``v2`` > ``v1`` > ``v2beta1`` > ``v1alpha1`` > others."""
    match = _VERSION.fullmatch(name)
    if match is None:
        # Turned round, since others go in the order of the alphabet while all else falls.
        turned = [chr(0x10FFFF - ord(each)) for each in f"{name}\0"]
        return (0, 0, 0, 0, "".join(turned))
    return (1, _STAGES[match[2]], int(match[1]), int(match[3] or 0), "")


def storage_version_of(crd: Object) -> str:
    """The name of the version that instances are stored in, or ``""``."""
    versions = spec_of(crd).get("versions") or []
    return next((str(each["name"]) for each in versions if each.get("storage")), "")


def resources_of(crd: Object) -> list[APIResource]:
    """The resources it makes, one for each served version, the preferred one first."""
    spec = spec_of(crd)
    names = get_path(crd, "status", "acceptedNames") or {}
    names = names if names.get("plural") else spec.get("names") or {}
    return [
        APIResource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            singular=names.get("singular") or names["kind"].lower(),
            kind=names["kind"],
            list_kind=names.get("listKind") or "",
            namespaced=spec.get("scope") == "Namespaced",
            verbs=_CUSTOM_VERBS,
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=_subresources(version),
            custom=True,
        )
        for version in versions_of(crd)
        if version.get("served")
    ]


def _subresources(version: dict[str, Any]) -> tuple[Subresource, ...]:
    wanted = version.get("subresources") or {}
    found = []
    if wanted.get("status") is not None:
        found.append(Subresource("status", _SUBRESOURCE_VERBS))
    if wanted.get("scale"):
        found.append(Subresource("scale", _SUBRESOURCE_VERBS, SCALE))
    return tuple(found)


def schema_of(crd: Object, version: str) -> dict[str, Any]:
    """The OpenAPI schema of a version's instances."""
    schema: dict[str, Any] = get_path(version_of(crd, version), "schema", "openAPIV3Schema") or {}
    return schema


def has_status(crd: Object, version: str) -> bool:
    """Whether a version has the ``status`` subresource."""
    return get_path(version_of(crd, version), "subresources", "status") is not None


def scale_of(crd: Object, version: str) -> dict[str, str] | None:
    """The JSON paths of a version's ``scale`` subresource, where it has one."""
    return get_path(version_of(crd, version), "subresources", "scale") or None


def selectable_fields_of(crd: Object, version: str) -> tuple[str, ...]:
    """The field labels that selectors may use: ``spec.type`` for the path ``.spec.type``."""
    fields = version_of(crd, version).get("selectableFields") or ()
    return tuple(str(each.get("jsonPath") or "").removeprefix(".") for each in fields)


def deprecation_of(crd: Object, version: str) -> str:
    """The warning that every use of a deprecated version gets, or ``""``."""
    found = version_of(crd, version)
    if not found.get("deprecated"):
        return ""
    if found.get("deprecationWarning"):
        return str(found["deprecationWarning"])
    group, kind = spec_of(crd).get("group"), get_path(crd, "spec", "names", "kind")
    warning = f"{group}/{version} {kind} is deprecated"
    for other in versions_of(crd):
        newer = version_priority(other["name"]) > version_priority(version)
        if newer and other.get("served") and not other.get("deprecated"):
            return f"{warning}; use {group}/{other['name']} {kind}"
    return warning


def columns_of(crd: Object, version: str) -> list[Column]:
    """The columns of a version's instances: Name, and those it declares (or Age)."""
    declared = version_of(crd, version).get("additionalPrinterColumns") or [
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
    ]
    return [NAME, *(_column(each) for each in declared)]


def _column(declared: dict[str, Any]) -> Column:
    kind = declared["type"]
    find = compile_path(declared["jsonPath"])
    return Column(
        name=declared["name"],
        cell=lambda obj, now: _cell(find, kind, obj, now),
        type=kind,
        format=declared.get("format") or "",
        description=declared.get("description") or "",
        priority=declared.get("priority") or 0,
    )


def _cell(find: Path, kind: str, obj: Object, now: float) -> Any:
    found = find(obj)
    if not found or found[0] is None:
        return None
    value = found[0]
    if kind == "string":
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    if kind == "date":
        return age(value, now) if isinstance(value, str) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "integer" else value


def _default(crd: Object) -> None:
    spec = crd.get("spec")
    if not isinstance(spec, dict):
        spec = crd["spec"] = {}
    names = spec.get("names")
    if not isinstance(names, dict):
        names = spec["names"] = {}
    kind = names.get("kind") or ""
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"
    if not spec.get("conversion"):
        spec["conversion"] = {"strategy": "None"}


def _prepare_create(crd: Object) -> None:
    versions = spec_of(crd).get("versions") or []
    stored = [each.get("name") for each in versions if each.get("storage")]
    crd["status"] = {
        "conditions": None,
        "acceptedNames": dict(_NO_NAMES),
        "storedVersions": stored or None,
    }


def _prepare_update(new: Object, old: Object) -> None:
    status = old.get("status") or {}
    stored = status.get("storedVersions") or []
    storage = storage_version_of(new)
    if storage and storage not in stored:
        new["status"] = {**status, "storedVersions": [*stored, storage]}


def _held(crd: Object) -> bool:
    """A definition always waits for its instances; then only its finalizers count."""
    return not is_terminating(crd)


def _begin_delete(crd: Object) -> None:
    meta = metadata(crd)
    finalizers: Sequence[str] = meta.get("finalizers") or ()
    if CLEANUP_FINALIZER not in finalizers:
        meta["finalizers"] = [*finalizers, CLEANUP_FINALIZER]
    status = {**(crd.get("status") or {})}
    terminating = {
        "type": "Terminating",
        "status": "True",
        "lastTransitionTime": meta.get("deletionTimestamp"),
        "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will "
        "begin soon",
    }
    status["conditions"] = [*(status.get("conditions") or ()), terminating]
    crd["status"] = status
