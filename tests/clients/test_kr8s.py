"""Everyday work with kr8s, the client that feels like Python."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from support.objects import config_map, notebook
from support.session import Session
from support.teams import Teams

# It warns of Kubernetes versions that are newer than itself.
pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version:UserWarning")

Work = Callable[[Any], Awaitable[None]]


@pytest.fixture
def alice(foreign: None, teams: Teams, tmp_path: Path) -> Callable[[Work], None]:
    """Runs a coroutine with Alice's API."""
    return runner(teams.alice, tmp_path, teams.vision)


def runner(session: Session, directory: Path, namespace: str) -> Callable[[Work], None]:
    """Runs a coroutine with an API that is closed behind it."""
    where = str(session.kubeconfig(directory, namespace))

    def run(work: Work) -> None:
        async def main() -> None:
            import kr8s.asyncio

            api = await kr8s.asyncio.api(kubeconfig=where)
            try:
                await work(api)
            finally:
                if api._session is not None:
                    await api._session.aclose()

        asyncio.run(main())

    return run


def test_objects(alice: Callable[[Work], None], teams: Teams) -> None:
    """Create, exists, refresh, patch, label, list and delete a ConfigMap."""
    from kr8s.asyncio.objects import ConfigMap

    async def work(api: Any) -> None:
        made = await ConfigMap(config_map("by-kr8s", mode="fast"), api=api)
        await made.create()
        assert await made.exists()
        assert made.namespace == teams.vision
        await made.patch({"data": {"mode": "slow"}})
        await made.label(stage="test")
        again = await ConfigMap.get("by-kr8s", api=api)
        assert (again.data.mode, again.labels) == ("slow", {"stage": "test"})
        listed = [each.name async for each in api.get("configmaps", label_selector="stage=test")]
        assert listed == ["by-kr8s"]
        await made.delete()
        await made.wait("delete", timeout=10)
        assert not await made.exists()

    alice(work)


def test_custom_kinds(alice: Callable[[Work], None], teams: Teams) -> None:
    """A class for Notebooks is made on the fly, and found by discovery."""
    from kr8s.asyncio.objects import new_class

    async def work(api: Any) -> None:
        kind = new_class("Notebook", version="ml.llmos.ai/v1", plural="notebooks", asyncio=True)
        made = await kind(notebook("by-kr8s"), api=api)
        await made.create()
        names = [each.name async for each in api.get("notebooks.ml.llmos.ai")]
        assert "by-kr8s" in names
        everywhere = [
            each.namespace async for each in api.get("notebooks.ml.llmos.ai", namespace="all")
        ]
        assert set(everywhere) <= {teams.vision, "llmos-public"}
        await made.delete()

    alice(work)


def test_namespaces_and_rights(alice: Callable[[Work], None], teams: Teams) -> None:
    """Namespaces are narrowed, and what is forbidden raises."""
    import kr8s
    from kr8s.asyncio.objects import Namespace

    async def work(api: Any) -> None:
        names = [each.name async for each in api.get("namespaces")]
        assert sorted(names) == sorted([teams.vision, "llmos-public"])
        with pytest.raises(kr8s.ServerError) as caught:
            await (await Namespace("mine", api=api)).create()
        assert caught.value.response.status_code == 403
        version = await api.version()
        assert int(version["minor"].rstrip("+")) >= 30

    alice(work)


def test_watch(alice: Callable[[Work], None]) -> None:
    """A watch tells what happens meanwhile."""
    from kr8s.asyncio.objects import ConfigMap

    async def work(api: Any) -> None:
        seen: list[tuple[str, str]] = []
        begun = asyncio.Event()

        async def follow() -> None:
            async for kind, obj in api.watch("configmaps"):
                seen.append((kind, obj.name))
                begun.set()
                if seen[-1] == ("DELETED", "watched"):
                    return

        follower = asyncio.create_task(follow())
        await asyncio.wait_for(begun.wait(), 10)
        made = await ConfigMap(config_map("watched"), api=api)
        await made.create()
        await made.annotate(why="because")
        await made.delete()
        await asyncio.wait_for(follower, 20)
        told = [kind for kind, name in seen if name == "watched"]
        assert told == ["ADDED", "MODIFIED", "DELETED"]

    alice(work)


def test_api_resources(alice: Callable[[Work], None]) -> None:
    """Discovery tells the kinds."""

    async def work(api: Any) -> None:
        kinds = {each["kind"] for each in await api.api_resources()}
        assert {"ConfigMap", "Notebook", "GPUDevice", "Deployment"} <= kinds

    alice(work)
