"""The llmos command: one file a verb, each of them an ordinary client of the API."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from llmos import __version__
from llmos.cli.failures import ExitCode, Failure
from llmos.cli.lazy import LazyGroup, attribute
from llmos.cli.options import server_options

VERBS = (
    *("completion", "export", "import", "install", "login", "logout", "member", "namespace"),
    *("proxy", "serve", "token", "uninstall", "user", "whoami"),
)


@click.group(
    cls=LazyGroup,
    verbs={verb: f"llmos.cli.{attribute(verb)}" for verb in VERBS},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="llmos %(version)s")
@server_options
def command() -> None:
    """Namespaces that isolate teams on one AI cluster.

    "llmos serve" starts a server, "llmos login" signs in to one. All other verbs work on the server
    of the kubeconfig context in use, as kubectl does.
    """


def main(arguments: Sequence[str] | None = None, **extra: Any) -> NoReturn:
    """Run the command and end the process with its exit code."""
    try:
        code = command.main(arguments, prog_name="llmos", standalone_mode=False, **extra)
    except Failure as failure:
        failure.show()
        code = failure.code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    sys.exit(int(code or 0))
