"""Lists: at which revision, from where on, how many; continue tokens that hold a snapshot.

Source: k8s.io/apiserver/pkg/storage (ListOptions, continue tokens) as measured.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import orjson

from llmos.apimachinery.errors import (
    BadRequestError,
    ExpiredError,
    FieldError,
    InvalidError,
    TimedOutError,
)
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupVersionKind
from llmos.watchcache.interface import (
    CompactedError,
    FutureRevisionError,
    Key,
    Readable,
    Record,
    Snapshot,
    Source,
)
from llmos.watchcache.matching import Matches

FUTURE_WAIT = 3.0
"""Seconds a list waits for a revision that has not been reached, as kube-apiserver does."""
_POLL = 0.05
_LIST_OPTIONS = GroupVersionKind("meta.k8s.io", "", "ListOptions")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: what narrowing leaves of a list."""

    namespaces: frozenset[str] | None = None
    """Only in these namespaces; None: in all."""
    allows: Callable[[Key, bytes], bool] | None = None
    """Besides, only the objects it says yes to."""
    names: frozenset[str] | None = None
    """Only objects with these names; None: whatever they are called."""

    def sees(self, key: Key, value: bytes) -> bool:
        """Whether an object is inside."""
        if self.namespaces is not None and key.namespace not in self.namespaces:
            return False
        if self.names is not None and key.name not in self.names:
            return False
        return self.allows is None or self.allows(key, value)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The query of a list."""

    limit: int = 0
    """0: no limit."""
    continue_token: str = ""
    resource_version: str = ""
    match: str = ""
    """``resourceVersionMatch``: ``NotOlderThan``, ``Exact`` or ``""``."""


@dataclass(frozen=True, slots=True)
class Page:
    """A list, or a page of one."""

    items: Sequence[tuple[Key, Record]]
    revision: int
    continue_token: str = ""
    remaining: int | None = None


def invalid_option(field: str, message: str, reason: str = "FieldValueForbidden") -> InvalidError:
    """The 422 of a ListOptions field."""
    return InvalidError.of(_LIST_OPTIONS, "", [FieldError(reason, field, message)])


def parse_revision(text: str) -> int:
    """A resourceVersion of a query; ``""`` is 0.

    Raises:
        BadRequestError: not a revision.
    """
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or int(text) >= 1 << 63:
        raise BadRequestError(f"invalid resource version: {text[:64]!r}")
    return int(text)


def check_options(options: ListOptions) -> None:
    """Refuse options that contradict one another.

    Raises:
        InvalidError: a combination Kubernetes refuses.
        BadRequestError: a continue token with a resourceVersion.
    """
    version, match = options.resource_version, options.match
    if match and match not in ("NotOlderThan", "Exact"):
        supported = 'supported values: "Exact", "NotOlderThan", ""'
        raise invalid_option(
            "resourceVersionMatch",
            f'Unsupported value: "{match[:64]}": {supported}',
            "FieldValueNotSupported",
        )
    if match and not version:
        raise invalid_option(
            "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        )
    if match and options.continue_token:
        raise invalid_option(
            "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden for continue"
        )
    if match == "Exact" and version == "0":
        raise invalid_option(
            "resourceVersionMatch",
            'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        )
    if options.continue_token and version not in ("", "0"):
        raise BadRequestError("specifying resource version is not allowed when using continue")


def encode_continue(revision: int, last: Key) -> str:
    """A token for what comes after ``last`` in the snapshot of a revision."""
    payload = {"v": 1, "rv": revision, "after": [last.resource, last.namespace, last.name]}
    return base64.urlsafe_b64encode(orjson.dumps(payload)).decode().rstrip("=")


def decode_continue(token: str, resource: str) -> tuple[int, tuple[str, str]]:
    """Revision and last key of a token.

    Raises:
        BadRequestError: it is none of ours, or another resource's.
    """
    try:
        payload = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        of_resource, namespace, name = payload["after"]
        revision = int(payload["rv"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise BadRequestError("continue key is not valid: invalid continue token") from None
    if of_resource != resource or revision <= 0:
        raise BadRequestError("continue key is not valid: the token is for another list")
    return revision, (str(namespace), str(name))


async def wait_for_revision(source: Source, revision: int) -> None:
    """Wait until a revision is reached.

    Raises:
        TimedOutError: it is not, within ``FUTURE_WAIT`` seconds.
    """
    waited = 0.0
    while source.revision < revision:
        if waited >= FUTURE_WAIT:
            cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            raise TimedOutError(
                f"Too large resource version: {revision}, current: {source.revision}",
                {"causes": [cause], "retryAfterSeconds": 1},
            )
        await asyncio.sleep(_POLL)
        waited += _POLL


async def list_page(
    source: Source,
    served: Readable,
    namespace: str | None,
    options: ListOptions,
    scope: Scope,
    matches: Matches | None,
) -> Page:
    """One page of a list.

    Raises:
        BadRequestError, InvalidError: the options make no sense.
        ExpiredError: the snapshot is no longer remembered.
        TimedOutError: the revision is not reached in time.
    """
    check_options(options)
    after: tuple[str, str] | None = None
    at: int | None = None
    if options.continue_token:
        at, after = decode_continue(options.continue_token, served.storage_name)
    else:
        wanted = parse_revision(options.resource_version)
        await wait_for_revision(source, wanted)
        if options.match == "Exact" or (wanted and options.limit and not options.match):
            at = wanted
    snapshot = _snapshot(source, served, namespace, (at, options.limit), scope)
    items = snapshot.items
    if matches is not None:
        items = [each for each in items if matches(served.load(each[1].value))]
    return _cut(items, snapshot.revision, options.limit, after, matches is None)


def _snapshot(
    source: Source,
    served: Readable,
    namespace: str | None,
    at_limit: tuple[int | None, int],
    scope: Scope,
) -> Snapshot:
    at, limit = at_limit
    try:
        return look(source, served, namespace, scope, at)
    except CompactedError:
        raise ExpiredError(
            "The provided continue parameter is too old to display a consistent list result. "
            "You can start a new list without the continue parameter."
            if limit
            else f"The resourceVersion for the provided list is too old: {at}"
        ) from None
    except FutureRevisionError:
        raise BadRequestError(f"resource version {at} is in the future") from None


def look(
    source: Source,
    served: Readable,
    namespace: str | None,
    scope: Scope,
    at: int | None = None,
) -> Snapshot:
    """What is inside a scope, without looking at all that is outside.

    Raises:
        CompactedError: ``at`` is too old.
        FutureRevisionError: ``at`` is not reached.
    """
    name = served.storage_name
    if scope is EVERYTHING:
        return source.list(name, namespace, at)
    revision = source.revision if at is None else at
    items: Sequence[tuple[Key, Record]]
    if scope.names is not None and at is None and not served.resource.namespaced:
        keys = [served.key("", each) for each in sorted(scope.names)]
        items = [(key, record) for key in keys if (record := source.get(key))]
    elif scope.namespaces is None or namespace is not None:
        items = source.list(name, namespace, at).items
    else:
        parts = [source.list(name, each, at) for each in sorted(scope.namespaces)]
        items = [item for part in parts for item in part.items]
    return Snapshot(revision, [each for each in items if scope.sees(each[0], each[1].value)])


def _cut(
    items: Sequence[tuple[Key, Record]],
    revision: int,
    limit: int,
    after: tuple[str, str] | None,
    count_rest: bool,
) -> Page:
    if after is not None:
        items = [each for each in items if (each[0].namespace, each[0].name) > after]
    if limit <= 0 or len(items) <= limit:
        return Page(items, revision)
    page = items[:limit]
    token = encode_continue(revision, page[-1][0])
    return Page(page, revision, token, len(items) - limit if count_rest else None)


def decode_all(served: Readable, items: Iterable[tuple[Key, Record]]) -> list[Object]:
    """The objects of a page."""
    return [served.load(record.value) for _, record in items]
