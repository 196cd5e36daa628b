"""``llmos logout``: end the session, and forget it here."""

import click

from llmos.cli import accounts
from llmos.cli.failures import ExitCode, Failure, failures
from llmos.cli.options import server_options
from llmos.cli.session import Session, pass_session
from llmos.client.client import Client


@click.command()
@server_options
@pass_session
def logout(session: Session) -> None:
    """Sign out: the session ends on the server, and its context leaves the kubeconfig.

    If the server is not reached, the context goes all the same; the session then ends by itself.
    """
    login = session.login()
    failure = None
    try:
        session.run_as(login.config(), _end)
    except Failure as error:
        failure = error
    with failures():
        session.files.remove(login.name)
    if failure is not None and failure.code != ExitCode.NOT_SIGNED_IN:
        why = "the context is removed, but the session on the server was not ended"
        raise Failure(f"{why}: {failure.message}", failure.code)
    click.echo(f"Signed out of {login.server}; the context {login.name} is removed.")


async def _end(client: Client) -> None:
    await accounts.call(client, "POST", "logout")
