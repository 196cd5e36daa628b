"""``llmos user``: the people who sign in."""

from dataclasses import dataclass, field
from typing import Any

import click

from llmos.apimachinery.duration import age
from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.object import Object, get_path, name_of, uid_of
from llmos.cli import accounts, members, passwords
from llmos.cli.members import Member
from llmos.cli.options import examples, output_option, server_options
from llmos.cli.output import Column, show, show_done, show_list, show_one
from llmos.cli.session import Session, note, pass_session
from llmos.client.client import Client, delete_options
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import MANAGEMENT_GROUP, ROLE_TEMPLATE_BINDINGS, USERS


@click.group()
def user() -> None:
    """Manage users: for administrators, but for one's own password."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A user to be."""

    name: str
    display_name: str | None
    groups: tuple[str, ...]
    admin: bool
    password: str | None = field(repr=False)

    def manifest(self) -> Object:
        """The User; the server keeps the password elsewhere."""
        spec: Object = {"username": self.name, "isActive": True}
        optional = {"displayName": self.display_name, "groups": list(dict.fromkeys(self.groups))}
        spec |= {key: value for key, value in optional.items() if value}
        if self.password is not None:
            spec["password"] = self.password
        return {"metadata": {"name": self.name}, "spec": spec}

    def admin_binding(self) -> Object:
        """What makes the user an administrator."""
        name = members.binding_name("admin", members.Membership(Member("User", self.name), "admin"))
        return {
            "metadata": {"name": name},
            "roleTemplateRef": {
                "apiGroup": MANAGEMENT_GROUP,
                "kind": "GlobalRole",
                "name": "admin",
            },
            "subjects": [{"kind": "User", "name": self.name}],
        }


@user.command(
    epilog=examples("llmos user create alice --display-name 'Alice Liddell' --group vision")
)
@click.argument("name")
@click.option("--display-name", metavar="TEXT", help="The name that others see.")
@click.option("--admin", is_flag=True, help="Make the user an administrator.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="A group the user is in. May be given several times.",
)
@click.option("--password-stdin", is_flag=True, help="Read the user's password from stdin.")
@output_option("json", "yaml", "name")
@server_options
@pass_session
def create(session: Session, /, output: str | None, *, password_stdin: bool, **person: Any) -> None:
    """Create a user.

    Without --password-stdin a one-time password is made and printed once: the user signs in with it
    and chooses his own. With -o json or yaml it is the field oneTimePassword of the answer; with
    -o name it goes to stderr, so that stdout holds the name alone.

    It works as a whole or not at all.
    """
    wanted = Wanted(**person, password=passwords.read_lines(1)[0] if password_stdin else None)
    made, once = session.run(lambda client: _create(client, wanted))
    if once and output in ("json", "yaml"):
        show({**made, "oneTimePassword": once}, output)
        return
    show_done(USERS, made, output, "created")
    if once:
        click.echo(f"one-time password: {once}", err=output == "name")


async def _create(client: Client, wanted: Wanted) -> tuple[Object, str | None]:
    """Make the user, his rights and his password, or nothing."""
    made = await client.create(USERS, wanted.manifest())
    try:
        if wanted.admin:
            await _make_admin(client, wanted)
        if wanted.password is None:
            return made, await accounts.give_password(client, wanted.name)
    except BaseException:
        await _take_back(client, made)
        raise
    return made, None


async def _make_admin(client: Client, wanted: Wanted) -> None:
    binding = await client.create(ROLE_TEMPLATE_BINDINGS, wanted.admin_binding())
    await members.settled(client, binding)


async def _take_back(client: Client, made: Object) -> None:
    """Delete the user; his bindings go with him."""
    try:
        await client.delete(USERS, "", name_of(made), delete_options(uid=uid_of(made)))
    except (StatusError, ConnectionFailedError):
        note(f"The user is left: llmos user delete {name_of(made)}")


def _truth(obj: Object, key: str, *, default: bool) -> str:
    value = get_path(obj, "status", key)
    value = get_path(obj, "spec", key, default=default) if value is None else value
    return "yes" if value else "no"


def _columns(now: float) -> list[Column]:
    return [
        Column("NAME", name_of),
        Column("DISPLAY NAME", lambda obj: get_path(obj, "spec", "displayName", default="")),
        Column("GROUPS", lambda obj: ",".join(get_path(obj, "spec", "groups", default=None) or ())),
        Column("ADMIN", lambda obj: _truth(obj, "isAdmin", default=False)),
        Column("ACTIVE", lambda obj: _truth(obj, "isActive", default=True)),
        Column("AGE", lambda obj: age(get_path(obj, "metadata", "creationTimestamp"), now)),
    ]


@user.command("list")
@output_option("json", "yaml", "name")
@server_options
@pass_session
def list_users(session: Session, output: str | None) -> None:
    """List users; who is no administrator sees himself."""
    found = session.run(lambda client: client.list(USERS))
    show_list(USERS, found, output, _columns(session.world.clock()))


@user.command()
@click.argument("name")
@output_option("json", "yaml", "name")
@server_options
@pass_session
def get(session: Session, name: str, output: str | None) -> None:
    """Show one user."""
    found = session.run(lambda client: client.get(USERS, "", name))
    show_one(USERS, found, output, _columns(session.world.clock()))


@user.command()
@click.argument("name")
@server_options
@pass_session
def delete(session: Session, name: str) -> None:
    """Delete a user; his sessions, tokens and roles end.

    Whoever gets the name later inherits nothing. To keep an account for later, deactivate it.
    """
    session.run(lambda client: client.delete(USERS, "", name))
    click.echo(f"user.{MANAGEMENT_GROUP}/{name} deleted")


def _set_active(session: Session, name: str, *, active: bool) -> None:
    patch = {"spec": {"isActive": active}}
    changed = session.run(lambda client: client.patch(USERS, "", name, patch))
    show_done(USERS, changed, None, "activated" if active else "deactivated")


@user.command()
@click.argument("name")
@server_options
@pass_session
def activate(session: Session, name: str) -> None:
    """Let a user sign in again."""
    _set_active(session, name, active=True)


@user.command()
@click.argument("name")
@server_options
@pass_session
def deactivate(session: Session, name: str) -> None:
    """Keep a user out: no password, session or token of his works until he is activated again."""
    _set_active(session, name, active=False)


@user.command()
@click.argument("name")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the new password from stdin; one's own: the current one, then the new one.",
)
@server_options
@pass_session
def password(session: Session, name: str, *, password_stdin: bool) -> None:
    """Change a password.

    One's own: the current and the new one are asked for. Another user's (for administrators): a
    one-time password is made and printed, with which he signs in and chooses his own; or, with
    --password-stdin, the new one is read from stdin, and he has to change it when he signs in.
    """
    own = session.run(accounts.whoami)["user"]["username"] == name
    if own:
        current, new = _own_passwords(session, stdin=password_stdin)
        session.run(lambda client: accounts.change_password(client, current, new))
        click.echo("Your password is changed; your other sessions have ended.")
        return
    given = passwords.read_lines(1)[0] if password_stdin else None
    once = session.run(lambda client: accounts.give_password(client, name, given))
    note(f"The sessions of {name} have ended.")
    click.echo(f"one-time password: {once}" if once else f"The password of {name} is changed.")


def _own_passwords(session: Session, *, stdin: bool) -> tuple[str, str]:
    if stdin:
        current, new = passwords.read_lines(2)
        return current, new
    return passwords.ask(session, "Current password"), passwords.ask_new(session)
