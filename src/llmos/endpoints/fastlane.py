"""Requests whose head has been read before are answered without reading it again.

Clients that keep a connection send the same request line and headers over and over. The strict
parser reads each head once; after that its bytes stand for what they say. Only what the bytes mean
is remembered: who sends them and what he may is asked every time.

The work starts at once, in the callback that received the bytes, and becomes a task only where it
has to wait: a read from memory never does.
"""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from llmos.apimachinery.errors import StatusError
from llmos.endpoints.http import Request
from llmos.endpoints.requestinfo import RequestInfo, parse_request

MAX_HEAD = 4096
"""Longer heads are not remembered."""
CAPACITY = 4096
"""Heads that are remembered; all are forgotten when there are more."""
HEAD_END = b"\r\n\r\n"
_VERBS = frozenset({"get", "list", "create", "update", "patch", "delete", "deletecollection"})
_UNFIT = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


def whole_head(data: bytes) -> bytes | None:
    """The head at the beginning of a read, if it is whole and one that may be remembered."""
    end = data.find(HEAD_END, 0, MAX_HEAD)
    return None if end < 0 else bytes(data[: end + len(HEAD_END)])


@types.coroutine
def in_task() -> Generator[Any, Any, None]:
    """Go on in a task of one's own, where the work was started without one (see ``start``)."""
    if asyncio.current_task() is None:
        yield _A_TASK


class Heads:
    """What heads mean, by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Request, int]] = {}

    def find(self, data: bytes) -> Request | None:
        """The request that these bytes are, if they are one request and its head is known."""
        end = data.find(HEAD_END, 0, MAX_HEAD)
        if end < 0:
            return None
        end += len(HEAD_END)
        alone = end == len(data)
        known = self._known.get(data if alone else data[:end])
        if known is None:
            return None
        seen, length = known
        if len(data) - end != length:
            return None
        return seen.again(b"" if alone else bytes(data[end:]))

    def remember(self, head: bytes, scope: dict[str, Any]) -> None:
        """Keep what the strict parser read in a head, if such a request can take this way."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        # Older clients expect the connection to end with the answer.
        old_client = scope.get("http_version", "1.1") != "1.1"
        if old_client or any(_is_unfit(name, value) for name, value in headers):
            return
        info = _info(scope)
        if info is None or not info.is_resource or info.verb not in _VERBS:
            return
        length = next((int(value) for name, value in headers if name == b"content-length"), 0)
        # Neither the client's address nor the connection belongs to the head.
        kept = {**scope, "headers": tuple(headers), "client": None, "extensions": {}}
        request = Request(kept, _nothing_more)
        request.info = info
        if len(self._known) >= CAPACITY:
            self._known.clear()
        self._known[head] = (request, length)


def _is_unfit(name: bytes, value: bytes) -> bool:
    """Whether a header asks for more of the connection than one answer."""
    return name in _UNFIT or (name == b"connection" and value.lower() != b"keep-alive")


def _info(scope: dict[str, Any]) -> RequestInfo | None:
    query = Request(scope, _nothing_more).query
    try:
        return parse_request(scope["method"], scope["raw_path"], query)
    except StatusError:
        return None


async def _nothing_more() -> dict[str, Any]:
    return {"type": "http.disconnect"}


_A_TASK = object()


def start(
    work: Coroutine[Any, Any, Any],
    done: Callable[[Any], None],
    failed: Callable[[BaseException], None],
) -> "asyncio.Task[None] | None":
    """Run a coroutine at once, as far as it goes without waiting.

    Args:
        work: must not use what needs a task of its own (``asyncio.timeout``) before it first waits,
            if only for ``in_task``.
        done: takes its result, before this returns or later.
        failed: takes what it raises.

    Returns:
        The task that goes on with it, or None if it is over.
    """
    try:
        waits_for = work.send(None)
    except StopIteration as over:
        done(over.value)
        return None
    except Exception as error:  # noqa: BLE001 - it is the caller's to handle, as a task's would be
        failed(error)
        return None
    return asyncio.get_running_loop().create_task(_finish(work, waits_for, done, failed))


async def _finish(
    work: Coroutine[Any, Any, Any],
    waits_for: Any,
    done: Callable[[Any], None],
    failed: Callable[[BaseException], None],
) -> None:
    try:
        result = await _go_on(work, waits_for)
    except Exception as error:  # noqa: BLE001 - as in start
        failed(error)
    else:
        done(result)


@types.coroutine
def _go_on(work: Coroutine[Any, Any, Any], waits_for: Any) -> Generator[Any, Any, Any]:
    """Wait for what the coroutine waits for, then let it go on; it hears of errors as a task's."""
    try:
        if waits_for is not _A_TASK:
            yield waits_for
    except BaseException as error:  # noqa: BLE001 - handed on to whom it concerns
        try:
            waits_for = work.throw(error)
        except StopIteration as over:
            return over.value
        return (yield from _go_on(work, waits_for))
    return (yield from work)
