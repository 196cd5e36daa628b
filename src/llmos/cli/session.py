"""What the verbs share: which server is meant, and how a verb speaks to it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx

from llmos import __version__
from llmos.apimachinery.clock import Clock, system_clock
from llmos.cli.failures import ExitCode, Failure, failures, one_line
from llmos.cli.kubeconfigs import Kubeconfigs
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


def examples(*lines: str) -> str:
    """The end of a verb's help text."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def _is_terminal() -> bool:
    return sys.stdin.isatty()


@dataclass(slots=True)
class Session:
    """The options that choose a server, and what tests put in the place of the world."""

    kubeconfig: Path | None = None
    context: str = ""
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock = system_clock
    interactive: Callable[[], bool] = field(default=_is_terminal)
    """Whether somebody is there to be asked."""

    @property
    def files(self) -> Kubeconfigs:
        """The kubeconfig files."""
        return Kubeconfigs(self.kubeconfig)

    def login(self) -> Login:
        """The chosen context, with which one can speak.

        Raises:
            Failure: there is none, or it has no token.
        """
        with failures():
            document = self.files.merged()
        chosen = self.context or document.get("current-context")
        if not chosen:
            raise Failure("not signed in: llmos login URL", ExitCode.NOT_SIGNED_IN)
        with failures():
            login = self.files.get(self.context)
        if not login.token:
            why = f"the context {login.name!r} has no token: llmos login {login.server}"
            raise Failure(why, ExitCode.NOT_SIGNED_IN)
        return login

    def run(self, work: Work[T]) -> T:
        """Do something as the user of the chosen context.

        Raises:
            Failure: it did not work.
        """
        return self.run_as(self.login().config(), work)

    def run_as(self, config: Config, work: Work[T]) -> T:
        """Do something as whoever the configuration says.

        Raises:
            Failure: it did not work.
        """
        with failures():
            return asyncio.run(self._run(config, work))

    async def _run(self, config: Config, work: Work[T]) -> T:
        heard: set[str] = set()

        def warn_once(text: str) -> None:
            if text not in heard:
                heard.add(text)
                warn(text)

        told = replace(config, user_agent=f"llmos/{__version__}", on_warning=warn_once)
        async with Client(told, self.transport) as client:
            return await work(client)


pass_session = click.make_pass_decorator(Session, ensure=True)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Note an option that was given, before or after the verb."""
    session = context.ensure_object(Session)
    if value:
        setattr(session, str(parameter.name), value)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that choose the server."""
    context = click.option(
        "--context",
        expose_value=False,
        callback=_keep,
        help="The kubeconfig context to use; else the current one.",
    )
    kubeconfig = click.option(
        "--kubeconfig",
        type=click.Path(dir_okay=False, path_type=Path),
        expose_value=False,
        callback=_keep,
        help="The kubeconfig file; else those of $KUBECONFIG, else ~/.kube/config.",
    )
    return kubeconfig(context(command))
