"""What went upstream, and whether it was allowed to: the judge of everything that the proxy sends.

A proxy has two ways to be wrong that its clients cannot see: it sends what a user asked for under
its own identity, or under somebody else's. Both are found here, in the requests themselves.
"""

import base64
import binascii
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

SYSTEM = "llmos-system"
PROXY = f"system:serviceaccount:{SYSTEM}:llmos-proxy"
CONTROLLERS = f"system:serviceaccount:{SYSTEM}:llmos-controllers"
_NEVER = re.compile(r"cookie|x-remote-.*|proxy-.*|te|trailer|expect")
_IN_SYSTEM = rf"/namespaces/{SYSTEM}"
_OWN = (
    # The informers, which list and watch whole resources.
    ("GET", r"/api/v1/[a-z]+"),
    ("GET", r"/apis/[a-z0-9.-]+/v[a-z0-9]+/[a-z]+"),
    # What there is.
    ("GET", r"/api(/v1)?|/apis(/[a-z0-9.]+(/v[a-z0-9]+)?)?|/version|/openapi/.*|/(livez|readyz)"),
    # Whose token it is, and what somebody may do.
    ("POST", r"/apis/authentication\.k8s\.io/v1/tokenreviews"),
    ("POST", r"/apis/authorization\.k8s\.io/v1/(self)?subjectaccessreviews"),
    # The records of users and sessions, and the leader's Lease.
    ("GET|POST|PUT|PATCH|DELETE", rf"/api/v1{_IN_SYSTEM}/secrets(/[^/]+)?"),
    ("GET", r"/apis/management\.llmos\.ai/v1/users/[^/]+"),
    ("GET|POST|PUT|PATCH", rf"/apis/coordination\.k8s\.io/v1{_IN_SYSTEM}/leases(/[^/]+)?"),
    ("POST", rf"/api/v1{_IN_SYSTEM}/serviceaccounts/llmos-controllers/token"),
)

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Sent:
    """One request, as it arrived upstream."""

    method: str
    target: str
    headers: Pairs
    """The names in lower case, in the order in which they came."""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> Mapping[str, list[str]]:
        """The query, decoded."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def account(self) -> str:
        """Whose credential it carries: the subject of a token, which upstream has yet to verify."""
        bearer = " ".join(self.all("authorization")).removeprefix("Bearer ")
        try:
            payload = bearer.split(".")[1]
            return str(json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"])
        except (IndexError, KeyError, ValueError, binascii.Error):
            return ""

    @property
    def impersonates(self) -> bool:
        """Whether it is made for somebody else."""
        return any(name.startswith("impersonate-") for name, _ in self.headers)

    @property
    def user(self) -> str:
        """For whom it is made; empty: for nobody, or for more than one."""
        users = self.all("impersonate-user")
        return users[0] if len(users) == 1 else ""

    def __str__(self) -> str:
        return f"{self.method} {self.target} of {self.account or 'nobody'} for {self.user or '-'}"


@dataclass
class UpstreamLog:
    """All requests so far, judged as they came."""

    sent: list[Sent] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    """What is known of people: the groups that each is to be impersonated with, all and no more."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: Sent) -> None:
        """Take one request whose head has come."""
        with self._lock:
            self.sent.append(request)
        self.blame(request, list(faults(request, self.groups)))

    def ended(self, request: Sent) -> None:
        """Look at what came after the head."""
        if request.trailers:
            self.blame(request, [f"trailers {request.trailers}"])

    def blame(self, request: Sent, wrong: Sequence[str]) -> None:
        """Note what is wrong with a request."""
        with self._lock:
            self.violations += [f"{request}: {each}" for each in wrong]

    def check(self) -> None:
        """Nothing has gone upstream that must not.

        Raises:
            AssertionError: something has; it is forgotten, so that one test fails and not all.
        """
        with self._lock:
            found, self.violations = self.violations, []
        assert not found, "\n".join(found)

    def mark(self) -> int:
        """A place in the log, to look from later."""
        return len(self.sent)

    def since(self, mark: int, user: str = "") -> list[Sent]:
        """What was sent for users, or one of them, since a place."""
        found = [each for each in self.sent[mark:] if each.impersonates]
        return [each for each in found if user in ("", each.user)]

    def own(self, mark: int) -> list[Sent]:
        """What the proxy itself asked for, and which no informer asks for."""
        return [
            each
            for each in self.sent[mark:]
            if each.account == PROXY and not each.impersonates and not _is_informer(each)
        ]


def _is_informer(request: Sent) -> bool:
    whole = any(re.fullmatch(path, request.path) for _, path in _OWN[:2])
    return request.method == "GET" and whole


def faults(request: Sent, groups: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """What is wrong with a request, from its head."""
    names = [name for name, _ in request.headers]
    yield from (f"a header {each}" for each in names if _NEVER.fullmatch(each))
    if names.count("authorization") != 1:
        yield f"{names.count('authorization')} credentials"
    elif request.account not in (PROXY, CONTROLLERS):
        yield "a credential that is not ours"
    elif request.impersonates:
        yield from _faults_for_user(request, groups)
    elif request.account == PROXY and not _is_own(request):
        yield "under the proxy's own identity"


def _is_own(request: Sent) -> bool:
    return any(
        re.fullmatch(methods, request.method) and re.fullmatch(path, request.path)
        for methods, path in _OWN
    )


def _faults_for_user(request: Sent, groups: Mapping[str, frozenset[str]]) -> Iterator[str]:
    if request.account != PROXY:
        yield "the controllers impersonate"
    users, sent = request.all("impersonate-user"), request.all("impersonate-group")
    if len(users) != 1 or not users[0]:
        yield f"for the users {users}"
        return
    if len(set(sent)) != len(sent):
        yield f"the same group twice in {sent}"
    expected = groups.get(users[0])
    if expected is not None and set(sent) != expected:
        yield f"with the groups {sorted(sent)} instead of {sorted(expected)}"
    if "system:masters" in sent:
        yield "with the group system:masters"
