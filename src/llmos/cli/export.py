"""``llmos export``: everything of users, as one file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from llmos.apimachinery.clock import system_clock
from llmos.cli.datadir import data_dir_option, run_on
from llmos.cli.failures import Failure
from llmos.cli.options import examples, file_option, server_options
from llmos.cli.session import Session, note, pass_session
from llmos.client.client import Client
from llmos.portability import stream
from llmos.portability.exporting import Exporter


@click.command(
    epilog=examples(
        "llmos export -f llmos.export",
        "llmos export --context laptop | llmos import --context cluster",
    )
)
@file_option("Where to write; - is stdout, the default.")
@data_dir_option(exists=True)
@server_options
@pass_session
def export(session: Session, *, file: Path, data_dir: Path | None) -> None:
    """Write users, roles, namespaces and what is in them to a file, for "llmos import".

    Whoever may do everything runs it: an administrator of llmos, or the operator of a cluster.
    The file holds the Secrets of every namespace, the hashes of all passwords and those of API
    tokens: it is made with mode 0600, and belongs in no other hands.

    It is read list by list while the server works on. For a state of one moment, stop the embedded
    server and name its directory with --data-dir.

    Sessions, events, leases, finished pods and jobs, and what controllers make again are left out;
    so is what lies on volumes.
    """
    if str(file) == "-" and sys.stdout.isatty():
        raise click.UsageError("the file has secrets in it: name one with -f, or use a pipe")

    async def work(client: Client) -> tuple[int, list[str]]:
        exporter = Exporter(client, system_clock)
        with _destination(file) as out:
            number = await stream.write(exporter.documents(), out)
        return number, exporter.left_out

    number, left_out = run_on(session, data_dir, work)
    for each in left_out:
        note(f"left out: {each}")
    note(f"exported {number} objects")


@contextmanager
def _destination(path: Path) -> Iterator[BinaryIO]:
    """Where the bytes go; a file is there as a whole or stays as it was."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            yield out
            os.fsync(out.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
