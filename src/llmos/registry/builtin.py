"""The built-in kinds as the registry serves them: the scheme's table, with schema and decoding."""

from collections.abc import Callable
from functools import partial
from typing import Any

from llmos.apimachinery.decoding import check_type, decode_builtin
from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apimachinery.schema import Schema
from llmos.apis.autoscaling_v1 import WORKLOAD
from llmos.apis.builtin_schemas import is_registered, schema_for
from llmos.apis.scheme import BuiltinKind, builtin_kinds, virtual_kinds
from llmos.apis.strategy import Strategy
from llmos.registry.served import Decode, Served


def builtin_served() -> list[Served]:
    """Every built-in kind: those that are stored, then those that only answer."""
    return [
        *(_stored(each) for each in builtin_kinds()),
        *(
            Served(
                each,
                Strategy(),
                _schema_finder(each.gvk),
                builtin_decoder(each.gvk),
                each.group_resource,
            )
            for each in virtual_kinds()
        ),
    ]


def _schema_finder(gvk: GroupVersionKind) -> Callable[[], Schema | None]:
    """Compiles the schema when it is first needed: most never are."""
    return partial(schema_for, gvk)


def _stored(kind: BuiltinKind) -> Served:
    return Served(
        resource=kind.resource,
        strategy=kind.strategy,
        find_schema=_schema_finder(kind.resource.gvk),
        decode=builtin_decoder(kind.resource.gvk),
        stored_as=kind.stored_as,
        to_stored=kind.to_stored,
        from_stored=kind.from_stored,
        scale=WORKLOAD if kind.resource.subresource("scale") else None,
    )


def builtin_decoder(gvk: GroupVersionKind) -> Decode:
    """Decodes objects of a built-in kind."""

    def decode(value: Any) -> tuple[Object, list[str]]:
        if not isinstance(value, dict):
            raise BadRequestError("the object is not a JSON object")
        check_type(value, gvk, is_registered)
        schema = schema_for(gvk)
        assert schema is not None, gvk
        obj, unknown = decode_builtin(value, schema, gvk)
        obj["kind"], obj["apiVersion"] = gvk.kind, gvk.api_version
        return obj, unknown

    return decode
