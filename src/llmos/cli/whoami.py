"""``llmos whoami``: who the server takes us for."""

from typing import Any

import click

from llmos.apimachinery.errors import ForbiddenError, NotFoundError
from llmos.apimachinery.object import get_path
from llmos.cli import accounts
from llmos.cli.options import output_option, server_options
from llmos.cli.output import NONE, show
from llmos.cli.session import Session, pass_session, warn
from llmos.client.client import Client
from llmos.client.resources import SELF_SUBJECT_REVIEWS


@click.command()
@output_option("json", "yaml", "name")
@server_options
@pass_session
def whoami(session: Session, output: str | None) -> None:
    """Show who is signed in, in which groups, and until when."""
    login = session.login()
    found = session.run_as(login.config(), _who)
    user = found["user"]
    if output == "name":
        click.echo(user.get("username", ""))
        return
    if output:
        show(found, output)
        return
    lines = {
        "Username": user.get("username", ""),
        "Groups": ", ".join(user.get("groups") or ()) or NONE,
        "Credential": " ".join(str(found[key]) for key in ("kind", "name") if found.get(key)),
        "Valid until": found.get("expiresAt", ""),
        "Server": login.server,
        "Context": login.name,
    }
    for title, text in lines.items():
        if text:
            click.echo(f"{title + ':':<13}{text}")
    if found.get("mustChangePassword"):
        warn(f"choose a password of your own: llmos user password {user.get('username')}")


async def _who(client: Client) -> dict[str, Any]:
    """What the account operations say; who has no account is told what Kubernetes says of him."""
    try:
        return await accounts.whoami(client)
    except (ForbiddenError, NotFoundError):
        review = await client.create(SELF_SUBJECT_REVIEWS, {})
        return {"user": get_path(review, "status", "userInfo", default={})}
