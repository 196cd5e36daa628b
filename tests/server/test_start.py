"""What a start waits for, and what it leaves to the first requests."""

import subprocess
import sys

import pytest

from server.site import opened

_START = """
import asyncio, sys
from pathlib import Path
from llmos.server.config import ServerConfig
from llmos.server.run import serve

async def main():
    stop = asyncio.Event()

    def ready(started):
        print(*sorted({"cel_expr_python", "httpx", "wsproto", "yaml"} & set(sys.modules)))
        stop.set()

    async def work(started, token):
        await stop.wait()

    await serve(ServerConfig(data_dir=Path(sys.argv[1]), port=0), ready, stop, work)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_start_waits_for_no_expression(tmp_path):
    """Policies are in force, and not one is compiled; the first start judges the first admin."""
    for loaded in ([b"cel_expr_python", b"yaml"], [b"yaml"]):
        done = subprocess.run(
            [sys.executable, "-c", _START, str(tmp_path)], check=True, capture_output=True
        )
        assert done.stdout.split() == loaded


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/namespaces", {"metadata": {"name": "kube-mine"}}),
        ("DELETE", "/api/v1/namespaces/storage-system", None),
    ],
)
def test_the_first_write_is_judged(method, path, body):
    """A policy that no change has concerned yet, and so is not compiled, holds all the same."""
    rbac = "rbac.authorization.k8s.io"
    bound = {
        "metadata": {"name": "uma-is-admin"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": "uma"}],
    }
    with opened() as site:
        site.make(f"/apis/{rbac}/v1/clusterrolebindings", bound)
        assert "program" not in vars(site.core.policies._policies["llmos-namespaces"])
        answer = site.ask(method, path, body, token="uma")
        assert answer.status == 403
        assert "ValidatingAdmissionPolicy 'llmos-namespaces'" in answer.json["message"]
