"""Members of a namespace are RoleTemplateBindings: how they are named, made, changed and removed.

``llmos namespace create`` and ``llmos member`` use it. One binding for each member and role, with
a name that follows from both, so that two people who do the same do it once.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from llmos.apimachinery.errors import AlreadyExistsError, ConflictError, NotFoundError
from llmos.apimachinery.object import (
    Object,
    find_condition,
    get_path,
    name_of,
    resource_version_of,
    uid_of,
)
from llmos.apis.role_template_bindings import role_of, subjects_of
from llmos.cli.failures import Failure
from llmos.client.client import Client, delete_options
from llmos.client.resources import MANAGEMENT_GROUP, ROLE_TEMPLATE_BINDINGS

ROLES = {
    "owner": "namespace-owner",
    "editor": "namespace-editor",
    "readonly": "namespace-readonly",
}
"""Words for the built-in role templates; any other role is the name of a template."""
_WORDS = {template: word for word, template in ROLES.items()}
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_ATTEMPTS = 5
_STEPS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
"""Pauses while a controller puts a binding into force, three seconds in all."""

Sleep = Callable[[float], Awaitable[None]]


class Member(NamedTuple):
    """Who: a user or a group."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"group {self.name}" if self.kind == "Group" else self.name


class Membership(NamedTuple):
    """Who, and as what."""

    member: Member
    template: str


def template_of(role: str) -> str:
    """The role template that a role's word means."""
    return ROLES.get(role, role)


def role_word(binding: Object) -> str:
    """The role of a binding as people say it."""
    template = role_of(binding)[1]
    return _WORDS.get(template, template)


def parse_membership(text: str) -> Membership:
    """Read ``USER=ROLE`` or ``group:NAME=ROLE``.

    Raises:
        ValueError: it is neither.
    """
    who, _, role = text.rpartition("=")
    kind, name = ("Group", who[6:]) if who.startswith("group:") else ("User", who)
    if not (name and role):
        raise ValueError(f"{text!r} is neither USER=ROLE nor group:NAME=ROLE")
    return Membership(Member(kind, name), template_of(role))


def binding_name(namespace: str, membership: Membership) -> str:
    """A readable name that is another one for every membership."""
    member, template = membership
    exact = "\n".join((namespace, *member, template)).encode()
    readable = _NOT_IN_NAMES.sub("-", member.name.lower())[:40].strip("-") or member.kind.lower()
    return f"{namespace}-{readable}-{hashlib.sha256(exact).hexdigest()[:8]}"


def new_binding(namespace: str, membership: Membership) -> Object:
    """The binding of a membership."""
    member, template = membership
    return {
        "metadata": {"name": binding_name(namespace, membership)},
        "roleTemplateRef": {
            "apiGroup": MANAGEMENT_GROUP,
            "kind": "RoleTemplate",
            "name": template,
        },
        "subjects": [{"kind": member.kind, "name": member.name}],
        "namespaceId": namespace,
    }


def has_member(binding: Object, member: Member) -> bool:
    """Whether a binding is about somebody."""
    return any((each["kind"], each["name"]) == member for each in subjects_of(binding))


def why_not_in_force(binding: Object) -> str:
    """What the controller found about a binding; ``""``: it is in force."""
    found = find_condition(binding, "InForce")
    if found is None:
        return "Pending"
    return "" if found.get("status") == "True" else str(found.get("reason") or "Unknown")


def unknown_users(binding: Object) -> list[str]:
    """Users of a binding who do not exist (yet), as far as its controller has said."""
    known = {each["name"] for each in get_path(binding, "status", "subjects", default=None) or ()}
    users = [each["name"] for each in subjects_of(binding) if each["kind"] == "User"]
    return [] if why_not_in_force(binding) else [each for each in users if each not in known]


async def bindings_of(client: Client, namespace: str) -> list[Object]:
    """The bindings that give roles in a namespace, oldest first."""
    found = [
        each
        for each in await client.list(ROLE_TEMPLATE_BINDINGS)
        if each.get("namespaceId") == namespace and role_of(each)[0] == "RoleTemplate"
    ]
    return sorted(found, key=lambda each: (each["metadata"]["creationTimestamp"], name_of(each)))


async def add(client: Client, namespace: str, membership: Membership) -> Object:
    """Give somebody a role.

    Raises:
        AlreadyExistsError: he has it already.
        StatusError: the server refused.
    """
    wanted = new_binding(namespace, membership)
    try:
        return await client.create(ROLE_TEMPLATE_BINDINGS, wanted)
    except AlreadyExistsError:
        old = await client.get(ROLE_TEMPLATE_BINDINGS, "", name_of(wanted))
        if not why_not_in_force(old) and has_member(old, membership.member):
            who, role = str(membership.member), role_word(old)
            raise AlreadyExistsError(f"{who} is already {role} in {namespace}") from None
    # What is left of an earlier user or namespace of this name gives nobody anything.
    await delete(client, old)
    return await client.create(ROLE_TEMPLATE_BINDINGS, wanted)


async def delete(client: Client, binding: Object) -> None:
    """Delete the version of a binding that was read.

    Raises:
        ConflictError: it is not that any more.
    """
    options = delete_options(uid=uid_of(binding), resource_version=resource_version_of(binding))
    await client.delete(ROLE_TEMPLATE_BINDINGS, "", name_of(binding), options)


async def discard(client: Client, binding: Object) -> None:
    """Delete a binding that was made just now, in whatever version it is."""
    options = delete_options(uid=uid_of(binding))
    await client.delete(ROLE_TEMPLATE_BINDINGS, "", name_of(binding), options)


async def settled(client: Client, binding: Object, sleep: Sleep = asyncio.sleep) -> Object:
    """The binding once it is in force, or as it is after three seconds."""
    for pause in _STEPS:
        binding = await client.get(ROLE_TEMPLATE_BINDINGS, "", name_of(binding))
        if not why_not_in_force(binding):
            return binding
        await sleep(pause)
    return binding


async def set_role(
    client: Client, namespace: str, membership: Membership, sleep: Sleep = asyncio.sleep
) -> Object:
    """Give a member another role, without a moment in which he has none.

    Raises:
        NotFoundError: he is no member.
        Failure: the new role does not come into force; the old one stays.
        StatusError: the server refused.
    """
    member, template = membership
    mine = [each for each in await bindings_of(client, namespace) if has_member(each, member)]
    if not mine:
        raise not_a_member(namespace, member)
    alone = [each for each in mine if role_of(each)[1] == template and not why_not_in_force(each)]
    made = not alone
    new = alone[0] if alone else await add(client, namespace, membership)
    new = await settled(client, new, sleep)
    if why := why_not_in_force(new):
        if made:
            await discard(client, new)
        raise Failure(f"the new role of {member} is not in force ({why}): the old one stays")
    for each in _owners_last(mine):
        if name_of(each) != name_of(new):
            await _remove_subject(client, each, member)
    return new


async def remove(client: Client, namespace: str, member: Member) -> list[str]:
    """Take every role in a namespace from somebody; gives the names of the bindings.

    Raises:
        NotFoundError: he is no member.
        StatusError: the server refused.
    """
    mine = [each for each in await bindings_of(client, namespace) if has_member(each, member)]
    if not mine:
        raise not_a_member(namespace, member)
    for each in _owners_last(mine):
        await _remove_subject(client, each, member)
    return [name_of(each) for each in mine]


def not_a_member(namespace: str, member: Member) -> NotFoundError:
    """Say that somebody has no role in a namespace."""
    return NotFoundError(f"{member} is no member of {namespace}")


def _owners_last(bindings: list[Object]) -> list[Object]:
    """What gives the right to change members goes last: it may be one's own."""
    return sorted(bindings, key=lambda each: role_word(each) == "owner")


async def _remove_subject(client: Client, binding: Object, member: Member) -> None:
    """Take somebody out of a binding, and delete it when nobody is left; others' changes stay."""
    for attempt in range(1, _ATTEMPTS + 1):
        kept = [
            each
            for each in binding.get("subjects") or ()
            if (each.get("kind"), each.get("name")) != member
        ]
        version = {"resourceVersion": resource_version_of(binding)}
        place = ("", name_of(binding))
        try:
            if kept:
                patch = {"metadata": version, "subjects": kept}
                await client.patch(ROLE_TEMPLATE_BINDINGS, *place, patch)
            else:
                await delete(client, binding)
        except NotFoundError:
            return
        except ConflictError:
            if attempt == _ATTEMPTS:
                raise
            try:
                binding = await client.get(ROLE_TEMPLATE_BINDINGS, *place)
            except NotFoundError:
                return
        else:
            return
