"""``llmos token``: API tokens, for programs that act as you."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import click

from llmos.cli import accounts
from llmos.cli.durations import duration
from llmos.cli.options import examples, output_option, server_options
from llmos.cli.output import Column, show, table
from llmos.cli.session import Session, note, pass_session
from llmos.client.client import Client


@click.group()
def token() -> None:
    """Manage API tokens: credentials for programs that act as you."""


@token.command(
    epilog=examples(
        "TOKEN=$(llmos token create --ttl 12h --description 'nightly build')",
        'curl --cacert llmos-data/tls/ca.crt -H "Authorization: Bearer $TOKEN" \\',
        "  https://127.0.0.1:8443/api/v1/namespaces",
    )
)
@click.option(
    "--ttl",
    required=True,
    callback=duration,
    metavar="TIME",
    help="How long it lives, at most 90d: 30d, 12h, 1h30m.",
)
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@output_option("json", "yaml")
@server_options
@pass_session
def create(session: Session, ttl: int, description: str, output: str | None) -> None:
    """Make a token of your own.

    The token is printed once and cannot be read again. It is the only line on stdout.
    """
    body = {"ttlSeconds": ttl, "description": description}
    made = session.run(lambda client: accounts.call(client, "POST", "tokens", body))
    if output:
        show(made, output)
        return
    note(f"The token {made['name']} is valid until {made['expiresAt']}. It is shown only now:")
    click.echo(made["token"])


_user_option = click.option("--user", default="", metavar="USER", help="Those of another user.")


@token.command("list")
@_user_option
@output_option("json", "yaml", "name")
@server_options
@pass_session
def list_tokens(session: Session, user: str, output: str | None) -> None:
    """List tokens and sessions, yours or (for administrators) those of another user."""
    found = session.run(lambda client: accounts.call(client, "GET", "tokens", user=user))
    items = found["items"]
    if output == "name":
        for each in items:
            click.echo(each["name"])
    elif output:
        show(found, output)
    elif items:
        click.echo(table(_COLUMNS, items))
    else:
        note("No tokens found.")


def _cell(key: str, token: Mapping[str, Any]) -> str:
    return str(token.get(key) or "")


_COLUMNS = [
    Column(title, partial(_cell, key))
    for title, key in (
        ("NAME", "name"),
        ("KIND", "kind"),
        ("DESCRIPTION", "description"),
        ("CREATED", "createdAt"),
        ("EXPIRES", "expiresAt"),
    )
]


@token.command()
@click.argument("name")
@_user_option
@server_options
@pass_session
def delete(session: Session, name: str, user: str) -> None:
    """End a token or session at once, yours or (for administrators) that of another user."""

    async def work(client: Client) -> Any:
        return await accounts.call(client, "DELETE", f"tokens/{quote(name, safe='')}", user=user)

    session.run(work)
    click.echo(f"token/{name} deleted")
