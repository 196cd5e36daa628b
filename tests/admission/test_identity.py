"""Who is who: for the rules in Python and for the policies alike."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CONTROLLER,
    MASTER,
    PRETENDER,
    ROBOT,
    RUNNER,
    World,
    changed,
    named,
    namespace,
)
from llmos.admission.identity import is_platform
from llmos.apis.authentication_v1 import USERS_GROUP, UserInfo

SCHEDULER = UserInfo("system:serviceaccount:kube-system:scheduler")
FALSE_CONTROLLER = UserInfo(CONTROLLER.name, groups=(USERS_GROUP,))
PUBLIC_ACCOUNT = UserInfo("system:serviceaccount:llmos-public:runner")
ODD_ACCOUNT = UserInfo("system:serviceaccount:team-a:runner:more")


@pytest.mark.parametrize(
    ("user", "platform", "administrator", "tenant", "end_user"),
    [
        (MASTER, True, True, False, False),
        (CONTROLLER, True, True, False, False),
        (ADMIN, False, True, True, False),
        (ALICE, False, False, True, True),
        (PRETENDER, False, False, True, True),
        (RUNNER, False, False, True, True),
        (PUBLIC_ACCOUNT, False, False, True, True),
        (ODD_ACCOUNT, False, False, False, False),
        (ROBOT, False, False, False, False),
        (SCHEDULER, False, False, False, False),
        (FALSE_CONTROLLER, False, False, True, True),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_identities(world: World, user, platform, administrator, tenant, end_user):
    """Who signed in through llmos is never the platform; accounts of namespaces are tenants."""
    old = namespace("team-a")
    new = changed(old, metadata={"labels": old["metadata"]["labels"] | {"llmos.ai/x": "y"}})
    account = named("llmos-controllers", "kube-system")
    assert is_platform(user) is platform
    assert (world.code(user, "CREATE", "namespaces", named("kube-x")) == 0) is platform
    assert (world.code(user, "UPDATE", "namespaces", new, old) == 0) is administrator
    token = world.code(user, "CREATE", "serviceaccounts", account, subresource="token")
    assert (token == 403) is tenant
    status = world.code(user, "UPDATE", "namespaces", old, old, subresource="status")
    assert (status == 403) is end_user
