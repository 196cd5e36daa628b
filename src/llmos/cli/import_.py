"""``llmos import``: what another server exported, and whether all of it is here."""

import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from llmos.apimachinery.clock import system_clock
from llmos.apimachinery.object import find_condition, name_of
from llmos.cli.datadir import data_dir_option, run_on
from llmos.cli.failures import ExitCode, Failure
from llmos.cli.options import examples, file_option, server_options
from llmos.cli.session import Session, note, pass_session
from llmos.client.client import Client
from llmos.client.resources import ROLE_TEMPLATE_BINDINGS
from llmos.portability import stream
from llmos.portability.checking import check as compare
from llmos.portability.exporting import Exporter, require_everything
from llmos.portability.importing import Importer, Outcome, shown

_FORCE_TRIES = 60
_POLL_SECONDS = 0.25


@click.command(
    "import",
    epilog=examples(
        "llmos import -f llmos.export --dry-run",
        "llmos import -f llmos.export",
        "llmos import -f llmos.export --check",
        "llmos import -f llmos.export --data-dir llmos-data",
    ),
)
@file_option("What llmos export wrote; - is stdin, the default.")
@click.option("--dry-run", is_flag=True, help="Have the server check everything; change nothing.")
@click.option(
    "--check",
    is_flag=True,
    help="Say in what the server and the file differ; change nothing. Exits with 1 if they do.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="The file wins: replace what differs, and take users and namespaces of the same name for "
    "the same.",
)
@data_dir_option(exists=False)
@server_options
@pass_session
def import_(
    session: Session,
    *,
    file: Path,
    dry_run: bool,
    check: bool,
    overwrite: bool,
    data_dir: Path | None,
) -> None:
    """Make what a file of "llmos export" says, on a server where llmos is installed.

    The operator runs it: on a cluster with a kubeconfig of the cluster's own; with --data-dir into
    an embedded server that is not running, which is made if there is none. Who signed in through
    llmos, administrators included, writes nobody's password.

    Everybody signs in with the password that he had, API tokens work on, and bindings are in force
    for the same people. What is missing is created; what is there and differs stays and is told,
    unless --overwrite is given. A user or namespace of the same name that was first made elsewhere
    is another one: it stays as it is, and nothing of the file goes to it.

    It goes on after what is refused, and may be run again at any time. At the end everything is
    read back and compared with the file: the exit code is 0 when all of it is there.
    """
    if check and (dry_run or overwrite):
        raise click.UsageError("--check changes nothing: it goes with no other option")

    async def work(client: Client) -> bool:
        with _verified(file) as source:
            if check:
                return await _check(client, source, extras=True)
            importer = Importer(client, system_clock, overwrite=overwrite, dry_run=dry_run)
            fine = await _import(importer, source)
            if dry_run:
                return fine
            await _say_in_force(client, source)
            return await _check(client, source, extras=False) and fine

    if not run_on(session, data_dir, work):
        raise click.exceptions.Exit(int(ExitCode.FAILED))


@contextmanager
def _verified(path: Path) -> Iterator[BinaryIO]:
    """The whole file, which is what was written."""
    try:
        if str(path) == "-":
            with tempfile.TemporaryFile() as kept:  # mode 0600, and no name
                shutil.copyfileobj(sys.stdin.buffer, kept)
                yield _checked(kept, path)
            return
        with path.open("rb") as source:
            yield _checked(source, path)
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}") from error


def _checked(source: BinaryIO, path: Path) -> BinaryIO:
    try:
        stream.verify(source)
    except stream.DamagedError as error:
        raise Failure(f"{'stdin' if str(path) == '-' else path}: {error}") from error
    return source


async def _import(importer: Importer, source: BinaryIO) -> bool:
    """Import, tell of what is not as the file says, and count; whether everything went well."""
    counted: Counter[Outcome] = Counter()
    async for each in importer.run(stream.read(source)):
        counted[each.outcome] += 1
        if not each.outcome.good or each.outcome is Outcome.REPLACED:
            click.echo(str(each))
    summary = ", ".join(f"{counted[each]} {each}" for each in Outcome if counted[each])
    click.echo(f"imported: {summary or 'nothing'}" + (" (dry run)" if importer.dry_run else ""))
    return all(each.good for each in counted)


async def _say_in_force(client: Client, source: BinaryIO) -> None:
    """Wait for the controllers to get to the bindings of the file, and say what they found."""
    wanted = {
        name_of(each) for each in stream.read(source) if each["kind"] == ROLE_TEMPLATE_BINDINGS.kind
    }
    verdicts: dict[str, str] = {}
    for _ in range(_FORCE_TRIES if wanted else 0):
        found = await client.list(ROLE_TEMPLATE_BINDINGS)
        judged = {name_of(each): find_condition(each, "InForce") for each in found}
        verdicts = {name: str(each["status"]) for name, each in judged.items() if each}
        if wanted <= verdicts.keys():
            break
        await asyncio.sleep(_POLL_SECONDS)
    counted = Counter(verdicts.get(each, "") for each in wanted)
    if wanted:
        click.echo(f"bindings: {counted['True']} in force, {counted['False']} not in force")
    if counted[""]:
        note(f"{counted['']} bindings come into force when the controllers run: llmos proxy")


async def _check(client: Client, source: BinaryIO, *, extras: bool) -> bool:
    """Compare, tell of every difference, and count; whether there is none."""
    await require_everything(client)
    counted: Counter[str] = Counter()
    exported = Exporter(client, system_clock).documents()
    async for each in compare(client, stream.read(source), exported):
        if each.word == "only here" and not extras:
            continue
        counted[each.word] += 1
        if each.word != "agrees":
            where = f": {shown(list(each.paths))}" if each.paths else ""
            click.echo(f"{each.ref} {each.word}{where}")
    summary = ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
    click.echo(f"checked: {summary or 'nothing to compare'}")
    return set(counted) <= {"agrees"}
