"""A group whose verbs are imported when they are used: a server starts without an HTTP client."""

import gc
from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from types import ModuleType
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
        found = getattr(_imported(module), attribute(cmd_name))
        assert isinstance(found, click.Command)
        return found


def _imported(name: str) -> ModuleType:
    """Import a module without the collector, which finds little in what modules make."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()
