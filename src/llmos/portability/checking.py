"""Whether a server has what a file says, all of it, read back from the server."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass

import orjson

from llmos.apimachinery.object import Object
from llmos.client.client import Client
from llmos.portability.agreement import Comparer
from llmos.portability.catalog import ServedKinds
from llmos.portability.selection import Ref


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one document."""

    ref: Ref
    word: str
    """``agrees``, ``differs``, ``missing``, or ``only here``."""
    paths: tuple[str, ...] = ()


async def check(
    client: Client, documents: Iterable[Object], there: AsyncIterable[Object]
) -> AsyncIterator[Finding]:
    """Compare a file with a server.

    Args:
        client: speaks to the server.
        documents: those of the file.
        there: what the server exports.

    Raises:
        StatusError: the server cannot be read.
        ConnectionFailedError: it does not answer.
    """
    served = ServedKinds(client)
    await served.refresh()
    comparer = Comparer(client)
    # As bytes they take a tenth of the room.
    found = {Ref.of(each): orjson.dumps(each) async for each in there}
    for document in documents:
        ref = Ref.of(document)
        raw = found.pop(ref, None)
        resource = served.get(document)
        if raw is None or resource is None:
            yield Finding(ref, "missing")
            continue
        live = orjson.loads(raw)
        if live == document:
            yield Finding(ref, "agrees")
            continue
        live = await client.get(resource, ref.namespace, ref.name)
        paths = await comparer.differing(resource, document, live)
        yield Finding(ref, "differs" if paths else "agrees", tuple(paths))
    for ref in sorted(found):
        yield Finding(ref, "only here")
