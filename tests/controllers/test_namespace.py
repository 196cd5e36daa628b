"""Namespaces have what every namespace has, and end empty."""

import asyncio

import pytest

from controllers.world import CA, condition, running
from llmos.apimachinery.resource import APIResource
from llmos.client.resources import (
    CONFIG_MAPS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from llmos.controllers.namespace import Remains, conditions
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually


def test_every_namespace_has_its_account_and_the_authority():
    """Both are made, come back when deleted, and the authority is set right when changed."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(NAMESPACES, "old")

        def complete(namespace: str) -> bool:
            config_map = api.get(CONFIG_MAPS, namespace, "kube-root-ca.crt")
            account = api.get(SERVICE_ACCOUNTS, namespace, "default")
            return bool(account and config_map and config_map["data"] == {"ca.crt": CA})

        async with running(api):
            await eventually(lambda: complete("old"))
            api.create(NAMESPACES, "new")
            await eventually(lambda: complete("new"))
            api.delete(SERVICE_ACCOUNTS, "default", "new")
            api.delete(CONFIG_MAPS, "kube-root-ca.crt", "new")
            await eventually(lambda: complete("new"))
            api.patch(CONFIG_MAPS, "kube-root-ca.crt", {"data": {"ca.crt": "evil"}}, "new")
            await eventually(lambda: complete("new"))

    asyncio.run(scenario())


def test_a_deleted_namespace_goes_with_all_its_content():
    """Everything in it goes, custom resources and pods included; nothing else does."""
    notebooks = APIResource("ml.llmos.ai", "v1", "notebooks", "notebook", "Notebook", True)

    async def scenario() -> None:
        api = FakeAPI()
        api.serve(notebooks)
        for namespace in ("team-a", "team-b"):
            api.create(NAMESPACES, namespace)
            for resource in (SECRETS, PODS, notebooks):
                for number in range(3):
                    api.create(resource, f"x{number}", namespace)
        async with running(api):
            await eventually(lambda: api.get(SERVICE_ACCOUNTS, "team-a", "default"))
            api.delete(NAMESPACES, "team-a")
            await eventually(lambda: api.get(NAMESPACES, "", "team-a") is None)
            assert [key for key in api.objects if key[2] == "team-a"] == []
            assert len(api.list(notebooks, "team-b")) == 3

    asyncio.run(scenario())


def test_what_is_left_is_said(monkeypatch):
    """A foreign finalizer keeps the namespace; the five conditions say which; then it goes."""
    monkeypatch.setattr("llmos.controllers.namespace._AGAIN", 0.02)

    async def scenario() -> None:
        api = FakeAPI()
        api.create(NAMESPACES, "team-a")
        api.create(CONFIG_MAPS, "c", "team-a", metadata={"finalizers": ["example.com/block"]})
        async with running(api):
            api.delete(NAMESPACES, "team-a")
            await eventually(
                lambda: (
                    condition(api.get(NAMESPACES, "", "team-a"), "NamespaceFinalizersRemaining")
                    == ("True", "SomeFinalizersRemain")
                )
            )
            found = api.get(NAMESPACES, "", "team-a")["status"]
            assert found["phase"] == "Terminating"
            told = {each["type"]: (each["status"], each["message"]) for each in found["conditions"]}
            assert told["NamespaceContentRemaining"] == (
                "True",
                "Some resources are remaining: configmaps. has 1 resource instances",
            )
            assert told["NamespaceFinalizersRemaining"][1] == (
                "Some content in the namespace has finalizers remaining: "
                "example.com/block in 1 resource instances"
            )
            assert [each["status"] for each in found["conditions"]] == [
                *("False", "False", "False", "True", "True")
            ]
            api.patch(CONFIG_MAPS, "c", {"metadata": {"finalizers": []}}, "team-a")
            await eventually(lambda: api.get(NAMESPACES, "", "team-a") is None)

    asyncio.run(scenario())


def test_pods_go_first(monkeypatch):
    """While a pod is left nothing else is deleted: what guards it must outlive it."""
    monkeypatch.setattr("llmos.controllers.namespace._AGAIN", 0.02)

    async def scenario() -> None:
        api = FakeAPI()
        api.create(NAMESPACES, "team-a")
        api.create(PODS, "p", "team-a", metadata={"finalizers": ["example.com/block"]})
        api.create(SECRETS, "s", "team-a")
        async with running(api):
            api.delete(NAMESPACES, "team-a")
            await eventually(
                lambda: condition(api.get(NAMESPACES, "", "team-a"), "NamespaceContentRemaining")[0]
            )
            assert api.get(SECRETS, "team-a", "s") is not None
            api.patch(PODS, "p", {"metadata": {"finalizers": []}}, "team-a")
            await eventually(lambda: api.get(NAMESPACES, "", "team-a") is None)
            assert api.get(SECRETS, "team-a", "s") is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("remains", "kind", "reason"),
    [
        (Remains(), "NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered"),
        (
            Remains(undiscovered=("x/v1",)),
            "NamespaceDeletionDiscoveryFailure",
            "DiscoveryFailed",
        ),
        (
            Remains(failures=["a: Forbidden"]),
            "NamespaceDeletionContentFailure",
            "ContentDeletionFailed",
        ),
        (Remains(), "NamespaceContentRemaining", "ContentRemoved"),
        (Remains(), "NamespaceFinalizersRemaining", "ContentHasNoFinalizers"),
    ],
)
def test_conditions(remains, kind, reason):
    """Each condition has Kubernetes' reason for good and for bad."""
    found = {each["type"]: each["reason"] for each in conditions(remains)}
    assert len(found) == 5
    assert found[kind] == reason


def test_only_certainty_ends_a_namespace():
    """Whatever is left, failed, unknown or was just found keeps the namespace."""
    assert Remains().nothing
    assert not Remains(undiscovered=("x/v1",)).nothing
    assert not Remains(failures=["x"]).nothing
    assert not Remains(found=True).nothing
