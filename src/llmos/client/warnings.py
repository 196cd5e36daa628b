"""What a server warns of: the ``Warning`` headers of its answers (RFC 7234, code 299)."""

import re
from collections.abc import Callable, Iterable

import httpx

_VALUE = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def parse_warnings(headers: Iterable[str]) -> list[str]:
    """The texts of ``Warning`` headers; several may stand in one header."""
    return [_ESCAPED.sub(r"\1", text) for header in headers for text in _VALUE.findall(header)]


class WarningHook:
    """Tells somebody what the answers of an ``httpx.AsyncClient`` warn of."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    async def __call__(self, response: httpx.Response) -> None:
        """Read one answer."""
        for text in parse_warnings(response.headers.get_list("warning")):
            self._tell(text)
