"""``llmos member``: who may do what in a namespace."""

from collections.abc import Callable
from typing import Any

import click

from llmos.apimachinery.duration import age
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apis.role_template_bindings import granter_of, subjects_of
from llmos.cli import members
from llmos.cli.failures import one_line
from llmos.cli.members import Member, Membership, template_of
from llmos.cli.options import output_option, server_options
from llmos.cli.output import Column, full_name, show, show_list, table
from llmos.cli.session import Session, note, pass_session, warn
from llmos.client.client import Client
from llmos.client.resources import NAMESPACES, ROLE_TEMPLATE_BINDINGS


@click.group()
def member() -> None:
    """Manage the members of a namespace.

    Roles are owner, editor and readonly, or the name of any RoleTemplate. Administrators manage the
    members of every namespace, owners those of their own.
    """


_namespace_option = click.option(
    "-n", "--namespace", required=True, metavar="NAMESPACE", help="The namespace."
)
_role_option = click.option(
    "--role",
    required=True,
    metavar="ROLE",
    help="owner, editor, readonly, or the name of a RoleTemplate.",
)


def _who_options(command: Callable[..., Any]) -> Callable[..., Any]:
    user = click.option("--user", metavar="USER", help="A user, by the name of its User object.")
    group = click.option("--group", metavar="GROUP", help="A group of users.")
    return user(group(command))


def _who(user: str | None, group: str | None) -> Member:
    if bool(user) is bool(group):
        raise click.UsageError("give either --user or --group")
    return Member("User", user) if user else Member("Group", str(group))


@member.command("list")
@_namespace_option
@output_option("json", "yaml", "name")
@server_options
@pass_session
def list_members(session: Session, namespace: str, output: str | None) -> None:
    """List who has which role in a namespace, who granted it, and whether it is in force."""

    async def work(client: Client) -> list[Object]:
        found = await members.bindings_of(client, namespace)
        if not found:
            await client.get(NAMESPACES, "", namespace)
        return found

    bindings = session.run(work)
    if output:
        show_list(ROLE_TEMPLATE_BINDINGS, bindings, output, ())
        return
    if not bindings:
        note(f"The namespace {namespace} has no members.")
        return
    rows = [{**each, "subject": subject} for each in bindings for subject in subjects_of(each)]
    click.echo(table(_columns(session.world.clock()), rows))


def _columns(now: float) -> list[Column]:
    return [
        Column("NAME", lambda row: row["subject"]["name"]),
        Column("KIND", lambda row: row["subject"]["kind"]),
        Column("ROLE", members.role_word),
        Column("GRANTED BY", lambda row: granter_of(row) or "the platform"),
        Column("SINCE", lambda row: age(get_path(row, "metadata", "creationTimestamp"), now)),
        Column("STATUS", _status),
        Column("BINDING", name_of),
    ]


def _status(row: Object) -> str:
    why = members.why_not_in_force(row)
    if why:
        return why
    ends = row.get("expiresAt")
    return f"InForce until {ends}" if ends else "InForce"


@member.command("add")
@_namespace_option
@_who_options
@_role_option
@output_option("json", "yaml", "name")
@server_options
@pass_session
def add_member(
    session: Session,
    namespace: str,
    user: str | None,
    group: str | None,
    role: str,
    output: str | None,
) -> None:
    """Give a user or a group a role in a namespace.

    Roles add up: a member who has a role keeps it. To change it, use "llmos member set".
    """
    membership = Membership(_who(user, group), template_of(role))

    async def work(client: Client) -> Object:
        made = await members.add(client, namespace, membership)
        return await members.settled(client, made)

    _show(session.run(work), membership, output)


@member.command("set")
@_namespace_option
@_who_options
@_role_option
@output_option("json", "yaml", "name")
@server_options
@pass_session
def set_member(
    session: Session,
    namespace: str,
    user: str | None,
    group: str | None,
    role: str,
    output: str | None,
) -> None:
    """Give a member another role in place of those that he has.

    The new role is in force before the old ones end. If it does not come into force, the old ones
    stay.
    """
    membership = Membership(_who(user, group), template_of(role))
    binding = session.run(lambda client: members.set_role(client, namespace, membership))
    _show(binding, membership, output)


@member.command("remove")
@_namespace_option
@_who_options
@server_options
@pass_session
def remove_member(session: Session, namespace: str, user: str | None, group: str | None) -> None:
    """Take every role in a namespace from a user or a group.

    Bindings that name others too stay in force for these. Roles that a user has through a group
    stay: remove the group, or take the user out of it.
    """
    who = _who(user, group)
    session.run(lambda client: members.remove(client, namespace, who))
    click.echo(one_line(f"{who} is no member of {namespace} any more"))


def _show(binding: Object, membership: Membership, output: str | None) -> None:
    tell_if_not_in_force(binding)
    if output == "name":
        click.echo(full_name(ROLE_TEMPLATE_BINDINGS, name_of(binding)))
    elif output:
        show(binding, output)
    else:
        who, role = membership.member, members.role_word(binding)
        click.echo(one_line(f"{who} is {role} in {binding['namespaceId']}"))


def tell_if_not_in_force(binding: Object) -> None:
    """Warn of a binding that gives nobody anything yet."""
    why = members.why_not_in_force(binding)
    if why:
        warn(f"the role is not in force yet ({why}): see llmos member list")
    for name in members.unknown_users(binding):
        warn(f"there is no user {name}: the role waits for one of this name")
