"""Has a change say what the platform writes into annotations, whatever way the change is sent.

Used by ``rules.Rules``, once the cluster has said what the change would leave. What is written then
is right for the version of the object that the change was tried on, and so it is made on no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.object import Object, annotations_of, resource_version_of
from llmos.apimachinery.serializer import DecodeError, decode_body, parse_json
from llmos.client.client import APPLY_PATCH, JSON_PATCH, MERGE_PATCH
from llmos.endpoints.http import Request

JSON, YAML = "application/json", "application/yaml"


@dataclass(frozen=True, slots=True)
class Amendment:
    """Annotations that a change has to set (or take away: None) beside what it says."""

    annotations: Mapping[str, str | None]
    tried: Object
    """What the cluster said that the change as it was sent would leave."""
    old: Object | None
    """The object as it is; None: there is none yet."""

    async def put(self, request: Request) -> None:
        """Go on as if the change had said so.

        Raises:
            BadRequestError: the body cannot be read.
        """
        body, media = await request.body(), request.media_type
        if media == JSON_PATCH:
            said: Any = [self._unchanged(), *_parsed(body), *self._operations()]
        elif media == MERGE_PATCH:
            said = self._merged(_parsed(body))
        else:
            read_as = YAML if media == APPLY_PATCH else request.headers.get("content-type", "")
            said = decode_body(body, read_as).value
            self._set(said)
            if media == APPLY_PATCH and self.old is not None:
                self._take_over(request, said)
        request.put_body(orjson.dumps(said), media if media in _PATCHES else JSON)

    def _unchanged(self) -> Object:
        version = resource_version_of(self.tried)
        return {"op": "test", "path": "/metadata/resourceVersion", "value": version}

    def _operations(self) -> list[Object]:
        if not annotations_of(self.tried):
            whole = {key: each for key, each in self.annotations.items() if each is not None}
            return [{"op": "add", "path": "/metadata/annotations", "value": whole}]
        return [
            {"op": "remove", "path": _pointer(key)}
            if each is None
            else {"op": "add", "path": _pointer(key), "value": each}
            for key, each in self.annotations.items()
        ]

    def _merged(self, patch: Any) -> Object:
        meta = dict(patch.get("metadata") or {})
        said = meta.get("annotations", {})
        if said is None:  # all of them were to go
            said = dict.fromkeys(annotations_of(self.old or {}))
        meta["resourceVersion"] = resource_version_of(self.tried)
        return {**patch, "metadata": {**meta, "annotations": {**said, **self.annotations}}}

    def _set(self, obj: Object) -> None:
        meta = obj["metadata"] = dict(obj.get("metadata") or {})
        said = {**(meta.get("annotations") or {}), **self.annotations}
        meta["annotations"] = {key: each for key, each in said.items() if each is not None}

    def _take_over(self, request: Request, applied: Object) -> None:
        """Leave no conflict about what its author did not say: what he said has none."""
        applied["metadata"]["resourceVersion"] = resource_version_of(self.tried)
        kept = [each for each in request.query_string.split(b"&") if _is_kept(each)]
        request.query_string = b"&".join([b"force=true", *kept])


_PATCHES = frozenset({JSON_PATCH, MERGE_PATCH, APPLY_PATCH})


def _parsed(body: bytes) -> Any:
    try:
        return parse_json(body)
    except DecodeError as error:
        raise BadRequestError(str(error)) from None


def _pointer(key: str) -> str:
    """Where an annotation is (RFC 6901)."""
    return "/metadata/annotations/" + key.replace("~", "~0").replace("/", "~1")


def _is_kept(parameter: bytes) -> bool:
    return parameter != b"" and parameter.partition(b"=")[0] != b"force"
