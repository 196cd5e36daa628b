"""The file that is moved: one JSON document a line, a header before them and an end after them.

The end says how many there were and their SHA-256, so that nobody imports the half of a file. The
same state gives the same bytes: there is no time in it.
"""

import hashlib
from collections.abc import AsyncIterable, Iterator
from typing import BinaryIO

import orjson

from llmos import __version__
from llmos.apimachinery.object import Object
from llmos.portability.selection import Ref, why_not_importable

API_VERSION = "export.llmos.ai/v1"
"""The version of the format; a reader refuses every other."""
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


class DamagedError(Exception):
    """It is no export, not whole, of another version, or holds what no export holds."""


async def write(documents: AsyncIterable[Object], out: BinaryIO) -> int:
    """Write a whole file; how many documents there were."""
    header = {"apiVersion": API_VERSION, "kind": "Export", "llmosVersion": __version__}
    out.write(orjson.dumps(header, option=_OPTIONS))
    number, digest = 0, hashlib.sha256()
    async for each in documents:
        line = orjson.dumps(each, option=_OPTIONS)
        digest.update(line)
        out.write(line)
        number += 1
    end = {
        "apiVersion": API_VERSION,
        "kind": "ExportEnd",
        "documents": number,
        "sha256": digest.hexdigest(),
    }
    out.write(orjson.dumps(end, option=_OPTIONS))
    out.flush()
    return number


def _decoded(line: bytes, number: int) -> Object:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DamagedError(f"line {number} is no JSON") from error
    if not isinstance(found, dict):
        raise DamagedError(f"line {number} is no object")
    return found


def _check_header(line: bytes) -> None:
    header = _decoded(line, 1)
    if header.get("kind") != "Export":
        raise DamagedError('it does not begin as "llmos export" writes it')
    if header.get("apiVersion") != API_VERSION:
        raise DamagedError(f"its format is {header.get('apiVersion')}, and not {API_VERSION}")


def verify(file: BinaryIO) -> int:
    """Read the whole file; how many documents it has.

    Raises:
        DamagedError: nothing of it may be used.
    """
    file.seek(0)
    _check_header(file.readline())
    digest, seen, number = hashlib.sha256(), set[Ref](), 1
    for line in file:
        number += 1
        document = _decoded(line, number)
        if document.get("kind") == "ExportEnd" and document.get("apiVersion") == API_VERSION:
            wrong = (document.get("documents"), document.get("sha256")) != (
                number - 2,
                digest.hexdigest(),
            )
            if wrong or file.readline():
                raise DamagedError("it is not as it was written")
            return number - 2
        digest.update(line)
        why = why_not_importable(document)
        if why:
            raise DamagedError(f"line {number}: {why}")
        ref = Ref.of(document)
        if ref in seen:
            raise DamagedError(f"line {number}: {ref} is there twice")
        seen.add(ref)
    raise DamagedError("it has no end: the export was cut off")


def read(file: BinaryIO) -> Iterator[Object]:
    """The documents of a file that was verified."""
    file.seek(0)
    file.readline()
    for number, line in enumerate(file, 2):
        document = _decoded(line, number)
        if document.get("apiVersion") == API_VERSION:
            return
        yield document
