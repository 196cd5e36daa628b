"""The embedded server for the length of one piece of work, by whoever has its data directory.

Nobody signs in: who can read the directory can read everything anyway. The identity is that of a
cluster's operator, outside llmos, with a token that ends with the work.
"""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from llmos.apis.authentication_v1 import MASTERS_GROUP
from llmos.cli.failures import failures
from llmos.cli.serve import server_failures
from llmos.cli.serve import work as controllers
from llmos.cli.session import Session, Work
from llmos.client.config import Config
from llmos.server.config import ServerConfig
from llmos.server.run import Started, serve

T = TypeVar("T")


def data_dir_option(*, exists: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a verb the option ``--data-dir``, for what is there already or may be made."""
    return click.option(
        "--data-dir",
        type=click.Path(exists=exists, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Work on an embedded server that is not running, by its directory, and on no other.",
    )


def run_on(session: Session, data_dir: Path | None, work: Work[T]) -> T:
    """Do something on the server of the context or, where one is named, on that of a directory.

    Raises:
        Failure: it did not work; or the server of the directory is running.
    """
    if data_dir is None:
        return session.run(work)
    with tempfile.TemporaryDirectory(prefix="llmos-") as folder:  # mode 0700
        token, tokens = secrets.token_hex(32), Path(folder) / "tokens.csv"
        tokens.write_text(f'{token},operator,operator,"{MASTERS_GROUP}"\n')
        config = ServerConfig(data_dir, port=0, token_auth_file=tokens)
        kept = _kubeconfig(data_dir)
        try:
            with server_failures(config), failures():
                return asyncio.run(_work(session, config, token, work))
        finally:
            _restore(data_dir, kept)


async def _work(session: Session, config: ServerConfig, token: str, work: Work[T]) -> T:
    stop = asyncio.Event()
    started: list[Started] = []
    ready = asyncio.Event()

    def say(it: Started) -> None:
        started.append(it)
        ready.set()

    server = asyncio.create_task(serve(config, say, stop, controllers))
    server.add_done_callback(lambda _: ready.set())
    await ready.wait()
    try:
        if not started:
            await server
        there = Config(started[0].url, token=token, ca_pem=started[0].ca_pem)
        return await session.work_as(there, work)
    finally:
        stop.set()
        await server


def _kubeconfig(data_dir: Path) -> bytes | None:
    path = data_dir / "admin.kubeconfig"
    return path.read_bytes() if path.exists() else None


def _restore(data_dir: Path, kept: bytes | None) -> None:
    """Clients go on where the server is when it runs; the next start renews what has to be."""
    path = data_dir / "admin.kubeconfig"
    if kept is None:
        path.unlink(missing_ok=True)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(kept)
