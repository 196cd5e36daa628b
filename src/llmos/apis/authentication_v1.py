"""Who a request comes from: ``authentication.k8s.io/v1`` UserInfo, and the names of our groups."""

from dataclasses import dataclass, field

ANONYMOUS = "system:anonymous"
AUTHENTICATED_GROUP = "system:authenticated"
UNAUTHENTICATED_GROUP = "system:unauthenticated"
MASTERS_GROUP = "system:masters"
SERVICE_ACCOUNTS_GROUP = "system:serviceaccounts"
USERS_GROUP = "llmos:users"
"""Everybody who signed in through llmos."""
ADMINS_GROUP = "llmos:admins"
"""Those of them who are bound to the GlobalRole ``admin``."""


@dataclass(frozen=True, slots=True)
class UserInfo:
    """An authenticated identity. Never changed: filters replace it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def is_llmos_user(self) -> bool:
        """Whether the identity signed in through llmos."""
        return USERS_GROUP in self.groups

    @property
    def is_admin(self) -> bool:
        """Whether the identity is an llmos admin."""
        return ADMINS_GROUP in self.groups

    def to_object(self) -> dict[str, object]:
        """The wire's UserInfo."""
        info: dict[str, object] = {"username": self.name}
        if self.uid:
            info["uid"] = self.uid
        info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra.items()}
        return info


def service_account_name(namespace: str, name: str) -> str:
    """The user name of a service account."""
    return f"system:serviceaccount:{namespace}:{name}"


def split_service_account(user: str) -> tuple[str, str] | None:
    """Namespace and name of a service account's user name, or None where it is not exactly one."""
    parts = user.split(":")
    if len(parts) != 4 or parts[:2] != ["system", "serviceaccount"] or not all(parts[2:]):
        return None
    return parts[2], parts[3]


def service_account_groups(namespace: str) -> tuple[str, ...]:
    """The groups that every service account of a namespace is in."""
    return (
        SERVICE_ACCOUNTS_GROUP,
        f"{SERVICE_ACCOUNTS_GROUP}:{namespace}",
        AUTHENTICATED_GROUP,
    )
