"""An object without what one server wrote into it; pure."""

from collections.abc import Callable, Mapping
from typing import Any

from llmos.apimachinery.object import Object, copy_object, get_path, name_of, namespace_of
from llmos.apis.namespaces import SYSTEM_NAMESPACE
from llmos.apis.role_template_bindings import GRANTED_BY
from llmos.client.resources import MANAGEMENT_GROUP
from llmos.portability.selection import FIRST_USER, SHARED, type_of

ORIGIN = "llmos.ai/origin"
"""The uid that a user or a namespace had where it was first made: who is the same, and who has the
same name only."""
CREATOR = "llmos.ai/creator"
DEFAULTS_BOUND = "llmos.ai/default-roles-bound"
ORIGINAL_TYPES = frozenset({(MANAGEMENT_GROUP, "User"), ("", "Namespace")})

_METADATA = ("name", "namespace", "labels", "annotations")
_SERVER_ANNOTATIONS = frozenset(
    {
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "endpoints.kubernetes.io/last-change-trigger-time",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "volume.beta.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/selected-node",
        "volume.kubernetes.io/storage-provisioner",
        # Written for whoever imports, and taken care of there.
        CREATOR,
        DEFAULTS_BOUND,
        # A server vouches for what it saw itself. Elsewhere the name may be somebody else's, and
        # the time at which the binding was made, without which it says half, is not moved either.
        GRANTED_BY,
    }
)
_SERVER_LABELS = frozenset({"kubernetes.io/metadata.name"})
_JOB_LABELS = frozenset(
    {
        *("controller-uid", "job-name"),
        *("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"),
    }
)
_INJECTED_VOLUME = "kube-api-access-"
_DEFAULT_TOLERATIONS = tuple(
    {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
)


def origin_of(obj: Object) -> str:
    """The uid that it had first; empty for those that every server has by itself."""
    shared = SHARED if obj["kind"] == "Namespace" else {FIRST_USER}
    if name_of(obj) in shared:
        return ""
    meta = obj["metadata"]
    return str((meta.get("annotations") or {}).get(ORIGIN) or meta.get("uid") or "")


def portable(obj: Object) -> Object:
    """What is moved of an object; the argument stays as it is."""
    moved: Object = copy_object({key: each for key, each in obj.items() if key != "status"})
    moved["metadata"] = _metadata(obj, moved["metadata"])
    clean = _CLEANERS.get(type_of(obj))
    if clean is not None:
        clean(moved)
    return moved


def _metadata(obj: Object, meta: Mapping[str, Any]) -> Object:
    kept: Object = {key: meta[key] for key in _METADATA if meta.get(key)}
    origin = origin_of(obj) if type_of(obj) in ORIGINAL_TYPES else ""
    annotations = _without(meta.get("annotations"), _SERVER_ANNOTATIONS | {ORIGIN})
    if origin:
        annotations[ORIGIN] = origin
    _set(kept, "annotations", annotations)
    _set(kept, "labels", _without(meta.get("labels"), _SERVER_LABELS))
    owners = [
        {key: each for key, each in owner.items() if key != "uid"}
        for owner in meta.get("ownerReferences") or ()
    ]
    _set(kept, "ownerReferences", owners)
    return kept


def _without(values: Mapping[str, Any] | None, keys: frozenset[str]) -> dict[str, Any]:
    return {key: each for key, each in (values or {}).items() if key not in keys}


def _set(obj: Object, key: str, value: Any) -> None:
    """Set what is not empty, and drop what is."""
    if value:
        obj[key] = value
    else:
        obj.pop(key, None)


def _drop(obj: Any, *keys: str) -> None:
    if isinstance(obj, dict):
        for each in keys:
            obj.pop(each, None)


def _namespace(obj: Object) -> None:
    _drop(obj, "spec")


def _secret(obj: Object) -> None:
    """An account is tied to its user again where it arrives."""
    if namespace_of(obj) == SYSTEM_NAMESPACE:
        _drop(obj.get("data"), "userUID")


def _service_account(obj: Object) -> None:
    _drop(obj, "secrets")


def _service(obj: Object) -> None:
    spec = obj.get("spec") or {}
    if spec.get("clusterIP") != "None":
        _drop(spec, "clusterIP", "clusterIPs")
    if spec.get("ipFamilyPolicy") in (None, "SingleStack"):
        _drop(spec, "ipFamilies", "ipFamilyPolicy")
    _drop(spec, "healthCheckNodePort")


def _claim(obj: Object) -> None:
    _drop(obj.get("spec"), "volumeName")


def _pod(obj: Object) -> None:
    spec = obj.get("spec") or {}
    _drop(spec, "nodeName", "priority")
    volumes = [each for each in spec.get("volumes") or () if not _is_injected(each)]
    _set(spec, "volumes", volumes)
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        mounts = [each for each in container.get("volumeMounts") or () if not _is_injected(each)]
        _set(container, "volumeMounts", mounts)
    tolerations = [
        each for each in spec.get("tolerations") or () if each not in _DEFAULT_TOLERATIONS
    ]
    _set(spec, "tolerations", tolerations)


def _is_injected(volume: Mapping[str, Any]) -> bool:
    return str(volume.get("name") or "").startswith(_INJECTED_VOLUME)


def _job(obj: Object) -> None:
    spec = obj.get("spec") or {}
    if spec.get("podReplacementPolicy") == "TerminatingOrFailed":
        _drop(spec, "podReplacementPolicy")  # as where none is named
    if spec.get("manualSelector"):
        return
    _drop(spec, "selector", "manualSelector")
    for meta in (obj["metadata"], get_path(spec, "template", "metadata", default=None) or {}):
        _set(meta, "labels", _without(meta.get("labels"), _JOB_LABELS))


def _role(obj: Object) -> None:
    """What a built-in role may do comes with the version of the server."""
    if get_path(obj, "spec", "builtin", default=False):
        _drop(obj, "rules", "namespacedRules")


_CLEANERS: Mapping[tuple[str, str], Callable[[Object], None]] = {
    ("", "Namespace"): _namespace,
    ("", "Secret"): _secret,
    ("", "ServiceAccount"): _service_account,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("batch", "Job"): _job,
    (MANAGEMENT_GROUP, "GlobalRole"): _role,
    (MANAGEMENT_GROUP, "RoleTemplate"): _role,
}
