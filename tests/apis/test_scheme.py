"""The table of built-in kinds is Kubernetes': names, verbs, short names, and who writes how."""

import pytest

from llmos.apis.builtin_schemas import schema_for
from llmos.apis.scheme import builtin_kinds, builtin_resources, virtual_kinds

KINDS = {str(each.resource.group_resource): each for each in builtin_kinds()}


def test_every_kind_has_a_schema_and_a_place_of_its_own() -> None:
    """Each stored kind is known to OpenAPI; only the two kinds of Event share their place."""
    places: dict[str, list[str]] = {}
    for name, kind in KINDS.items():
        assert schema_for(kind.resource.gvk) is not None
        assert kind.strategy.check_name is not None
        places.setdefault(str(kind.stored_as), []).append(name)
    shared = {place: names for place, names in places.items() if len(names) > 1}
    assert shared == {"events": ["events", "events.events.k8s.io"]}


SHORT_NAMES = {
    "configmaps": ("cm",),
    "customresourcedefinitions.apiextensions.k8s.io": ("crd", "crds"),
    "deployments.apps": ("deploy",),
    "endpoints": ("ep",),
    "events": ("ev",),
    "ingresses.networking.k8s.io": ("ing",),
    "limitranges": ("limits",),
    "namespaces": ("ns",),
    "nodes": ("no",),
    "persistentvolumeclaims": ("pvc",),
    "persistentvolumes": ("pv",),
    "pods": ("po",),
    "resourcequotas": ("quota",),
    "secrets": (),
    "serviceaccounts": ("sa",),
    "services": ("svc",),
    "storageclasses.storage.k8s.io": ("sc",),
}


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_short_names(name: str) -> None:
    """The short names that kubectl users type are known."""
    assert KINDS[name].resource.short_names == SHORT_NAMES[name]


def test_kubectl_get_all_finds_the_workloads() -> None:
    """The category ``all`` has what Kubernetes puts there."""
    assert {name for name, kind in KINDS.items() if "all" in kind.resource.categories} == {
        "cronjobs.batch",
        "daemonsets.apps",
        "deployments.apps",
        "jobs.batch",
        "pods",
        "replicasets.apps",
        "replicationcontrollers",
        "services",
        "statefulsets.apps",
    }


def test_what_apply_with_prune_lists_is_there() -> None:
    """``kubectl apply --prune`` stops at the first of its kinds that is missing."""
    assert KINDS.keys() >= {
        "configmaps",
        "cronjobs.batch",
        "daemonsets.apps",
        "deployments.apps",
        "endpoints",
        "ingresses.networking.k8s.io",
        "jobs.batch",
        "namespaces",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "replicasets.apps",
        "replicationcontrollers",
        "secrets",
        "services",
        "statefulsets.apps",
    }


def test_namespaces_are_not_deleted_in_bulk() -> None:
    """``namespaces`` have no deletecollection, and their finalizers a path of their own."""
    resource = KINDS["namespaces"].resource
    assert "deletecollection" not in resource.verbs
    assert not resource.namespaced
    assert [(each.name, each.verbs) for each in resource.subresources] == [
        ("finalize", ("update",)),
        ("status", ("get", "patch", "update")),
    ]


def test_subresources_agree_with_strategies() -> None:
    """A kind has a ``status`` path exactly if its strategy keeps status apart."""
    for kind in builtin_kinds():
        listed = kind.resource.subresource("status") is not None
        assert listed == kind.strategy.has_status, kind.resource.plural
    token = KINDS["serviceaccounts"].resource.subresource("token")
    assert token is not None
    assert token.kind is not None
    assert token.kind.kind == "TokenRequest"


WRITES = {
    "configmaps": (False, True, False),
    "secrets": (False, True, False),
    "nodes": (False, True, False),
    "serviceaccounts": (False, True, True),
    "resourcequotas": (False, True, True),
    "persistentvolumeclaims": (False, True, True),
    "storageclasses.storage.k8s.io": (False, True, True),
    "namespaces": (False, True, True),
    "limitranges": (True, True, False),
    "events": (True, True, False),
    "roles.rbac.authorization.k8s.io": (True, True, False),
    "rolebindings.rbac.authorization.k8s.io": (True, True, False),
    "clusterroles.rbac.authorization.k8s.io": (True, True, False),
    "clusterrolebindings.rbac.authorization.k8s.io": (True, True, False),
    "services": (True, True, True),
    "leases.coordination.k8s.io": (True, False, False),
    "customresourcedefinitions.apiextensions.k8s.io": (False, False, True),
    "pods": (False, True, True),
}


@pytest.mark.parametrize("name", WRITES)
def test_write_matrix(name: str) -> None:
    """PUT of a missing name, PUT without a resourceVersion, and what DELETE answers."""
    strategy = KINDS[name].strategy
    assert (
        strategy.create_on_update,
        strategy.unconditional_update,
        strategy.delete_returns_object,
    ) == WRITES[name]


def test_reviews_only_answer() -> None:
    """Reviews can be created and nothing else."""
    assert {each.plural for each in virtual_kinds()} == {
        "localsubjectaccessreviews",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
        "tokenreviews",
    }
    assert all(each.verbs == ("create",) for each in virtual_kinds())
    assert {each.plural for each in virtual_kinds() if each.namespaced} == {
        "localsubjectaccessreviews"
    }
    assert set(virtual_kinds()) <= set(builtin_resources())


def test_only_secrets_are_redacted() -> None:
    """Values of Secrets never appear in errors."""
    assert {name for name, kind in KINDS.items() if kind.strategy.redact} == {"secrets"}
