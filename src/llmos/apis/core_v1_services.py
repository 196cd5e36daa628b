"""Services and Endpoints.

Source: kubernetes/pkg/registry/core/service, pkg/apis/core/v1/defaults.go, ValidateService, and the
printers. Cluster IPs are not allocated: nothing here would route them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_label, dns1123_subdomain
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.validation import (
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.printing import AGE, NAME, NONE, field, joined, labels_text, text
from llmos.apis.strategy import Strategy

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")
_HEADLESS = "None"
_MAX_SHOWN_ENDPOINTS = 3


def services() -> Strategy:
    """The strategy of ``services``."""
    return Strategy(
        check_name=dns1123_label,
        default=_default,
        prepare_create=_prepare_create,
        prepare_update=_prepare_update,
        validate=_validate,
        has_status=True,
        create_on_update=True,
        delete_returns_object=True,
        fields=_fields,
        field_names=("spec.clusterIP", "spec.type"),
        columns=_COLUMNS,
    )


def endpoints() -> Strategy:
    """The strategy of ``endpoints``."""
    return Strategy(
        check_name=dns1123_subdomain,
        create_on_update=True,
        columns=(NAME, text("Endpoints", _endpoints_text), AGE),
    )


def _default(obj: Object) -> None:
    spec: dict[str, Any] = {**(obj.get("spec") or {})}
    obj["spec"] = spec
    spec["type"] = spec.get("type") or "ClusterIP"
    spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    for port in spec.get("ports") or ():
        port["protocol"] = port.get("protocol") or "TCP"
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")
    if spec["type"] == "ExternalName":
        return
    spec["internalTrafficPolicy"] = spec.get("internalTrafficPolicy") or "Cluster"
    spec["ipFamilies"] = spec.get("ipFamilies") or ["IPv4"]
    spec["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or "SingleStack"
    if spec["type"] in ("LoadBalancer", "NodePort"):
        spec["externalTrafficPolicy"] = spec.get("externalTrafficPolicy") or "Cluster"
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def _prepare_create(obj: Object) -> None:
    obj["status"] = {"loadBalancer": {}}


def _prepare_update(new: Object, old: Object) -> None:
    """A client that does not say the address means that it stays."""
    after, before = new["spec"], old.get("spec") or {}
    if not after.get("clusterIP") and before.get("clusterIP") and after["type"] != "ExternalName":
        after["clusterIP"] = before["clusterIP"]
        after["clusterIPs"] = before.get("clusterIPs") or [before["clusterIP"]]


def _validate(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or []
    errors: list[FieldError] = []
    if kind not in _TYPES:
        errors.append(field_not_supported("spec.type", kind, _TYPES))
    if not ports and spec.get("clusterIP") != _HEADLESS and kind != "ExternalName":
        errors.append(field_required("spec.ports"))
    if kind == "ExternalName":
        errors += _external_name(spec)
    affinity = spec.get("sessionAffinity")
    if affinity not in _AFFINITIES:
        errors.append(field_not_supported("spec.sessionAffinity", affinity, _AFFINITIES))
    return [*errors, *_ports(ports)]


def _external_name(spec: Object) -> Iterator[FieldError]:
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        yield field_required("spec.externalName")
    for each in dns1123_subdomain(name) if name else ():
        yield field_invalid("spec.externalName", name, each)
    if spec.get("clusterIP"):
        yield field_forbidden("spec.clusterIPs[0]", "may not be set when `type` is 'ExternalName'")


def _ports(ports: list[Object]) -> Iterator[FieldError]:
    names: set[Any] = set()
    used: set[Any] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        yield from _port(port, path, named=len(ports) > 1)
        if port.get("name") and port["name"] in names:
            yield field_duplicate(f"{path}.name", port["name"])
        names.add(port.get("name"))
        identity = port.get("protocol"), port.get("port")
        if identity in used:
            yield field_duplicate(
                path, {"port": port.get("port"), "protocol": port.get("protocol")}
            )
        used.add(identity)


def _port(port: Object, path: str, *, named: bool) -> Iterator[FieldError]:
    name, number, protocol = port.get("name") or "", port.get("port"), port.get("protocol")
    if named and not name:
        yield field_required(f"{path}.name")
    for each in dns1123_label(name) if name else ():
        yield field_invalid(f"{path}.name", name, each)
    if not isinstance(number, int) or not 1 <= number <= 65535:
        yield field_invalid(f"{path}.port", number, "must be between 1 and 65535, inclusive")
    if protocol not in _PROTOCOLS:
        yield field_not_supported(f"{path}.protocol", protocol, _PROTOCOLS)


def _fields(obj: Object) -> Mapping[str, str]:
    spec = obj.get("spec") or {}
    return {"spec.clusterIP": spec.get("clusterIP") or "", "spec.type": spec.get("type") or ""}


def _external(obj: Object) -> str:
    spec = obj.get("spec") or {}
    kind, addresses = spec.get("type"), spec.get("externalIPs") or []
    if kind == "ExternalName":
        return spec.get("externalName") or NONE
    if kind == "LoadBalancer":
        ingress = get_path(obj, "status", "loadBalancer", "ingress") or ()
        found = [each.get("ip") or each.get("hostname") or "" for each in ingress]
        return joined([*found, *addresses], default="<pending>")
    return joined(addresses)


def _port_text(port: Object) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{node}/{port.get('protocol')}"


def _endpoints_text(obj: Object) -> str:
    found = [
        f"{address.get('ip')}:{port.get('port')}"
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    shown = joined(found[:_MAX_SHOWN_ENDPOINTS])
    more = len(found) - _MAX_SHOWN_ENDPOINTS
    return f"{shown} + {more} more..." if more > 0 else shown


_COLUMNS = (
    NAME,
    field("Type", "spec", "type"),
    field("Cluster-IP", "spec", "clusterIP", default=NONE),
    text("External-IP", _external),
    text("Port(s)", lambda obj: joined(map(_port_text, get_path(obj, "spec", "ports") or ()))),
    AGE,
    text("Selector", lambda obj: labels_text(get_path(obj, "spec", "selector")), wide=True),
)
