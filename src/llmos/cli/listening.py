"""What both servers share on the command line: where to listen, and why one does not start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from llmos.apimachinery.lazy import LazyModule
from llmos.cli.failures import Failure
from llmos.cli.options import FILE

if TYPE_CHECKING:
    from llmos.authentication import certificates
else:
    certificates = LazyModule("llmos.authentication.certificates")


class Address(Protocol):
    """Where a server listens."""

    @property
    def host(self) -> str:
        """A name or an address."""

    @property
    def port(self) -> int:
        """0: a free one."""


def listening_options(default_port: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a verb the options ``--host``, ``--port``, ``--tls-cert``, ``--tls-key`` and ``-v``."""
    options = (
        click.option(
            "--host",
            default="127.0.0.1",
            show_default=True,
            metavar="HOST",
            help="Address to listen on.",
        ),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=default_port,
            show_default=True,
            metavar="PORT",
            help="Port to listen on; 0 takes a free one.",
        ),
        click.option(
            "--tls-cert",
            type=FILE,
            metavar="FILE",
            help="A certificate of your own with those that signed it (PEM).",
        ),
        click.option(
            "--tls-key", type=FILE, metavar="FILE", callback=_together, help="Its key (PEM)."
        ),
        click.option(
            "-v", "--verbose", is_flag=True, help="Log every change and refusal to stderr."
        ),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _together(context: click.Context, _: click.Parameter, key: Path | None) -> Path | None:
    """A certificate comes with its key."""
    if (context.params.get("tls_cert") is None) is not (key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    return key


@contextmanager
def start_failures(address: Address) -> Iterator[None]:
    """Say in one line why a server does not start."""
    try:
        yield
    except certificates.CertificateError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        if error.filename:
            raise Failure(f"cannot use {error.filename}: {error.strerror}") from error
        where = f"{address.host}:{address.port}"
        raise Failure(f"cannot listen on {where}: {error.strerror or error}") from error
