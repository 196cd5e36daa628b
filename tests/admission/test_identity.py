"""Who is who: for the rules in Python and for the policies alike."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CONTROLLER,
    MANAGER,
    MASTER,
    OPERATOR,
    PRETENDER,
    ROBOT,
    RUNNER,
    SCHEDULER,
    World,
    changed,
    named,
    namespace,
)
from llmos.admission.identity import is_platform
from llmos.apis.authentication_v1 import USERS_GROUP, UserInfo

PROVISIONER = UserInfo("system:serviceaccount:argocd:controller")
"""Of a user namespace, with a right in the whole cluster that an operator gave."""
NOBODY = UserInfo("system:anonymous")
FALSE_CONTROLLER = UserInfo(CONTROLLER.name, groups=(USERS_GROUP,))
PUBLIC_ACCOUNT = UserInfo("system:serviceaccount:llmos-public:runner")
ODD_ACCOUNT = UserInfo("system:serviceaccount:team-a:runner:more")


@pytest.mark.parametrize(
    ("user", "platform", "free", "administrator"),
    [
        (MASTER, True, True, True),
        (CONTROLLER, True, True, True),
        (OPERATOR, False, True, True),
        (MANAGER, False, True, True),
        (SCHEDULER, False, True, True),
        (ADMIN, False, False, True),
        (PROVISIONER, False, False, True),
        (ALICE, False, False, False),
        (PRETENDER, False, False, False),
        (RUNNER, False, False, False),
        (PUBLIC_ACCOUNT, False, False, False),
        (ODD_ACCOUNT, False, False, False),
        (ROBOT, False, False, False),
        (NOBODY, False, False, False),
        (FALSE_CONTROLLER, False, False, False),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_identities(world: World, user, platform, free, administrator):
    """Rules bind who signed in, accounts of user namespaces, and who has no right of his own."""
    everywhere = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["update"]}]
    world.grant(PROVISIONER.name, everywhere)
    world.grant(ROBOT.name, everywhere, "team-a")
    old = namespace("team-a")
    new = changed(old, metadata={"labels": old["metadata"]["labels"] | {"llmos.ai/x": "y"}})
    account = named("llmos-controllers", "kube-system")
    assert is_platform(user) is platform
    assert (world.code(user, "CREATE", "namespaces", named("kube-x")) == 0) is free
    assert (world.code(user, "UPDATE", "namespaces", new, old) == 0) is administrator
    token = world.code(user, "CREATE", "serviceaccounts", account, subresource="token")
    assert (token == 0) is free
    status = world.code(user, "UPDATE", "namespaces", old, old, subresource="status")
    assert (status == 0) is administrator
