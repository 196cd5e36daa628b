"""Where an installation does not begin."""

import httpx
import pytest

from llmos.client.client import Client
from llmos.client.config import Config
from llmos.installation.installing import check_cluster
from llmos.installation.outcome import InstallationError

pytestmark = pytest.mark.anyio


def cluster(minor: str, groups: list[str]) -> httpx.MockTransport:
    """A cluster of a version, asked by somebody in groups."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/version":
            return httpx.Response(200, json={"major": "1", "minor": minor, "gitVersion": "v1.x"})
        return httpx.Response(201, json={"status": {"userInfo": {"groups": groups}}})

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("minor", "groups", "why"),
    [
        ("29", ["system:masters"], "Kubernetes 1.30 or newer is needed"),
        ("29+", ["system:masters"], "Kubernetes 1.30 or newer is needed"),
        ("", ["system:masters"], "Kubernetes 1.30 or newer is needed"),
        ("30", ["llmos:users", "llmos:admins"], "use the kubeconfig of a cluster operator"),
        ("36", ["llmos:users", "system:masters"], "use the kubeconfig of a cluster operator"),
    ],
)
async def test_refused(minor, groups, why):
    """Old clusters, and users of llmos, whatever groups they are in."""
    async with Client(Config("http://api"), cluster(minor, groups)) as client:
        with pytest.raises(InstallationError, match=why):
            await check_cluster(client)


@pytest.mark.parametrize("minor", ["30", "30+", "31", "36"])
async def test_welcome(minor):
    """An operator of a cluster that is new enough."""
    async with Client(Config("http://api"), cluster(minor, ["system:masters"])) as client:
        await check_cluster(client)
