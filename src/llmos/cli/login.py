"""``llmos login``: sign in, and give kubectl a context to work with."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from llmos.cli import accounts, passwords
from llmos.cli.failures import ExitCode, Failure, failures
from llmos.cli.kubeconfigs import context_name, user_entry
from llmos.cli.options import FILE, examples, server_options
from llmos.cli.session import Session, note, pass_session, warn
from llmos.cli.trust import Trust, find_authority
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.kubeconfig import KubeconfigError, Login


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the user brings."""

    username: str
    password: str = field(repr=False)


@click.command(
    epilog=examples(
        "llmos login https://127.0.0.1:8443 --username alice",
        "llmos login https://gpu.example.org:8443 -u robot --password-stdin < password.txt",
    )
)
@click.argument("url", required=False)
@click.option("--username", "-u", metavar="USER", help="Who signs in; else asked for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option(
    "--certificate-authority",
    type=FILE,
    metavar="FILE",
    help="The certificate authority of the server (PEM).",
)
@click.option(
    "--insecure-skip-tls-verify",
    "insecure",
    is_flag=True,
    help="Trust any certificate. Whoever is between you and the server learns your password.",
)
@server_options
@pass_session
def login(
    session: Session,
    url: str | None,
    username: str | None,
    *,
    password_stdin: bool,
    certificate_authority: Path | None,
    insecure: bool,
) -> None:
    """Sign in to the server at URL and make a kubeconfig context of it.

    kubectl and every other Kubernetes client use the context from then on. Without URL, the server
    of the context in use is meant: sign in again when a session is over.

    The context is called "llmos", or after the server where that name is taken; --context gives
    another name. It is written to the file of --kubeconfig, else to the first of $KUBECONFIG, else
    to ~/.kube/config.

    The certificate of the server is checked with --certificate-authority; else with the authority
    that a kubeconfig or ./llmos-data knows for this server; else with those of the system. If none
    of them fits, you are shown the fingerprint of the server's authority and asked.
    """
    if certificate_authority and insecure:
        raise click.UsageError("give --certificate-authority or --insecure-skip-tls-verify")
    server, name = _server(session, url)
    trust = Trust(certificate_authority, insecure, ask=not password_stdin)
    config = find_authority(session, server, trust)
    credentials = _credentials(session, username, stdin=password_stdin)
    opened = session.run_as(config, lambda client: _open(client, credentials))
    if opened["mustChangePassword"]:
        opened = _first_password(session, config, (credentials, opened), ask=not password_stdin)
    _keep(session, config, opened, name)


def _server(session: Session, url: str | None) -> tuple[str, str]:
    """The URL of the server, and the name that its context shall have (``""``: find one).

    Raises:
        UsageError: there is none, or it is not one of HTTPS.
    """
    if url is None:
        try:
            chosen = session.files.get(session.context)
        except KubeconfigError as error:
            raise click.UsageError("give the URL of the server") from error
        return chosen.server, chosen.name
    full = url if "://" in url else f"https://{url}"
    parts = urlsplit(full)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.username:
        raise click.UsageError(f"{url!r} is not the URL of a server: https://HOST:PORT")
    return full.rstrip("/"), session.context


def _credentials(session: Session, username: str | None, *, stdin: bool) -> Credentials:
    if username is None:
        if stdin or not session.world.interactive():
            raise click.UsageError("give --username")
        username = str(click.prompt("Username", err=True))
    if stdin:
        return Credentials(username, passwords.read_lines(1)[0])
    return Credentials(username, passwords.ask(session, f"Password of {username}"))


async def _open(client: Client, credentials: Credentials) -> dict[str, Any]:
    return await accounts.login(client, credentials.username, credentials.password)


def _first_password(
    session: Session, config: Config, known: tuple[Credentials, dict[str, Any]], *, ask: bool
) -> dict[str, Any]:
    """Have a password replaced that somebody else gave; gives the session to go on with."""
    credentials, opened = known
    if not ask:
        warn(
            "this password works only once or was given by somebody else; choose one of your own "
            f"within the hour: llmos user password {opened['user']}"
        )
        return opened
    note("This password was given to you by somebody else. Choose one of your own.")
    signed_in = _with_token(config, opened)
    while True:
        change = partial(_replace, old=credentials, new=passwords.ask_new(session))
        try:
            return session.run_as(signed_in, change)
        except Failure as failure:
            if failure.code != ExitCode.FAILED:
                raise
            note(f"Error: {failure.message}")


async def _replace(client: Client, old: Credentials, new: str) -> dict[str, Any]:
    """Change the password, and sign in with it: the session before lives only an hour."""
    await accounts.change_password(client, old.password, new)
    opened = await _open(client, Credentials(old.username, new))
    await accounts.call(client, "POST", "logout")
    return opened


def _with_token(config: Config, opened: dict[str, Any]) -> Config:
    return Config(config.server, token=opened["token"], ca_pem=config.ca_pem, verify=config.verify)


def _keep(session: Session, config: Config, opened: dict[str, Any], name: str) -> None:
    """Write the context and say so."""
    user = str(opened["user"])
    with failures():
        context = name or context_name(session.files, config.server, user)
        entry = Login(
            name=context,
            server=config.server,
            token=str(opened["token"]),
            ca_pem=config.ca_pem,
            insecure=not config.verify,
            user=user_entry(user, context),
        )
        path = session.files.put(entry)
    click.echo(f"Signed in to {config.server} as {user} until {opened['expiresAt']}.")
    click.echo(f"kubectl uses the context {context} of {path}.")
