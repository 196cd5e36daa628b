"""The kinds of a CustomResourceDefinition as the registry serves them.

Source: k8s.io/apiextensions-apiserver (customresource_handler.go: decoding, pruning, conversion
``None``, which changes the apiVersion and nothing else).
"""

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from llmos.apimachinery.decoding import TypedDecodeError, decode_typed
from llmos.apimachinery.errors import BadRequestError, FieldError, InvalidError
from llmos.apimachinery.lazy import LazyModule
from llmos.apimachinery.object import Object, is_terminating, name_of
from llmos.apimachinery.resource import APIResource, GroupVersionKind, parse_api_version
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.schema_compile import compile_schema
from llmos.apimachinery.serializer import cannot_be_handled
from llmos.apimachinery.structural import RuleCheck, prune
from llmos.apis import apiextensions_v1 as apiextensions
from llmos.apis.builtin_schemas import schema_for
from llmos.apis.custom import custom_strategy, scale_paths
from llmos.registry.served import Served

if TYPE_CHECKING:
    from llmos.apimachinery.cel import rules
else:
    rules = LazyModule("llmos.apimachinery.cel.rules")


def served_of(crd: Object, since: int = 0, defined: int = 0) -> list[Served]:
    """One for each served version, the preferred one first.

    Args:
        crd: the definition.
        since: the revision from which on it is served.
        defined: the revision that wrote what it says.

    Raises:
        KeyError, TypeError, ValueError: the definition makes no sense.
    """
    return [
        _served(crd, resource, (since, defined)) for resource in apiextensions.resources_of(crd)
    ]


def _served(crd: Object, resource: APIResource, revisions: tuple[int, int]) -> Served:
    version = resource.version
    since, defined = revisions
    source = apiextensions.schema_of(crd, version)
    schema = with_metadata(compile_schema(source))
    return Served(
        resource=resource,
        strategy=custom_strategy(crd, version, _compile_rules, schema),
        find_schema=lambda: schema,
        decode=partial(decode_custom, resource=resource, schema=schema),
        stored_as=resource.group_resource,
        scale=scale_paths(crd, version),
        warning=apiextensions.deprecation_of(crd, version),
        schema_source=source,
        since=since,
        defined=defined,
        terminating=is_terminating(crd),
    )


def _compile_rules(node: dict[str, Any]) -> RuleCheck:
    return rules.compile_rules(node)


@cache
def _metadata_schema() -> Schema:
    """The ObjectMeta that every kind has."""
    known = schema_for(GroupVersionKind("", "v1", "ConfigMap"))
    assert known is not None
    return known.properties["metadata"]


def with_metadata(schema: Schema) -> Schema:
    """The schema of a whole object: what a definition says, and what every object has."""
    text = Schema(type="string")
    schema.properties = {
        **schema.properties,
        "apiVersion": text,
        "kind": text,
        "metadata": _metadata_schema(),
    }
    return schema


@cache
def _only_metadata() -> Schema:
    return Schema(type="object", properties={"metadata": _metadata_schema()})


def decode_custom(value: Any, resource: APIResource, schema: Schema) -> tuple[Object, list[str]]:
    """Decode an instance: its type is checked, its metadata decoded, unknown fields dropped.

    Returns:
        The object, and the paths of the fields that were dropped.

    Raises:
        BadRequestError: it is of another group version, or its metadata is not metadata.
        InvalidError: it is of another kind.
    """
    if not isinstance(value, dict):
        raise BadRequestError("the object is not a JSON object")
    _check_kind(value, resource)
    meta = value.get("metadata")
    try:
        decoded, unknown_meta = decode_typed(
            {"metadata": {} if meta is None else meta}, _only_metadata()
        )
    except TypedDecodeError as error:
        raise cannot_be_handled(
            resource.api_version, resource.kind, resource.kind, str(error)
        ) from None
    obj = {
        **value,
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": decoded.get("metadata") or {},
    }
    return obj, [*unknown_meta, *prune(obj, schema)]


def _check_kind(value: Object, resource: APIResource) -> None:
    kind = str(value.get("kind") or resource.kind)
    api_version = str(value.get("apiVersion") or resource.api_version)
    if api_version != resource.api_version:
        raise BadRequestError(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if kind != resource.kind:
        group, version = parse_api_version(api_version)
        wrong = FieldError(
            "FieldValueInvalid", "kind", f'Invalid value: "{kind[:64]}": must be {resource.kind}'
        )
        raise InvalidError.of(GroupVersionKind(group, version, kind[:64]), name_of(value), [wrong])
