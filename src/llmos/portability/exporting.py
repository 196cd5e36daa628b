"""Reads everything that is moved off a server, in the order in which it can be made elsewhere."""

import base64
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from llmos.apimachinery.clock import Clock, parse_rfc3339
from llmos.apimachinery.errors import ForbiddenError, NotFoundError, ServiceUnavailableError
from llmos.apimachinery.object import (
    Object,
    get_path,
    is_terminating,
    name_of,
    namespace_of,
    uid_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.apis.namespaces import SYSTEM_NAMESPACE
from llmos.client import resources
from llmos.client.client import Client
from llmos.client.discovery import discover, preferred
from llmos.manifests import load
from llmos.portability.portable import portable
from llmos.portability.selection import (
    TOKEN_TYPE,
    Ref,
    is_account,
    is_made_again,
    is_moved_namespace,
    is_moved_resource,
    is_over,
    is_own_definition,
    living_subjects,
    rank_of,
    selectorful,
)

_EVERYTHING: Object = {"spec": {"resourceAttributes": {"verb": "*", "group": "*", "resource": "*"}}}
_PLATFORM = ("roles", "cluster", "embedded")
_MOVED_TOKEN_KINDS = frozenset({"api"})


async def require_everything(client: Client) -> None:
    """Refuse whoever would read or write a part only.

    Raises:
        ForbiddenError: not everything is allowed to us.
        NotFoundError: llmos is not there.
        ConnectionFailedError: the server does not answer.
    """
    answer = await client.create(resources.SELF_SUBJECT_ACCESS_REVIEWS, _EVERYTHING)
    if get_path(answer, "status", "allowed", default=False) is not True:
        raise ForbiddenError(
            "not everything is allowed to you: an administrator of llmos or, on a cluster, its "
            "operator moves it"
        )
    try:
        await client.list_page(resources.USERS, limit=1)
    except NotFoundError as error:
        raise NotFoundError("llmos is not installed there: llmos install") from error


def platform_refs() -> set[Ref]:
    """What the platform brings along, on either engine."""
    return {Ref.of(each) for folder in _PLATFORM for each in load(folder)}


@dataclass(slots=True)
class Exporter:
    """One reading of one server."""

    client: Client
    clock: Clock
    left_out: list[str] = field(default_factory=list)
    """What is not moved although somebody might look for it."""
    users: dict[str, str] = field(default_factory=dict)
    """The uids of the users."""
    namespaces: dict[str, str] = field(default_factory=dict)
    """The uids of the namespaces that are moved."""
    shipped: set[Ref] = field(default_factory=platform_refs)
    """What the platform brings along in namespaces of users."""

    async def documents(self) -> AsyncIterator[Object]:
        """Everything, in order.

        Raises:
            StatusError: something cannot be read; nothing is left out silently.
            ConnectionFailedError: the server does not answer.
        """
        client = self.client
        await require_everything(client)
        found = await discover(client)
        if found.failed:
            raise ServiceUnavailableError(f"cannot be read: {', '.join(found.failed)}")
        users = [each for each in await client.list(resources.USERS) if not is_terminating(each)]
        self.users = {name_of(each): uid_of(each) for each in users}
        async for each in self._platform(users):
            yield each
        spaces = [
            each for each in await client.list(resources.NAMESPACES) if is_moved_namespace(each)
        ]
        self.namespaces = {name_of(each): uid_of(each) for each in spaces}
        moved = [each for each in preferred(found.resources) if is_moved_resource(each)]
        for each in await self._definitions(moved):
            yield each
        for each in _ordered(spaces):
            yield each
        async for each in self._content(moved):
            yield each
        for each in await self._bindings():
            yield each

    async def _platform(self, users: list[Object]) -> AsyncIterator[Object]:
        """Users and what is tied to them, settings and roles."""
        for each in _ordered(users):
            yield each
        secrets = await self.client.list(resources.SECRETS, SYSTEM_NAMESPACE)
        for each in _ordered(each for each in secrets if self._is_living_account(each)):
            yield each
        shipped = shipped_specs()
        kinds = (resources.SETTINGS, resources.GLOBAL_ROLES, resources.ROLE_TEMPLATES)
        found = [each for kind in kinds for each in await self.client.list(kind)]
        for each in _ordered(found):
            key = (each["kind"], name_of(each))
            if each.get("value") or key not in shipped or shipped[key] != each.get("spec"):
                yield each

    def _is_living_account(self, secret: Object) -> bool:
        if not is_account(secret) or is_terminating(secret):
            return False
        data = decoded(secret)
        if data.get("userUID") != self.users.get(data.get("user", ""), None):
            return False
        if secret["type"] != TOKEN_TYPE:
            return True
        try:
            over = parse_rfc3339(data.get("expiresAt", "")) <= self.clock()
        except ValueError:
            return False
        return data.get("kind") in _MOVED_TOKEN_KINDS and not over

    async def _definitions(self, moved: Iterable[APIResource]) -> list[Object]:
        """The definitions of those kinds of others that are in use in what is moved."""
        definitions = await self.client.list(resources.CUSTOM_RESOURCE_DEFINITIONS)
        by_resource = {(each.group, each.plural): each for each in moved}
        used = []
        for each in definitions:
            spec = each["spec"]
            resource = by_resource.get((spec["group"], spec["names"]["plural"]))
            if resource is None or is_own_definition(each):
                continue
            if any(self._is_moved(obj, set()) for obj in await self.client.list(resource)):
                used.append(each)
        return _ordered(used)

    def _is_moved(self, obj: Object, with_selector: set[tuple[str, str]]) -> bool:
        return (
            namespace_of(obj) in self.namespaces
            and not is_made_again(obj, with_selector)
            and Ref.of(obj) not in self.shipped
        )

    async def _content(self, moved: Iterable[APIResource]) -> AsyncIterator[Object]:
        with_selector: set[tuple[str, str]] = set()
        order = sorted(
            moved, key=lambda each: (rank_of(each.group, each.kind, "x"), each.group, each.kind)
        )
        for resource in order:
            found = await self.client.list(resource)
            if resource.gvk.kind == "Service" and not resource.group:
                with_selector = selectorful(found)
            for each in _ordered(each for each in found if self._is_moved(each, with_selector)):
                yield each

    async def _bindings(self) -> list[Object]:
        found = []
        for each in await self.client.list(resources.ROLE_TEMPLATE_BINDINGS):
            if is_over(each, self.users, self.namespaces, self.clock()):
                self.left_out.append(f"{Ref.of(each)}: it is not in force")
                continue
            found.append({**each, "subjects": living_subjects(each, self.users)})
        return _ordered(found)


def shipped_specs() -> dict[tuple[str, str], object]:
    """The specs of the built-in roles and settings, as the platform brings them along."""
    return {
        (each["kind"], name_of(each)): each.get("spec")
        for each in (*load("roles"), *load("settings"))
        if each["kind"] in ("GlobalRole", "RoleTemplate", "Setting")
    }


def decoded(secret: Object) -> dict[str, str]:
    """The data of a Secret that keeps an account."""
    data = secret.get("data") or {}
    return {key: base64.b64decode(each).decode(errors="replace") for key, each in data.items()}


def _ordered(objects: Iterable[Object]) -> list[Object]:
    return sorted((portable(each) for each in objects), key=Ref.of)
