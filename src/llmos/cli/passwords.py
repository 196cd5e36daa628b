"""How passwords come in: asked for without an echo, or read from stdin; never as an argument."""

import sys

import click

from llmos.cli.failures import Failure
from llmos.cli.session import Session


def read_lines(count: int) -> list[str]:
    """The first lines of stdin, one for each password.

    Raises:
        Failure: there are fewer.
    """
    lines = [sys.stdin.readline().rstrip("\r\n") for _ in range(count)]
    if not all(lines):
        expected = "a password" if count == 1 else f"{count} passwords, one a line"
        raise Failure(f"stdin must hold {expected}")
    return lines


def ask(session: Session, label: str) -> str:
    """Ask for a password that exists.

    Raises:
        UsageError: nobody is there to be asked.
    """
    _must_be_interactive(session)
    return str(click.prompt(label, hide_input=True, err=True))


def ask_new(session: Session, label: str = "New password") -> str:
    """Ask for a new password, twice.

    Raises:
        UsageError: nobody is there to be asked.
    """
    _must_be_interactive(session)
    again = f"{label} again"
    return str(click.prompt(label, hide_input=True, confirmation_prompt=again, err=True))


def _must_be_interactive(session: Session) -> None:
    if not session.world.interactive():
        raise click.UsageError("there is nobody to ask for a password: give --password-stdin")
