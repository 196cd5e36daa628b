"""The llmos users in memory: who they are, whether they may sign in, and their groups.

Fed with every event of ``users.management.llmos.ai``; read by tokens, logins and impersonation.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from llmos.apimachinery.object import Object, get_path, is_terminating, name_of, uid_of
from llmos.apis.authentication_v1 import (
    ADMINS_GROUP,
    AUTHENTICATED_GROUP,
    USERS_GROUP,
    UserInfo,
)
from llmos.apis.usernames import login_name

IsAdmin = Callable[[str, tuple[str, ...]], bool]
"""``(user name, groups)``: whether a binding in force makes him an admin; asked every time."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_RESERVED_GROUPS = ("system:", "llmos:")


@dataclass(frozen=True, slots=True)
class Account:
    """What authentication knows of a User."""

    name: str
    uid: str
    username: str
    """Normalised."""
    active: bool
    groups: tuple[str, ...]
    created: str
    plain: UserInfo
    admin: UserInfo
    """The identity while he is an admin."""

    @property
    def names(self) -> tuple[str, str]:
        """What he is called: no password of his may be one of these."""
        return self.name, self.username


def _is_group(group: object) -> bool:
    """Whether an admin may give this group: not reserved, and the same in a header as here."""
    return (
        isinstance(group, str)
        and bool(group)
        and group == group.strip()
        and group.isprintable()
        and not group.startswith(_RESERVED_GROUPS)
    )


def read_account(user: Object) -> Account | None:
    """Read a User; None when its name or uid cannot be an identity's."""
    name, uid = name_of(user), uid_of(user)
    if not (_NAME.fullmatch(name) and uid):
        return None
    spec = user.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    given = spec.get("groups")
    given = given if isinstance(given, list) else []
    groups = tuple(dict.fromkeys(each for each in given if _is_group(each)))
    return Account(
        name=name,
        uid=uid,
        username=login_name(user),
        active=spec.get("isActive", True) is True and not is_terminating(user),
        groups=groups,
        created=str(get_path(user, "metadata", "creationTimestamp", default="")),
        plain=UserInfo(name, uid, (*groups, USERS_GROUP, AUTHENTICATED_GROUP)),
        admin=UserInfo(name, uid, (*groups, USERS_GROUP, ADMINS_GROUP, AUTHENTICATED_GROUP)),
    )


class Users:
    """All users, by name and by the name they sign in with."""

    def __init__(self, is_admin: IsAdmin) -> None:
        self._is_admin = is_admin
        self._accounts: dict[str, Account] = {}
        self._by_username: dict[str, set[str]] = {}

    def set(self, user: Object) -> None:
        """Take in a User that was added or changed."""
        self.delete(user)
        account = read_account(user)
        if account is None:
            return
        self._accounts[account.name] = account
        self._by_username.setdefault(account.username, set()).add(account.name)

    def delete(self, user: Object) -> None:
        """Forget a User that was deleted."""
        account = self._accounts.pop(name_of(user), None)
        if account is None:
            return
        names = self._by_username[account.username]
        names.discard(account.name)
        if not names:
            del self._by_username[account.username]

    def get(self, name: str) -> Account | None:
        """The user of a name, whether active or not."""
        return self._accounts.get(name)

    def by_username(self, username: str) -> Account | None:
        """The user who signs in with a (normalised) name; of several the one who had it first."""
        found = [self._accounts[name] for name in self._by_username.get(username, ())]
        return min(found, key=lambda each: (each.created, each.name), default=None)

    def info(self, name: str, uid: str) -> UserInfo | None:
        """The identity of this very user now; None when he is inactive, deleted or another."""
        account = self._accounts.get(name)
        if account is None or account.uid != uid or not account.active:
            return None
        return account.admin if self._is_admin(name, account.groups) else account.plain
