"""Impersonation headers."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos.apimachinery.errors import BadRequestError, ForbiddenError
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes, Decision
from llmos.authentication.impersonation import impersonate, modes, read_headers

MASTER = UserInfo("admin", groups=("system:masters", "system:authenticated"))
ALICE = UserInfo("alice", groups=("devs", "system:authenticated"))
ROOT = UserInfo("root", groups=("llmos:users", "llmos:admins", "system:authenticated"))


class Allows:
    """Allows what a function says, and remembers what it was asked."""

    def __init__(self, allows):
        self.allows = allows
        self.asked = []

    def authorize(self, attributes):
        """Decide."""
        self.asked.append(attributes)
        return Decision(self.allows(attributes))


EVERYTHING = Allows(lambda attributes: True)
NOTHING = Allows(lambda attributes: False)


def headers(*pairs):
    return [(name.lower().encode(), value.encode()) for name, value in pairs]


def listing(sender):
    return Attributes(user=sender, verb="list", version="v1", resource="namespaces")


@pytest.mark.parametrize(
    ("sent", "user"),
    [
        (
            [("Impersonate-User", "zed")],
            UserInfo("zed", "", ("system:authenticated",)),
        ),
        (
            [("Impersonate-User", "zed"), ("Impersonate-Group", "g1")],
            UserInfo("zed", "", ("g1", "system:authenticated")),
        ),
        (
            [("Impersonate-User", "zed"), ("Impersonate-Group", "system:unauthenticated")],
            UserInfo("zed", "", ("system:unauthenticated",)),
        ),
        (
            [("Impersonate-User", "zed"), ("Impersonate-Uid", "u-1")],
            UserInfo("zed", "u-1", ("system:authenticated",)),
        ),
        (
            [("Impersonate-User", "system:serviceaccount:ns1:sa1")],
            UserInfo(
                "system:serviceaccount:ns1:sa1",
                "",
                (
                    "system:serviceaccounts",
                    "system:serviceaccounts:ns1",
                    "system:authenticated",
                ),
            ),
        ),
        (
            [("Impersonate-User", "system:serviceaccount:ns1:sa1"), ("Impersonate-Group", "g")],
            UserInfo("system:serviceaccount:ns1:sa1", "", ("g", "system:authenticated")),
        ),
        (
            [("Impersonate-User", "system:anonymous")],
            UserInfo("system:anonymous", "", ("system:unauthenticated",)),
        ),
        (
            [("Impersonate-User", "alice"), ("Impersonate-Group", "system:masters")],
            UserInfo("alice", "", ("system:masters", "system:authenticated")),
        ),
    ],
)
def test_headers_give_kubernetes_identity(sent, user):
    """Groups are completed as kube-apiserver completes them."""
    assert impersonate(headers(*sent), listing(MASTER), EVERYTHING) == user


def test_extra_is_decoded():
    """Extra keys are in lower case and percent-decoded; malformed ones stay; values add up."""
    sent = headers(
        ("Impersonate-User", "zed"),
        ("Impersonate-Extra-scopes", "view"),
        ("Impersonate-Extra-Scopes", "edit"),
        ("Impersonate-Extra-acme.com%2fproject", "p"),
        ("Impersonate-Extra-50%", "q"),
    )
    assert impersonate(sent, listing(MASTER), EVERYTHING).extra == {
        "scopes": ("view", "edit"),
        "acme.com/project": ("p",),
        "50%": ("q",),
    }


def test_without_headers_the_sender_is_himself():
    """The very identity is given back, and nobody is asked."""
    nobody = Allows(lambda attributes: pytest.fail("asked"))
    assert impersonate(headers(("Accept", "x")), listing(ALICE), nobody) is ALICE
    assert impersonate(headers(("Impersonate-User", "")), listing(ALICE), nobody) is ALICE


def test_groups_without_a_user_are_400():
    """The message is kube-apiserver's."""
    with pytest.raises(BadRequestError) as caught:
        impersonate(headers(("Impersonate-Group", "g1")), listing(MASTER), EVERYTHING)
    assert caught.value.message == (
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g1"}, '
        "Extra:map[string][]string(nil)} without impersonating a user name"
    )
    with pytest.raises(
        BadRequestError, match=r'Extra:map\[string\]\[\]string{"a":\[\]string{"b"}}'
    ):
        read_headers(headers(("Impersonate-Extra-a", "b")))


def test_two_users_are_400():
    """Neither of two users counts."""
    sent = headers(("Impersonate-User", "a"), ("Impersonate-User", "b"))
    with pytest.raises(BadRequestError):
        impersonate(sent, listing(MASTER), EVERYTHING)


@pytest.mark.parametrize(
    ("sent", "mode"),
    [
        ([("Impersonate-User", "bob")], "user-info"),
        (
            [("Impersonate-User", "alice"), ("Impersonate-Group", "system:masters")],
            "user-info",
        ),
        ([("Impersonate-User", "system:serviceaccount:a:b")], "serviceaccount"),
        ([("Impersonate-User", "system:node:n1")], "arbitrary-node"),
    ],
)
def test_refusal_has_kubernetes_words(sent, mode):
    """What failed first is named: the constrained mode on the request itself."""
    with pytest.raises(ForbiddenError) as caught:
        impersonate(headers(*sent), listing(ALICE), NOTHING)
    assert caught.value.message == (
        f'namespaces is forbidden: User "alice" cannot impersonate-on:{mode}:list resource '
        '"namespaces" in API group "" at the cluster scope'
    )
    assert caught.value.details == {"kind": "namespaces"}


def test_refusal_on_a_bare_path_and_of_a_mixed_identity():
    """A path is named as a path; an account with groups knows the old verb only."""
    path = Attributes(user=ALICE, verb="get", path="/metrics")
    with pytest.raises(ForbiddenError) as caught:
        impersonate(headers(("Impersonate-User", "bob")), path, NOTHING)
    assert caught.value.message == (
        'forbidden: User "alice" cannot impersonate-on:user-info:get path "/metrics"'
    )
    sent = headers(("Impersonate-User", "system:serviceaccount:a:b"), ("Impersonate-Group", "g"))
    with pytest.raises(ForbiddenError) as caught:
        impersonate(sent, listing(ALICE), NOTHING)
    assert caught.value.message == (
        'serviceaccounts "b" is forbidden: User "alice" cannot impersonate resource '
        '"serviceaccounts" in API group "" in the namespace "a"'
    )


def test_every_part_is_asked_for():
    """Name, uid, every group and every extra value have to be allowed, each for itself."""
    sent = headers(
        ("Impersonate-User", "zed"),
        ("Impersonate-Uid", "u"),
        ("Impersonate-Group", "g1"),
        ("Impersonate-Group", "g2"),
        ("Impersonate-Extra-acme.com%2fk", "v"),
    )
    legacy = modes(read_headers(sent), listing(ALICE))[-1]
    asked = [(each.group, each.resource, each.subresource, each.name) for each in legacy.checks]
    assert asked == [
        ("", "users", "", "zed"),
        ("authentication.k8s.io", "uids", "", "u"),
        ("", "groups", "", "g1"),
        ("", "groups", "", "g2"),
        ("authentication.k8s.io", "userextras", "acme.com/k", "v"),
    ]
    assert {each.verb for each in legacy.checks} == {"impersonate"}
    for denied in legacy.checks:
        authorizer = Allows(
            lambda each, denied=denied: each.verb == "impersonate" and each != denied
        )
        with pytest.raises(ForbiddenError):
            impersonate(sent, listing(ALICE), authorizer)


def test_constrained_mode_needs_both_verbs():
    """The request and the identity are asked for; either alone is not enough."""
    verbs = {"impersonate-on:user-info:list", "impersonate:user-info"}
    sent = headers(("Impersonate-User", "zed"))
    allowed = Allows(lambda each: each.verb in verbs)
    assert impersonate(sent, listing(ALICE), allowed).name == "zed"
    assert [each.group for each in allowed.asked] == ["", "authentication.k8s.io"]
    for verb in verbs:
        with pytest.raises(ForbiddenError):
            impersonate(sent, listing(ALICE), Allows(lambda each, verb=verb: each.verb == verb))


@pytest.mark.parametrize(
    "more",
    [
        ("Impersonate-Group", "system:masters"),
        ("Impersonate-Group", ""),
        ("Impersonate-Extra-scopes", "v"),
        ("Impersonate-Extra-acme.com%2fk", ""),
    ],
)
def test_constrained_mode_never_gives_odd_parts(more):
    """Masters, empty groups and free extra keys come with the old verb only."""
    constrained = Allows(lambda each: each.verb != "impersonate")
    with pytest.raises(ForbiddenError):
        impersonate(headers(("Impersonate-User", "zed"), more), listing(MASTER), constrained)


def test_a_node_gets_the_group_of_nodes():
    """Only in the mode that is made for it."""
    constrained = Allows(lambda each: each.verb != "impersonate")
    user = impersonate(headers(("Impersonate-User", "system:node:n1")), listing(ALICE), constrained)
    assert user.groups == ("system:nodes", "system:authenticated")
    assert [each.resource for each in constrained.asked] == ["namespaces", "nodes"]


@pytest.mark.parametrize(
    "group", ["system:masters", "llmos:admins", "llmos:users", " llmos:admins"]
)
@pytest.mark.parametrize("sender", [ALICE, ROOT])
def test_nobody_from_llmos_gains_reserved_groups(sender, group):
    """Whatever RBAC allows, only system:masters hands these on."""
    sent = headers(("Impersonate-User", "zed"), ("Impersonate-Group", group))
    with pytest.raises(ForbiddenError):
        impersonate(sent, listing(sender), EVERYTHING)
    assert group.strip() in impersonate(sent, listing(MASTER), EVERYTHING).groups


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("system:serviceaccount:team-a:runner", True),
        ("system:serviceaccount:team-b:runner", False),
        ("system:serviceaccount:team-a:runner:x", False),
        ("system:serviceaccount::runner", False),
        ("system:serviceaccount:team-a:", False),
        ("runner", False),
    ],
)
def test_right_on_one_service_account_is_for_that_one(name, allowed):
    """Same-named accounts elsewhere and malformed names are others."""
    rule = Allows(
        lambda each: (
            (each.verb, each.resource, each.namespace, each.name)
            == ("impersonate", "serviceaccounts", "team-a", "runner")
        )
    )
    sent = headers(("Impersonate-User", name))
    if allowed:
        assert impersonate(sent, listing(ALICE), rule).name == name
    else:
        with pytest.raises(ForbiddenError):
            impersonate(sent, listing(ALICE), rule)


NAMES = st.sampled_from(
    [b"impersonate-user", b"Impersonate-Group", b"impersonate-uid", b"IMPERSONATE-EXTRA-a%2", b"x"]
)


@settings(max_examples=200)
@given(st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=6))
def test_any_headers_give_an_identity_or_a_refusal(sent):
    """No bytes break it, and without rights nobody becomes anybody else."""
    with contextlib.suppress(BadRequestError, ForbiddenError):
        assert impersonate(sent, listing(ALICE), NOTHING) is ALICE
