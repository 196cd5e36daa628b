"""Who is asking, as the tenancy rules tell people apart."""

from llmos.apis.authentication_v1 import (
    MASTERS_GROUP,
    UserInfo,
    service_account_name,
    split_service_account,
)
from llmos.apis.namespaces import is_reserved

CONTROLLERS = service_account_name("llmos-system", "llmos-controllers")
"""The user name that the platform's own controllers write under."""


def is_platform(user: UserInfo) -> bool:
    """Whether this is the platform itself: its controllers, or a cluster operator outside llmos.

    Whoever signed in through llmos is never the platform, whatever other groups he is in.
    """
    if user.is_llmos_user:
        return False
    return user.name == CONTROLLERS or MASTERS_GROUP in user.groups


def is_administrator(user: UserInfo) -> bool:
    """Whether this is an llmos admin, or the platform itself."""
    return user.is_admin or is_platform(user)


def is_tenant(user: UserInfo) -> bool:
    """Whether this is somebody from inside llmos, an admin included, or what acts for one.

    The service accounts of user namespaces do: whoever owns the namespace has their tokens. Any
    other identity (a token file, a cluster credential) is plain Kubernetes.
    """
    account = split_service_account(user.name)
    return user.is_llmos_user or (account is not None and not is_reserved(account[0]))


def is_end_user(user: UserInfo) -> bool:
    """Whether this is one of them, and no admin."""
    return is_tenant(user) and not user.is_admin
