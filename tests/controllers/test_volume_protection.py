"""Claims and volumes go when nothing needs them, not before."""

import asyncio

from controllers.world import quiet, running
from llmos.client.resources import (
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
)
from llmos.controllers.volume_protection import claims_of
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

CLAIM = {"finalizers": ["kubernetes.io/pvc-protection"]}
VOLUMES = [{"name": "v", "persistentVolumeClaim": {"claimName": "used"}}]


def test_claims_of_a_pod():
    """Claims by name, and those of ephemeral volumes by pod and volume."""
    volumes = [*VOLUMES, {"name": "e", "ephemeral": {}}, {"name": "s", "secret": {}}]
    pod = {"metadata": {"name": "p", "namespace": "a"}, "spec": {"volumes": volumes}}
    assert list(claims_of(pod)) == [("a", "used"), ("a", "p-e")]


def test_a_claim_outlives_its_deletion_while_a_pod_uses_it():
    """One that is not used goes at once, one that is when its pod has gone or finished."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(NAMESPACES, "a")
        for name in ("used", "free"):
            api.create(PERSISTENT_VOLUME_CLAIMS, name, "a", metadata=CLAIM)
        api.create(PODS, "p", "a", spec={"volumes": VOLUMES})
        async with running(api):
            for name in ("used", "free"):
                api.delete(PERSISTENT_VOLUME_CLAIMS, name, "a")
            await eventually(lambda: api.get(PERSISTENT_VOLUME_CLAIMS, "a", "free") is None)
            await quiet(api, 0.1)
            assert api.get(PERSISTENT_VOLUME_CLAIMS, "a", "used")
            api.patch(PODS, "p", {"status": {"phase": "Succeeded"}}, "a")
            await eventually(lambda: api.get(PERSISTENT_VOLUME_CLAIMS, "a", "used") is None)

    asyncio.run(scenario())


def test_a_bound_volume_stays():
    """A volume goes when it is not bound; other finalizers are left alone."""

    async def scenario() -> None:
        api = FakeAPI()
        meta = {"finalizers": ["kubernetes.io/pv-protection"]}
        api.create(PERSISTENT_VOLUMES, "bound", metadata=meta, status={"phase": "Bound"})
        more = {"finalizers": [*meta["finalizers"], "x.io/y"]}
        api.create(PERSISTENT_VOLUMES, "other", metadata=more, status={"phase": "Released"})
        async with running(api):
            for name in ("bound", "other"):
                api.delete(PERSISTENT_VOLUMES, name)
            await eventually(
                lambda: (
                    api.get(PERSISTENT_VOLUMES, "", "other")["metadata"]["finalizers"] == ["x.io/y"]
                )
            )
            await quiet(api, 0.1)
            assert api.get(PERSISTENT_VOLUMES, "", "bound")["metadata"]["finalizers"]

    asyncio.run(scenario())
