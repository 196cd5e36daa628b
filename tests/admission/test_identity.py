"""Who is who."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CONTROLLER,
    MASTER,
    PRETENDER,
    ROBOT,
    RUNNER,
)
from llmos.admission.identity import is_administrator, is_end_user, is_platform, is_tenant
from llmos.apis.authentication_v1 import USERS_GROUP, UserInfo

SCHEDULER = UserInfo("system:serviceaccount:kube-system:scheduler")
FALSE_CONTROLLER = UserInfo(CONTROLLER.name, groups=(USERS_GROUP,))


@pytest.mark.parametrize(
    ("user", "platform", "administrator", "tenant", "end_user"),
    [
        (MASTER, True, True, False, False),
        (CONTROLLER, True, True, False, False),
        (ADMIN, False, True, True, False),
        (ALICE, False, False, True, True),
        (PRETENDER, False, False, True, True),
        (RUNNER, False, False, True, True),
        (ROBOT, False, False, False, False),
        (SCHEDULER, False, False, False, False),
        (FALSE_CONTROLLER, False, False, True, True),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_identities(user, platform, administrator, tenant, end_user):
    """Who signed in through llmos is never the platform; accounts of namespaces are tenants."""
    assert is_platform(user) is platform
    assert is_administrator(user) is administrator
    assert is_tenant(user) is tenant
    assert is_end_user(user) is end_user
