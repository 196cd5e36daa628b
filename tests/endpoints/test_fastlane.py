"""Known heads: what is remembered, what never is, and how the work behind them starts."""

import asyncio

import pytest

from llmos.endpoints.fastlane import CAPACITY, MAX_HEAD, Heads, start

HEAD = (
    b"GET /api/v1/namespaces/a/configmaps/b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\n\r\n"
)


def scope(method="GET", path=b"/api/v1/namespaces/a/configmaps/b", query=b"", headers=()):
    """What the parser reads of a head."""
    return {
        "type": "http",
        "method": method,
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"x"), *headers],
        "client": ("127.0.0.1", 1),
        "extensions": {"llmos": object()},
    }


def test_a_known_head_is_found_by_its_bytes() -> None:
    """What was read once comes back without the parser, with the request it stands for."""
    heads = Heads()
    assert heads.find(HEAD) is None
    heads.remember(HEAD, scope())
    request = heads.find(HEAD)
    assert request is not None
    assert (request.info.verb, request.info.namespace, request.info.name) == ("get", "a", "b")
    assert request.head_is_read


def test_requests_of_one_head_share_nothing_that_changes() -> None:
    """Identity, warnings and body are each request's own; address and connection are nobody's."""
    heads = Heads()
    heads.remember(HEAD, scope())
    one, two = heads.find(HEAD), heads.find(HEAD)
    assert one is not None
    assert two is not None
    one.warnings.append("only here")
    assert two.warnings == []
    assert one.scope["client"] is None
    assert "llmos" not in one.scope["extensions"]


@pytest.mark.parametrize(
    "header",
    [
        (b"transfer-encoding", b"chunked"),
        (b"expect", b"100-continue"),
        (b"upgrade", b"websocket"),
        (b"connection", b"close"),
        (b"connection", b"Upgrade"),
    ],
)
def test_heads_that_ask_more_of_the_connection_are_not_remembered(header) -> None:
    """Chunks, expectations, upgrades and goodbyes take the long way every time."""
    heads = Heads()
    heads.remember(HEAD, scope(headers=[header]))
    assert heads.find(HEAD) is None


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/auth/whoami", b""),
        (b"/version", b""),
        (b"/api/v1/namespaces", b"watch=1"),
        (b"/api/v1/namespaces/a/../b/configmaps", b""),
        (b"/api/v1/namespaces/%2e%2e/configmaps", b""),
    ],
)
def test_only_plain_requests_for_resources_are_remembered(path, query) -> None:
    """Account paths, documents, streams and paths that are refused take the long way."""
    heads = Heads()
    heads.remember(HEAD, scope(path=path, query=query))
    assert heads.find(HEAD) is None


@pytest.mark.parametrize("body", [b"", b"1234", b"123456", b"12345GET / HTTP/1.1\r\n\r\n"])
def test_a_body_of_another_length_is_not_this_request(body) -> None:
    """Only a body of exactly the promised length belongs to the head: nothing is smuggled in."""
    heads = Heads()
    head = b"POST /api/v1/namespaces/a/configmaps HTTP/1.1\r\ncontent-length: 5\r\n\r\n"
    heads.remember(
        head,
        scope("POST", b"/api/v1/namespaces/a/configmaps", headers=[(b"content-length", b"5")]),
    )
    assert heads.find(head + b"12345") is not None
    assert heads.find(head + body) is None


def test_memory_of_heads_is_bounded() -> None:
    """Long heads are not kept, and too many are forgotten."""
    heads = Heads()
    long = HEAD[:-4] + b"\r\nx: " + b"y" * MAX_HEAD + b"\r\n\r\n"
    heads.remember(long, scope())
    assert heads.find(long) is None
    for number in range(CAPACITY + 1):
        heads.remember(HEAD[:-4] + b"\r\nn: %d\r\n\r\n" % number, scope())
    assert heads.find(HEAD[:-4] + b"\r\nn: 0\r\n\r\n") is None
    assert heads.find(HEAD[:-4] + b"\r\nn: %d\r\n\r\n" % CAPACITY) is not None


def outcome(work):
    """Start some work; what it gave at once, and what it gave in the end."""

    async def main():
        results: list[object] = []
        task = start(work, results.append, results.append)
        at_once = list(results)
        if task is not None:
            await task
        return at_once, results

    return asyncio.run(main())


def test_work_that_does_not_wait_is_over_at_once() -> None:
    """The result is there when start returns; no task is made."""

    async def work():
        return 5

    assert outcome(work()) == ([5], [5])


def test_work_that_waits_goes_on_as_a_task() -> None:
    """The result comes later, once, and it may wait as often as it likes."""

    async def work():
        await asyncio.sleep(0)
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_result, 7)
        first = await future
        async with asyncio.timeout(1):
            await asyncio.sleep(0.01)
        return first

    assert outcome(work()) == ([], [7])


@pytest.mark.parametrize("waits", [False, True])
def test_what_work_raises_is_handed_over(waits) -> None:
    """An error reaches the caller's handler, whether it comes at once or later."""
    error = ValueError("no")

    async def work():
        if waits:
            await asyncio.sleep(0.01)
        raise error

    assert outcome(work())[1] == [error]


def test_an_error_of_what_is_waited_for_reaches_the_work() -> None:
    """The work sees the failure of a future it waits for, and may go on."""

    async def work():
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_exception, KeyError("x"))
        try:
            await future
        except KeyError:
            return "seen"

    assert outcome(work()) == ([], ["seen"])


def test_cancelled_work_is_closed() -> None:
    """A task that is cancelled ends the work where it waits."""
    ended: list[str] = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("closed")

    async def main():
        task = start(work(), ended.append, ended.append)
        assert task is not None
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == ["closed"]
