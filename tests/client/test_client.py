"""The client speaks Kubernetes' paths and verbs, and answers with its errors."""

import asyncio
from collections.abc import Callable

import httpx
import orjson
import pytest

from llmos.apimachinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    ExpiredError,
    InternalError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)
from llmos.client.client import (
    APPLY_PATCH,
    JSON_PATCH,
    Client,
    Config,
    Selectors,
    delete_options,
    resource_path,
)
from llmos.client.discovery import discover, preferred
from llmos.client.errors import ConnectionFailedError, status_error_from
from llmos.client.resources import CONFIG_MAPS, NAMESPACES, ROLES, USERS
from reconcile.fake_api import FakeAPI


def answer(handler: Callable[[httpx.Request], httpx.Response], *, token: object = "") -> Client:
    config = Config("http://api", token=token)
    return Client(config, transport=httpx.MockTransport(handler))


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((NAMESPACES, None), "/api/v1/namespaces"),
        ((NAMESPACES, "x", "a"), "/api/v1/namespaces/a"),
        ((CONFIG_MAPS, None), "/api/v1/configmaps"),
        ((CONFIG_MAPS, "a", "b"), "/api/v1/namespaces/a/configmaps/b"),
        ((CONFIG_MAPS, "a/../b", "c?d"), "/api/v1/namespaces/a%2F..%2Fb/configmaps/c%3Fd"),
        (
            (ROLES, "a", "llmos:x"),
            "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/llmos:x",
        ),
        ((USERS, "", "u", "status"), "/apis/management.llmos.ai/v1/users/u/status"),
    ],
)
def test_paths(arguments, path):
    """A resource, a namespace and a name make one path; a name stays one segment."""
    assert resource_path(*arguments) == path


@pytest.mark.parametrize("name", [".", ".."])
def test_names_that_would_climb_are_refused(name):
    """A name that a URL reads as a directory never leaves the client."""
    with pytest.raises(BadRequestError):
        resource_path(NAMESPACES, "", name)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"code": 409, "reason": "AlreadyExists"}, AlreadyExistsError),
        ({"code": 409, "reason": "Conflict"}, ConflictError),
        ({"code": 409}, ConflictError),
        ({"code": 404}, NotFoundError),
        ({"code": 410, "reason": "Gone"}, ExpiredError),
        ({"code": 401}, UnauthorizedError),
        ({"code": 429, "details": {"retryAfterSeconds": 7}}, TooManyRequestsError),
        ({"code": 418, "reason": "Teapot"}, BadRequestError),
        ({"code": 599}, InternalError),
    ],
)
def test_status_errors(status, kind):
    """A Status becomes the error of its reason, else of its code."""
    error = status_error_from({**status, "message": "why"})
    assert type(error) is kind
    assert error.message == "why"
    assert error.details == status.get("details")


def test_answers_that_are_not_json_are_errors_of_their_code():
    """A proxy's page is the error of its code; a 200 that is no JSON, a broken connection."""

    async def scenario() -> None:
        client = answer(lambda _: httpx.Response(404, text="no such page"))
        with pytest.raises(NotFoundError, match="no such page"):
            await client.get(NAMESPACES, "", "a")
        client = answer(lambda _: httpx.Response(200, text="<html>"))
        with pytest.raises(ConnectionFailedError):
            await client.get(NAMESPACES, "", "a")

    asyncio.run(scenario())


def test_connection_trouble_is_one_error():
    """Whatever breaks below HTTP is a ConnectionFailedError that names the server and no token."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    async def scenario() -> None:
        client = answer(refuse, token="CANARY")
        with pytest.raises(ConnectionFailedError, match=r"http://api .*refused") as caught:
            await client.list(NAMESPACES)
        assert "CANARY" not in str(caught.value)
        assert "CANARY" not in repr(client.config)

    asyncio.run(scenario())


def test_token_is_read_for_each_request():
    """A token that changes is sent as it is at that moment."""
    tokens = iter(["one", "two"])
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json={})

    async def scenario() -> None:
        client = answer(handler, token=lambda: next(tokens))
        await client.get(NAMESPACES, "", "a")
        await client.get(NAMESPACES, "", "a")

    asyncio.run(scenario())
    assert seen == ["Bearer one", "Bearer two"]


def test_list_reads_all_pages_and_begins_again_when_they_expire():
    """A list follows ``continue``; a 410 in the middle starts it anew, nothing comes twice."""
    calls = []

    def handler(request: httpx.Request) -> httpx.Response:
        token = request.url.params.get("continue", "")
        calls.append(token)
        if token == "p2" and calls.count("p2") == 1:
            return httpx.Response(410, json={"code": 410, "reason": "Expired"})
        number = {"": 1, "p2": 2}[token]
        meta = {"resourceVersion": "5", "continue": "p2" if number == 1 else ""}
        items = [{"metadata": {"name": f"n{number}"}}]
        return httpx.Response(200, json={"metadata": meta, "items": items})

    async def scenario() -> list[dict]:
        return await answer(handler).list(NAMESPACES)

    items = asyncio.run(scenario())
    assert [each["metadata"]["name"] for each in items] == ["n1", "n2"]
    assert items[0]["kind"] == "Namespace"
    assert calls == ["", "p2", "", "p2"]


def test_writes_say_what_they_are():
    """Each verb sends its method, path, query, media type and body."""
    sent = []

    def handler(request: httpx.Request) -> httpx.Response:
        body = orjson.loads(request.content) if request.content else None
        kind = request.headers.get("content-type")
        sent.append((request.method, request.url.raw_path.decode(), kind, body))
        return httpx.Response(200, json={})

    obj = {"metadata": {"name": "b", "namespace": "a"}}
    typed = {"apiVersion": "v1", "kind": "ConfigMap", **obj}

    async def scenario() -> None:
        client = answer(handler)
        await client.create(CONFIG_MAPS, obj)
        await client.update_status(CONFIG_MAPS, obj)
        await client.patch(CONFIG_MAPS, "a", "b", [{"op": "x"}], patch_type=JSON_PATCH)
        await client.patch_status(CONFIG_MAPS, "a", "b", {"x": 1})
        await client.apply(CONFIG_MAPS, obj, manager="m")
        await client.delete(CONFIG_MAPS, "a", "b", delete_options(uid="u"))
        await client.delete_collection(CONFIG_MAPS, "a", selectors=Selectors(label="x=y"))

    asyncio.run(scenario())
    one = "/api/v1/namespaces/a/configmaps/b"
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u"}}
    merge = "application/merge-patch+json"
    assert sent == [
        ("POST", "/api/v1/namespaces/a/configmaps", "application/json", typed),
        ("PUT", f"{one}/status", "application/json", typed),
        ("PATCH", one, JSON_PATCH, [{"op": "x"}]),
        ("PATCH", f"{one}/status", merge, {"status": {"x": 1}}),
        ("PATCH", f"{one}?fieldManager=m&force=true", APPLY_PATCH, typed),
        ("DELETE", one, "application/json", options),
        ("DELETE", "/api/v1/namespaces/a/configmaps?labelSelector=x%3Dy", None, None),
    ]


def test_discovery_reads_every_group_and_names_those_that_fail():
    """Resources come with scope, verbs and subresources, in the preferred version first."""
    api = FakeAPI()

    async def scenario():
        async with Client(Config("http://api"), transport=api) as client:
            return await discover(client)

    found = asyncio.run(scenario())
    by_name = {each.plural: each for each in found.resources}
    assert by_name["configmaps"].namespaced
    assert not by_name["users"].namespaced
    assert by_name["users"].api_version == "management.llmos.ai/v1"
    assert by_name["users"].subresource("status") is not None
    assert found.failed == ()
    assert len(preferred([*found.resources, *found.resources])) == len(found.resources)


class Rotated:
    """A token that the server takes no more, and what gives the next."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.asked = 0

    def __call__(self) -> str:
        return self.tokens[0]

    async def renew(self) -> bool:
        """Give the next token, if there is one."""
        self.asked += 1
        if len(self.tokens) == 1:
            return False
        self.tokens.pop(0)
        return True


def rotated(*tokens: str, takes: str) -> tuple[Client, Rotated, list[tuple[str, bytes]]]:
    """A client with these tokens one after the other, of which the server takes one."""
    token, seen = Rotated(*tokens), []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["Authorization"], request.content))
        if request.headers["Authorization"] == f"Bearer {takes}":
            return httpx.Response(200, stream=httpx.ByteStream(b'{"items":[],"kind":"List"}'))
        return httpx.Response(401, json={"kind": "Status", "code": 401, "reason": "Unauthorized"})

    config = Config("http://api", token=token, renew=token.renew)
    return Client(config, transport=httpx.MockTransport(handler)), token, seen


def test_a_refused_token_is_replaced_at_once():
    """Every request is sent again with the new one, whole: the server has not read it."""
    client, token, seen = rotated("old", "new", takes="new")

    async def scenario() -> None:
        async with client:
            await client.create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "b"}})

    asyncio.run(scenario())
    assert [each for each, _ in seen] == ["Bearer old", "Bearer new"]
    assert seen[0][1] == seen[1][1] != b""
    assert token.asked == 1


def test_a_stream_with_a_refused_token_too():
    """It begins with the new one."""
    client, _, seen = rotated("old", "new", takes="new")

    async def scenario() -> bytes:
        async with client, client.stream("/api/v1/pods", {"watch": "1"}) as chunks:
            return b"".join([each async for each in chunks])

    assert asyncio.run(scenario()) == b'{"items":[],"kind":"List"}'
    assert [each for each, _ in seen] == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize("tokens", [("old",), ("old", "older")])
def test_a_refusal_that_stays_is_one(tokens):
    """Nothing is sent a third time, nor again where there is no other token."""
    client, token, seen = rotated(*tokens, takes="new")

    async def scenario() -> None:
        async with client:
            with pytest.raises(UnauthorizedError):
                await client.get(CONFIG_MAPS, "a", "b")
            with pytest.raises(UnauthorizedError):
                async with client.stream("/api/v1/pods", {}):
                    pass

    asyncio.run(scenario())
    assert len(seen) == len(tokens) + 1
    assert token.asked == 2


def test_a_token_that_somebody_replaced_meanwhile_is_not_asked_for_again():
    """Of many requests that are refused at once one reads the token anew."""
    client, token, seen = rotated("old", "new", takes="new")
    handler = client._http._transport.handler

    async def slow(request: httpx.Request) -> httpx.Response:
        answered = handler(request)
        await asyncio.sleep(0.01)
        return answered

    client._http._transport.handler = slow

    async def scenario() -> None:
        async with client:
            await asyncio.gather(*(client.get(CONFIG_MAPS, "a", "b") for _ in range(5)))

    asyncio.run(scenario())
    assert token.asked == 1
    assert len(seen) == 10
