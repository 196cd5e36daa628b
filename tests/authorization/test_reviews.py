"""Access reviews, body in and object out."""

import pytest

from authorization.objects import ALICE, BOB, ROOT, binding, index_of, put, role, rule
from llmos.apimachinery.errors import BadRequestError, InvalidError
from llmos.authorization.bootstrap import bootstrap_index
from llmos.authorization.rbac import RBACAuthorizer
from llmos.authorization.reviews import (
    local_subject_access_review,
    self_subject_access_review,
    self_subject_rules_review,
    subject_access_review,
)

PODS = {"namespace": "sar", "verb": "get", "resource": "pods"}
YES = {
    "allowed": True,
    "reason": 'RBAC: allowed by RoleBinding "rb/sar" of Role "r" to User "alice"',
}
NO = {"allowed": False}


@pytest.fixture(scope="module")
def index():
    """What is shipped, and a Role for alice."""
    found = bootstrap_index()
    put(
        found,
        role(
            "sar",
            "r",
            rule("get,list", "core", "pods"),
            rule("get", "core", "secrets", "one"),
            rule("update", "apps", "deployments/scale,*/status"),
        ),
        binding("sar", "rb", "Role/r", "User/alice"),
    )
    return found


@pytest.fixture(scope="module")
def authorizer(index):
    """RBAC over that index."""
    return RBACAuthorizer(index)


def resource(**attributes):
    return {"spec": {"resourceAttributes": attributes}}


def test_a_self_review_is_answered_whole(authorizer):
    """The answer repeats the question and has empty metadata, a kind and a status."""
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    assert self_subject_access_review(authorizer, ALICE, body | resource(**PODS, name="")) == {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {"resourceAttributes": PODS},
        "status": YES,
    }


SELF = [
    (ROOT, resource(**PODS), {"allowed": True}),
    (BOB, resource(**PODS), NO),
    (ALICE, resource(**{**PODS, "namespace": "default"}), NO),
    (ALICE, resource(verb="get", resource="pods"), NO),
    (ALICE, resource(namespace="sar", verb="get", resource="secrets", name="one"), YES),
    (ALICE, resource(namespace="sar", verb="get", resource="secrets", name="two"), NO),
    (ALICE, resource(namespace="sar", verb="get", resource="secrets"), NO),
    (ALICE, resource(**PODS, subresource="log"), NO),
    (ALICE, resource(namespace="sar", verb="*", resource="*", group="*"), NO),
    (ALICE, resource(namespace="sar", verb="list", resource="pods", version="*"), YES),
    (ALICE, {"spec": {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}}, NO),
    (ALICE, {"spec": {"nonResourceAttributes": {"verb": "get"}}}, NO),
    (ROOT, {"spec": {"nonResourceAttributes": {}}}, {"allowed": True}),
    (ALICE, {"spec": {"resourceAttributes": {}}}, NO),
]


@pytest.mark.parametrize(("user", "body", "status"), SELF)
def test_self_reviews(authorizer, user, body, status):
    """A review says what the authorizer says, with its reason; a refusal has none."""
    assert self_subject_access_review(authorizer, user, body)["status"] == status


def test_paths_are_reviewed_too(authorizer):
    """Everybody may ask whether the server is ready, and is told by which binding."""
    body = {"spec": {"nonResourceAttributes": {"path": "/readyz", "verb": "get"}}}
    answer = self_subject_access_review(authorizer, ALICE, body)
    assert answer["status"]["allowed"]
    assert answer["spec"] == body["spec"]


def test_somebody_elses_rights(authorizer):
    """A SubjectAccessReview is about the subject it names, by user or by group alone."""
    body = resource(**PODS)
    body["spec"] |= {"user": "alice", "extra": {"scopes": ["x"]}, "unknown": 1}
    answer = subject_access_review(authorizer, body)
    assert answer["spec"] == {
        "resourceAttributes": PODS,
        "user": "alice",
        "extra": {"scopes": ["x"]},
    }
    assert answer["status"] == YES
    body = resource(verb="delete", resource="nodes")
    body["spec"]["groups"] = ["system:masters"]
    assert subject_access_review(authorizer, body)["status"] == {"allowed": True}


def test_a_local_review_is_of_its_namespace(authorizer):
    """A LocalSubjectAccessReview carries the namespace of the request."""
    body = resource(**PODS)
    body["spec"]["user"] = "alice"
    answer = local_subject_access_review(authorizer, "sar", body)
    assert answer["metadata"] == {"namespace": "sar"}
    assert answer["kind"] == "LocalSubjectAccessReview"
    assert answer["status"] == YES


BOTH = resource(**PODS)["spec"] | {"nonResourceAttributes": {"path": "/readyz", "verb": "get"}}
NAMED = {"metadata": {"name": "x"}} | resource(**PODS)
EXACTLY_ONE = (
    "spec.resourceAttributes: Invalid value: null: "
    "exactly one of nonResourceAttributes or resourceAttributes must be specified"
)
COMBINED = (
    'spec.nonResourceAttributes: Invalid value: {"Path":"/readyz","Verb":"get"}: '
    "cannot be specified in combination with resourceAttributes"
)
NO_SUBJECT = 'spec.user: Invalid value: "": at least one of user or group must be specified'
ELSEWHERE = (
    'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace'
)
NOWHERE = 'spec.resourceAttributes.namespace: Invalid value: "": must match metadata.namespace'
NO_PATHS = (
    'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":""}: '
    "disallowed on this kind of request"
)
INVALID = [
    ("self", {"spec": BOTH}, COMBINED),
    ("self", {"spec": {}}, EXACTLY_ONE),
    ("self", {}, EXACTLY_ONE),
    ("self", NAMED, 'metadata: Invalid value: {"name":"x"}: must be empty'),
    ("any", resource(verb="get", resource="pods"), NO_SUBJECT),
    ("local", {"spec": {"user": "a", "resourceAttributes": {"namespace": "other"}}}, ELSEWHERE),
    ("local", {"spec": {"user": "a", "resourceAttributes": {"verb": "list"}}}, NOWHERE),
    ("local", {"spec": {"user": "a", "nonResourceAttributes": {"path": "/x"}}}, NO_PATHS),
]


@pytest.mark.parametrize(("kind", "body", "text"), INVALID)
def test_invalid_reviews(authorizer, kind, body, text):
    """A question that is not exactly one question is refused with Kubernetes' 422."""
    review = {
        "self": lambda: self_subject_access_review(authorizer, ALICE, body),
        "any": lambda: subject_access_review(authorizer, body),
        "local": lambda: local_subject_access_review(authorizer, "sar", body),
    }[kind]
    with pytest.raises(InvalidError) as refusal:
        review()
    status = refusal.value.status()
    field, _, message = text.partition(": ")
    assert status["message"] == f'.authorization.k8s.io "" is invalid: {text}'
    assert status["details"] == {
        "group": "authorization.k8s.io",
        "causes": [{"reason": "FieldValueInvalid", "message": message, "field": field}],
    }


WRONG_TYPES = [
    {"spec": []},
    {"spec": "x"},
    {"spec": {"resourceAttributes": "pods"}},
    {"spec": {"resourceAttributes": {"verb": 1}}},
    {"spec": {"nonResourceAttributes": {"path": ["/"]}}},
    {"metadata": 1, "spec": {"resourceAttributes": {}}},
    {"spec": {"resourceAttributes": {}, "user": {}}},
    {"spec": {"resourceAttributes": {}, "user": "a", "groups": "b"}},
    {"spec": {"resourceAttributes": {}, "user": "a", "groups": [1]}},
    {"spec": {"resourceAttributes": {}, "user": "a", "extra": {"k": "v"}}},
]


@pytest.mark.parametrize("body", WRONG_TYPES)
def test_wrong_types_are_bad_requests(authorizer, body):
    """A body of the wrong shape gets 400, never a stack trace."""
    with pytest.raises(BadRequestError):
        subject_access_review(authorizer, body)


def test_a_local_review_for_another_namespace_is_a_bad_request(authorizer):
    """The body may not name another namespace than the path."""
    with pytest.raises(BadRequestError):
        local_subject_access_review(authorizer, "sar", {"metadata": {"namespace": "other"}})


def rules_of(index, user, namespace):
    body = {"spec": {"namespace": namespace}}
    return self_subject_rules_review(index, user, body)


def test_my_rules(index):
    """All rules that hold in the namespace come back as written, cluster-wide ones too."""
    answer = rules_of(index, ALICE, "sar")
    assert answer["kind"] == "SelfSubjectRulesReview"
    assert answer["spec"] == {}
    assert answer["status"]["incomplete"] is False
    assert "evaluationError" not in answer["status"]
    expected = [
        rule("get", "core", "secrets", "one"),
        rule("get,list", "core", "pods"),
        rule("update", "apps", "deployments/scale,*/status"),
        rule("create", "authentication.k8s.io", "selfsubjectreviews"),
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews,selfsubjectrulesreviews"),
    ]
    found = answer["status"]["resourceRules"]
    assert sorted(found, key=str) == sorted(expected, key=str)
    paths = {
        url for each in answer["status"]["nonResourceRules"] for url in each["nonResourceURLs"]
    }
    assert {"/healthz", "/version", "/apis/*"} <= paths


def test_no_rules_for_a_stranger(index):
    """Somebody without any binding gets empty lists."""
    stranger = self_subject_rules_review(index_of(), BOB, {"spec": {"namespace": "a"}})
    assert stranger["status"] == {
        "resourceRules": [],
        "nonResourceRules": [],
        "incomplete": False,
    }


def test_masters_hold_everything(index):
    """The cluster's own admin sees the rule that allows everything."""
    assert rule("*", "*", "*") in rules_of(index, ROOT, "sar")["status"]["resourceRules"]


def test_no_hint_whether_a_namespace_exists(index):
    """A namespace without rights and one that does not exist look the same."""
    assert rules_of(index, ALICE, "team-b") == rules_of(index, ALICE, "does-not-exist")


def test_a_missing_role_is_told():
    """A binding that dangles shows as an evaluation error."""
    index = index_of(binding("a", "b", "Role/gone", "User/alice"))
    assert rules_of(index, ALICE, "a")["status"]["evaluationError"] == (
        'role.rbac.authorization.k8s.io "gone" not found'
    )


@pytest.mark.parametrize("body", [{}, {"spec": {}}, {"spec": {"namespace": ""}}])
def test_my_rules_need_a_namespace(index, body):
    """Without a namespace the review is a bad request."""
    with pytest.raises(BadRequestError) as refusal:
        self_subject_rules_review(index, ALICE, body)
    assert refusal.value.message == "no namespace on request"
