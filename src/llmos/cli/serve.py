"""``llmos serve``: the embedded server, in the foreground."""

import asyncio
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from llmos.apimachinery.errors import StatusError
from llmos.authentication.static_tokens import TokenFileError
from llmos.cli.failures import Failure
from llmos.cli.fingerprint import fingerprint
from llmos.cli.listening import listening_options, start_failures
from llmos.cli.logs import log_to_stderr
from llmos.cli.options import FILE, PASSWORD_VARIABLE, examples, first_password
from llmos.client.config import Token
from llmos.server.config import DEFAULT_PORT, ServerConfig
from llmos.server.run import ADMIN_PASSWORD_FILE, Started, run
from llmos.storage.interface import OpenError


@click.command(
    epilog=examples(
        "llmos serve",
        "llmos serve --data-dir /var/lib/llmos --host 0.0.0.0",
    )
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    default="llmos-data",
    show_default=True,
    metavar="DIR",
    help="Where the database, the certificates and admin.kubeconfig are kept.",
)
@listening_options(DEFAULT_PORT)
@click.option(
    "--token-auth-file",
    type=FILE,
    metavar="FILE",
    help='Static tokens in kube-apiserver\'s format: token,user,uid,"group1,group2".',
)
def serve(*, verbose: bool, **options: Any) -> None:
    """Start the embedded server: the Kubernetes API on SQLite, in one process.

    At the first start it makes the user admin. Its password is that of the environment variable
    LLMOS_ADMIN_PASSWORD; without it, a one-time password is made, printed once and kept in the
    data directory. A kubeconfig of the admin is kept there too.

    Results go to stdout, the log to stderr. Ctrl-C or SIGTERM stops the server; what was
    acknowledged is on disk.
    """
    log_to_stderr(verbose=verbose)
    config = ServerConfig(**options, admin_password=first_password())
    with server_failures(config):
        run(config, say, work)
    click.echo("llmos has stopped.", err=True)


@contextmanager
def server_failures(config: ServerConfig) -> Iterator[None]:
    """Say in one line why the embedded server does not start."""
    try:
        with start_failures(config):
            yield
    except (OpenError, TokenFileError) as error:
        raise Failure(str(error)) from error
    except StatusError as error:
        about = f"{PASSWORD_VARIABLE}: " if config.admin_password else "cannot start: "
        raise Failure(about + error.message) from error


async def work(started: Started, token: Token) -> None:
    """Run what runs beside the server.

    It is loaded only now, beside the first requests: half of the time to start would go into
    importing an HTTP client.
    """
    module = await asyncio.to_thread(import_module, "llmos.cli.controllers")
    await module.run(started, token)


def say(started: Started) -> None:
    """Tell whoever started the server where it is and what to try next."""
    lines = [
        f"llmos serves at {started.url}",
        f"  certificate authority: SHA-256 {fingerprint(started.ca_pem)}",
    ]
    if started.one_time_password:
        kept = started.data_dir / ADMIN_PASSWORD_FILE
        lines.append(f"  one-time password of the user admin: {started.one_time_password}")
        lines.append(f"    (also in {kept}: delete the file once you have it)")
    if kubeconfig := started.admin_kubeconfig:
        lines += [
            f"  kubeconfig of the user admin: {kubeconfig}",
            "Try next, in another terminal:",
            f"  export KUBECONFIG={shlex.quote(str(kubeconfig))}{_path()}",
            "  kubectl get namespaces",
            "  llmos namespace create team-vision --description 'Vision team'",
        ]
    click.echo("\n".join(lines))


def _path() -> str:
    """What a shell lacks to find llmos, and kubectl beside it."""
    programs = Path(sys.executable).parent
    if shutil.which("llmos") or not (programs / "llmos").exists():
        return ""
    return f" PATH={shlex.quote(str(programs))}:$PATH"
