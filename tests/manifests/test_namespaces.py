"""The reserved namespaces: one list, and the manifests that make it true."""

import pytest

from llmos.apimachinery.object import annotations_of, name_of
from llmos.apis.namespaces import (
    NOT_FOR_PRODUCTION,
    PUBLIC_NAMESPACE,
    RESERVED_NAMESPACES,
    SYSTEM_NAMESPACE,
    is_protected_key,
    is_reserved,
)
from llmos.manifests import load


def test_the_manifests_create_what_the_list_names():
    """Reserved namespaces, ``llmos-public`` and ``default`` are there from the first start."""
    names = {name_of(obj) for obj in load("namespaces")}
    assert names == RESERVED_NAMESPACES | {PUBLIC_NAMESPACE, "default"}
    assert SYSTEM_NAMESPACE in RESERVED_NAMESPACES


def test_the_list_is_that_of_the_documentation():
    """All eleven reserved namespaces, both spellings of the one that has two."""
    assert sorted(RESERVED_NAMESPACES) == [
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "llmos-dashboards",
        "llmos-db-system",
        "llmos-gpu-stack-system",
        "llmos-gpu-stakc-system",
        "llmos-monitoring-system",
        "llmos-system",
        "storage-system",
        "system-upgrade",
    ]


def test_every_namespace_says_what_it_is_for():
    """Each has a description of its own; those that are not for production say so."""
    described = {
        name_of(obj): annotations_of(obj)["kubernetes.io/description"] for obj in load("namespaces")
    }
    assert len(set(described.values())) == len(described)
    for name, text in described.items():
        assert ("not for production" in text.lower()) is (name in NOT_FOR_PRODUCTION)


@pytest.mark.parametrize(
    "name", [*sorted(RESERVED_NAMESPACES), "kube-x", "kube-", "llmos-x", "llmos-"]
)
def test_reserved_names(name):
    """Reserved are the listed names and whatever begins with a reserved prefix."""
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name",
    [
        PUBLIC_NAMESPACE,
        "default",
        "",
        "kube",
        "llmos",
        "team-llmos-x",
        "my-system",
        "evil-system",
        "storage-system2",
        "Kube-system",
    ],
)
def test_names_that_are_free(name):
    """Neither a suffix nor a look-alike makes a namespace the platform's."""
    assert not is_reserved(name)


@pytest.mark.parametrize(
    "key",
    [
        "kubernetes.io/metadata.name",
        "pod-security.kubernetes.io/enforce",
        "pod-security.kubernetes.io/enforce-version",
        "resource.kubernetes.io/admin-access",
        "llmos.ai/reserved",
        "llmos.ai/anything",
        "management.llmos.ai/system",
        "auth.management.llmos.ai/namespace-id",
        "llmos.ai/a\nb",
    ],
)
def test_protected_keys(key):
    """These labels and annotations of a Namespace belong to admins."""
    assert is_protected_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "team",
        "kubernetes.io/description",
        "kubernetes.io/metadata.names",
        "app.kubernetes.io/name",
        "notllmos.ai/x",
        "llmos.ai",
        "llmos.ai.example.com/x",
        "x/llmos.ai",
        "",
    ],
)
def test_free_keys(key):
    """Everything else belongs to whoever may change the namespace."""
    assert not is_protected_key(key)
