"""``llmos serve``: the embedded server, in the foreground."""

import asyncio
import shlex
import shutil
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.lazy import LazyModule
from llmos.authentication.static_tokens import TokenFileError
from llmos.cli.failures import Failure
from llmos.cli.fingerprint import fingerprint
from llmos.cli.logs import log_to_stderr
from llmos.cli.options import PASSWORD_VARIABLE, examples, first_password
from llmos.client.config import Token
from llmos.server.config import DEFAULT_PORT, ServerConfig
from llmos.server.run import ADMIN_PASSWORD_FILE, Started, run
from llmos.storage.interface import OpenError

if TYPE_CHECKING:
    from llmos.authentication import certificates
else:
    certificates = LazyModule("llmos.authentication.certificates")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Address to listen on."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="PORT",
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--tls-cert",
    type=_FILE,
    metavar="FILE",
    help="A certificate of your own with those that signed it (PEM).",
)
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key (PEM).")
@click.option(
    "--token-auth-file",
    type=_FILE,
    metavar="FILE",
    help='Static tokens in kube-apiserver\'s format: token,user,uid,"group1,group2".',
)
@click.option("-v", "--verbose", is_flag=True, help="Log every change and refusal to stderr.")
def serve(*, verbose: bool, **options: Any) -> None:
    """Start the embedded server: the Kubernetes API on SQLite, in one process.

    At the first start it makes the user admin. Its password is that of the environment variable
    LLMOS_ADMIN_PASSWORD; without it, a one-time password is made, printed once and kept in the
    data directory. A kubeconfig of the admin is kept there too.

    Results go to stdout, the log to stderr. Ctrl-C or SIGTERM stops the server; what was
    acknowledged is on disk.
    """
    if (options["tls_cert"] is None) is not (options["tls_key"] is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    log_to_stderr(verbose=verbose)
    config = ServerConfig(**options, admin_password=first_password())
    with start_failures(config):
        run(config, say, work)
    click.echo("llmos has stopped.", err=True)


@contextmanager
def start_failures(config: ServerConfig) -> Iterator[None]:
    """Say in one line why the server does not start."""
    try:
        yield
    except (OpenError, certificates.CertificateError, TokenFileError) as error:
        raise Failure(str(error)) from error
    except StatusError as error:
        about = f"{PASSWORD_VARIABLE}: " if config.admin_password else "cannot start: "
        raise Failure(about + error.message) from error
    except (ssl.SSLError, UnicodeDecodeError) as error:
        why = "no certificate and key (PEM) that belong together"
        raise Failure(f"{config.tls_cert}, {config.tls_key}: {why}") from error
    except OSError as error:
        if error.filename:
            raise Failure(f"cannot use {error.filename}: {error.strerror}") from error
        where = f"{config.host}:{config.port}"
        raise Failure(f"cannot listen on {where}: {error.strerror or error}") from error


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
