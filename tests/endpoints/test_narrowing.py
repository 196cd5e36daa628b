"""What a refused read still shows to users of llmos, and to nobody else."""

import pytest

from endpoints.exchange import request_of
from llmos.apis.authentication_v1 import USERS_GROUP, UserInfo
from llmos.endpoints.narrowing import Narrowing, View

ALICE = UserInfo("alice", groups=(USERS_GROUP,))
MANAGEMENT = "/apis/management.llmos.ai/v1"
TEAMS = frozenset({"team-a", "team-b"})


class Sees:
    """Alice may get namespaces in two teams and list config maps in one; remembers questions."""

    def __init__(self):
        self.asked = []

    def visible_namespaces(self, user, verb, group, resource):
        """Where a user may do something."""
        self.asked.append((user.name, verb, group, resource))
        if resource == "namespaces":
            return TEAMS
        return frozenset({"team-a"}) if resource == "configmaps" else frozenset()


def view(method, target, user=ALICE, sees=None):
    """What a user sees of a request that he may not make."""
    narrowing = Narrowing(sees or Sees(), lambda info: info.resource not in ("nodes", "unknown"))
    return narrowing.view(user, request_of(method, target).info)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("/api/v1/namespaces", View(names=TEAMS)),
        ("/api/v1/namespaces?watch=true", View(names=TEAMS)),
        ("/api/v1/configmaps", View(namespaces=frozenset({"team-a"}))),
        ("/api/v1/configmaps?watch=true", View(namespaces=frozenset({"team-a"}))),
        ("/api/v1/secrets", View(namespaces=frozenset())),
        (f"{MANAGEMENT}/roletemplatebindings", View(targets=TEAMS)),
        (f"{MANAGEMENT}/roletemplatebindings/x", View(targets=TEAMS)),
        (f"{MANAGEMENT}/users", View(names=frozenset({"alice"}))),
        (f"{MANAGEMENT}/users/bob", View(names=frozenset({"alice"}))),
        (f"{MANAGEMENT}/users?watch=true", View(names=frozenset({"alice"}))),
    ],
)
def test_reads_over_the_cluster_are_narrowed(target, wanted):
    """Lists, watches and the two kinds that are narrowed by content show what is his."""
    assert view("GET", target) == wanted


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/api/v1/namespaces"),
        ("DELETE", "/api/v1/configmaps"),
        ("GET", "/api/v1/nodes"),
        ("GET", "/api/v1/unknown"),
        ("GET", "/api/v1/namespaces/team-c"),
        ("GET", "/api/v1/namespaces/team-c/configmaps"),
        ("GET", "/api/v1/namespaces/team-c/configmaps/x"),
        ("DELETE", f"{MANAGEMENT}/users"),
        ("DELETE", f"{MANAGEMENT}/roletemplatebindings/x"),
        ("GET", f"{MANAGEMENT}/roletemplatebindings/x/status"),
        ("GET", f"{MANAGEMENT}/users/alice/tokens"),
        ("GET", f"{MANAGEMENT}/roletemplates"),
    ],
)
def test_everything_else_is_refused(method, target):
    """Writes, single objects, subresources and cluster-wide kinds stay refused."""
    sees = Sees()
    narrowing = Narrowing(sees, lambda info: info.resource in ("configmaps", "namespaces"))
    assert narrowing.view(ALICE, request_of(method, target).info) is None


@pytest.mark.parametrize(
    "user", [UserInfo("robot"), UserInfo("system:serviceaccount:a:b", groups=("system:masters",))]
)
def test_only_users_of_llmos_are_narrowed(user):
    """Any other identity gets Kubernetes' own answer."""
    assert view("GET", "/api/v1/namespaces", user) is None


def test_what_he_may_see_is_asked_with_the_verb_of_the_request():
    """Whoever may list and not watch has nothing to watch."""
    sees = Sees()
    view("GET", "/api/v1/configmaps?watch=true", sees=sees)
    view("GET", "/api/v1/configmaps", sees=sees)
    assert sees.asked == [
        ("alice", "watch", "", "configmaps"),
        ("alice", "list", "", "configmaps"),
    ]


BINDING = b'{"namespaceId":"team-a"}'


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        (View(), True),
        (View(namespaces=frozenset({"team-a"})), True),
        (View(namespaces=frozenset({"team-b"})), False),
        (View(namespaces=frozenset()), False),
        (View(names=frozenset({"x"})), True),
        (View(names=frozenset({"y"})), False),
        (View(targets=frozenset({"team-a"})), True),
        (View(targets=frozenset({"team-b"})), False),
        (View(frozenset({"team-a"}), frozenset({"y"})), False),
    ],
)
def test_a_view_shows_what_meets_all_its_conditions(seen, shown):
    """An empty set shows nothing; None does not look."""
    assert seen.shows("team-a", "x", BINDING) is shown


def test_a_binding_for_no_namespace_is_in_nobodys_view():
    """Bindings for the whole cluster are not shown to members of namespaces."""
    assert not View(targets=TEAMS).shows("", "x", b"{}")


def test_content_is_read_only_where_it_matters():
    """A view by namespace or name does not read the object."""
    assert View(names=frozenset({"x"})).shows("", "x", b"unread")
    assert not View(names=frozenset({"y"}), targets=TEAMS).shows("", "x", b"unread")
