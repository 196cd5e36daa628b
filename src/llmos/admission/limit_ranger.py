"""Containers, pods and claims get a LimitRange's defaults and stay between its bounds.

Follows kubernetes/plugin/pkg/admission/limitranger.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmos.admission.plugin import Mutator, Scope, Validator
from llmos.admission.refusals import forbidden, objects_of
from llmos.admission.resources import LIMIT_RANGES, PERSISTENT_VOLUME_CLAIMS, PODS
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path, is_terminating, metadata, name_of
from llmos.apimachinery.quantity import NANOS, Quantity
from llmos.apimachinery.quota import pod_amounts
from llmos.apis.admission_v1 import AdmissionAttributes

ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = Mapping[str, Quantity]


@dataclass(frozen=True, slots=True)
class Consumer:
    """What is measured: one container, a pod, or a claim."""

    type: str
    requests: Amounts
    limits: Amounts


@dataclass(frozen=True, slots=True)
class LimitRanger:
    """Knows the LimitRanges."""

    lister: Lister

    def set_defaults(self, attributes: AdmissionAttributes) -> None:
        """Give containers the requests and limits that they leave out; say so in an annotation."""
        pod, _ = objects_of(attributes)
        for limit_range in self._limit_ranges(attributes):
            requests: dict[str, str] = {}
            limits: dict[str, str] = {}
            for item in _items(limit_range):
                if item.get("type") == "Container":
                    requests |= item.get("defaultRequest") or {}
                    limits |= item.get("default") or {}
            notes = [*_fill(pod, requests, limits)]
            if notes:
                annotations = metadata(pod).get("annotations") or {}
                text = "LimitRanger plugin set: " + "; ".join(notes)
                metadata(pod)["annotations"] = {**annotations, ANNOTATION: text}

    def check(self, attributes: AdmissionAttributes) -> None:
        """Refuse what is outside the bounds of a LimitRange.

        Raises:
            ForbiddenError: it is; the text names each bound.
        """
        obj, _ = objects_of(attributes)
        limit_ranges = self._limit_ranges(attributes)
        if not limit_ranges or is_terminating(obj):
            return
        consumers = (
            [*_pod_consumers(obj)]
            if attributes.resource.group_resource == PODS
            else [_claim_consumer(obj)]
        )
        for limit_range in limit_ranges:
            problems = [
                problem
                for item in _items(limit_range)
                for consumer in consumers
                if consumer.type == item.get("type")
                for problem in _problems(item, consumer)
            ]
            if problems:
                distinct = [*dict.fromkeys(problems)]
                raise forbidden(
                    attributes,
                    distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]",
                )

    def _limit_ranges(self, attributes: AdmissionAttributes) -> Sequence[Object]:
        return sorted(self.lister.list(LIMIT_RANGES, attributes.namespace), key=name_of)

    def mutators(self) -> list[Mutator]:
        """Pods alone have defaults."""
        return [Mutator("LimitRanger", Scope(("CREATE",), [PODS]), self.set_defaults)]

    def validators(self) -> list[Validator]:
        """New pods, and claims whenever they change."""
        return [
            Validator("LimitRanger/pods", Scope(("CREATE",), [PODS]), self.check),
            Validator(
                "LimitRanger/claims",
                Scope(("CREATE", "UPDATE"), [PERSISTENT_VOLUME_CLAIMS]),
                self.check,
            ),
        ]


def _items(limit_range: Object) -> Sequence[Object]:
    return get_path(limit_range, "spec", "limits") or ()


def _fill(pod: Object, requests: Mapping[str, str], limits: Mapping[str, str]) -> Iterator[str]:
    """Set what containers leave out, and tell what was set."""
    for field, called in (("containers", "container"), ("initContainers", "init container")):
        for container in get_path(pod, "spec", field) or ():
            for kind, defaults in (("request", requests), ("limit", limits)):
                resources = container.get("resources") or {}
                given = resources.get(f"{kind}s") or {}
                missing = sorted(defaults.keys() - given.keys())
                if missing:
                    filled = {**given, **{key: defaults[key] for key in missing}}
                    container["resources"] = {**resources, f"{kind}s": filled}
                    yield f"{', '.join(missing)} {kind} for {called} {container.get('name')}"


def _amounts(value: Mapping[str, str] | None) -> dict[str, Quantity]:
    return {name: Quantity.parse(amount) for name, amount in (value or {}).items()}


def _container_amounts(pod: Object, field: str, kind: str) -> list[dict[str, Quantity]]:
    containers = get_path(pod, "spec", field) or ()
    return [_amounts(get_path(each, "resources", kind)) for each in containers]


def _pod_consumers(pod: Object) -> Iterator[Consumer]:
    for field in ("containers", "initContainers"):
        requests = _container_amounts(pod, field, "requests")
        limits = _container_amounts(pod, field, "limits")
        for request, limit in zip(requests, limits, strict=True):
            yield Consumer("Container", request, limit)
    yield Consumer("Pod", pod_amounts(pod, "requests"), pod_amounts(pod, "limits"))


def _claim_consumer(claim: Object) -> Consumer:
    return Consumer(
        "PersistentVolumeClaim", _amounts(get_path(claim, "spec", "resources", "requests")), {}
    )


def _problems(item: Object, consumer: Consumer) -> Iterator[str]:
    """The bounds of one item of a LimitRange that a consumer breaks."""
    for name, bound in sorted(_amounts(item.get("min")).items()):
        yield from _below(name, bound, consumer)
    for name, bound in sorted(_amounts(item.get("max")).items()):
        yield from _above(name, bound, consumer)
    for name, bound in sorted(_amounts(item.get("maxLimitRequestRatio")).items()):
        yield from _ratio(name, bound, consumer)


def _below(name: str, bound: Quantity, consumer: Consumer) -> Iterator[str]:
    text = f"minimum {name} usage per {consumer.type} is {bound}"
    request, limit = consumer.requests.get(name), consumer.limits.get(name)
    if request is None:
        yield f"{text}.  No request is specified"
    elif request < bound:
        yield f"{text}, but request is {request}"
    elif limit is not None and limit < bound:
        yield f"{text}, but limit is {limit}"


def _above(name: str, bound: Quantity, consumer: Consumer) -> Iterator[str]:
    text = f"maximum {name} usage per {consumer.type} is {bound}"
    request, limit = consumer.requests.get(name), consumer.limits.get(name)
    if consumer.type == "PersistentVolumeClaim":
        limit = request
        if request is None:
            yield f"{text}.  No request is specified"
        elif request > bound:
            yield f"{text}, but request is {request}"
    elif limit is None:
        yield f"{text}.  No limit is specified"
    elif limit > bound:
        yield f"{text}, but limit is {limit}"
    elif request is not None and request > bound:
        yield f"{text}, but request is {request}"


def _ratio(name: str, bound: Quantity, consumer: Consumer) -> Iterator[str]:
    text = f"{name} max limit to request ratio per {consumer.type} is {bound}"
    request, limit = consumer.requests.get(name), consumer.limits.get(name)
    if not request:
        yield f"{text}, but no request is specified or request is 0"
    elif not limit:
        yield f"{text}, but no limit is specified or limit is 0"
    elif limit.nanos * NANOS > bound.nanos * request.nanos:
        yield f"{text}, but provided ratio is {limit.nanos / request.nanos:f}"
