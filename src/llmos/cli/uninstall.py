"""``llmos uninstall``: take the platform out of a cluster."""

from collections.abc import Sequence

import click

from llmos.cli.failures import Failure
from llmos.cli.options import examples, output_option, server_options
from llmos.cli.outcomes import show_outcomes
from llmos.cli.session import Session, note, pass_session
from llmos.client.client import Client
from llmos.installation.outcome import Action, InstallationError, Outcome
from llmos.installation.removing import Uninstaller


@click.command(
    epilog=examples(
        "llmos uninstall --context production",
        "llmos uninstall --yes --delete-data",
    )
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--delete-data",
    is_flag=True,
    help="Also delete users, members, roles, notebooks and every other object of llmos' kinds, and "
    "the namespaces llmos-… with all that is in them.",
)
@output_option("json", "yaml", "name")
@server_options
@pass_session
def uninstall(session: Session, *, yes: bool, delete_data: bool, output: str | None) -> None:
    """Take the platform out of a cluster.

    Run it as a cluster operator, after "llmos proxy" was stopped. Policies, roles, bindings,
    accounts, passwords and tokens are deleted, and what llmos wrote on namespaces. What people made
    stays: their namespaces with all content, and the objects of llmos' kinds with the definitions
    of these; "llmos install" puts everybody's rights into force again. With --delete-data these
    objects and the namespaces that llmos made are deleted, too; namespaces of users never are.
    """
    if not yes:
        _confirm(session, delete_data=delete_data)

    async def work(client: Client) -> Sequence[Outcome]:
        return await Uninstaller(client, delete_data).run()

    try:
        outcomes = session.run(work)
    except InstallationError as error:
        raise Failure(str(error)) from error
    show_outcomes(outcomes, output)
    if not outcomes:
        note("llmos was not installed.")
    elif any(each.action is Action.KEPT for each in outcomes):
        note("llmos is uninstalled; what is kept holds data: --delete-data deletes it.")
    else:
        note("llmos is uninstalled.")


def _confirm(session: Session, *, delete_data: bool) -> None:
    if not session.world.interactive():
        raise click.UsageError("there is nobody to ask: give --yes")
    server = session.login().server
    what = "llmos and all its data" if delete_data else "llmos"
    if not click.confirm(f"Take {what} out of {server}?", err=True):
        raise Failure("nothing was changed")
