"""What Go's typed decoding and encoding make of a built-in object.

A schema becomes a tree of small decoders once; each checks the type, drops what is unknown, null
or empty under ``omitempty``, and writes the zero values that Go writes. So what is stored here is
what a client of kube-apiserver would have got back.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.go_decoders import GoTypeError, Progress, decoder_of
from llmos.apimachinery.go_values import GoValueError
from llmos.apimachinery.object import Object
from llmos.apimachinery.quantity import QuantityError
from llmos.apimachinery.resource import GroupVersionKind, parse_api_version
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.serializer import cannot_be_handled

MAX_PROBLEMS = 100
_LEGACY_SCHEME = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"
_CRD_SCHEME = "k8s.io/apiextensions-apiserver/pkg/apiserver/apiserver.go:55"
_CRD_GROUP = "apiextensions.k8s.io"


class TypedDecodeError(ValueError):
    """A value does not fit its Go type; the text is Go's own."""


def decode_builtin(
    value: Object, schema: Schema, kind: GroupVersionKind
) -> tuple[Object, list[str]]:
    """Decode an object into its type.

    Returns:
        The object as Go would encode it again, and the paths of the fields it does not know.

    Raises:
        BadRequestError: a value is of the wrong type.
    """
    try:
        return decode_typed(value, schema)
    except TypedDecodeError as error:
        raise cannot_be_handled(kind.api_version, kind.kind, kind.kind, str(error)) from None


def decode_typed(value: Object, schema: Schema) -> tuple[Object, list[str]]:
    """As ``decode_builtin``, for callers that word the error themselves.

    Raises:
        TypedDecodeError: a value is of the wrong type.
    """
    progress = Progress()
    try:
        decoded = decoder_of(schema)(value, progress)
    except (GoTypeError, GoValueError, QuantityError) as error:
        raise TypedDecodeError(str(error)) from None
    if not progress.unknown:
        return decoded, []
    paths = unknown_fields(value, schema, "")
    return decoded, [path for path, _ in zip(paths, range(MAX_PROBLEMS), strict=False)]


def unknown_fields(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """Paths of the members that the schema does not have, in the order of the text."""
    if isinstance(value, list):
        if schema.items is not None:
            for index, each in enumerate(value):
                yield from unknown_fields(each, schema.items, f"{path}[{index}]")
        return
    if not isinstance(value, dict) or schema.preserve_unknown or schema.type != "object":
        return
    for key, each in value.items():
        below = f"{path}.{key}" if path else key
        child = schema.properties.get(key) or schema.additional
        if child is not None:
            yield from unknown_fields(each, child, below)
        elif schema.definition:
            yield below


def unknown_field_problems(paths: Sequence[str]) -> list[str]:
    """The texts for ``Warning`` headers and strict errors."""
    return [f'unknown field "{path}"' for path in paths]


def strict_error(kind: GroupVersionKind, problems: Sequence[str]) -> BadRequestError:
    """The answer of ``fieldValidation=Strict`` to unknown and duplicate fields."""
    return cannot_be_handled(kind.api_version, kind.kind, kind.kind, strict_text(problems))


def strict_text(problems: Sequence[str]) -> str:
    """All problems in one text."""
    return "strict decoding error: " + ", ".join(problems[:MAX_PROBLEMS])


def check_type(
    value: Object, expected: GroupVersionKind, registered: Callable[[GroupVersionKind], bool]
) -> None:
    """Make sure that an object is of the kind that its path takes; it may leave both words out.

    Args:
        value: the object.
        expected: the kind of the path.
        registered: whether there is such a built-in kind.

    Raises:
        BadRequestError: it is of another kind.
    """
    kind = value.get("kind") or expected.kind
    api_version = value.get("apiVersion") or expected.api_version
    if (kind, api_version) == (expected.kind, expected.api_version):
        return
    group, version = parse_api_version(api_version)
    if registered(GroupVersionKind(group, version, kind)) and _same_scheme(group, expected.group):
        why = f"converting ({version}.{kind}) to ({_internal(expected.group)}.{expected.kind})"
        raise cannot_be_handled(api_version, kind, expected.kind, f"{why}: unknown conversion")
    scheme = _CRD_SCHEME if expected.group == _CRD_GROUP else _LEGACY_SCHEME
    why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{scheme}"'
    raise cannot_be_handled(api_version, kind, expected.kind, why)


def _same_scheme(group: str, other: str) -> bool:
    return (group == _CRD_GROUP) == (other == _CRD_GROUP)


def _internal(group: str) -> str:
    return group.partition(".")[0] or "core"
