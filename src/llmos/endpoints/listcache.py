"""Joined lists, kept until something in them changes: a LIST is mostly joining bytes."""

from collections import OrderedDict
from dataclasses import dataclass

from llmos.endpoints.rendering import join_items, list_head
from llmos.watchcache.interface import Readable, Source

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of joined lists that are kept; the one used longest ago goes first."""
_END = b"]}"


@dataclass(slots=True)
class _List:
    changed: int
    """The revision of the last change to its items."""
    revision: int
    """The revision that it says."""
    head: int
    """Bytes before its first item."""
    body: bytes


class ListCache:
    """Whole lists of a collection, by kind and namespace."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, str | None], _List] = OrderedDict()
        self._size = 0

    def body(self, source: Source, served: Readable, namespace: str | None) -> bytes:
        """The JSON of a whole list, as of now."""
        key = (served.prefix, namespace)
        revision, changed = source.revision, source.changed(served.storage_name, namespace)
        kept = self._kept.get(key)
        items: bytes | memoryview
        if kept is None or kept.changed != changed:
            snapshot = source.list(served.storage_name, namespace)
            items = join_items(served, [record.value for _, record in snapshot.items])
        elif kept.revision != revision:
            items = memoryview(kept.body)[kept.head : -len(_END)]
        else:
            self._kept.move_to_end(key)
            return kept.body
        head = list_head(served, {"resourceVersion": str(revision)})
        body = b"".join((head, items, _END))
        self._keep(key, _List(changed, revision, len(head), body))
        return body

    def _keep(self, key: tuple[bytes, str | None], made: _List) -> None:
        old = self._kept.pop(key, None)
        self._size += len(made.body) - (len(old.body) if old else 0)
        self._kept[key] = made
        while self._size > MAX_BYTES and self._kept:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped.body)
