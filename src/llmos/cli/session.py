"""What the verbs share: which server is meant, and how a verb speaks to it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx

from llmos import __version__
from llmos.apimachinery.clock import Clock, system_clock
from llmos.cli.failures import ExitCode, Failure, failures, one_line
from llmos.cli.kubeconfigs import Kubeconfigs
from llmos.cli.options import CONTEXT, KUBECONFIG
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.kubeconfig import Login

T = TypeVar("T")
Work = Callable[[Client], Awaitable[T]]


def warn(text: str) -> None:
    """Say something on stderr that does not stop the work."""
    click.echo(f"Warning: {one_line(text)}", err=True)


def note(text: str) -> None:
    """Say something on stderr that is for people and not part of the result."""
    click.echo(text, err=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class World:
    """What tests replace."""

    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock = system_clock
    interactive: Callable[[], bool] = _is_terminal
    """Whether somebody is there to be asked."""


@dataclass(frozen=True, slots=True)
class Session:
    """Which server is meant, and how to speak to it."""

    kubeconfig: Path | None
    context: str
    world: World

    @property
    def files(self) -> Kubeconfigs:
        """The kubeconfig files."""
        return Kubeconfigs(self.kubeconfig)

    def login(self) -> Login:
        """The chosen context, with which one can speak.

        Raises:
            Failure: there is none, or it has no credentials.
        """
        with failures():
            document = self.files.merged()
        chosen = self.context or document.get("current-context")
        if not chosen:
            raise Failure("not signed in: llmos login URL", ExitCode.NOT_SIGNED_IN)
        with failures():
            login = self.files.get(self.context)
        if not login.has_credentials:
            why = f"the context {login.name!r} has no credentials: llmos login {login.server}"
            raise Failure(why, ExitCode.NOT_SIGNED_IN)
        return login

    def run(self, work: Work[T]) -> T:
        """Do something as the user of the chosen context.

        Raises:
            Failure: it did not work.
        """
        login = self.login()
        with failures():
            config = login.config()
        return self.run_as(config, work)

    def run_as(self, config: Config, work: Work[T]) -> T:
        """Do something as whoever the configuration says.

        Raises:
            Failure: it did not work.
        """
        with failures():
            return asyncio.run(self.work_as(config, work))

    async def work_as(self, config: Config, work: Work[T]) -> T:
        """The same, in an event loop that runs already; errors come as they are."""
        heard: set[str] = set()

        def warn_once(text: str) -> None:
            if text not in heard:
                heard.add(text)
                warn(text)

        told = replace(config, user_agent=f"llmos/{__version__}", on_warning=warn_once)
        async with Client(told, self.world.transport) as client:
            return await work(client)


def pass_session(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the session that its options describe, as its first argument."""

    @click.pass_context
    @wraps(verb)
    def with_session(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        session = Session(
            context.meta.get(KUBECONFIG),
            context.meta.get(CONTEXT, ""),
            context.find_object(World) or World(),
        )
        return context.invoke(verb, session, *args, **kwargs)

    return with_session
