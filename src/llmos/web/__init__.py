"""The web page as it was built, in the folder ``site``: nothing of it is committed.

``building/page.py`` puts it there when the package is built: what the bundler makes of ``web/``,
and a compressed form (``.gz``) beside each file that is worth it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

SITE = "site"
INDEX = "index.html"
"""The document that every route of the page begins with."""
HASHED = "assets/"
"""Below this a file's name says its content: it never changes."""

_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESSED = ".gz"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the page."""

    body: bytes
    media_type: str
    compressed: bytes | None = None
    """The same with gzip, where that is worth it."""


Site = Mapping[str, File]
"""Files by their path below the page's own."""


def load_site(folder: Traversable | None = None) -> Site:
    """Read the built page; empty where there is none: the package was not built with it."""
    root = files(__name__).joinpath(SITE) if folder is None else folder
    found = dict(_walk(root, "")) if root.is_dir() else {}
    return {
        path: File(body, media_type(path), found.get(path + _COMPRESSED))
        for path, body in found.items()
        if not path.endswith(_COMPRESSED)
    }


def media_type(path: str) -> str:
    """The type of a file by the end of its name."""
    return _TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.name.startswith("."):
            continue
        if each.is_dir():
            yield from _walk(each, f"{prefix}{each.name}/")
        else:
            yield prefix + each.name, each.read_bytes()
