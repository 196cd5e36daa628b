"""The judge of what goes upstream finds every fault, one at a time."""

import base64
import json

import pytest

from support.upstreamlog import CONTROLLERS, PROXY, Sent, UpstreamLog, faults

GROUPS = {"alice": frozenset({"llmos:users", "system:authenticated"})}
PATH = "/api/v1/namespaces/team-a/configmaps"


def credential(account: str) -> tuple[str, str]:
    """The header of an account."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": account}).encode()).decode().rstrip("=")
    return "authorization", f"Bearer h.{claims}.s"


def for_user(user: str, *groups: str) -> list[tuple[str, str]]:
    """The headers of a request that is made for somebody."""
    return [("impersonate-user", user), *(("impersonate-group", each) for each in groups)]


ALICE = for_user("alice", *sorted(GROUPS["alice"]))
OURS = credential(PROXY)


def found(*headers: tuple[str, str], method: str = "GET", target: str = PATH) -> list[str]:
    """The faults of a request."""
    return list(faults(Sent(method, target, headers), GROUPS))


def test_what_is_right() -> None:
    """A user's request with his groups, and the proxy's own business."""
    assert not found(OURS, *ALICE)
    assert not found(OURS, *for_user("system:serviceaccount:team-a:runner", "system:authenticated"))
    assert not found(credential(CONTROLLERS), method="PUT", target="/api/v1/namespaces/x")
    assert not found(OURS, target="/api/v1/namespaces?watch=1")
    assert not found(OURS, target="/api/v1/namespaces/llmos-system/secrets/token-a", method="PUT")
    assert not found(OURS, target="/apis/authentication.k8s.io/v1/tokenreviews", method="POST")


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ([OURS], "under the proxy's own identity"),
        ([], "0 credentials"),
        ([OURS, OURS, *ALICE], "2 credentials"),
        ([credential("system:serviceaccount:x:y"), *ALICE], "a credential that is not ours"),
        ([("authorization", "Bearer token-a:b"), *ALICE], "a credential that is not ours"),
        ([credential(CONTROLLERS), *ALICE], "the controllers impersonate"),
        ([OURS, *ALICE, ("impersonate-user", "root")], "for the users"),
        ([OURS, *for_user("", "a")], "for the users"),
        ([OURS, ("impersonate-group", "system:masters")], "for the users"),
        ([OURS, *ALICE, ("impersonate-group", "llmos:users")], "twice"),
        ([OURS, *ALICE, ("impersonate-group", "llmos:admins")], "instead of"),
        ([OURS, *ALICE[:-1]], "instead of"),
        ([OURS, *for_user("robot", "system:masters")], "system:masters"),
        ([OURS, *ALICE, ("cookie", "a=b")], "a header cookie"),
        ([OURS, *ALICE, ("x-remote-user", "root")], "a header x-remote-user"),
        ([OURS, *ALICE, ("proxy-authorization", "x")], "a header proxy-authorization"),
    ],
)
def test_faults(headers: list[tuple[str, str]], fault: str) -> None:
    """Each is found, and is the only one."""
    (only,) = found(*headers)
    assert fault in only


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/namespaces/kube-system/secrets",
        "/api/v1/namespaces/llmos-system/configmaps",
        "/api/v1/namespaces/llmos-system/secrets/a/b",
        "/api/v1/namespaces/llmos-system/../team-b/secrets",
        "/api/v1/namespaces/team-a",
        "/apis/management.llmos.ai/v1/roletemplates/x",
    ],
)
def test_what_the_proxy_has_no_business_with(target: str) -> None:
    """Under its own identity it may ask only for what it needs."""
    assert found(OURS, target=target) == ["under the proxy's own identity"]


def test_a_fault_is_reported_once_and_trailers_are_one() -> None:
    """A test fails for what it caused, and the next one does not."""
    log = UpstreamLog(groups=GROUPS)
    request = Sent("POST", PATH, [OURS, *ALICE])
    log.add(request)
    log.ended(request)
    log.check()
    request.trailers.append(("impersonate-user", "root"))
    log.ended(request)
    with pytest.raises(AssertionError, match="trailers"):
        log.check()
    log.check()


def test_looking_back() -> None:
    """What was sent for somebody, and what the proxy asked for itself."""
    log = UpstreamLog()
    log.add(Sent("GET", "/api/v1/nodes", [OURS, *ALICE]))
    mark = log.mark()
    alice = Sent("GET", f"{PATH}?limit=5", [OURS, *ALICE])
    bob = Sent("GET", PATH, [OURS, *for_user("bob")])
    informer = Sent("GET", "/api/v1/namespaces?watch=1", [OURS])
    review = Sent("POST", "/apis/authentication.k8s.io/v1/tokenreviews", [OURS])
    for each in (alice, bob, informer, review):
        log.add(each)
    assert log.since(mark) == [alice, bob]
    assert log.since(mark, "alice") == [alice]
    assert log.own(mark) == [review]
    assert (alice.path, alice.query) == (PATH, {"limit": ["5"]})
