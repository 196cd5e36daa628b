"""What narrows lists: the namespaces one may see something in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authorization.objects import ALICE, ROOT, ask, binding, index_of, role, rule
from authorization.test_index import EVENTS, PEOPLE
from llmos.apis.authentication_v1 import UserInfo
from llmos.authorization import visibility as visibility_module
from llmos.authorization.bootstrap import resource_of
from llmos.authorization.index import RBACIndex
from llmos.authorization.rbac import RBACAuthorizer
from llmos.authorization.visibility import Visibility, visible_namespaces

MEMBER = role("", "member", rule("get", "core", "namespaces"), rule("get,list", "core", "pods"))


@settings(max_examples=100)
@given(EVENTS, st.sampled_from(["get", "list"]), st.sampled_from(["pods", "secrets", "pods/log"]))
def test_visible_is_where_one_may(events, verb, what):
    """The visible namespaces are those for which the authorizer says yes, none more or less."""
    index = index_of(*(obj for is_set, obj in events if is_set))
    authorizer = RBACAuthorizer(index)
    for user in PEOPLE:
        visible = visible_namespaces(index, user, verb, "", what)
        if authorizer.authorize(ask(user, verb, what)).allowed:
            assert visible is None
        else:
            assert visible == {
                each
                for each in ("a", "b")
                if authorizer.authorize(ask(user, verb, what, each)).allowed
            }


@settings(max_examples=200)
@given(EVENTS)
def test_what_is_remembered_is_still_true(events):
    """After every change the answer is the one that is computed anew, for everybody."""
    index = RBACIndex()
    visibility = Visibility(index)
    for is_set, obj in events:
        (index.set if is_set else index.delete)(resource_of(obj), obj)
        for user in PEOPLE:
            asked = (user, "list", "", "pods")
            assert visibility.visible_namespaces(*asked) == visible_namespaces(index, *asked)


@pytest.mark.parametrize("subject", ["User/alice", "Group/devs"])
def test_what_comes_and_goes_is_seen(subject):
    """Through oneself or one of one's groups, and at once."""
    index = index_of(MEMBER)
    visibility = Visibility(index)
    given_binding = binding("a", "b", "ClusterRole/member", subject)
    for change, wanted in ((index.set, {"a"}), (index.delete, set())):
        assert visibility.visible_namespaces(ALICE, "list", "", "pods") == {"a"} - wanted
        change(resource_of(given_binding), given_binding)
        assert visibility.visible_namespaces(ALICE, "list", "", "pods") == wanted


def test_the_rights_of_others_are_not_asked_for_again(monkeypatch):
    """A binding concerns its subjects, and a role everybody."""
    index = index_of(MEMBER, binding("a", "b", "ClusterRole/member", "User/alice"))
    visibility = Visibility(index)
    assert visibility.visible_namespaces(ALICE, "list", "", "pods") == {"a"}
    other = binding("c", "b", "ClusterRole/member", "User/bob")
    index.set(resource_of(other), other)
    monkeypatch.setattr(visibility_module, "visible_namespaces", pytest.fail)
    assert visibility.visible_namespaces(ALICE, "list", "", "pods") == {"a"}


NAMESPACE_RULES = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b", "c"]),
        st.sampled_from(["get", "list", "*", "delete"]),
        st.sampled_from(["namespaces", "*", "pods"]),
        st.sampled_from(["", "a", "b,c"]),
    ),
    max_size=5,
)


@settings(max_examples=150)
@given(NAMESPACE_RULES)
def test_a_namespace_is_visible_to_who_may_get_it(grants):
    """A Namespace shows in lists exactly if its own path would answer."""
    objects = []
    for number, (where, verbs, resources, names) in enumerate(grants):
        objects.append(role("", f"r{number}", rule(verbs, "core", resources, names)))
        objects.append(binding(where, f"b{number}", f"ClusterRole/r{number}", "User/alice"))
    index = index_of(*objects)
    authorizer = RBACAuthorizer(index)
    expected = {
        each
        for each in ("a", "b", "c")
        if authorizer.authorize(ask(ALICE, "get", "namespaces", each, each)).allowed
    }
    everywhere = authorizer.authorize(ask(ALICE, "get", "namespaces")).allowed
    for verb in ("get", "list", "watch"):
        visible = visible_namespaces(index, ALICE, verb, "", "namespaces")
        assert visible == (None if everywhere else expected)


def test_nothing_bound_is_nothing_seen():
    """Who has no role sees an empty set, which is not the same as all."""
    assert visible_namespaces(RBACIndex(), ALICE, "list", "", "namespaces") == frozenset()


def test_masters_see_all():
    """``system:masters`` sees everything, unless it came through llmos."""
    assert visible_namespaces(RBACIndex(), ROOT, "list", "", "pods") is None
    mallory = UserInfo("mallory", groups=("llmos:users", "system:masters"))
    assert visible_namespaces(RBACIndex(), mallory, "list", "", "pods") == frozenset()


@pytest.mark.parametrize(
    ("resource", "verb", "expected"),
    [
        ("namespaces", "list", {"a"}),
        ("pods", "list", {"a"}),
        ("pods", "watch", set()),
        ("pods/log", "get", set()),
        ("secrets", "list", set()),
    ],
)
def test_five_of_many(resource, verb, expected):
    """Only what a role in the namespace allows counts, each verb and resource by itself."""
    many = [binding(f"n{number}", "b", "ClusterRole/member", "User/u") for number in range(50)]
    index = index_of(MEMBER, binding("a", "b", "ClusterRole/member", "User/alice"), *many)
    assert visible_namespaces(index, ALICE, verb, "", resource) == expected


def test_members_of_a_namespace():
    """A virtual subresource of namespaces is asked of each namespace under its own name."""
    index = index_of(
        role("", "owner", rule("get", "core", "namespaces/members", "a")),
        binding("a", "b", "ClusterRole/owner", "User/alice"),
        binding("b", "b", "ClusterRole/owner", "User/alice"),
    )
    assert visible_namespaces(index, ALICE, "get", "", "namespaces/members") == {"a"}
    assert visible_namespaces(index, ALICE, "list", "", "namespaces/members") == frozenset()
