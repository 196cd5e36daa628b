"""``llmos install``: put the platform into a cluster."""

from difflib import unified_diff
from typing import Any

import click
import yaml

from llmos.apimachinery.object import Object
from llmos.cli.failures import ExitCode, Failure
from llmos.cli.options import examples, first_password, output_option, server_options
from llmos.cli.outcomes import row, show_outcomes
from llmos.cli.output import show, without_managed_fields
from llmos.cli.session import Session, Work, note, pass_session
from llmos.client.client import Client
from llmos.installation.installing import Installer, Result, Wish
from llmos.installation.outcome import Action, InstallationError


@click.command(
    epilog=examples(
        "llmos install --context production",
        "llmos install --dry-run",
        "llmos install --diff",
    )
)
@click.option("--dry-run", is_flag=True, help="Ask the server what would change; change nothing.")
@click.option("--diff", is_flag=True, help="Show what would change line by line; change nothing.")
@click.option(
    "--force-conflicts",
    is_flag=True,
    help="Take over objects of the platform's names that it did not make.",
)
@output_option("json", "yaml", "name")
@server_options
@pass_session
def install(
    session: Session, *, dry_run: bool, diff: bool, force_conflicts: bool, output: str | None
) -> None:
    """Install the platform in a cluster, or bring what is installed up to date.

    Run it as a cluster operator, with the cluster's own kubeconfig. It makes namespaces, kinds,
    admission policies and roles; what is right already it does not touch. At the first time it
    makes the user admin: its password is that of the environment variable LLMOS_ADMIN_PASSWORD;
    without it, a one-time password is made and printed once. It starts nothing: users sign in at
    "llmos proxy".

    With --diff the exit code is 0 if nothing would change, 1 if something would, and greater if it
    could not be found out.
    """
    wish = Wish(dry_run=dry_run or diff, force=force_conflicts, password=first_password())

    def deliver(once: str) -> None:
        click.echo(f"one-time password of the user admin: {once}", err=output is not None)

    async def work(client: Client) -> Result:
        return await Installer(client, session.world.clock, wish, deliver).run()

    result = _run(session, work, diff=diff)
    if diff:
        _show_diff(result)
    else:
        _show(result, output, dry_run=dry_run)


def _run(session: Session, work: Work[Result], *, diff: bool) -> Result:
    try:
        return session.run(work)
    except InstallationError as error:
        raise Failure(str(error), ExitCode.USAGE if diff else ExitCode.FAILED) from error
    except Failure as error:
        if diff and error.code == ExitCode.FAILED:
            error.code = ExitCode.USAGE
        raise


def _show(result: Result, output: str | None, *, dry_run: bool) -> None:
    if output in ("json", "yaml"):
        objects = [row(each) for each in result.outcomes]
        shown: dict[str, Any] = {"objects": objects, "dryRun": dry_run, "admin": result.admin}
        if result.one_time_password:
            shown["oneTimePassword"] = result.one_time_password
        show(shown, output)
        return
    show_outcomes(result.outcomes, output)
    if not output:
        _summary(result, dry_run=dry_run)


def _summary(result: Result, *, dry_run: bool) -> None:
    """Say what was done in a line, and what comes next."""
    made = sum(each.action is Action.CREATED for each in result.changes)
    counts = f"{made} created, {len(result.changes) - made} changed"
    counts += f", {len(result.outcomes) - len(result.changes)} as they should be"
    if dry_run:
        note(f"Nothing was changed; it would be: {counts}.")
        return
    if not result.changes and result.admin is Action.UNCHANGED:
        note(f"llmos is installed: {counts}.")
        return
    note(f"llmos is installed: {counts}.")
    note("Next: run llmos proxy (charts/llmos) in the cluster, and sign in there as admin:")
    note("  llmos login https://… --username admin")


def _text(obj: Object | None) -> list[str]:
    if obj is None:
        return []
    text = yaml.safe_dump(without_managed_fields(obj), sort_keys=True, allow_unicode=True)
    return text.splitlines(keepends=True)


def _show_diff(result: Result) -> None:
    """As ``kubectl diff`` shows it."""
    for each in result.changes:
        name = str(each.place)
        lines = unified_diff(
            _text(each.before), _text(each.after), f"LIVE/{name}", f"MERGED/{name}"
        )
        click.echo("".join(lines), nl=False)
    if result.changes or result.admin is Action.CREATED:
        click.get_current_context().exit(ExitCode.FAILED)
