"""The table of built-in kinds: what discovery lists, and how each kind differs.

The registry serves what ``builtin_kinds`` names; ``virtual_kinds`` answer a POST and are never
stored. Names, short names and categories are Kubernetes' own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import (
    STANDARD_VERBS,
    APIResource,
    GroupResource,
    GroupVersionKind,
    Subresource,
)
from llmos.apis import (
    admissionregistration_v1,
    apiextensions_v1,
    apps_v1,
    batch_v1,
    coordination_v1,
    core_v1_config,
    core_v1_events,
    core_v1_limits,
    core_v1_namespaces,
    core_v1_nodes,
    core_v1_pods,
    core_v1_quotas,
    core_v1_serviceaccounts,
    core_v1_services,
    core_v1_volumes,
    networking_v1,
    rbac_v1,
    storage_v1,
)
from llmos.apis.strategy import Strategy

Convert = Callable[[Object], Object]

_STATUS = (Subresource("status"),)
_SCALED = (Subresource("scale", kind=GroupVersionKind("autoscaling", "v1", "Scale")), *_STATUS)
_NAMESPACE_VERBS = tuple(each for each in STANDARD_VERBS if each != "deletecollection")
_FINALIZE = Subresource("finalize", ("update",))
_TOKEN = Subresource(
    "token", ("create",), GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest")
)
_ALL = ("all",)


@dataclass(frozen=True, slots=True)
class BuiltinKind:
    """A built-in kind: its row of discovery, its strategy, and where it is stored."""

    resource: APIResource
    strategy: Strategy
    stored_as: GroupResource
    to_stored: Convert | None = None
    """Into the shape that is stored; None: it is stored as it is served."""
    from_stored: Convert | None = None


@cache
def builtin_kinds() -> tuple[BuiltinKind, ...]:
    """Every built-in kind that is stored, in the order of discovery."""
    return (*_core(), *_events(), *_others())


@cache
def virtual_kinds() -> tuple[APIResource, ...]:
    """The kinds that only answer: reviews of tokens and of access."""
    return (
        _review("authentication.k8s.io", "SelfSubjectReview"),
        _review("authentication.k8s.io", "TokenReview"),
        _review("authorization.k8s.io", "LocalSubjectAccessReview", namespaced=True),
        _review("authorization.k8s.io", "SelfSubjectAccessReview"),
        _review("authorization.k8s.io", "SelfSubjectRulesReview"),
        _review("authorization.k8s.io", "SubjectAccessReview"),
    )


def builtin_resources() -> tuple[APIResource, ...]:
    """Every row of discovery that is there without a CustomResourceDefinition."""
    return (*(each.resource for each in builtin_kinds()), *virtual_kinds())


def _review(group: str, kind: str, *, namespaced: bool = False) -> APIResource:
    name = kind.lower()
    return APIResource(
        group, "v1", f"{name}s", name, kind, namespaced=namespaced, verbs=("create",)
    )


def _kind(
    resource: tuple[str, str, str],
    strategy: Strategy,
    *,
    namespaced: bool = True,
    short: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    subresources: tuple[Subresource, ...] = (),
) -> BuiltinKind:
    """A kind of ``(group, plural, kind)`` in version ``v1`` that is stored as it is served."""
    group, plural, kind = resource
    row = APIResource(
        group,
        "v1",
        plural,
        kind.lower(),
        kind,
        namespaced=namespaced,
        verbs=_NAMESPACE_VERBS if plural == "namespaces" else STANDARD_VERBS,
        short_names=short,
        categories=categories,
        subresources=subresources,
    )
    return BuiltinKind(row, strategy, GroupResource(group, plural))


def _core() -> tuple[BuiltinKind, ...]:
    return (
        _kind(("", "configmaps", "ConfigMap"), core_v1_config.config_maps(), short=("cm",)),
        _kind(("", "endpoints", "Endpoints"), core_v1_services.endpoints(), short=("ep",)),
        _kind(("", "events", "Event"), core_v1_events.core_strategy(), short=("ev",)),
        _kind(("", "limitranges", "LimitRange"), core_v1_limits.strategy(), short=("limits",)),
        _kind(
            ("", "namespaces", "Namespace"),
            core_v1_namespaces.strategy(),
            namespaced=False,
            short=("ns",),
            subresources=(_FINALIZE, *_STATUS),
        ),
        _kind(
            ("", "nodes", "Node"),
            core_v1_nodes.strategy(),
            namespaced=False,
            short=("no",),
            subresources=_STATUS,
        ),
        _kind(
            ("", "persistentvolumeclaims", "PersistentVolumeClaim"),
            core_v1_volumes.claims(),
            short=("pvc",),
            subresources=_STATUS,
        ),
        _kind(
            ("", "persistentvolumes", "PersistentVolume"),
            core_v1_volumes.volumes(),
            namespaced=False,
            short=("pv",),
            subresources=_STATUS,
        ),
        _kind(
            ("", "pods", "Pod"),
            core_v1_pods.strategy(),
            short=("po",),
            categories=_ALL,
            subresources=_STATUS,
        ),
        _kind(
            ("", "replicationcontrollers", "ReplicationController"),
            apps_v1.replication_controllers(),
            short=("rc",),
            categories=_ALL,
            subresources=_SCALED,
        ),
        _kind(
            ("", "resourcequotas", "ResourceQuota"),
            core_v1_quotas.strategy(),
            short=("quota",),
            subresources=_STATUS,
        ),
        _kind(("", "secrets", "Secret"), core_v1_config.secrets()),
        _kind(
            ("", "serviceaccounts", "ServiceAccount"),
            core_v1_serviceaccounts.strategy(),
            short=("sa",),
            subresources=(_TOKEN,),
        ),
        _kind(
            ("", "services", "Service"),
            core_v1_services.services(),
            short=("svc",),
            categories=_ALL,
            subresources=_STATUS,
        ),
    )


def _events() -> tuple[BuiltinKind, ...]:
    """Events of the newer group: another view of what core ``events`` stores."""
    row = APIResource(
        "events.k8s.io", "v1", "events", "event", "Event", namespaced=True, short_names=("ev",)
    )
    return (
        BuiltinKind(
            row,
            core_v1_events.events_strategy(),
            GroupResource("", "events"),
            to_stored=core_v1_events.to_core,
            from_stored=core_v1_events.from_core,
        ),
    )


def _others() -> tuple[BuiltinKind, ...]:
    return (*_policies(), *_definitions(), *_workloads(), *_leases(), *_rbac(), *_classes())


def _policies() -> tuple[BuiltinKind, ...]:
    group = "admissionregistration.k8s.io"
    return (
        _kind(
            (group, "validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
            admissionregistration_v1.policies(),
            namespaced=False,
            categories=("api-extensions",),
            subresources=_STATUS,
        ),
        _kind(
            (group, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
            admissionregistration_v1.bindings(),
            namespaced=False,
            categories=("api-extensions",),
        ),
    )


def _definitions() -> tuple[BuiltinKind, ...]:
    return (
        _kind(
            ("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition"),
            apiextensions_v1.strategy(),
            namespaced=False,
            short=("crd", "crds"),
            categories=("api-extensions",),
            subresources=_STATUS,
        ),
    )


def _workload(
    resource: tuple[str, str, str],
    strategy: Strategy,
    short: str = "",
    categories: tuple[str, ...] = _ALL,
    subresources: tuple[Subresource, ...] = _STATUS,
) -> BuiltinKind:
    return _kind(
        resource,
        strategy,
        short=(short,) if short else (),
        categories=categories,
        subresources=subresources,
    )


def _workloads() -> tuple[BuiltinKind, ...]:
    networking = ("networking.k8s.io", "ingresses", "Ingress")
    return (
        _workload(("apps", "daemonsets", "DaemonSet"), apps_v1.daemon_sets(), "ds"),
        _workload(
            ("apps", "deployments", "Deployment"),
            apps_v1.deployments(),
            "deploy",
            subresources=_SCALED,
        ),
        _workload(
            ("apps", "replicasets", "ReplicaSet"),
            apps_v1.replica_sets(),
            "rs",
            subresources=_SCALED,
        ),
        _workload(
            ("apps", "statefulsets", "StatefulSet"),
            apps_v1.stateful_sets(),
            "sts",
            subresources=_SCALED,
        ),
        _workload(("batch", "cronjobs", "CronJob"), batch_v1.cron_jobs(), "cj"),
        _workload(("batch", "jobs", "Job"), batch_v1.jobs()),
        _workload(networking, networking_v1.ingresses(), "ing", categories=()),
    )


def _leases() -> tuple[BuiltinKind, ...]:
    return (_kind(("coordination.k8s.io", "leases", "Lease"), coordination_v1.strategy()),)


def _rbac() -> tuple[BuiltinKind, ...]:
    group = rbac_v1.GROUP
    return (
        _kind(
            (group, "clusterrolebindings", "ClusterRoleBinding"),
            rbac_v1.cluster_role_bindings(),
            namespaced=False,
        ),
        _kind((group, "clusterroles", "ClusterRole"), rbac_v1.cluster_roles(), namespaced=False),
        _kind((group, "rolebindings", "RoleBinding"), rbac_v1.role_bindings()),
        _kind((group, "roles", "Role"), rbac_v1.roles()),
    )


def _classes() -> tuple[BuiltinKind, ...]:
    return (
        _kind(
            ("storage.k8s.io", "storageclasses", "StorageClass"),
            storage_v1.strategy(),
            namespaced=False,
            short=("sc",),
        ),
    )
