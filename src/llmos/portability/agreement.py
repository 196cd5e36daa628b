"""Whether an object on a server is what a file says: by paths, never by values, which are secret.

Servers fill in defaults, and one may know defaults that the other does not. Where an object has
more than the file says and nothing else, the server is asked, changing nothing, what the file's
object would be there: if that is what is there, both agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.object import Object, copy_object, resource_version_of
from llmos.apimachinery.resource import APIResource
from llmos.client.client import Client, resource_path
from llmos.portability.portable import portable

_WITHOUT_DEFAULTS = frozenset(
    {"metadata", "data", "binaryData", "stringData", "rules", "subjects", "roleRef"}
)
"""Fields in which no server fills in anything."""


class Difference(NamedTuple):
    """Where an object and the file's differ."""

    path: str
    only_more: bool
    """Whether the server has something there and the file nothing."""


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Where they differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*wanted, *found}):
            below = f"{path}.{key}" if path else str(key)
            if key not in wanted:
                yield Difference(below, only_more=True)
            elif key not in found:
                yield Difference(below, only_more=False)
            else:
                yield from differences(wanted[key], found[key], below)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif wanted != found:
        yield Difference(path, only_more=False)


def replaced(live: Object, document: Object) -> Object:
    """What to send so that a live object becomes the file's."""
    sent: Object = copy_object({key: each for key, each in document.items() if key != "metadata"})
    for key in ("rules", "namespacedRules"):
        # Those of a built-in role are not in the file.
        if (document.get("spec") or {}).get("builtin") and key in live:
            sent[key] = live[key]
    meta = copy_object(live["metadata"])
    for key in ("labels", "annotations"):
        meta[key] = _merged(meta.get(key), portable(live)["metadata"].get(key), document, key)
    sent["metadata"] = meta
    return sent


def _merged(live: Any, ours: Any, document: Object, key: str) -> Object:
    """The file's labels or annotations, and those that servers write themselves."""
    own = {each: value for each, value in (live or {}).items() if each not in (ours or {})}
    return {**own, **(document["metadata"].get(key) or {})}


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares with one server."""

    client: Client

    async def differing(self, resource: APIResource, document: Object, live: Object) -> list[str]:
        """The paths at which a live object is not what the file says; none: they agree."""
        found = list(differences(document, portable(live)))
        if not found:
            return []
        if any(not each.only_more or _is_exact(each.path) for each in found):
            return [each.path for each in found]
        return await self._beyond_defaults(resource, document, live)

    async def _beyond_defaults(
        self, resource: APIResource, document: Object, live: Object
    ) -> list[str]:
        meta = live["metadata"]
        path = resource_path(resource, meta.get("namespace"), meta["name"])
        sent = replaced(live, document)
        sent["metadata"]["resourceVersion"] = resource_version_of(live)
        try:
            would_be = await self.client.call("PUT", path, params={"dryRun": "All"}, body=sent)
        except StatusError:
            # What cannot be written any more was filled in when it was made.
            return []
        return [each.path for each in differences(portable(would_be), portable(live))]


def _is_exact(path: str) -> bool:
    return path.partition(".")[0].partition("[")[0] in _WITHOUT_DEFAULTS
