"""A word of warning in namespaces that everybody shares."""

import pytest

from admission.world import ADMIN, ALICE, MASTER, World, named


@pytest.mark.parametrize(
    ("user", "where", "warned"),
    [
        (ALICE, "default", True),
        (ADMIN, "default", True),
        (ADMIN, "llmos-public", True),
        (ALICE, "team-a", False),
        (MASTER, "default", False),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_warning(world: World, user, where, warned):
    """Users of llmos are told that a shared namespace is not for production."""
    attributes = world.admit(user, "CREATE", "configmaps", named("c", where))
    assert bool(attributes.warnings) is warned
    assert all(f'"{where}"' in each for each in attributes.warnings)


def test_only_at_creation(world: World):
    """Updates and subresources say nothing."""
    obj = named("c", "default")
    assert world.admit(ALICE, "UPDATE", "configmaps", obj, obj).warnings == []
    token = world.admit(ALICE, "CREATE", "serviceaccounts", obj, subresource="token")
    assert token.warnings == []
