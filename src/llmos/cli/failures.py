"""What can go wrong, in one line and with an exit code; every verb ends through here."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import click

from llmos.apimachinery.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    StatusError,
    UnauthorizedError,
)
from llmos.client.credentials import CredentialError
from llmos.client.errors import ConnectionFailedError
from llmos.client.kubeconfig import KubeconfigError


class ExitCode(IntEnum):
    """What the process ends with; ``docs/cli.md`` lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_SIGNED_IN = 4
    NOT_FOUND = 5
    CONFLICT = 6
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "It worked.",
    ExitCode.FAILED: "The server refused, or something failed.",
    ExitCode.USAGE: "The command line is wrong.",
    ExitCode.UNREACHABLE: "The server was not reached, or its certificate is not trusted.",
    ExitCode.NOT_SIGNED_IN: "Nobody is signed in, or the credentials are not valid.",
    ExitCode.NOT_FOUND: "It does not exist, or is not visible to you.",
    ExitCode.CONFLICT: "It exists already, or somebody else changed it at the same time.",
    ExitCode.INTERRUPTED: "It was interrupted (Ctrl-C).",
}

_CODES: dict[type[StatusError], ExitCode] = {
    UnauthorizedError: ExitCode.NOT_SIGNED_IN,
    NotFoundError: ExitCode.NOT_FOUND,
    AlreadyExistsError: ExitCode.CONFLICT,
    ConflictError: ExitCode.CONFLICT,
}


class Failure(click.ClickException):
    """Ends the command with a line on stderr and an exit code."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(one_line(message))
        self.code = code


def one_line(text: str) -> str:
    """A text without line breaks and without what moves a terminal's cursor."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def failure_from(error: Exception) -> Failure:
    """The failure that tells of an error of the client."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, StatusError):
        code = _CODES.get(type(error), ExitCode.FAILED)
        hint = " (sign in with: llmos login)" if error.message == "Unauthorized" else ""
        return Failure(error.message + hint, code)
    if isinstance(error, ConnectionFailedError):
        return Failure(str(error), ExitCode.UNREACHABLE)
    if isinstance(error, ssl.SSLError):
        return Failure("the certificate authority of the server cannot be used")
    return Failure(str(error))


_KNOWN = (StatusError, ConnectionFailedError, KubeconfigError, CredentialError, ssl.SSLError)


@contextmanager
def failures() -> Iterator[None]:
    """Turn the errors of a client into failures."""
    try:
        yield
    except _KNOWN as error:
        raise failure_from(error) from error
