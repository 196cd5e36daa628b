"""Who the platform is. The policies in ``manifests/policies`` say the same in CEL."""

from llmos.apis.authentication_v1 import MASTERS_GROUP, UserInfo, service_account_name

CONTROLLERS = service_account_name("llmos-system", "llmos-controllers")
"""The user name that the platform's own controllers write under."""


def is_platform(user: UserInfo) -> bool:
    """Whether this is the platform itself: its controllers, or a cluster operator outside llmos.

    Whoever signed in through llmos is never the platform, whatever other groups he is in.
    """
    if user.is_llmos_user:
        return False
    return user.name == CONTROLLERS or MASTERS_GROUP in user.groups
