"""A change says who granted a role, in the version that it was tried on and in no other."""

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from endpoints.exchange import request_of
from llmos.admission.chain import Chain
from llmos.admission.members import record_granter
from llmos.admission.plugin import WRITES, Mutator, Scope
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import Object
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.role_template_bindings import GRANTED_BY
from llmos.client import resources as known
from llmos.client.client import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Client
from llmos.client.config import Config
from llmos.client.watch import Event, EventType
from llmos.endpoints.http import Request, Response
from llmos.proxy.annotating import JSON, Amendment
from llmos.proxy.platform import Memory, Platform
from llmos.proxy.rules import Rules
from llmos.proxy.usernames import Claims
from reconcile.fake_api import FakeAPI
from support.objects import member, subject

pytestmark = pytest.mark.anyio
PATH = "/apis/management.llmos.ai/v1/roletemplatebindings/m"
ALICE = UserInfo("alice", groups=("llmos:users",))


def binding(version: str, *people: str, **annotations: str) -> Object:
    obj = member("m", "team", "reader", *(subject(each) for each in people or ("bob",)))
    said = {key.replace("_", "/"): each for key, each in annotations.items()}
    obj["metadata"] |= {"resourceVersion": version, **({"annotations": said} if said else {})}
    return obj


def by(name: str, version: str, *people: str) -> Object:
    obj = binding(version, *people)
    obj["metadata"]["annotations"] = {GRANTED_BY: name}
    return obj


@dataclass
class Cluster:
    """Answers what it is told to, and keeps what it was asked."""

    answers: list[tuple[int, Object]]
    asked: list[tuple[str, Any]] = field(default_factory=list)

    async def __call__(self, request: Request) -> Response:
        self.asked.append((request.query_string.decode(), orjson.loads(await request.body())))
        status, said = self.answers.pop(0)
        return Response(status, orjson.dumps(said))


@dataclass
class Front:
    """The rules before a cluster, with what memory has of the binding."""

    cluster: Cluster
    clock: float = 0.0

    def __post_init__(self) -> None:
        self.api = FakeAPI()
        self.api.serve(known.ROLE_TEMPLATE_BINDINGS)
        client = Client(Config("http://api"), transport=self.api)
        self.platform = Platform(client, lambda: self.clock)
        self.memory: Memory = self.platform.follow(known.ROLE_TEMPLATE_BINDINGS)
        scope = Scope(WRITES, [known.ROLE_TEMPLATE_BINDINGS.group_resource])
        chain = Chain([Mutator("granter", scope, record_granter)], [])
        claims = Claims(self.platform, lambda: self.clock)
        self.rules = Rules(self.cluster, chain, self.platform, claims)

    def hear(self, obj: Object) -> None:
        self.memory.receive(Event(EventType.MODIFIED, obj))

    async def patch(self, patch: Any, media: str = MERGE_PATCH, query: str = "") -> Response:
        body = orjson.dumps(patch)
        request = request_of("PATCH", PATH + query, body, ALICE, content_type=media)
        answer = await self.rules(request)
        assert isinstance(answer, Response)
        return answer


PEOPLE = {"subjects": [subject("bob"), subject("eve")]}


async def test_a_change_that_is_overtaken_is_made_anew() -> None:
    """Its author does not hear of a conflict about what he did not say."""
    tried = [(200, by("dora", version, "bob", "eve")) for version in ("5", "6")]
    made = (200, by("alice", "7", "bob", "eve"))
    front = Front(Cluster([tried[0], (409, {}), tried[1], made]))
    front.hear(by("dora", "6"))
    assert (await front.patch(PEOPLE)).status == 200
    changes = [body for query, body in front.cluster.asked if not query]
    trials = [body for query, body in front.cluster.asked if query]
    assert trials == [PEOPLE, PEOPLE]
    assert changes == [
        {**PEOPLE, "metadata": {"resourceVersion": each, "annotations": {GRANTED_BY: "alice"}}}
        for each in ("5", "6")
    ]


async def test_a_conflict_of_the_author_is_his() -> None:
    """What he sent conflicts by itself, or was sent as it is."""
    front = Front(Cluster([(409, {"x": "1"})]))
    assert (await front.patch(PEOPLE)).status == 409
    front = Front(Cluster([(200, by("dora", "5")), (409, {"x": "2"})]))
    front.hear(by("dora", "5"))
    assert (await front.patch({"metadata": {"labels": {"a": "b"}}})).status == 409
    assert front.cluster.answers == []


async def test_who_is_always_overtaken_is_told() -> None:
    """After some attempts."""
    answers = [(200, by("dora", "5", "bob", "eve")), (409, {"x": "1"})] * 9
    front = Front(Cluster(answers))
    front.hear(by("dora", "5"))
    assert (await front.patch(PEOPLE)).status == 409
    assert len(front.cluster.asked) == 10


async def test_old_memory_decides_nothing() -> None:
    """The cluster, which tried the change on a newer version, is asked for it."""
    front = Front(Cluster([]))
    front.hear(by("dora", "5"))
    newer = front.api.create(known.ROLE_TEMPLATE_BINDINGS, "m", **by("carol", "", "bob", "eve"))
    front.cluster.answers += [(200, newer), (200, {})]
    await front.patch(PEOPLE)
    # Carol added Eve before: nothing is given, and nothing has to be said.
    assert front.cluster.asked[-1] == ("", PEOPLE)


async def test_what_is_gone_meanwhile_is_not_found() -> None:
    """Nothing is made of a change whose object went while it was tried."""
    front = Front(Cluster([(200, by("carol", "6", "bob", "eve"))]))
    front.hear(by("dora", "5"))
    with pytest.raises(NotFoundError):
        await front.patch(PEOPLE)
    assert len(front.cluster.asked) == 1


KEY = "/metadata/annotations/llmos.ai~1granted-by"
TEST = {"op": "test", "path": "/metadata/resourceVersion", "value": "5"}


@pytest.mark.parametrize(
    ("media", "sent", "put"),
    [
        (JSON_PATCH, [], [TEST, {"op": "add", "path": KEY, "value": "alice"}]),
        (MERGE_PATCH, {"metadata": {"annotations": {"a": "b"}}},
         {"metadata": {"resourceVersion": "5", "annotations": {"a": "b", GRANTED_BY: "alice"}}}),
        (MERGE_PATCH, {"metadata": {"annotations": None}},
         {"metadata": {"resourceVersion": "5",
                       "annotations": {"old": None, GRANTED_BY: "alice"}}}),
        (APPLY_PATCH, {"metadata": {"name": "m"}},
         {"metadata": {"name": "m", "resourceVersion": "5",
                       "annotations": {GRANTED_BY: "alice"}}}),
        (JSON, {"metadata": {"name": "m", "annotations": {GRANTED_BY: "x", "a": "b"}}},
         {"metadata": {"name": "m", "annotations": {GRANTED_BY: "alice", "a": "b"}}}),
    ],
)  # fmt: skip
async def test_every_way_to_change_says_it(media: str, sent: Any, put: Any) -> None:
    """And all else of the change is as it was."""
    request = request_of("PATCH", PATH + "?x=1", orjson.dumps(sent), content_type=media)
    tried, old = by("x", "5"), binding("5", old="1")
    await Amendment({GRANTED_BY: "alice"}, tried, old).put(request)
    assert orjson.loads(await request.body()) == put
    assert request.headers["content-type"] == media
    assert request.query_string == (b"force=true&x=1" if media == APPLY_PATCH else b"x=1")


@pytest.mark.parametrize(
    ("media", "put"),
    [
        (JSON_PATCH, [TEST, {"op": "remove", "path": KEY}]),
        (MERGE_PATCH, {"metadata": {"resourceVersion": "5", "annotations": {GRANTED_BY: None}}}),
        (JSON, {"metadata": {"annotations": {}}}),
    ],
)
async def test_a_name_that_was_not_there_goes_again(media: str, put: Any) -> None:
    """Of a binding that nobody granted."""
    sent: Any = [] if media == JSON_PATCH else {"metadata": {"annotations": {GRANTED_BY: "x"}}}
    request = request_of("PATCH", PATH, orjson.dumps(sent), content_type=media)
    await Amendment({GRANTED_BY: None}, by("x", "5"), binding("5")).put(request)
    assert orjson.loads(await request.body()) == put


async def test_a_first_apply_takes_nothing_over() -> None:
    """There is nothing yet whose version could be named."""
    body = orjson.dumps({"metadata": {"name": "m"}})
    request = request_of("PATCH", f"{PATH}?force=false", body, content_type=APPLY_PATCH)
    await Amendment({GRANTED_BY: "alice"}, binding(""), None).put(request)
    said = orjson.loads(await request.body())
    assert said == {"metadata": {"name": "m", "annotations": {GRANTED_BY: "alice"}}}
    assert request.query_string == b"force=false"


async def test_what_an_apply_insists_on_is_said_once() -> None:
    """Kubernetes takes the first of many."""
    request = request_of(
        "PATCH", f"{PATH}?force=false&a=b&force=0", b"{}", content_type=APPLY_PATCH
    )
    await Amendment({GRANTED_BY: "alice"}, by("x", "5"), by("dora", "5")).put(request)
    assert request.query_string == b"force=true&a=b"
