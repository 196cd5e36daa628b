"""Modules that are imported when something of them is first used.

For what is large and what many processes never need. Type checkers and import-linter are shown the
real module::

    if TYPE_CHECKING:
        from llmos.endpoints import websockets
    else:
        websockets = LazyModule("llmos.endpoints.websockets")
"""

from importlib import import_module
from typing import Any


class LazyModule:
    """Stands for a module by its name."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
