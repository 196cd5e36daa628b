"""Options that many verbs take, and the end of their help texts; light to import."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

CONTEXT = "llmos.cli.context"
KUBECONFIG = "llmos.cli.kubeconfig"
"""Where click's context keeps what was given."""

PASSWORD_VARIABLE = "LLMOS_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
"""Holds the first password of the user ``admin``."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is there."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that choose the server; they may stand before the verb too."""
    context = click.option(
        "--context",
        expose_value=False,
        callback=_keeper(CONTEXT),
        metavar="NAME",
        help="The kubeconfig context to use; else the current one.",
    )
    kubeconfig = click.option(
        "--kubeconfig",
        type=click.Path(dir_okay=False, path_type=Path),
        expose_value=False,
        callback=_keeper(KUBECONFIG),
        metavar="FILE",
        help="The kubeconfig file; else those of $KUBECONFIG, else ~/.kube/config.",
    )
    return kubeconfig(context(command))


def _keeper(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            context.meta[key] = value

    return keep


def output_option(*formats: str) -> Decorator:
    """Give a verb the option ``-o``."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        help="For programs: the whole answer, or names only; without it, text for people.",
    )


def file_option(text: str) -> Decorator:
    """Give a verb the option ``-f``: a file, or ``-`` for a stream."""
    return click.option(
        "-f",
        "--file",
        default="-",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        metavar="FILE",
        help=text,
    )


def examples(*lines: str) -> str:
    """The end of a verb's help text."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def first_password() -> str | None:
    """The operator's choice for the user ``admin``, taken out of the environment, or None."""
    return os.environ.pop(PASSWORD_VARIABLE, None) or None
