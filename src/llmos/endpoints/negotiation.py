"""Which representation a client gets: the ``Accept`` header, as kube-apiserver reads it.

Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from llmos.apimachinery.errors import NotAcceptableError

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
_AVAILABLE = f"{JSON}, {YAML}, {PROTOBUF}"
_IN_PROTOBUF = frozenset({"", "PartialObjectMetadata", "PartialObjectMetadataList"})
Format = Literal["json", "yaml", "protobuf"]
_FORMATS: dict[str, Format] = {
    JSON: "json",
    YAML: "yaml",
    "application/x-yaml": "yaml",
    "*/*": "json",
}


@dataclass(frozen=True, slots=True)
class Representation:
    """What to answer with."""

    format: Format = "json"
    transform: str = ""
    """``Table``, ``PartialObjectMetadata``, ``PartialObjectMetadataList``,
    ``APIGroupDiscoveryList``, or ``""`` for the object itself."""
    transform_version: str = ""


@dataclass(frozen=True, slots=True)
class _Clause:
    media_type: str
    parameters: dict[str, str]
    quality: float


def _clauses(accept: str) -> list[_Clause]:
    found = []
    for part in accept.split(","):
        pieces = [each.strip() for each in part.split(";")]
        if not pieces[0]:
            continue
        pairs = (each.partition("=") for each in pieces[1:])
        parameters = {name.strip(): value.strip() for name, _, value in pairs}
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        found.append(_Clause(pieces[0].lower(), parameters, quality))
    return sorted(found, key=lambda each: -each.quality)


def not_acceptable() -> NotAcceptableError:
    """The 406 of a client that accepts nothing we have."""
    return NotAcceptableError(f"only the following media types are accepted: {_AVAILABLE}")


@lru_cache(maxsize=512)
def negotiate(
    accept: str, allowed: frozenset[str] = frozenset(), *, protobuf: bool = False
) -> Representation:
    """Choose the first acceptable representation.

    Args:
        accept: the header; ``""`` accepts anything.
        allowed: ``Transform/version`` names that this path can answer with, e.g.
            ``Table/meta.k8s.io/v1``.
        protobuf: whether what is answered can be protobuf: the object itself, or its metadata.

    Raises:
        NotAcceptableError: there is none.
    """
    if not accept:
        return Representation()
    clauses = _clauses(accept)
    for clause in clauses:
        chosen = _match(clause, allowed, protobuf)
        if chosen is not None:
            return chosen
    if any(clause.parameters.get("as") for clause in clauses):
        raise not_acceptable()
    raise NotAcceptableError(f"406: Not Acceptable\n\nAvailable representations: {_AVAILABLE}", {})


def _match(clause: _Clause, allowed: frozenset[str], protobuf: bool) -> Representation | None:
    wanted = clause.parameters.get("as", "")
    body_format = _FORMATS.get(clause.media_type)
    if protobuf and clause.media_type == PROTOBUF and wanted in _IN_PROTOBUF:
        body_format = "protobuf"
    if body_format is None:
        return None
    if not wanted:
        return Representation(body_format)
    version = clause.parameters.get("v", "")
    name = f"{wanted}/{clause.parameters.get('g', '')}/{version}"
    if name in allowed:
        return Representation(body_format, wanted, version)
    return None
