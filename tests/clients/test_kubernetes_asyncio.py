"""Everyday work with kubernetes_asyncio, as the owner of a namespace."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clients.modules import needed
from support.objects import notebook
from support.session import Session
from support.teams import Teams

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

pytestmark = [pytest.mark.clients, pytest.mark.slow]

NOTEBOOKS = ("ml.llmos.ai", "v1")
Work = Callable[["ApiClient"], Awaitable[Any]]


@pytest.fixture
def run(teams: Teams, tmp_path: Path) -> Callable[..., Any]:
    """Runs what somebody does with his client, Alice unless said otherwise."""
    needed("kubernetes_asyncio")

    async def connected(work: Work, user: Session) -> Any:
        from kubernetes_asyncio import client, config

        settings = client.Configuration()
        where = str(user.kubeconfig(tmp_path))
        await config.load_kube_config(config_file=where, client_configuration=settings)
        async with client.ApiClient(settings) as api:
            return await work(api)

    return lambda work, user=teams.alice: asyncio.run(connected(work, user))


def test_typed(run: Callable[..., Any], teams: Teams) -> None:
    """A ConfigMap from its creation to its end."""

    async def work(connection: "ApiClient") -> None:
        from kubernetes_asyncio.client import ApiException, CoreV1Api

        api, where = CoreV1Api(connection), teams.vision
        await api.create_namespaced_config_map(where, {"metadata": {"name": "a"}})
        patched = await api.patch_namespaced_config_map("a", where, {"data": {"x": "y"}})
        assert patched.data == {"x": "y"}
        patched.data = {"x": "z"}
        replaced = await api.replace_namespaced_config_map("a", where, patched)
        assert replaced.metadata.resource_version != patched.metadata.resource_version
        with pytest.raises(ApiException) as caught:
            await api.replace_namespaced_config_map("a", where, patched)
        assert caught.value.status == 409
        listed = await api.list_namespaced_config_map(where, field_selector="metadata.name=a")
        assert [each.metadata.name for each in listed.items] == ["a"]
        await api.delete_namespaced_config_map("a", where)
        with pytest.raises(ApiException) as caught:
            await api.read_namespaced_config_map("a", where)
        assert caught.value.status == 404

    run(work)


def test_custom_objects(run: Callable[..., Any], teams: Teams) -> None:
    """A Notebook through the API of custom objects."""

    async def work(connection: "ApiClient") -> None:
        from kubernetes_asyncio.client import CustomObjectsApi

        api = CustomObjectsApi(connection)
        where = (*NOTEBOOKS, teams.vision, "notebooks")
        await api.create_namespaced_custom_object(*where, notebook("lab"))
        patch = {"metadata": {"labels": {"a": "b"}}}
        patched = await api.patch_namespaced_custom_object(
            *where, "lab", patch, _content_type="application/merge-patch+json"
        )
        assert patched["metadata"]["labels"] == {"a": "b"}
        listed = await api.list_namespaced_custom_object(*where, label_selector="a=b")
        assert [each["metadata"]["name"] for each in listed["items"]] == ["lab"]
        everywhere = await api.list_cluster_custom_object(*NOTEBOOKS, "notebooks")
        assert {each["metadata"]["namespace"] for each in everywhere["items"]} == {teams.vision}
        await api.delete_namespaced_custom_object(*where, "lab")

    run(work)


def test_watch(run: Callable[..., Any], teams: Teams) -> None:
    """A watch tells of what happens meanwhile, and ends in time."""

    async def work(connection: "ApiClient") -> list[tuple[str, str]]:
        from kubernetes_asyncio.client import CoreV1Api
        from kubernetes_asyncio.watch import Watch

        api, where = CoreV1Api(connection), teams.vision
        seen: list[tuple[str, str]] = []
        begun = asyncio.Event()

        async def follow() -> None:
            async with Watch() as watch:
                stream = watch.stream(
                    api.list_namespaced_config_map,
                    where,
                    label_selector="of=watch",
                    timeout_seconds=5,
                )
                async for event in stream:
                    seen.append((event["type"], event["object"].metadata.name))
                    begun.set()
                    if event["type"] == "DELETED":
                        return

        made = {"metadata": {"name": "w", "labels": {"of": "watch"}}}
        await api.create_namespaced_config_map(where, made)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follow())
            await begun.wait()
            await api.patch_namespaced_config_map("w", where, {"data": {"x": "1"}})
            await api.delete_namespaced_config_map("w", where)
        return seen

    assert run(work) == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]


def test_reviews(run: Callable[..., Any], teams: Teams) -> None:
    """She may ask what she may do, and is refused what she may not."""

    async def work(connection: "ApiClient") -> list[bool]:
        from kubernetes_asyncio.client import ApiException, AuthorizationV1Api, CoreV1Api

        with pytest.raises(ApiException) as caught:
            await CoreV1Api(connection).create_namespace({"metadata": {"name": "mine"}})
        assert caught.value.status == 403
        answers = []
        for where in (teams.vision, teams.speech):
            wanted = {"verb": "create", "resource": "configmaps", "namespace": where}
            review = await AuthorizationV1Api(connection).create_self_subject_access_review(
                {"spec": {"resourceAttributes": wanted}}
            )
            answers.append(review.status.allowed)
        return answers

    assert run(work) == [True, False]


def test_dynamic(run: Callable[..., Any], teams: Teams) -> None:
    """The dynamic client finds kinds by discovery and applies."""

    async def work(connection: "ApiClient") -> None:
        from kubernetes_asyncio.dynamic import DynamicClient

        dynamic = await DynamicClient(connection)
        kind = await dynamic.resources.get(api_version="ml.llmos.ai/v1", kind="Notebook")
        applied = await kind.server_side_apply(
            body=notebook("dynamic"), name="dynamic", namespace=teams.vision, field_manager="dyn"
        )
        assert applied.metadata.name == "dynamic"
        listed = await kind.get(namespace=teams.vision)
        assert [each.metadata.name for each in listed.items] == ["dynamic"]
        await kind.delete(name="dynamic", namespace=teams.vision)

    run(work)
