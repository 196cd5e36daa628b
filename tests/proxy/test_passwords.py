"""Passwords in User manifests are taken out before anything reaches the cluster."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from llmos.apimachinery.errors import BadRequestError, InvalidError, StatusError
from llmos.endpoints.http import Request, Response
from llmos.endpoints.requestinfo import parse_request
from llmos.proxy.passwords import PasswordIntake, writes_users

USERS = "/apis/management.llmos.ai/v1/users"
PASSWORD = "correct-horse"
LAST = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass
class Cluster:
    """What the proxy would speak to."""

    status: int = 201
    bodies: list[bytes] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    users: tuple[str, ...] = ("ann",)

    async def forward(self, request: Request) -> Response:
        """Take a request."""
        self.bodies.append(await request.body())
        return Response(self.status, b"{}")

    async def look_up(self, _: object, __: str, name: str) -> Any:
        """Find a user."""
        return {"metadata": {"name": name, "uid": "1"}} if name in self.users else None

    async def absorb_password(self, user: Any, password: str) -> None:
        """Keep a password."""
        self.kept.append((user["metadata"]["name"], password))

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        media_type: str = "application/json",
        query: str = "",
    ) -> Any:
        """Send a request; the body that came through comes back."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        request = _request(method, path, raw, media_type, query)
        intake = PasswordIntake(self.forward, self, self)
        asyncio.run(intake(request))
        return self.bodies[-1]


def _request(method: str, path: str, body: bytes, media_type: str, query: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"content-type", media_type.encode())],
    }
    request = Request(scope, receive)
    request.info = parse_request(method, request.raw_path, request.query)
    return request


def user(**spec: Any) -> dict[str, Any]:
    """A manifest."""
    return {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "metadata": {"name": "ann"},
        "spec": {"displayName": "Ann", **spec},
    }


@pytest.mark.parametrize(
    ("method", "path", "media_type", "body"),
    [
        ("POST", USERS, "application/json", user(password=PASSWORD)),
        ("PUT", f"{USERS}/ann", "application/json", user(password=PASSWORD)),
        (
            "POST",
            USERS,
            "application/yaml",
            b"kind: User\nmetadata: {name: ann}\nspec: {displayName: Ann, password: correct-horse}",
        ),
        (
            "PATCH",
            f"{USERS}/ann",
            "application/merge-patch+json",
            {"spec": {"password": PASSWORD, "displayName": "Ann"}},
        ),
        (
            "PATCH",
            f"{USERS}/ann",
            "application/apply-patch+yaml",
            b"metadata: {name: ann}\nspec:\n  displayName: Ann\n  password: correct-horse\n",
        ),
        (
            "PATCH",
            f"{USERS}/ann",
            "application/json-patch+json",
            [
                {"op": "replace", "path": "/spec/displayName", "value": "Ann"},
                {"op": "add", "path": "/spec/password", "value": PASSWORD},
            ],
        ),
        (
            "PATCH",
            f"{USERS}/ann",
            "application/json-patch+json",
            [{"op": "add", "path": "/spec", "value": {"password": PASSWORD, "displayName": "Ann"}}],
        ),
        (
            "PATCH",
            f"{USERS}/ann",
            "application/json-patch+json",
            [{"op": "replace", "path": "", "value": user(password=PASSWORD)}],
        ),
    ],
)
def test_no_password_comes_through(method: str, path: str, media_type: str, body: Any) -> None:
    """In whatever form it comes: the rest reaches the cluster, the password its record."""
    cluster = Cluster()
    sent = cluster.send(method, path, body, media_type)
    assert PASSWORD.encode() not in sent
    assert b"Ann" in sent
    assert cluster.kept == [("ann", PASSWORD)]


def test_kubectl_remembers_no_password() -> None:
    """Nor is it in the copy of the manifest that kubectl keeps in an annotation."""
    manifest = user(password=PASSWORD)
    manifest["metadata"]["annotations"] = {LAST: orjson.dumps(user(password=PASSWORD)).decode()}
    cluster = Cluster()
    assert PASSWORD.encode() not in cluster.send("POST", USERS, manifest)
    patch = {
        "metadata": {"annotations": {LAST: orjson.dumps(user(password=PASSWORD)).decode()}},
        "spec": {"password": PASSWORD},
    }
    sent = cluster.send("PATCH", f"{USERS}/ann", patch, "application/merge-patch+json")
    assert PASSWORD.encode() not in sent
    assert b'"name"' not in sent.split(b'"annotations"')[0]
    del patch["spec"]
    sent = cluster.send("PATCH", f"{USERS}/ann", patch, "application/merge-patch+json")
    assert PASSWORD.encode() not in sent


def test_what_has_no_password_is_not_touched() -> None:
    """Not a byte."""
    raw = b'{ "spec": {"displayName" : "Ann"} }'
    cluster = Cluster()
    assert cluster.send("PATCH", f"{USERS}/ann", raw, "application/merge-patch+json") == raw
    assert cluster.kept == []


@pytest.mark.parametrize(("status", "query"), [(403, ""), (409, ""), (201, "dryRun=All")])
def test_a_refused_write_sets_no_password(status: int, query: str) -> None:
    """Nor does one that was only tried."""
    cluster = Cluster(status)
    cluster.send("POST", USERS, user(password=PASSWORD), query=query)
    assert cluster.kept == []


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "copy", "from": "/spec/displayName", "path": "/spec/password"}, InvalidError),
        ({"op": "move", "from": "/metadata/annotations", "path": "/spec"}, InvalidError),
        ({"op": "add", "path": "/spec/password", "value": "x"}, InvalidError),
        ({"op": "add", "path": "/spec/password", "value": {"a": 1}}, InvalidError),
    ],
)
def test_operations_that_are_refused(operation: Any, error: type[StatusError]) -> None:
    """A password that comes by a detour, or is not good enough."""
    cluster = Cluster()
    with pytest.raises(error, match="password"):
        cluster.send("PATCH", f"{USERS}/ann", [operation], "application/json-patch+json")
    assert cluster.bodies == []


def test_bodies_that_are_refused() -> None:
    """What we cannot read as the cluster would is not handed on."""
    cluster = Cluster()
    with pytest.raises(BadRequestError):
        cluster.send("PATCH", f"{USERS}/ann", b"{", "application/merge-patch+json")
    with pytest.raises(BadRequestError):
        cluster.send("POST", USERS, b"{")
    nameless = user(password=PASSWORD)
    nameless["metadata"] = {"generateName": "ann-"}
    with pytest.raises(BadRequestError, match="with a name"):
        cluster.send("POST", USERS, nameless)
    assert cluster.bodies == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", USERS, True),
        ("PUT", f"{USERS}/ann", True),
        ("PATCH", f"{USERS}/ann", True),
        ("GET", f"{USERS}/ann", False),
        ("DELETE", f"{USERS}/ann", False),
        ("PUT", f"{USERS}/ann/status", False),
        ("POST", "/apis/other.ai/v1/users", False),
    ],
)
def test_which_requests_are_looked_at(method: str, path: str, expected: bool) -> None:
    """Writes of users, and nothing else."""
    request = _request(method, path, b"", "", "")
    assert writes_users(request.info) is expected
