"""What goes to the cluster and what comes back, when all is well."""

import asyncio

import pytest

from llmos.apis.authentication_v1 import UserInfo
from proxy.front import connected, fronted, plain
from proxy.scripted import answer, saying, scripted

CM = "/api/v1/namespaces/a/configmaps"


def talking(*requests, script=None, people=None):
    """What the cluster was asked, and what a client was answered, on one connection."""

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:
            front.people.update(people or {})
            async with connected(front.port) as client:
                answers = [await client.ask(*each) for each in requests]
        return cluster.asked, answers

    return asyncio.run(scenario())


def test_names_who_sent_it():
    """Exactly: one user, one header a group, the uid, and the proxy's own credential."""
    (asked,), ((status, _, body),) = talking(("GET", CM))
    assert (status, body) == (200, b"{}")
    assert asked.values("Impersonate-User") == ["alice"]
    assert asked.values("Impersonate-Group") == ["devs", "system:authenticated"]
    assert asked.values("Impersonate-Uid") == ["alice-uid"]
    assert asked.values("Authorization") == ["Bearer proxy-token"]


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    "target",
    [
        CM,
        f"{CM}/",
        f"{CM}?limit=5&continue=a%2Fb%3d%3D",
        f"{CM}?labelSelector=a%20in%20(b,c)&x=%e4%F6&&=",
        f"{CM}/%61?pretty=+1+",
        "/api/v1/namespaces/a/services/http:web:80/proxy/a;b=c/~x/@!$&'()*+,;=:",
    ],
)
def test_the_target_goes_as_it_came(target, times):
    """Byte by byte, also when it is known already."""
    asked, _ = talking(*[("GET", target)] * times)
    assert [each.target for each in asked] == [target] * times


def test_a_user_without_groups_is_named():
    """No group is no reason to send it under the proxy's own name."""
    (asked,), _ = talking(
        (
            "GET",
            CM,
            *(),
        ),
        people={"alice": UserInfo("bob")},
    )
    assert asked.values("Impersonate-User") == ["bob"]
    assert asked.values("Impersonate-Group") == asked.values("Impersonate-Uid") == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_goes_as_it_came(method):
    """Of any type, once."""
    data = bytes(range(256)) * 4

    async def scenario():
        async with (
            scripted() as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            for _ in range(3):
                await client.ask(method, CM, "Content-Type: a/b", body=data)
        return cluster.asked

    asked = asyncio.run(scenario())
    assert [(each.method, each.body, each.values("content-type")) for each in asked] == [
        (method, data, ["a/b"])
    ] * 3


def test_an_answer_comes_back_unchanged():
    """Status, headers and bytes; nothing is added, and nothing unpacked."""
    said = answer(
        409, b"\x1f\x8bnot gzip", "Content-Encoding: gzip", "Warning: 299 - \"a\"",
        "Warning: 299 - \"b\"", "Audit-Id: x", "ETag: \"e\"", "Retry-After: 7",
    )  # fmt: skip

    async def scenario():
        async with (
            scripted(saying(said)) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            client.send("GET", CM)
            status, headers = await client.head()
            return status, headers, await client.body(headers)

    status, headers, body = asyncio.run(scenario())
    assert (status, body) == (409, b"\x1f\x8bnot gzip")
    assert sorted((name.lower(), value) for name, value in headers) == [
        ("audit-id", "x"),
        ("content-encoding", "gzip"),
        ("content-length", "10"),
        ("content-type", "application/json"),
        ("etag", '"e"'),
        ("retry-after", "7"),
        ("warning", '299 - "a"'),
        ("warning", '299 - "b"'),
    ]
