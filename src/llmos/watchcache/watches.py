"""Watches as the API knows them: what a source has forgotten is an expired revision."""

from llmos.apimachinery.errors import ExpiredError
from llmos.watchcache.interface import CompactedError, Deliver, Readable, Source, Subscription


def open_watch(
    source: Source, served: Readable, namespace: str | None, since: int, deliver: Deliver
) -> Subscription:
    """Deliver every change of a kind after a revision; see ``Source.watch``.

    Raises:
        ExpiredError: the revision is too old.
    """
    if since < served.since:
        raise ExpiredError(f"too old resource version: {since} ({served.since})")
    try:
        return source.watch(served.storage_name, namespace, since, deliver)
    except CompactedError as error:
        oldest = error.args[0] if error.args else source.revision
        raise ExpiredError(f"too old resource version: {since} ({oldest})") from None
