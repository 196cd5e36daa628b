"""The platform's own content as YAML, the same on both engines."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

import orjson
import yaml

from llmos.apimachinery.object import Object, copy_object

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(folder: str) -> list[Object]:
    """The objects of one folder, files by name, each file's in its order; Lists are unfolded.

    Every call gives objects of its own, which the caller may change.
    """
    found = sorted(files(__name__).joinpath(folder).iterdir(), key=lambda each: each.name)
    return [obj for file in found for obj in _read(file)]


def _read(file: Traversable) -> Iterator[Object]:
    text = file.read_bytes()
    if file.name.endswith(".json"):
        yield from _unfold(orjson.loads(text))
    elif file.name.endswith(".yaml"):
        for document in yaml.load_all(text, Loader=_Loader):
            yield from _unfold(document)


def _unfold(document: Object | None) -> Iterator[Object]:
    """The items of a List, or the one object; copied, since YAML aliases share their values."""
    if document is None:
        return
    if document.get("kind") == "List":
        for item in document["items"]:
            yield copy_object(item)
    else:
        yield copy_object(document)
