"""Rules about the platform's own kinds that the cluster's policies cannot say.

A policy sees one object; whether a name is taken, a role locked or an admin the last one needs
the others. So a change of such a kind is tried first (a dry run under the user's name: the cluster
authorizes, defaults and admits it), judged as it would be stored, and only then made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from llmos.apimachinery.errors import ForbiddenError
from llmos.apimachinery.generated_names import generate_name
from llmos.apimachinery.object import (
    Object,
    annotations_of,
    copy_object,
    name_of,
    resource_version_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.apimachinery.serializer import decode_body
from llmos.apis.admission_v1 import Admission, AdmissionAttributes, Operation
from llmos.client import resources
from llmos.client.client import APPLY_PATCH
from llmos.endpoints.http import Request, Response
from llmos.endpoints.requestinfo import RequestInfo
from llmos.endpoints.responses import warning_headers
from llmos.proxy.annotating import JSON, YAML, Amendment
from llmos.proxy.passwords import Answer, Forward
from llmos.proxy.platform import Platform
from llmos.proxy.usernames import Claims

JUDGED: Mapping[tuple[str, str], APIResource] = {
    (each.group, each.plural): each
    for each in (
        resources.USERS,
        resources.ROLE_TEMPLATE_BINDINGS,
        resources.ROLE_TEMPLATES,
        resources.GLOBAL_ROLES,
        resources.SETTINGS,
    )
}
_NAMESPACES = ("", "namespaces")
_TRIES = 5
"""How often a change is made that others overtake."""
_OPERATIONS: Mapping[str, Operation] = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
}


def judges(info: RequestInfo) -> bool:
    """Whether a request changes what these rules are about."""
    if not info.is_resource or info.subresource:
        return False
    kind = (info.group, info.resource)
    if kind == _NAMESPACES:
        return info.verb in ("create", "patch")
    return kind in JUDGED and (info.verb in _OPERATIONS or info.verb == "deletecollection")


@dataclass(frozen=True, slots=True)
class Rules:
    """Forwards changes that the rules allow."""

    forward: Forward
    admission: Admission
    platform: Platform
    claims: Claims

    async def __call__(self, request: Request) -> Answer:
        """Answer a change.

        Raises:
            BadRequestError: the body cannot be read.
            StatusError: a rule refuses.
        """
        info = request.info
        if (info.group, info.resource) == _NAMESPACES:
            return await self._namespace(request)
        resource = JUDGED[info.group, info.resource]
        if info.verb == "deletecollection":
            why = "one change could take away too much: delete them one by one"
            raise ForbiddenError.of(resource.group_resource, "", why)
        if info.verb in ("create", "update"):
            await self._complete(request, resource)
        if resource == resources.ROLE_TEMPLATE_BINDINGS and info.verb in ("update", "patch"):
            return await self._recorded(request, resource)
        return await self._judged(request, resource)

    async def _namespace(self, request: Request) -> Answer:
        """Have it say who created it, also where an apply does.

        An apply has to say it each time: what its manager does not repeat would be taken away.
        """
        resource = resources.NAMESPACES
        if request.info.verb == "create":
            await self._complete(request, resource)
        elif request.media_type == APPLY_PATCH:
            old = self.platform.get(resource.group_resource, "", request.info.name)
            if old is None:
                tried = await self.forward(await _dry(request))
                if tried.status == 200:  # another replica made it just now
                    return await self.forward(request)
                if tried.status != 201:
                    return tried
            await self._complete(request, resource, old, (YAML, APPLY_PATCH))
        return await self.forward(request)

    async def _complete(
        self,
        request: Request,
        resource: APIResource,
        old: Object | None = None,
        media_types: tuple[str, str] = ("", JSON),
    ) -> None:
        """Set in a whole object what the platform sets.

        Args:
            request: its body is completed.
            resource: what it is about.
            old: the object as it is; None: as memory has it.
            media_types: how the body is read (as its header says, where that is empty), and what a
                completed one is, which is JSON in any case.
        """
        content_type = media_types[0] or request.headers.get("content-type", "")
        obj = decode_body(await request.body(), content_type, resource.kind).value
        said = orjson.dumps(obj)
        old = old or self._known(resource, request.info.name)
        if resource == resources.USERS and request.info.verb == "create":
            _name(obj)
        self.admission.mutate(self._attributes(request, resource, obj, old))
        completed = orjson.dumps(obj)
        if completed != said:
            request.put_body(completed, media_types[1])

    async def _recorded(self, request: Request, resource: APIResource) -> Answer:
        """Change what the platform writes into; anew where somebody else was quicker.

        What is written is right for one version of the object, of which the author of the change
        knows nothing: no conflict about it is his.
        """
        body, headers, query = await request.body(), request.raw_headers, request.query_string
        left = _TRIES
        while True:
            answer, left = await self._judged(request, resource), left - 1
            is_as_sent = await request.body() == body
            if is_as_sent or left == 0 or not _is_overtaken(answer):
                return answer
            request.raw_headers, request.query_string = headers, query
            request.put_body(body)

    async def _judged(self, request: Request, resource: APIResource) -> Answer:
        info = request.info
        old = self._known(resource, info.name)
        new = None
        if info.verb != "delete":
            tried = await self.forward(await _dry(request))
            new = _object_in(tried)
            if new is None:
                return tried
            if resource == resources.ROLE_TEMPLATE_BINDINGS:
                version = resource_version_of(new)
                old = await self.platform.at_least(resource.group_resource, "", info.name, version)
                await self._record(request, resource, new, old)
        attributes = self._attributes(request, resource, new, old)
        if new is not None or old is not None:
            self.admission.validate(attributes)
        answer = await self._made(request, attributes)
        if attributes.warnings and isinstance(answer, Response):
            answer.headers += warning_headers(attributes.warnings)
        return answer

    async def _record(
        self, request: Request, resource: APIResource, new: Object, old: Object | None
    ) -> None:
        """Have a change say in annotations what the platform writes there, and nothing else.

        Args:
            request: the change.
            resource: what it is about.
            new: what it would leave; completed.
            old: what is there.
        """
        tried = copy_object(new)
        self.admission.mutate(self._attributes(request, resource, new, old))
        before, after = annotations_of(tried), annotations_of(new)
        written = {
            key: after.get(key) for key in {**before, **after} if before.get(key) != after.get(key)
        }
        if written:
            await Amendment(written, tried, old).put(request)

    async def _made(self, request: Request, attributes: AdmissionAttributes) -> Answer:
        """Make the change; one that gives a user a name, once he is sure to be the only one."""
        new = attributes.object
        if new is None or attributes.dry_run or attributes.resource != resources.USERS:
            return await self.forward(request)
        taken = await self.claims.take(new, attributes.old_object)
        answer = await self.forward(request)
        await taken.settle(answer.status)
        return answer

    def _known(self, resource: APIResource, name: str) -> Object | None:
        if not name or (resource.group, resource.plural) not in JUDGED:
            return None
        return self.platform.get(resource.group_resource, "", name)

    def _attributes(
        self, request: Request, resource: APIResource, new: Object | None, old: Object | None
    ) -> AdmissionAttributes:
        info = request.info
        operation = _OPERATIONS[info.verb]
        if operation == "UPDATE" and old is None:
            operation = "CREATE"  # an apply of what is not there yet
        return AdmissionAttributes(
            operation=operation,
            resource=resource,
            subresource="",
            namespace="",
            name=info.name or (name_of(new) if new else ""),
            object=new,
            old_object=copy_object(old) if old is not None else None,
            user=request.user,
            dry_run=bool(request.query.get("dryRun")),
        )


def _is_overtaken(answer: Answer) -> bool:
    """Whether a change was refused that could be made a moment ago."""
    return isinstance(answer, Response) and answer.status in (409, 422)


def _name(user: Object) -> None:
    """Draw the name that the cluster would draw: claims of other names are made for it."""
    meta = user.get("metadata")
    if not isinstance(meta, dict) or meta.get("name"):
        return
    base = meta.get("generateName")
    if isinstance(base, str) and base:
        meta["name"] = generate_name(base)


async def _dry(request: Request) -> Request:
    """The same request, to be tried only, and answered with the object itself."""
    tried = request.again(await request.body())
    tried.user = request.user
    tried.raw_headers = [
        *((name, value) for name, value in request.raw_headers if name != b"accept"),
        (b"accept", b"application/json"),
    ]
    if not request.query.get("dryRun"):
        extra = b"dryRun=All"
        tried.query_string = b"&".join(filter(None, (request.query_string, extra)))
    return tried


def _object_in(answer: Answer) -> Object | None:
    """The object that a change would leave; None: the cluster refuses it."""
    if not isinstance(answer, Response) or answer.status not in (200, 201):
        return None
    said: Any = orjson.loads(answer.body)
    return said if isinstance(said, dict) else None
