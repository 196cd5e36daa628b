"""``llmos serve``: the embedded server, in the foreground."""

import logging
import os
from importlib import import_module
from pathlib import Path

import click

from llmos.authentication.certificates import CertificateError
from llmos.client.config import Token
from llmos.server.config import DEFAULT_PORT, ServerConfig
from llmos.server.run import Started, run
from llmos.storage.interface import OpenError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("llmos-data"),
    show_default=True,
    help="Where the database, certificates and admin.kubeconfig are kept.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--tls-cert", type=_FILE, help="A certificate of your own (PEM).")
@click.option("--tls-key", type=_FILE, help="Its key (PEM).")
@click.option(
    "--token-auth-file",
    type=_FILE,
    help='Static tokens in kube-apiserver\'s format: token,user,uid,"group1,group2".',
)
def serve(
    data_dir: Path,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    token_auth_file: Path | None,
) -> None:
    """Start the embedded API server.

    LLMOS_ADMIN_PASSWORD sets the password of the user admin at the first start; without it a
    one-time password is printed.
    """
    if (tls_cert is None) is not (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = ServerConfig(
        data_dir=data_dir.absolute(),
        host=host,
        port=port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        token_auth_file=token_auth_file,
        admin_password=os.environ.pop("LLMOS_ADMIN_PASSWORD", None) or None,
    )
    try:
        run(config, say, work)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error
    except (OpenError, CertificateError) as error:
        raise click.ClickException(str(error)) from error


async def work(started: Started, token: Token) -> None:
    """Run what runs beside the server.

    It is loaded only now: half of the time to start would go into importing an HTTP client.
    """
    await import_module("llmos.cli.controllers").run(started, token)


def say(started: Started) -> None:
    """Tell whoever started the server where it is and what to try next."""
    lines = [f"llmos serves at {started.url}"]
    if started.one_time_password:
        lines.append(f"  one-time password of the user admin: {started.one_time_password}")
    kubeconfig = started.admin_kubeconfig
    if kubeconfig:
        lines.append(f"  kubeconfig of the user admin: {kubeconfig}")
        lines += [
            "Try next:",
            f"  export KUBECONFIG={kubeconfig}",
            "  kubectl get namespaces",
            "  llmos namespace create team-vision --description 'Vision team'",
        ]
    click.echo("\n".join(lines))
