"""The server of this project, as its users start it: ``llmos serve``, with users who sign in."""

import os
import secrets
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

from bench.client import Client, is_ready
from bench.engines import Endpoint, Engine, free_port, spawn, stop_all, wait_until

NAME = "llmos"
_USERS = "/apis/management.llmos.ai/v1/users"
PASSWORD = secrets.token_urlsafe(18)
"""Of both users, for the length of this run."""
_KEEPING = {"PYTHONDONTWRITEBYTECODE": ""}
"""Whatever the shell says: without bytecode a start would measure Python's compiler."""


def start(directory: Path) -> Engine:
    """Start a server and sign in its users.

    Raises:
        BenchError: it does not start.
    """
    _keep_bytecode()
    directory.mkdir(parents=True, exist_ok=True)
    data, log, port = directory / "data", directory / "server.log", free_port()
    command = [sys.executable, "-m", "llmos", "serve", "--data-dir", str(data), f"--port={port}"]
    began = time.perf_counter()
    process = spawn(command, log, LLMOS_ADMIN_PASSWORD=PASSWORD, **_KEEPING)
    authority = data / "tls" / "ca.crt"
    endpoint = Endpoint(NAME, "127.0.0.1", port, authority, {})
    try:
        wait_until(lambda: authority.exists() and is_ready(endpoint), [process], log)
        started_in = time.perf_counter() - began
        return Engine(_with_users(endpoint), [process], started_in)
    except BaseException:
        stop_all([process])
        raise


@cache
def _keep_bytecode() -> None:
    """Have the bytecode of what a start imports: a package that pip installed has it."""
    command = [sys.executable, "-m", "llmos", "serve", "--help"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **_KEEPING})


def _with_users(endpoint: Endpoint) -> Endpoint:
    admin = replace(endpoint, tokens={"admin": _login(endpoint, "admin")})
    with Client(admin, "admin") as client:
        user = {
            "apiVersion": "management.llmos.ai/v1",
            "kind": "User",
            "metadata": {"name": "alice"},
            "spec": {"displayName": "Alice", "active": True, "password": PASSWORD},
        }
        client.create(_USERS, user)
    return replace(endpoint, tokens={**admin.tokens, "alice": _login(endpoint, "alice")})


def _login(endpoint: Endpoint, name: str) -> str:
    with Client(endpoint) as client:
        answer = client.ask("POST", "/auth/login", {"username": name, "password": PASSWORD})
        return str(answer["token"])
