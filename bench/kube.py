"""kube-apiserver with etcd, as it comes: default flags, RBAC, a token file."""

import csv
import secrets
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.client import is_ready
from bench.engines import Endpoint, Engine, Start, free_port, spawn, stop_all, wait_until

NAME = "kube-apiserver"


GROUPS = {"admin": "system:masters", "alice": ""}
"""Of the users that operations need."""


def starter(assets: Path) -> Start:
    """Start the ``kube-apiserver`` and ``etcd`` in a folder."""
    return partial(start, assets)


def start(assets: Path, directory: Path, groups: Mapping[str, str] = GROUPS) -> Engine:
    """Start both on a directory, with a token for each of some users.

    Raises:
        BenchError: they do not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tokens = {name: secrets.token_urlsafe(18) for name in groups}
    _write_tokens(directory / "tokens.csv", tokens, groups)
    _write_key(directory / "service-accounts.key")
    log, port = directory / "server.log", free_port()
    clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    certificate = directory / "certificates" / "apiserver.crt"
    endpoint = Endpoint(NAME, "127.0.0.1", port, certificate, tokens)
    began = time.perf_counter()
    processes = [spawn(_etcd(assets, directory, clients, peers), log)]
    try:
        processes.append(spawn(_apiserver(assets, directory, clients, port), log))
        wait_until(lambda: certificate.exists() and is_ready(endpoint, "admin"), processes, log)
    except BaseException:
        stop_all(processes)
        raise
    return Engine(endpoint, processes, time.perf_counter() - began)


def _etcd(assets: Path, directory: Path, clients: str, peers: str) -> list[str]:
    return [
        str(assets / "etcd"),
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--log-level=error",
    ]


def _apiserver(assets: Path, directory: Path, etcd: str, port: int) -> list[str]:
    key = directory / "service-accounts.key"
    return [
        str(assets / "kube-apiserver"),
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={directory / 'certificates'}",
        "--service-account-issuer=https://127.0.0.1/",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        f"--token-auth-file={directory / 'tokens.csv'}",
    ]


def _write_tokens(path: Path, tokens: Mapping[str, str], groups: Mapping[str, str]) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        for name, token in tokens.items():
            rows.writerow([token, name, name, groups[name]])


def _write_key(path: Path) -> None:
    if path.exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
