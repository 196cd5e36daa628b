"""Who sends a request: from memory that is kept fresh, or from the cluster; never from garbage."""

import asyncio

import httpx
import orjson
import pytest

from llmos.apimachinery.errors import (
    ForbiddenError,
    NotFoundError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from llmos.authentication.records import (
    SECRETS,
    SYSTEM_NAMESPACE,
    TOKEN_TYPE,
    make_secret,
)
from llmos.authentication.tokens import key_digest
from llmos.client import resources as known
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.watch import Event, EventType
from llmos.endpoints.judges import Judges
from llmos.proxy.identities import Identities
from llmos.proxy.platform import STALE_SECONDS, Platform
from llmos.proxy.reviewing import TokenReviews
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

pytestmark = pytest.mark.anyio
NAME = "token-abcde"
KEY = "k" * 54
UID = "5a1c7c5e-0000-4000-8000-000000000001"


def token(name: str = NAME) -> dict:
    data = {
        "kind": "api", "hash": key_digest(KEY).hex(), "user": "alice", "userUID": UID,
        "createdAt": "2020-01-01T00:00:00Z", "expiresAt": "2100-01-01T00:00:00Z",
    }  # fmt: skip
    return make_secret(name, TOKEN_TYPE, data)


class Proxy:
    """What a replica knows, on an API in memory."""

    def __init__(self, api: FakeAPI) -> None:
        self.now = 1000.0
        client = Client(Config("http://api"), transport=api)
        self.platform = Platform(client, lambda: self.now)
        for each in (
            known.ROLES, known.ROLE_BINDINGS, known.CLUSTER_ROLES, known.CLUSTER_ROLE_BINDINGS,
            known.USERS, known.ROLE_TEMPLATE_BINDINGS, known.SETTINGS,
        ):  # fmt: skip
            self.platform.follow(each)
        self.memory = self.platform.follow(known.SECRETS, SYSTEM_NAMESPACE)
        self.judges = Judges(lambda: 1_700_000_000.0)
        self.judges.learn(self.platform.feed)
        self.identities = Identities(self.platform, self.judges.tokens, TokenReviews(client))

    async def __aenter__(self) -> "Proxy":
        self.task = asyncio.ensure_future(self.platform.run())
        await self.platform.wait_synced()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def platform_api() -> FakeAPI:
    api = FakeAPI()
    api.create(known.NAMESPACES, SYSTEM_NAMESPACE)
    user = {"username": "alice", "isActive": True}
    api.create(known.USERS, "alice", spec=user)
    api.get(known.USERS, "", "alice")["metadata"]["uid"] = UID
    return api


async def test_a_token_is_good_when_its_write_returns_and_bad_when_it_is_deleted():
    """Nobody waits for a watch to see what this replica wrote itself."""
    async with Proxy(platform_api()) as proxy:
        await proxy.platform.create(SECRETS, token())
        identity = proxy.identities.authenticate(f"{NAME}:{KEY}")
        assert identity is not None
        assert identity.user.name == "alice"
        with pytest.raises(UnauthorizedError):
            proxy.identities.authenticate(f"{NAME}:wrong")
        await proxy.platform.delete(SECRETS, SYSTEM_NAMESPACE, NAME)
        assert proxy.identities.authenticate(f"{NAME}:{KEY}") is None
        with pytest.raises(NotFoundError):
            await proxy.platform.delete(SECRETS, SYSTEM_NAMESPACE, NAME)


async def test_news_older_than_memory_changes_nothing():
    """Neither a watch that lags nor a list that began before undoes a write."""
    async with Proxy(platform_api()) as proxy:
        old = await proxy.platform.create(SECRETS, token())
        new = await proxy.platform.update(SECRETS, {**old, "data": {}})
        proxy.memory.receive(Event(EventType.MODIFIED, old))
        assert proxy.platform.get(SECRETS, SYSTEM_NAMESPACE, NAME)["data"] == {}
        proxy.memory.receive(Event(EventType.LISTING, {}))
        before = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}}
        proxy.memory.receive(Event(EventType.SYNCED, before))
        assert proxy.platform.get(SECRETS, SYSTEM_NAMESPACE, NAME) is not None
        proxy.memory.deleted(SYSTEM_NAMESPACE, NAME, new["metadata"]["uid"])
        proxy.memory.receive(Event(EventType.ADDED, old))
        assert proxy.identities.authenticate(f"{NAME}:{KEY}") is None


async def test_a_token_of_the_other_replica_is_looked_up_and_ends_with_its_secret():
    """Before the watch brings it, the cluster is asked; when it is gone, it is refused."""
    api = platform_api()
    async with Proxy(api) as proxy:
        made = token()
        api.watches.clear()
        api.create(known.SECRETS, NAME, SYSTEM_NAMESPACE, type=TOKEN_TYPE, data=made["data"])
        assert proxy.identities.authenticate(f"{NAME}:{KEY}") is None
        identity = await proxy.identities.ask(f"{NAME}:{KEY}")
        assert identity is not None
        assert identity.user.name == "alice"
        assert await proxy.identities.ask(f"token-zzzzz:{KEY}") is None
        many = (proxy.identities.ask(f"token-zzzzz:{KEY}") for _ in range(60))
        answers = await asyncio.gather(*many, return_exceptions=True)
        assert any(isinstance(each, TooManyRequestsError) for each in answers)


async def test_a_revoked_token_is_refused_at_once():
    """The watch brings what another replica revoked."""
    api = platform_api()
    async with Proxy(api) as proxy:
        await proxy.platform.create(SECRETS, token())
        api.delete(known.SECRETS, NAME, SYSTEM_NAMESPACE)
        await eventually(lambda: proxy.identities.authenticate(f"{NAME}:{KEY}") is None)


async def test_silence_is_no_consent():
    """When the cluster has said nothing for too long, memory decides nothing."""
    async with Proxy(platform_api()) as proxy:
        await proxy.platform.create(SECRETS, token())
        proxy.now += STALE_SECONDS + 1
        with pytest.raises(ServiceUnavailableError):
            proxy.identities.authenticate(f"{NAME}:{KEY}")


class Reviewer(httpx.AsyncBaseTransport):
    """Answers TokenReviews."""

    def __init__(self, status: object, kind: str = "TokenReview", code: int = 201) -> None:
        self.answer, self.code, self.asked = {"kind": kind, "status": status}, code, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.code, content=orjson.dumps(self.answer))


def reviews(reviewer: Reviewer, clock=lambda: 0.0) -> TokenReviews:
    return TokenReviews(Client(Config("http://api"), transport=reviewer), clock)


def said(**user: object) -> dict:
    return {"authenticated": True, "user": user}


async def test_the_cluster_says_who_others_are_and_is_asked_once_in_a_while():
    """Uid, groups and extra come with the name; llmos's own groups only llmos gives."""
    now = 0.0
    groups = ["devs", "llmos:admins"]
    reviewer = Reviewer(said(username="bob", uid="7", groups=groups, extra={"k/x": ["v"]}))
    cluster = reviews(reviewer, lambda: now)
    found = await asyncio.gather(*(cluster.authenticate("t") for _ in range(9)))
    user = found[0].user
    assert (user.name, user.uid, user.groups) == ("bob", "7", ("devs",))
    assert user.extra == {"k/x": ("v",)}
    assert reviewer.asked == 1
    now = 10.0
    await cluster.authenticate("t")
    assert reviewer.asked == 2


@pytest.mark.parametrize(
    "status",
    [
        None, [], said(), said(username=""), said(username=7), said(username="b", groups="g"),
        said(username="b", groups=[1]), said(username="b", extra={"k": "v"}),
    ],
)  # fmt: skip
async def test_garbage_is_nobody(status: object):
    """What cannot be read whole is an outage, not an identity."""
    with pytest.raises(ServiceUnavailableError):
        await reviews(Reviewer(status)).authenticate("t")


async def test_refusals_and_outages():
    """Not authenticated is nobody; an error upstream is 503 and is asked again."""
    assert await reviews(Reviewer({"authenticated": False})).authenticate("t") is None
    assert await reviews(Reviewer({"authenticated": "true"})).authenticate("t") is None
    assert await reviews(Reviewer({**said(username="b"), "error": "e"})).authenticate("t") is None
    broken = Reviewer(said(username="b"), code=500)
    cluster = reviews(broken)
    for _ in range(2):
        with pytest.raises(ServiceUnavailableError):
            await cluster.authenticate("t")
    assert broken.asked == 2
    masters = Reviewer(said(username="root", groups=["system:masters"]))
    with pytest.raises(ForbiddenError, match="system:masters"):
        await reviews(masters).authenticate("t")
