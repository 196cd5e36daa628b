"""The whole server without its listener: requests go in and answers come out as ASGI has them."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar

from endpoints.exchange import Answer, FakeStream, receiver, scope_of
from llmos.apimachinery.object import Object
from llmos.authentication.static_tokens import StaticTokens
from llmos.endpoints.serving import Lifecycle
from llmos.server.app import build
from llmos.server.assembly import Core
from llmos.server.content import Content
from llmos.storage.config import StorageConfig
from llmos.storage.sqlite import open_storage
from reconcile.waiting import eventually

TOKENS = 'root,root,root-uid,"system:masters"\nalice,alice,alice-uid,devs\n'
USERS_TOKEN = 'uma,uma,uma-uid,"llmos:users,system:authenticated"\n'
T = TypeVar("T")
_numbers = itertools.count(1)


class Clock:
    """The time, as a test sets it."""

    def __init__(self) -> None:
        self.now = 1767225600.0

    def __call__(self) -> float:
        """Seconds since the epoch: the first of January 2026."""
        return self.now


class Site:
    """A server with the platform's content, an admin ``root`` and a user ``alice`` of nothing."""

    def __init__(self, config: StorageConfig | None = None) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.clock = Clock()
        self.lifecycle = Lifecycle()
        self.lifecycle.starting = False
        self.run(self._open(config or StorageConfig()))

    async def _open(self, config: StorageConfig) -> None:
        storage = await self._stack.enter_async_context(open_storage(None, config))
        self.core = Core(storage, self.clock)
        self.core.custom.start()
        self.content = Content(self.core.platform, self.core.catalog)
        await self.content.before_kinds()
        await self.core.custom.settled()
        await self.content.with_kinds()
        await self.content.policies()
        static = StaticTokens.parse(TOKENS + USERS_TOKEN)
        authenticators = await self.core.authenticators(static)
        self.app = build(self.core, self.lifecycle, authenticators, self.clock)

    def run(self, doing: Awaitable[T]) -> T:
        """Wait for something."""

        async def wait() -> T:
            return await doing

        return self._runner.run(wait())

    def close(self) -> None:
        """End it."""
        self.run(self._stack.aclose())
        self._runner.close()

    async def asked(
        self,
        method: str,
        target: str,
        body: Any = None,
        token: str = "root",
        **headers: str,
    ) -> Answer:
        """What is answered; a body that is no bytes is sent as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            named.setdefault("authorization", f"Bearer {token}")
        data = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        if body is not None:
            named.setdefault("content-type", "application/json")
        answer = Answer()
        await self.app(scope_of(method, target, named), receiver(data), answer.send)
        return answer

    def ask(self, method: str, target: str, body: Any = None, **more: str) -> Answer:
        """The same, from a test that is not asynchronous."""
        return self.run(self.asked(method, target, body, **more))

    def get(self, target: str, **more: str) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.ask("GET", target, **more)
        assert answer.status == 200, answer.body
        return answer.json

    def make(self, path: str, obj: Object) -> Object:
        """Create something."""
        answer = self.ask("POST", path, obj)
        assert answer.status == 201, answer.body
        made: Object = answer.json
        return made

    def namespace(self) -> str:
        """The path of a new namespace."""
        name = f"team-{next(_numbers)}"
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.make("/api/v1/namespaces", made)
        return f"/api/v1/namespaces/{name}"

    @asynccontextmanager
    async def watching(self, target: str, **more: str) -> "Iterator[FakeStream]":
        """An open watch for the length of a block; its stream keeps what is said."""
        headers = {"authorization": f"Bearer {more.pop('token', 'root')}"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        scope = scope_of("GET", target, headers)
        stream: FakeStream = scope["extensions"]["llmos"]
        answer = Answer()
        task = asyncio.ensure_future(self.app(scope, receiver(), answer.send))
        await eventually(lambda: answer.messages)
        assert answer.status == 200, answer.body
        stream.ended = task
        try:
            yield stream
        finally:
            stream.leave()
            await task


@contextmanager
def opened(config: StorageConfig | None = None) -> Iterator[Site]:
    """A site for the length of a block."""
    site = Site(config)
    try:
        yield site
    finally:
        site.close()


def config_map(name: str = "a", **data: str) -> Object:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": data or {"k": "v"},
    }


NOTEBOOK = {
    "apiVersion": "ml.llmos.ai/v1",
    "kind": "Notebook",
    "metadata": {"name": "n"},
    "spec": {"template": {"spec": {"containers": [{"name": "notebook", "image": "x"}]}}},
}


def refusal(answer: Answer) -> tuple[int, str, list[str]]:
    """Code, reason and fields of a refusal."""
    document = answer.json
    causes = (document.get("details") or {}).get("causes") or []
    assert document["code"] == answer.status
    return answer.status, document["reason"], [each["field"] for each in causes]
