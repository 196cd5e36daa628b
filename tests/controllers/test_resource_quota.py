"""Quotas say what is used, whatever happened to it."""

import asyncio

from controllers.world import running
from llmos.apimachinery.resource import APIResource
from llmos.client.resources import NAMESPACES, PODS, RESOURCE_QUOTAS, SECRETS
from llmos.controllers.resource_quota import desired
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually


def test_status_has_all_that_is_limited():
    """``hard`` comes back in canonical form, and what nothing uses is 0."""
    quota = {"spec": {"hard": {"requests.memory": "1024Mi", "pods": 5}}}
    status = desired(quota, {})
    assert status["hard"] == {"requests.memory": "1Gi", "pods": "5"}
    assert status["used"] == {"requests.memory": "0", "pods": "0"}


def test_counts_follow_objects():
    """Use rises and falls with the objects of the namespace; a hand in the status is undone."""
    notebooks = APIResource("ml.llmos.ai", "v1", "notebooks", "notebook", "Notebook", True)

    async def scenario() -> None:
        api = FakeAPI()
        api.serve(notebooks)
        api.create(NAMESPACES, "a")
        hard = {
            "secrets": "5",
            "count/notebooks.ml.llmos.ai": "3",
            "count/configmaps": "9",
            "requests.nvidia.com/gpu": "4",
            "pods": "2",
            "count/strangers.no.io": "1",
        }
        api.create(SECRETS, "s", "a")
        api.create(SECRETS, "elsewhere", "b")
        api.create(RESOURCE_QUOTAS, "q", "a", spec={"hard": hard})

        def used() -> dict:
            status = api.get(RESOURCE_QUOTAS, "a", "q").get("status") or {}
            return {key: value for key, value in status.get("used", {}).items() if value != "0"}

        resources = {"requests": {"nvidia.com/gpu": "2"}, "limits": {"nvidia.com/gpu": "2"}}
        async with running(api):
            await eventually(lambda: used() == {"secrets": "1", "count/configmaps": "1"})
            api.create(notebooks, "n", "a")
            api.create(PODS, "p", "a", spec={"containers": [{"name": "c", "resources": resources}]})
            api.create(SECRETS, "t", "a")
            want = {
                "secrets": "2",
                "count/notebooks.ml.llmos.ai": "1",
                "count/configmaps": "1",
                "requests.nvidia.com/gpu": "2",
                "pods": "1",
            }
            await eventually(lambda: used() == want)
            api.patch(RESOURCE_QUOTAS, "q", {"status": {"used": {"secrets": "99"}}}, "a")
            await eventually(lambda: used() == want)
            api.patch(PODS, "p", {"status": {"phase": "Succeeded"}}, "a")
            api.delete(SECRETS, "t", "a")
            api.delete(notebooks, "n", "a")
            await eventually(lambda: used() == {"secrets": "1", "count/configmaps": "1"})

    asyncio.run(scenario())


def test_a_changed_limit_shows_in_the_status():
    """Less may be allowed than is used; both are said."""

    async def scenario() -> None:
        api = FakeAPI()
        api.create(NAMESPACES, "a")
        api.create(SECRETS, "s", "a")
        api.create(RESOURCE_QUOTAS, "q", "a", spec={"hard": {"secrets": "1"}})

        def status() -> dict:
            return api.get(RESOURCE_QUOTAS, "a", "q").get("status")

        async with running(api):
            await eventually(
                lambda: status() == {"hard": {"secrets": "1"}, "used": {"secrets": "1"}}
            )
            api.patch(RESOURCE_QUOTAS, "q", {"spec": {"hard": {"secrets": "0"}}}, "a")
            await eventually(
                lambda: status() == {"hard": {"secrets": "0"}, "used": {"secrets": "1"}}
            )

    asyncio.run(scenario())
