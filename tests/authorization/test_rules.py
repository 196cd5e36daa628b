"""One rule against one request."""

import pytest

from authorization.objects import ALICE, ask, rule
from llmos.authorization.rules import parse_rule, parse_rules, rule_allows

PODS = ("get", "pods")
LOG = ("get", "pods/log")
SECRETS = ("get", "secrets")

LITERAL = [
    (rule("get", "core", "pods*"), ()),
    (rule("get", "core", "pod"), ()),
    (rule("get", "core", "Pods"), ()),
    (rule("get", "core", "*/log"), (LOG,)),
    (rule("get", "core", "pods/*"), ()),
    (rule("g*", "core", "pods,pods/log,secrets"), ()),
    (rule("GET", "core", "pods,pods/log,secrets"), ()),
    (rule("get", "*.io", "pods,pods/log,secrets"), ()),
]


@pytest.mark.parametrize("question", [PODS, LOG, SECRETS], ids=["pods", "log", "secrets"])
@pytest.mark.parametrize(("odd", "allowed"), LITERAL, ids=[str(each[0]) for each in LITERAL])
def test_only_stars_are_special(odd, allowed, question):
    """Eight odd rules, three requests: only ``*`` and ``*/sub`` are special, in any case."""
    verb, what = question
    assert rule_allows(ask(ALICE, verb, what, "team-a", "x"), parse_rule(odd)) == (
        question in allowed
    )


MATCHES = [
    (rule("*", "*", "*"), ask(ALICE, "get", "pods"), True),
    (rule("*", "*", "*"), ask(ALICE, "get", "pods/log"), True),
    (rule("*", "*", "*"), ask(ALICE, "get", "/healthz"), False),
    (rule("*", "core", "pods"), ask(ALICE, "brew", "pods"), True),
    (rule("get", "core", "pods"), ask(ALICE, "get", "pods"), True),
    (rule("get", "core", "pods"), ask(ALICE, "get", "pods/log"), False),
    (rule("get", "core", "pods"), ask(ALICE, "list", "pods"), False),
    (rule("get", "core", "pods"), ask(ALICE, "get", "apps:pods"), False),
    (rule("get", "apps", "deployments/scale"), ask(ALICE, "get", "apps:deployments/scale"), True),
    (rule("get", "apps", "deployments/scale"), ask(ALICE, "get", "apps:deployments"), False),
    (rule("update", "apps", "*/status"), ask(ALICE, "update", "apps:statefulsets/status"), True),
    (rule("update", "apps", "*/status"), ask(ALICE, "update", "apps:statefulsets/tatus"), False),
    (rule("update", "apps", "*/status"), ask(ALICE, "update", "apps:statefulsets"), False),
    (rule("get", "core", "secrets", "one"), ask(ALICE, "get", "secrets", "a", "one"), True),
    (rule("get", "core", "secrets", "one"), ask(ALICE, "get", "secrets", "a", "two"), False),
    (rule("*", "core", "secrets", "one"), ask(ALICE, "list", "secrets", "a"), False),
    (rule("*", "core", "secrets", "one"), ask(ALICE, "watch", "secrets", "a"), False),
    (rule("*", "core", "secrets", "one"), ask(ALICE, "create", "secrets", "a"), False),
    (rule("*", "core", "secrets", "one"), ask(ALICE, "deletecollection", "secrets", "a"), False),
    (rule("*", "core", "secrets", "one"), ask(ALICE, "list", "secrets", "a", "one"), True),
    ({**rule("*", "core", "secrets"), "resourceNames": [""]}, ask(ALICE, "get", "secrets"), False),
    (rule("get", urls="/healthz"), ask(ALICE, "get", "/healthz"), True),
    (rule("get", urls="/healthz"), ask(ALICE, "get", "/healthz/etcd"), False),
    (rule("get", urls="/healthz"), ask(ALICE, "post", "/healthz"), False),
    (rule("get", urls="/healthz/*"), ask(ALICE, "get", "/healthz/etcd"), True),
    (rule("get", urls="/healthz/*"), ask(ALICE, "get", "/healthz"), False),
    (rule("get", urls="/health*"), ask(ALICE, "get", "/healthz"), True),
    (rule("get", urls="/*/etcd"), ask(ALICE, "get", "/healthz/etcd"), False),
    (rule("get", urls="*"), ask(ALICE, "get", "/anything"), True),
    (rule("get", urls="/healthz", names="x"), ask(ALICE, "get", "/healthz"), True),
    (rule("get", urls="*"), ask(ALICE, "get", "pods"), False),
]


@pytest.mark.parametrize(("given", "question", "allowed"), MATCHES)
def test_matching(given, question, allowed):
    """A rule matches as Kubernetes' own would."""
    assert rule_allows(question, parse_rule(given)) is allowed


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"verbs": "get", "apiGroups": "", "resources": "pods"},
        {"verbs": [1], "apiGroups": [None], "resources": [{}]},
        {"verbs": None, "apiGroups": [""], "resources": ["pods"]},
    ],
)
def test_what_is_no_list_of_strings_grants_nothing(broken):
    """A malformed rule is harmless."""
    assert not rule_allows(ask(ALICE, "get", "pods"), parse_rule(broken))


def test_rules_that_are_no_list():
    """A role whose rules are null or no list has none."""
    assert parse_rules(None) == parse_rules("get") == parse_rules(["get"]) == ()


def test_a_rule_goes_out_as_it_came_in():
    """Lists keep their order; empty ones are left out."""
    given = rule("list,get", "core,apps", "pods", "b,a")
    assert parse_rule(given).to_object() == given
