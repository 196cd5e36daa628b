"""What an object counts for in a ResourceQuota; admission charges by it, the controller recounts.

Follows k8s.io/kubernetes/pkg/quota/v1/evaluator/core: every object is ``count/<resource>.<group>``,
some core kinds have a name of their own, and pods, services and claims use amounts.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.quantity import ZERO, Quantity, QuantityError
from llmos.apimachinery.resource import GroupResource

Usage = dict[str, Quantity]

PODS = GroupResource("", "pods")
SERVICES = GroupResource("", "services")
CLAIMS = GroupResource("", "persistentvolumeclaims")
_NAMED = frozenset(
    {"configmaps", "replicationcontrollers", "resourcequotas", "secrets", "services"}
    | {"persistentvolumeclaims"}
)
"""Core resources that a quota counts by their bare name, too."""
_SHORT_REQUESTS = frozenset({"cpu", "memory", "ephemeral-storage"})
"""Amounts whose request has a name without ``requests.``, too."""
_STORAGE_CLASS = ".storageclass.storage.k8s.io/"
_STORAGE_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
ONE = Quantity.of(1)


def count_name(resource: GroupResource) -> str:
    """The name that counts objects of any resource: ``count/deployments.apps``."""
    return f"count/{resource}"


def resource_of(name: str) -> GroupResource | None:
    """The resource whose objects a quota's name counts or measures; None: unknown."""
    if name.startswith("count/"):
        plural, _, group = name.removeprefix("count/").partition(".")
        return GroupResource(group, plural)
    if name in _NAMED:
        return GroupResource("", name)
    if name.startswith("services."):
        return SERVICES
    if name == "requests.storage" or _STORAGE_CLASS in name:
        return CLAIMS
    return PODS if _is_of_pods(name) else None


def _is_of_pods(name: str) -> bool:
    known = name == "pods" or name in _SHORT_REQUESTS or name.startswith("hugepages-")
    return known or name.startswith(("requests.", "limits."))


def evaluate(resource: GroupResource, obj: Object) -> Usage:
    """What one object uses, by the names a quota may limit."""
    usage = {count_name(resource): ONE}
    if not resource.group and resource.resource in _NAMED:
        usage[resource.resource] = ONE
    measure = _MEASURES.get(resource)
    if measure is not None:
        usage.update(measure(obj))
    return usage


def _amounts(value: Any) -> Usage:
    """A ResourceList; what is not a quantity was refused elsewhere and counts for nothing."""
    amounts: Usage = {}
    for name, text in value.items() if isinstance(value, dict) else ():
        try:
            amounts[name] = Quantity.parse(text)
        except QuantityError:
            continue
    return amounts


def _add(left: Mapping[str, Quantity], right: Mapping[str, Quantity]) -> Usage:
    return {name: left.get(name, ZERO) + right.get(name, ZERO) for name in {**left, **right}}


def _larger(left: Mapping[str, Quantity], right: Mapping[str, Quantity]) -> Usage:
    return {name: max(left.get(name, ZERO), right.get(name, ZERO)) for name in {**left, **right}}


def pod_amounts(pod: Object, kind: str) -> Usage:
    """What a pod asks for (``requests``) or is limited to (``limits``), all containers together.

    Init containers run one after another, those that go on (sidecars) beside all that follow.
    """
    spec = pod.get("spec") or {}
    running: Usage = {}
    for each in spec.get("containers") or ():
        running = _add(running, _amounts(get_path(each, "resources", kind)))
    sidecars: Usage = {}
    highest: Usage = {}
    for each in spec.get("initContainers") or ():
        asked = _amounts(get_path(each, "resources", kind))
        if each.get("restartPolicy") == "Always":
            sidecars = _add(sidecars, asked)
            highest = _larger(highest, sidecars)
        else:
            highest = _larger(highest, _add(sidecars, asked))
    whole = _larger(_add(running, sidecars), highest)
    whole.update(_amounts(get_path(spec, "resources", kind)))
    return _add(whole, _amounts(spec.get("overhead"))) if whole else whole


def is_finished(pod: Object) -> bool:
    """Whether the pod ended and holds nothing any more."""
    return get_path(pod, "status", "phase") in ("Failed", "Succeeded")


def _measure_pod(pod: Object) -> Usage:
    if is_finished(pod):
        return {}
    usage: Usage = {"pods": ONE}
    for name, amount in pod_amounts(pod, "requests").items():
        usage[f"requests.{name}"] = amount
        if name in _SHORT_REQUESTS or name.startswith("hugepages-"):
            usage[name] = amount
    for name, amount in pod_amounts(pod, "limits").items():
        usage[f"limits.{name}"] = amount
    return usage


def _measure_service(service: Object) -> Usage:
    spec = service.get("spec") or {}
    ports = len(spec.get("ports") or ())
    kind = spec.get("type")
    balanced = kind == "LoadBalancer"
    exposed = kind == "NodePort" or (balanced and spec.get("allocateLoadBalancerNodePorts", True))
    return {
        "services.loadbalancers": ONE if balanced else ZERO,
        "services.nodeports": Quantity.of(ports) if exposed else ZERO,
    }


def _measure_claim(claim: Object) -> Usage:
    asked = _amounts(get_path(claim, "spec", "resources", "requests")).get("storage")
    usage: Usage = {"requests.storage": asked} if asked is not None else {}
    annotations = get_path(claim, "metadata", "annotations", default=None) or {}
    of_class = annotations.get(_STORAGE_CLASS_ANNOTATION)
    of_class = of_class or get_path(claim, "spec", "storageClassName")
    if of_class:
        usage[f"{of_class}{_STORAGE_CLASS}persistentvolumeclaims"] = ONE
        if asked is not None:
            usage[f"{of_class}{_STORAGE_CLASS}requests.storage"] = asked
    return usage


_MEASURES: Mapping[GroupResource, Callable[[Object], Usage]] = {
    PODS: _measure_pod,
    SERVICES: _measure_service,
    CLAIMS: _measure_claim,
}


def _is_best_effort(pod: Object) -> bool:
    return not any(
        amount for kind in ("requests", "limits") for amount in pod_amounts(pod, kind).values()
    )


def _is_bounded(pod: Object) -> bool:
    seconds = get_path(pod, "spec", "activeDeadlineSeconds")
    return seconds is not None and seconds >= 0


def _names_namespaces(pod: Object) -> bool:
    """Whether an affinity of the pod looks into other namespaces."""
    affinity = get_path(pod, "spec", "affinity", default=None) or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        hard = terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        soft = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        for term in (*hard, *(each.get("podAffinityTerm") or {} for each in soft)):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False


_POD_SCOPES: Mapping[str, Callable[[Object], bool]] = {
    "Terminating": _is_bounded,
    "NotTerminating": lambda pod: not _is_bounded(pod),
    "BestEffort": _is_best_effort,
    "NotBestEffort": lambda pod: not _is_best_effort(pod),
    "CrossNamespacePodAffinity": _names_namespaces,
}


def _requirements(quota: Object) -> Iterable[Mapping[str, Any]]:
    spec = quota.get("spec") or {}
    for scope in spec.get("scopes") or ():
        yield {"scopeName": scope, "operator": "Exists"}
    yield from get_path(spec, "scopeSelector", "matchExpressions", default=None) or ()


def _value(resource: GroupResource, obj: Object, scope: str) -> str | None:
    """What a scope that has values compares; None: the object has no such thing."""
    if scope == "PriorityClass" and resource == PODS:
        return get_path(obj, "spec", "priorityClassName") or None
    if scope == "VolumeAttributesClass" and resource == CLAIMS:
        return get_path(obj, "spec", "volumeAttributesClassName") or None
    return None


def _matches(requirement: Mapping[str, Any], resource: GroupResource, obj: Object) -> bool:
    scope, operator = requirement.get("scopeName", ""), requirement.get("operator")
    check = _POD_SCOPES.get(scope)
    if check is not None:
        return resource == PODS and check(obj)
    if (scope, resource) not in (("PriorityClass", PODS), ("VolumeAttributesClass", CLAIMS)):
        return False
    value = _value(resource, obj, scope)
    values = requirement.get("values") or ()
    return {
        "In": value is not None and value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(str(operator), False)


def matches_scopes(quota: Object, resource: GroupResource, obj: Object) -> bool:
    """Whether a ResourceQuota speaks of an object: all its scopes do; without any, of all."""
    return all(_matches(each, resource, obj) for each in _requirements(quota))


def has_scopes(quota: Object) -> bool:
    """Whether a ResourceQuota speaks of some objects only."""
    return any(True for _ in _requirements(quota))


def is_plain_count(name: str) -> bool:
    """Whether a name counts whole objects of a resource, so that their number is the answer."""
    return name.startswith("count/") or name in _NAMED


def total(quota: Object, resource: GroupResource, objects: Iterable[Object]) -> Usage:
    """What many objects of a resource use of a quota."""
    usage: Usage = {}
    for each in objects:
        if not matches_scopes(quota, resource, each):
            continue
        for name, amount in evaluate(resource, each).items():
            known = usage.get(name)
            usage[name] = amount if known is None else known + amount
    return usage
