"""What may stand before kube-apiserver: ``kubectl proxy``, and ``llmos proxy`` as users run it."""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.client import Client, is_ready
from bench.engines import Endpoint, free_port, spawn, stop_all, wait_until
from bench.fixtures import NAMESPACES
from bench.measures import BenchError
from llmos.authentication.certificates import ensure_certificates

KUBECTL = "kubectl proxy"
LLMOS = "llmos proxy"
_MANAGEMENT = "/apis/management.llmos.ai/v1"
_ACCOUNT = f"{NAMESPACES}/llmos-system/serviceaccounts/llmos-proxy"
_PASSWORD = secrets.token_urlsafe(18)
"""Of all users, for the length of this run."""
_TOKEN_SECONDS = 24 * 3600
_TRIES = 600


def kubeconfig(endpoint: Endpoint, path: Path, token: str) -> Path:
    """A kubeconfig for a token."""
    assert endpoint.ca_file is not None
    authority = base64.b64encode(endpoint.ca_file.read_bytes()).decode()
    cluster = {
        "server": f"https://{endpoint.host}:{endpoint.port}",
        "certificate-authority-data": authority,
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": cluster}],
        "users": [{"name": "bench", "user": {"token": token}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "current-context": "bench",
    }
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path


def install(upstream: Endpoint, directory: Path) -> None:
    """Put the platform's content into the cluster, with the user admin.

    Raises:
        BenchError: it does not work.
    """
    config = kubeconfig(upstream, directory / "operator.kubeconfig", upstream.tokens["admin"])
    ended = subprocess.run(
        [sys.executable, "-m", "llmos", "install", f"--kubeconfig={config}"],
        env={**os.environ, "LLMOS_ADMIN_PASSWORD": _PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise BenchError(f"llmos install: {ended.stderr}")


@contextmanager
def behind_kubectl(upstream: Endpoint, directory: Path) -> Iterator[Endpoint]:
    """``kubectl proxy``: plain HTTP; a token that comes with a request goes upstream."""
    config = kubeconfig(upstream, directory / "operator.kubeconfig", upstream.tokens["admin"])
    kubectl = Path(sys.executable).parent / "kubectl"
    log, port = directory / "kubectl-proxy.log", free_port()
    process = spawn([str(kubectl), f"--kubeconfig={config}", "proxy", f"--port={port}"], log)
    endpoint = Endpoint(KUBECTL, "127.0.0.1", port, None, upstream.tokens)
    try:
        wait_until(lambda: is_ready(endpoint), [process], log)
        yield endpoint
    finally:
        stop_all([process])


@contextmanager
def behind_llmos(
    upstream: Endpoint, directory: Path, member_of: Sequence[str]
) -> Iterator[Endpoint]:
    """``llmos proxy`` under its own account, with alice as a member of some namespaces."""
    with Client(upstream, "admin") as client:
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},
        }
        answer = client.ask("POST", f"{_ACCOUNT}/token", request, (201,))
    config = kubeconfig(upstream, directory / "proxy.kubeconfig", answer["status"]["token"])
    own = ensure_certificates(directory / "tls", ["127.0.0.1"], time.time)
    log, port = directory / "llmos-proxy.log", free_port()
    process = spawn(
        [
            *(sys.executable, "-m", "llmos", "proxy", f"--kubeconfig={config}", f"--port={port}"),
            *(f"--tls-cert={own.cert_path}", f"--tls-key={own.key_path}"),
        ],
        log,
    )
    endpoint = Endpoint(LLMOS, "127.0.0.1", port, directory / "tls" / "ca.crt", {})
    try:
        wait_until(lambda: is_ready(endpoint), [process], log)
        yield _with_people(endpoint, member_of)
    finally:
        stop_all([process])


def _with_people(endpoint: Endpoint, member_of: Sequence[str]) -> Endpoint:
    """Sign in, and wait until alice sees what she is a member of."""
    admin = replace(endpoint, tokens={"admin": _login(endpoint, "admin")})
    with Client(admin, "admin") as client:
        client.create(f"{_MANAGEMENT}/users", _user("alice"))
        for name in member_of:
            client.create(f"{_MANAGEMENT}/roletemplatebindings", _membership("alice", name))
    endpoint = replace(endpoint, tokens={**admin.tokens, "alice": _login(endpoint, "alice")})
    with Client(endpoint, "alice") as client:
        for _ in range(_TRIES):
            if len(client.ask("GET", NAMESPACES)["items"]) >= len(member_of):
                return endpoint
            time.sleep(0.1)
    raise BenchError(f"{endpoint.name}: alice does not become a member")


def _user(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "metadata": {"name": name},
        "spec": {"displayName": name.title(), "active": True, "password": _PASSWORD},
    }


def _membership(user: str, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "RoleTemplateBinding",
        "metadata": {"name": f"{user}-{namespace}"},
        "roleTemplateRef": {
            "apiGroup": "management.llmos.ai",
            "kind": "RoleTemplate",
            "name": "namespace-editor",
        },
        "subjects": [{"kind": "User", "name": user}],
        "namespaceId": namespace,
    }


def _login(endpoint: Endpoint, name: str) -> str:
    with Client(endpoint) as client:
        answer = client.ask("POST", "/auth/login", {"username": name, "password": _PASSWORD})
        return str(answer["token"])
