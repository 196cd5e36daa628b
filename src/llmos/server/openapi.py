"""OpenAPI as kubectl and helm read it: the v3 index, a document for each group version, and v2.

Documents are made when first asked for and again when their kinds change; the hash in the index
names what a document says, so that clients may keep it for ever.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from llmos.registry.catalog import Catalog
from llmos.registry.served import Served
from llmos.server.openapi_operations import group_path, paths_of
from llmos.server.openapi_schemas import META, Kind, Node, definition_of, schemas_of
from llmos.server.openapi_v2 import encode_v2, swagger

V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
INFO = {"title": "Kubernetes", "version": "1.36"}


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a document and the hash that they have."""

    body: bytes
    hash: str

    @classmethod
    def of(cls, body: bytes) -> "Document":
        """Hash the bytes."""
        return cls(body, hashlib.sha512(body).hexdigest().upper())


def v3_document(kinds: Sequence[Kind]) -> Node:
    """The document of one group version: its paths, and the schemas they speak of."""
    return {
        "openapi": "3.0.0",
        "info": INFO,
        "paths": paths_of(kinds),
        "components": {"schemas": schemas_of(kinds, _mentioned(kinds))},
    }


def v3_index(hashes: Mapping[str, str]) -> bytes:
    """The index: where the document of each group version is, by its name and hash."""
    paths = {
        name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest}"}
        for name, digest in hashes.items()
    }
    return orjson.dumps({"paths": paths})


def _mentioned(kinds: Iterable[Kind]) -> list[str]:
    """The definitions that operations refer to."""
    names = [f"{META}{each}" for each in ("DeleteOptions", "Patch", "Status", "WatchEvent")]
    for kind in kinds:
        names += [kind.definition, kind.list_definition]
        names += [definition_of(each.kind) for each in kind.resource.subresources if each.kind]
    return names


class OpenAPI:
    """Answers ``/openapi`` from the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._documents: dict[str, tuple[Sequence[Served], Document]] = {}
        self._index: tuple[int, Document] | None = None
        self._v2: tuple[int, Document] | None = None
        self._v2_json: tuple[int, Document] | None = None

    def index(self) -> Document:
        """``GET /openapi/v3``."""
        revision = self._catalog.revision
        if self._index is None or self._index[0] != revision:
            groups = self._group_versions()
            self._documents = {n: kept for n, kept in self._documents.items() if n in groups}
            hashes = {name: self._document(name, kinds).hash for name, kinds in groups.items()}
            self._index = (revision, Document.of(v3_index(hashes)))
        return self._index[1]

    def document(self, name: str) -> Document | None:
        """``GET /openapi/v3/NAME``, e.g. ``api/v1``; None where it is not served."""
        served = self._group_versions().get(name)
        return None if served is None else self._document(name, served)

    def v2(self) -> Document:
        """``GET /openapi/v2`` in protobuf."""
        revision = self._catalog.revision
        if self._v2 is None or self._v2[0] != revision:
            self._v2 = (revision, Document.of(encode_v2(self._swagger())))
        return self._v2[1]

    def v2_json(self) -> Document:
        """``GET /openapi/v2`` in JSON."""
        revision = self._catalog.revision
        if self._v2_json is None or self._v2_json[0] != revision:
            self._v2_json = (revision, Document.of(orjson.dumps(self._swagger())))
        return self._v2_json[1]

    def _swagger(self) -> Node:
        return swagger(v3_document([_kind(each) for each in self._catalog.all()]))

    def _group_versions(self) -> dict[str, Sequence[Served]]:
        return {
            group_path(served[0].resource)[1:]: served
            for group in self._catalog.groups()
            for version in self._catalog.versions(group)
            if (served := self._catalog.resources(group, version))
        }

    def _document(self, name: str, served: Sequence[Served]) -> Document:
        kept = self._documents.get(name)
        if kept is not None and _are_same(kept[0], served):
            return kept[1]
        made = Document.of(orjson.dumps(v3_document([_kind(each) for each in served])))
        self._documents[name] = (tuple(served), made)
        return made


def _are_same(kept: Sequence[Served], served: Sequence[Served]) -> bool:
    return len(kept) == len(served) and all(
        one is other for one, other in zip(kept, served, strict=True)
    )


def _kind(served: Served) -> Kind:
    return Kind(served.resource, served.schema_source)
