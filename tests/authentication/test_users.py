"""Users in memory."""

import pytest

from authentication.objects import make_user
from llmos.apis.usernames import login_name, normalize_username
from llmos.authentication.users import Users


def stored(name, uid="u1", created="2024-01-01T00:00:00Z", **spec):
    user = make_user(name, **spec)
    user["metadata"] |= {"uid": uid, "creationTimestamp": created}
    return user


def users(*objects, admins=()):
    found = Users(lambda name, groups: bool({name, *groups} & set(admins)))
    for each in objects:
        found.set(each)
    return found


def test_groups_are_those_of_the_spec_and_ours():
    """Groups of the spec come first, then llmos:users, llmos:admins for admins, authenticated."""
    found = users(stored("alice", groups=["dev", "ops"]), admins=["ops"])
    assert found.info("alice", "u1").groups == (
        "dev",
        "ops",
        "llmos:users",
        "llmos:admins",
        "system:authenticated",
    )
    assert users(stored("alice")).info("alice", "u1").groups == (
        "llmos:users",
        "system:authenticated",
    )


@pytest.mark.parametrize(
    "group",
    [
        "system:masters",
        "llmos:admins",
        " system:masters",
        "system:masters\t",
        "",
        "a\r\nImpersonate-Group: system:masters",
        None,
        7,
        ["system:masters"],
    ],
)
def test_reserved_and_odd_groups_are_ignored(group):
    """No spec gives a reserved group, or one that a header would turn into one."""
    found = users(stored("alice", groups=[group, "dev,system:masters"])).info("alice", "u1")
    assert found.groups == ("dev,system:masters", "llmos:users", "system:authenticated")


@pytest.mark.parametrize("groups", ["system:masters", {"a": 1}, None, 3])
def test_groups_that_are_no_list_are_none(groups):
    """A groups field of another type gives no group."""
    found = users(stored("alice", groups=groups)).info("alice", "u1")
    assert found.groups == ("llmos:users", "system:authenticated")


@pytest.mark.parametrize("active", [False, None, "false", "yes", 0])
def test_only_true_is_active(active):
    """A user whose isActive is anything but true may not sign in."""
    assert users(stored("alice", isActive=active)).info("alice", "u1") is None


def test_terminating_deleted_and_replaced_users_are_nobody():
    """Deletion ends an identity from its beginning; another uid is another user."""
    terminating = stored("alice")
    terminating["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    assert users(terminating).info("alice", "u1") is None
    found = users(stored("alice"))
    assert found.info("alice", "u2") is None
    found.delete(stored("alice"))
    assert found.info("alice", "u1") is None
    assert found.by_username("alice") is None


@pytest.mark.parametrize(
    "name",
    ["a\r\nImpersonate-Group: x", "ålice", "alice\x00", "system:admin", "", "A", "a" * 300],
)
def test_users_with_impossible_names_are_nobody(name):
    """A name that validation should never have let in gives no identity."""
    assert users(stored(name)).get(name) is None


def test_login_name_is_normalised_and_the_first_keeps_it():
    """Login is by spec.username, whatever its case; whoever had it first is meant."""
    found = users(
        stored("u-2", "2", "2024-02-01T00:00:00Z", username="ROOT"),
        stored("u-1", "1", "2024-01-01T00:00:00Z", username="root"),
    )
    assert found.by_username(normalize_username("Root")).name == "u-1"
    found.set(stored("u-1", "1", username="other"))
    assert found.by_username("root").name == "u-2"
    assert found.by_username("other").name == "u-1"


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (make_user("alice"), "alice"),
        (make_user("alice", username=""), "alice"),
        (make_user("alice", username=7), "alice"),
        (make_user("u-1", username=" \uff21lice@X.org "), "alice@x.org"),
        ({"metadata": {"name": "bob"}}, "bob"),
    ],
)
def test_login_name_defaults_to_the_name(user, name):
    """Without a username the object's name is the login name; compatibility forms are one."""
    assert login_name(user) == name
