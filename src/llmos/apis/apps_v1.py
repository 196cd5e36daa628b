"""Workloads that are kept and printed and run nowhere: apps/v1, and ReplicationControllers.

They are here so that ``kubectl get all``, ``kubectl apply --prune`` and charts find them. Source:
kubernetes/pkg/apis/apps (v1/defaults.go, validation) and the printers.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.validation import IMMUTABLE, field_invalid, field_required
from llmos.apis.core_v1_pods import default_pod_spec
from llmos.apis.printing import (
    AGE,
    NAME,
    field,
    labels_text,
    selector_text,
    text,
)
from llmos.apis.strategy import Column, Strategy


def _count(name: str, *path: str) -> Column:
    return field(name, *path, default=0)


def _containers(obj: Object) -> Sequence[Object]:
    return get_path(obj, "spec", "template", "spec", "containers") or ()


def _names_of_containers(obj: Object) -> str:
    return ",".join(str(each.get("name")) for each in _containers(obj))


def _images(obj: Object) -> str:
    return ",".join(str(each.get("image")) for each in _containers(obj))


CONTAINER_COLUMNS = (
    text("Containers", _names_of_containers, wide=True),
    text("Images", _images, wide=True),
)
"""Columns of every kind with a template for pods."""
SELECTOR_COLUMN = text(
    "Selector", lambda obj: selector_text(get_path(obj, "spec", "selector")), wide=True
)


def _ready(obj: Object) -> str:
    ready = get_path(obj, "status", "readyReplicas") or 0
    wanted = get_path(obj, "spec", "replicas")
    return f"{ready}/{wanted if wanted is not None else 1}"


_REPLICA_COUNTS = (
    _count("Desired", "spec", "replicas"),
    _count("Current", "status", "replicas"),
    _count("Ready", "status", "readyReplicas"),
)


def deployments() -> Strategy:
    """The strategy of ``deployments``."""
    columns = (
        NAME,
        text("Ready", _ready),
        _count("Up-to-date", "status", "updatedReplicas"),
        _count("Available", "status", "availableReplicas"),
        AGE,
        *CONTAINER_COLUMNS,
        SELECTOR_COLUMN,
    )
    defaults = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    rolling = _rolling("strategy", {"maxUnavailable": "25%", "maxSurge": "25%"})
    return workload(_defaulting(defaults, rolling), columns)


def replica_sets() -> Strategy:
    """The strategy of ``replicasets``."""
    columns = (NAME, *_REPLICA_COUNTS, AGE, *CONTAINER_COLUMNS, SELECTOR_COLUMN)
    return workload(_defaulting({"replicas": 1}), columns)


def stateful_sets() -> Strategy:
    """The strategy of ``statefulsets``."""
    defaults = {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
    }
    columns = (NAME, text("Ready", _ready), AGE, *CONTAINER_COLUMNS)
    return workload(_defaulting(defaults, _rolling("updateStrategy", {"partition": 0})), columns)


def daemon_sets() -> Strategy:
    """The strategy of ``daemonsets``."""
    columns = (
        NAME,
        _count("Desired", "status", "desiredNumberScheduled"),
        _count("Current", "status", "currentNumberScheduled"),
        _count("Ready", "status", "numberReady"),
        _count("Up-to-date", "status", "updatedNumberScheduled"),
        _count("Available", "status", "numberAvailable"),
        text("Node Selector", _node_selector),
        AGE,
        *CONTAINER_COLUMNS,
        SELECTOR_COLUMN,
    )
    rolling = _rolling("updateStrategy", {"maxUnavailable": 1, "maxSurge": 0})
    return workload(_defaulting({"revisionHistoryLimit": 10}, rolling), columns)


def replication_controllers() -> Strategy:
    """The strategy of core ``replicationcontrollers``."""
    selector = text(
        "Selector", lambda obj: labels_text(get_path(obj, "spec", "selector")), wide=True
    )
    return Strategy(
        check_name=dns1123_subdomain,
        default=_defaulting({"replicas": 1}),
        has_status=True,
        has_generation=True,
        columns=(NAME, *_REPLICA_COUNTS, AGE, *CONTAINER_COLUMNS, selector),
    )


def workload(default: Callable[[Object], None], columns: Sequence[Column]) -> Strategy:
    """The strategy of a kind with a selector and a template for pods."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=default,
        prepare_create=_no_status,
        validate=_validate,
        validate_update=_validate_update,
        has_status=True,
        has_generation=True,
        columns=columns,
    )


def default_template(obj: Object) -> None:
    """Fill in the template for pods."""
    template = get_path(obj, "spec", "template")
    if isinstance(template, dict):
        default_pod_spec(template)


def _defaulting(
    defaults: dict[str, Any], more: Callable[[Object], None] | None = None
) -> Callable[[Object], None]:
    def default(obj: Object) -> None:
        obj["spec"] = {**defaults, **(obj.get("spec") or {})}
        if more is not None:
            more(obj["spec"])
        default_template(obj)

    return default


def _rolling(key: str, limits: dict[str, Any]) -> Callable[[Object], None]:
    """Pods are replaced a few at a time, unless the spec wants another way."""

    def default(spec: Object) -> None:
        given = spec.get(key) or {}
        if (given.get("type") or "RollingUpdate") == "RollingUpdate":
            given = {
                "type": "RollingUpdate",
                "rollingUpdate": {**limits, **(given.get("rollingUpdate") or {})},
            }
        spec[key] = given

    return default


def _no_status(obj: Object) -> None:
    obj["status"] = {}


def _node_selector(obj: Object) -> str:
    return labels_text(get_path(obj, "spec", "template", "spec", "nodeSelector"))


def _validate(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    errors = []
    selector = spec.get("selector")
    labels = get_path(spec, "template", "metadata", "labels") or {}
    if not selector:
        errors.append(field_required("spec.selector"))
    elif any(labels.get(key) != value for key, value in _match_labels(selector).items()):
        text_ = "`selector` does not match template `labels`"
        errors.append(field_invalid("spec.template.metadata.labels", labels, text_))
    if not _containers(obj):
        errors.append(field_required("spec.template.spec.containers"))
    return errors


def _match_labels(selector: Object) -> dict[str, str]:
    return selector.get("matchLabels") or {}


def _validate_update(new: Object, old: Object) -> Sequence[FieldError]:
    selector = get_path(new, "spec", "selector")
    if selector != get_path(old, "spec", "selector"):
        return [field_invalid("spec.selector", selector, IMMUTABLE)]
    return []
