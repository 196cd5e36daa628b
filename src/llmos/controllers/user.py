"""Users: the roles that a new one begins with, and what the status says of everyone.

``status.isAdmin`` and ``status.isActive`` are for reading only: they mirror bindings and spec, and
nothing decides by them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import AlreadyExistsError
from llmos.apimachinery.object import (
    Object,
    find_condition,
    get_path,
    is_terminating,
    name_of,
    uid_of,
)
from llmos.apis.authentication_v1 import AUTHENTICATED_GROUP, USERS_GROUP
from llmos.apis.role_template_bindings import (
    recorded_users,
    role_of,
    subjects_of,
    users_of,
)
from llmos.client.client import Client
from llmos.client.resources import (
    GLOBAL_ROLES,
    MANAGEMENT_GROUP,
    RBAC_GROUP,
    ROLE_TEMPLATE_BINDINGS,
    USERS,
)
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Informer, Informers
from llmos.reconcile.owned import controller_reference, short, short_uid
from llmos.reconcile.status import condition, report, with_conditions
from llmos.reconcile.workqueue import Key

_ADMIN = ("GlobalRole", "admin")
_BY_ROLE = "roleTemplateRef"
_BOUND = "DefaultRolesBound"
_EVERYBODY = frozenset({USERS_GROUP, AUTHENTICATED_GROUP})


def desired(user: Object, roles: Iterable[Object]) -> list[Object]:
    """The bindings that a new user gets: one for each GlobalRole that is a default."""
    return [
        {
            "metadata": {
                "name": f"user-default-{short(name_of(role))}-{short_uid(user)}",
                "ownerReferences": [controller_reference(user)],
            },
            "roleTemplateRef": {
                "apiGroup": MANAGEMENT_GROUP,
                "kind": "GlobalRole",
                "name": name_of(role),
            },
            "subjects": [{"apiGroup": RBAC_GROUP, "kind": "User", "name": name_of(user)}],
        }
        for role in sorted(roles, key=name_of)
        if get_path(role, "spec", "newUserDefault") is True and not is_terminating(role)
    ]


def makes_admin(binding: Object, user: Object) -> bool:
    """Whether a binding makes this very user an admin."""
    in_force = find_condition(binding, "InForce") or {}
    if role_of(binding) != _ADMIN or in_force.get("status") != "True" or is_terminating(binding):
        return False
    name = name_of(user)
    if recorded_users(binding).get(name, uid_of(user)) != uid_of(user):
        return False
    groups = _EVERYBODY.union(get_path(user, "spec", "groups", default=None) or ())
    return any(
        each["name"] == name if each["kind"] == "User" else each["name"] in groups
        for each in subjects_of(binding)
    )


@dataclass(frozen=True, slots=True)
class UserReconciler:
    """Keeps the status of users, and binds new ones."""

    client: Client
    clock: Clock
    users: Informer
    global_roles: Informer
    bindings: Informer

    async def reconcile(self, key: Key) -> Result:
        """Bind a new user to the default roles, once; mirror his rights."""
        user = self.users.get("", key.name)
        if user is None or is_terminating(user):
            return DONE
        if find_condition(user, _BOUND) is None:
            await self._bind(user)
        bound = condition(_BOUND, "Bound", "the default roles were bound", holds=True)
        admins = self.bindings.by_index(_BY_ROLE, "/".join(_ADMIN))
        status = {
            "isAdmin": any(makes_admin(each, user) for each in admins),
            "isActive": get_path(user, "spec", "isActive", default=True) is True,
            "conditions": with_conditions(user, [bound], self.clock()),
        }
        await report(self.client, USERS, user, status)
        return DONE

    async def _bind(self, user: Object) -> None:
        for binding in desired(user, self.global_roles.list()):
            try:
                await self.client.create(ROLE_TEMPLATE_BINDINGS, binding)
            except AlreadyExistsError:
                continue


def user_controller(client: Client, informers: Informers, clock: Clock) -> Controller:
    """User → bindings to the default GlobalRoles; status."""
    users = informers.informer(USERS)
    bindings = informers.informer(ROLE_TEMPLATE_BINDINGS)
    bindings.add_index(_BY_ROLE, lambda obj: ["/".join(role_of(obj))])
    roles = informers.informer(GLOBAL_ROLES)

    def concerned(binding: Object) -> Iterable[Key]:
        """The users whom a binding makes admins; for a group that may be anybody."""
        if role_of(binding) != _ADMIN:
            return ()
        groups = any(each["kind"] == "Group" for each in subjects_of(binding))
        names = (name_of(each) for each in users.list()) if groups else users_of(binding)
        return [Key("", each) for each in names]

    reconciler = UserReconciler(client, clock, users, roles, bindings)
    controller = Controller("user", reconciler, clock)
    return controller.watch(users).watch(bindings, concerned)
