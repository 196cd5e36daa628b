"""A group whose verbs are imported when they are used: a server starts without an HTTP client."""

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click


def attribute(verb: str) -> str:
    """How Python may name a verb."""
    return f"{verb}_" if iskeyword(verb) else verb


class LazyGroup(click.Group):
    """A group of verbs by the modules that they are in; a verb has its module's name."""

    def __init__(self, *args: Any, verbs: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = dict(verbs or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb there is."""
        return sorted({*super().list_commands(ctx), *self._verbs})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported if this is the first time."""
        module = self._verbs.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        found = getattr(import_module(module), attribute(cmd_name))
        assert isinstance(found, click.Command)
        return found
