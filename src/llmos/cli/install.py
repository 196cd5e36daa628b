"""``llmos install``: put the platform's content into a cluster."""

import os
from collections import Counter

import click

from llmos.apimachinery.clock import system_clock
from llmos.authentication.bootstrap import bootstrap_admin
from llmos.authentication.passwords import Passwords
from llmos.authentication.records import SYSTEM_NAMESPACE
from llmos.cli.options import PASSWORD_VARIABLE, examples, server_options
from llmos.cli.session import Session, pass_session
from llmos.client.client import Client
from llmos.installation.apply import Change, Installer, Outcome
from llmos.installation.enforcement import wait_enforced
from llmos.installation.store import AccountStore


@click.command(
    epilog=examples(
        "llmos install --kubeconfig operator.kubeconfig",
        "llmos install --context production --diff",
    )
)
@click.option("--dry-run", is_flag=True, help="Have the cluster check everything; change nothing.")
@click.option(
    "--diff", is_flag=True, help="Show the differences; change nothing. Exits with 1 if there are."
)
@server_options
@pass_session
def install(session: Session, *, dry_run: bool, diff: bool) -> None:
    """Put the platform's content into a cluster: namespaces, kinds, roles, policies.

    It is run by an operator of the cluster, with his own kubeconfig, before "llmos proxy" starts
    and again at every upgrade. What is there already stays as it is. At the first time it makes
    the user admin: its password is that of the environment variable LLMOS_ADMIN_PASSWORD; without
    it, a one-time password is made and printed.
    """

    async def work(client: Client) -> tuple[list[Change], str | None]:
        installer = Installer(client, dry_run=dry_run or diff)
        changes = []
        async for change in installer.run():
            changes.append(change)
            _tell(change, dry_run=dry_run, diff=diff)
        if dry_run or diff:
            return changes, None
        await wait_enforced(client)
        return changes, await _first_admin(client)

    changes, password = session.run(work)
    if diff:
        raise click.exceptions.Exit(int(_differs(changes)))
    counted = Counter(each.outcome for each in changes)
    summary = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
    click.echo(f"llmos is installed: {summary}" + (" (dry run)" if dry_run else ""))
    if password:
        click.echo(f"  one-time password of the user admin: {password}")
    if not dry_run:
        click.echo(
            'Next: start "llmos proxy" under the ServiceAccount llmos-proxy in llmos-system.'
        )


def _tell(change: Change, *, dry_run: bool, diff: bool) -> None:
    if diff:
        click.echo(change.diff(), nl=False)
    elif change.outcome is not Outcome.UNCHANGED:
        click.echo(f"{change.ref} {change.outcome}" + (" (dry run)" if dry_run else ""))


def _differs(changes: list[Change]) -> bool:
    return any(each.outcome is not Outcome.UNCHANGED for each in changes)


async def _first_admin(client: Client) -> str | None:
    """Make the user admin, if this is the first time; his one-time password comes back."""
    store = AccountStore(client)
    await store.read(SYSTEM_NAMESPACE)
    chosen = os.environ.get(PASSWORD_VARIABLE) or None
    return await bootstrap_admin(store, Passwords(), system_clock, chosen, lambda _: None)
