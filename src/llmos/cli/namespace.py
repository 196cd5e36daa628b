"""``llmos namespace``: make, see and delete namespaces."""

import asyncio
from dataclasses import dataclass

import click

from llmos.apimachinery.duration import age
from llmos.apimachinery.errors import NotFoundError, StatusError
from llmos.apimachinery.object import Object, annotations_of, get_path, name_of, uid_of
from llmos.cli import members
from llmos.cli.failures import Failure, failure_from
from llmos.cli.member import tell_if_not_in_force
from llmos.cli.members import Membership, parse_membership
from llmos.cli.options import examples, output_option, server_options
from llmos.cli.output import Column, shortened, show_done, show_list, show_one
from llmos.cli.session import Session, note, pass_session
from llmos.client.client import Client, delete_options
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import NAMESPACES

DESCRIPTION = "kubernetes.io/description"
"""The annotation that says what a namespace is for."""


@click.group()
def namespace() -> None:
    """Manage namespaces: only administrators create and delete them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A namespace to be, with its members."""

    name: str
    description: str | None
    members: tuple[Membership, ...]

    def manifest(self) -> Object:
        """The Namespace."""
        meta: Object = {"name": self.name}
        if self.description:
            meta["annotations"] = {DESCRIPTION: self.description}
        return {"metadata": meta}


def _memberships(
    _: click.Context, __: click.Parameter, texts: tuple[str, ...]
) -> tuple[Membership, ...]:
    try:
        return tuple(dict.fromkeys(parse_membership(each) for each in texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@namespace.command(
    epilog=examples(
        "llmos namespace create team-vision --description 'Vision team' \\",
        "  --member alice=owner --member group:vision=editor",
    )
)
@click.argument("name")
@click.option("--description", metavar="TEXT", help="What the namespace is for.")
@click.option(
    "--member",
    "memberships",
    multiple=True,
    callback=_memberships,
    metavar="[group:]NAME=ROLE",
    help="A first member: owner, editor, readonly or a RoleTemplate. May be given several times.",
)
@output_option("json", "yaml", "name")
@server_options
@pass_session
def create(
    session: Session,
    name: str,
    description: str | None,
    memberships: tuple[Membership, ...],
    output: str | None,
) -> None:
    """Create a namespace, and give its first members their roles.

    It works as a whole or not at all: if a member is refused, the namespace goes again.
    """
    wanted = Wanted(name, description, memberships)
    made, bindings = session.run(lambda client: _create(client, wanted))
    for binding in bindings:
        tell_if_not_in_force(binding)
    show_done(NAMESPACES, made, output, "created")
    for membership, binding in zip(memberships, bindings, strict=True):
        if not output:
            click.echo(f"{membership.member} is {members.role_word(binding)} in {name}")


async def _create(client: Client, wanted: Wanted) -> tuple[Object, list[Object]]:
    """Make the namespace and the bindings of its members, or nothing."""
    made = await client.create(NAMESPACES, wanted.manifest())
    bindings: list[Object] = []
    try:
        for each in wanted.members:
            made_member = await _add(client, wanted.name, each)
            bindings.append(made_member)
    except BaseException as error:
        left = await _take_back(client, made, bindings)
        if not isinstance(error, Failure):
            raise
        raise Failure(f"{error.message}; {left}", error.code) from error
    return made, [await members.settled(client, each) for each in bindings]


async def _add(client: Client, name: str, membership: Membership) -> Object:
    try:
        return await members.add(client, name, membership)
    except (StatusError, ConnectionFailedError) as error:
        failure = failure_from(error)
        why = f"cannot make {membership.member} a member: {failure.message}"
        raise Failure(why, failure.code) from error


async def _take_back(client: Client, made: Object, bindings: list[Object]) -> str:
    """Delete what was made; says in words what is left."""
    try:
        for each in bindings:
            await members.discard(client, each)
        await client.delete(NAMESPACES, "", name_of(made), delete_options(uid=uid_of(made)))
    except NotFoundError:
        return "nothing was created"
    except (StatusError, ConnectionFailedError):
        return f"the namespace is left: llmos namespace delete {name_of(made)}"
    return "nothing was created"


def _columns(now: float) -> list[Column]:
    return [
        Column("NAME", name_of),
        Column("STATUS", lambda obj: str(get_path(obj, "status", "phase", default=""))),
        Column("DESCRIPTION", lambda obj: shortened(annotations_of(obj).get(DESCRIPTION, ""))),
        Column("AGE", lambda obj: age(get_path(obj, "metadata", "creationTimestamp"), now)),
    ]


@namespace.command("list")
@output_option("json", "yaml", "name")
@server_options
@pass_session
def list_namespaces(session: Session, output: str | None) -> None:
    """List the namespaces that you may see."""
    found = session.run(lambda client: client.list(NAMESPACES))
    show_list(NAMESPACES, found, output, _columns(session.world.clock()))


@namespace.command()
@click.argument("name")
@output_option("json", "yaml", "name")
@server_options
@pass_session
def get(session: Session, name: str, output: str | None) -> None:
    """Show one namespace."""
    found = session.run(lambda client: client.get(NAMESPACES, "", name))
    show_one(NAMESPACES, found, output, _columns(session.world.clock()))


@namespace.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it is gone.")
@server_options
@pass_session
def delete(session: Session, name: str, *, yes: bool, wait: bool) -> None:
    """Delete a namespace and everything in it.

    Its name has to be typed once more, unless --yes is given.
    """
    if not yes:
        _confirm(session, name)
    session.run(lambda client: _delete(client, name, wait=wait))
    click.echo(f"namespace/{name} {'deleted' if wait else 'is being deleted'}")


def _confirm(session: Session, name: str) -> None:
    if not session.world.interactive():
        raise click.UsageError("there is nobody to ask: give --yes")
    note(f"Everything in the namespace {name} will be deleted, for good.")
    if click.prompt("Type its name to go on", err=True) != name:
        raise Failure("that is another name: nothing was deleted")


async def _delete(client: Client, name: str, *, wait: bool) -> None:
    answer = await client.delete(NAMESPACES, "", name)
    uid = uid_of(answer) or str(get_path(answer, "details", "uid", default=""))
    pause, said = 0.05, ""
    while wait:
        try:
            found = await client.get(NAMESPACES, "", name)
        except NotFoundError:
            return
        if uid and uid_of(found) != uid:
            return
        said = _say_what_remains(found, said)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 1.0)


def _say_what_remains(found: Object, said: str) -> str:
    """Tell whoever waits why it takes long, each reason once."""
    conditions = get_path(found, "status", "conditions", default=None) or ()
    reasons = [str(each.get("message")) for each in conditions if each.get("status") == "True"]
    text = "; ".join(reasons)
    if text and text != said:
        note(f"Waiting: {text}")
    return text
