"""Makes what a file says on a server: what is missing is created, what differs is said.

It can be run again at any time, and goes on after what was refused. Nothing of another owner is
touched: a user or namespace that only has the same name, by the uid that it had where it was first
made, stays as it is, and what belongs to the file's is withheld from it.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, islice
from typing import Any

from llmos.apimachinery.clock import Clock, rfc3339
from llmos.apimachinery.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    StatusError,
    TooManyRequestsError,
)
from llmos.apimachinery.object import (
    Object,
    copy_object,
    find_condition,
    get_path,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.apis.authentication_v1 import USERS_GROUP
from llmos.client import resources
from llmos.client.client import Client, resource_path
from llmos.portability.agreement import Comparer, replaced
from llmos.portability.catalog import ServedKinds
from llmos.portability.exporting import decoded, require_everything, shipped_specs
from llmos.portability.portable import DEFAULTS_BOUND, origin_of, portable
from llmos.portability.selection import (
    PASSWORD_TYPE,
    Ref,
    is_account,
    is_plain_account,
    type_of,
)
from llmos.portability.strangers import People

_AT_ONCE = 16
_BATCH = 512
_TRIES = 40
_PAUSE_SECONDS = 0.25
_NOT_YET = ("status unknown for quota", "error looking up service account")
"""What a server says until its controllers have got to a new namespace."""
_USER, _NAMESPACE = (resources.MANAGEMENT_GROUP, "User"), ("", "Namespace")
_BOUND = "DefaultRolesBound"
_DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")


class Outcome(StrEnum):
    """What became of a document."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    KEPT = "kept"
    """It is there already and differs."""
    WITHHELD = "withheld"
    """It would go to somebody else."""
    REFUSED = "refused"

    @property
    def good(self) -> bool:
        """Whether the server has what the file says."""
        return self in (Outcome.CREATED, Outcome.UNCHANGED, Outcome.REPLACED)

    @property
    def is_there(self) -> bool:
        """Whether the server has the object of the file, in whatever state."""
        return self.good or self is Outcome.KEPT


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one document, and why."""

    ref: Ref
    outcome: Outcome
    why: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.ref} {self.outcome}" + (f": {self.why}" if self.why else "")


@dataclass(slots=True)
class Importer:
    """Works on one server, under the identity of whoever may do everything there."""

    client: Client
    clock: Clock
    overwrite: bool = False
    """The file wins: what differs is replaced, who has the same name is the same."""
    dry_run: bool = False
    served: ServedKinds = field(init=False)
    people: People = field(default_factory=People)
    _foreign: set[str] = field(default_factory=set)
    """Namespaces of others."""
    _absent: set[str] = field(default_factory=set)
    """Namespaces that a dry run did not make."""
    _defined: set[tuple[str, str]] = field(default_factory=set)
    """Kinds that a dry run did not make."""
    _shipped: dict[tuple[str, str], Any] = field(default_factory=shipped_specs)

    def __post_init__(self) -> None:
        self.served = ServedKinds(self.client)

    async def run(self, documents: Iterable[Object]) -> AsyncIterator[Result]:
        """Import in the order of the file.

        Raises:
            StatusError: llmos is not there, or not everything is allowed to us.
            ConnectionFailedError: the server does not answer; run it again.
        """
        await require_everything(self.client)
        await _require_operator(self.client)
        await self.served.refresh()
        self.people.meet(await self.client.list(resources.USERS))
        later: list[Object] = []
        for _, same in groupby(documents, key=lambda each: (Ref.of(each).rank, type_of(each))):
            while batch := list(islice(same, _BATCH)):
                async for each in self._import_all(batch, later):
                    yield each
        for document in later:
            result = await self._import(document, None)
            if result is not None:
                yield result

    async def _import_all(self, batch: list[Object], later: list[Object]) -> AsyncIterator[Result]:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(document: Object) -> Result | None:
            async with room:
                return await self._import(document, later)

        for each in await asyncio.gather(*(one(document) for document in batch)):
            if each is not None:
                yield each

    async def _import(self, document: Object, later: list[Object] | None) -> Result | None:
        """One document; None where its owner has to come first."""
        result = await self._try(document, later)
        if result is not None and not result.outcome.is_there:
            kind = type_of(document)
            if kind == _USER:
                self.people.miss(result.ref.name)
            elif kind == _NAMESPACE:
                self._foreign.add(result.ref.name)
        return result

    async def _try(self, document: Object, later: list[Object] | None) -> Result | None:
        ref = Ref.of(document)
        why = self._withheld(document)
        if why:
            return Result(ref, Outcome.WITHHELD, why)
        resource = self.served.get(document)
        if resource is None and type_of(document) in self._defined:
            return Result(ref, Outcome.CREATED)
        if resource is None:
            return Result(
                ref, Outcome.REFUSED, f"{document['apiVersion']} {ref.kind} is not served"
            )
        try:
            sent = await self._tied(document, required=later is not None)
            if sent is None and later is not None:
                later.append(document)
                return None
            return await self._put(resource, document, sent or document)
        except StatusError as error:
            return Result(ref, Outcome.REFUSED, error.message)

    def _withheld(self, document: Object) -> str:
        if is_account(document):
            user = decoded(document).get("user", "")
            known = user in self.people.known
            return "" if known else f"the user {user} of the file is not here"
        place = namespace_of(document) or str(document.get("namespaceId") or "")
        if place in self._foreign:
            return f"the namespace {place} of the file is not here"
        return "" if self.overwrite else self.people.why_not_bound(document)

    async def _tied(self, document: Object, *, required: bool) -> Object | None:
        """The document as it is sent: tied to the uids of this server; None: not yet."""
        sent: Object = copy_object(document)
        if is_account(document):
            uid = self.people.known[decoded(document)["user"]]
            sent["data"]["userUID"] = base64.b64encode(uid.encode()).decode()
        if type_of(document) == _NAMESPACE:
            # What its creator got where it was made is in the file.
            sent["metadata"].setdefault("annotations", {})[DEFAULTS_BOUND] = "true"
        owners = []
        for each in owner_references(document):
            uid = await self._owner_uid(each, namespace_of(document))
            if not uid and required:
                return None
            if uid:
                owners.append({**each, "uid": uid})
        if owners:
            sent["metadata"]["ownerReferences"] = owners
        else:
            sent["metadata"].pop("ownerReferences", None)
        return sent

    async def _owner_uid(self, owner: Object, namespace: str) -> str:
        resource = self.served.get(owner)
        if resource is None:
            return ""
        try:
            return uid_of(await self.client.get(resource, namespace, str(owner["name"])))
        except NotFoundError:
            return ""

    async def _put(self, resource: APIResource, document: Object, sent: Object) -> Result:
        ref = Ref.of(document)
        place = ref.namespace or str(document.get("namespaceId") or "")
        if place in self._absent:
            return Result(ref, Outcome.CREATED)
        try:
            live = await self.client.get(resource, ref.namespace, ref.name)
        except NotFoundError:
            try:
                made = await self._create(resource, sent)
            except AlreadyExistsError:
                live = await self.client.get(resource, ref.namespace, ref.name)
            else:
                await self._made(document, made)
                return Result(ref, Outcome.CREATED)
        return await self._meet(resource, document, sent, live)

    async def _create(self, resource: APIResource, sent: Object) -> Object:
        """Create; wait for controllers where the server has to."""
        path = resource_path(resource, namespace_of(sent))
        params = {"dryRun": "All"} if self.dry_run else {}
        for left in reversed(range(_TRIES)):
            try:
                return await self.client.call("POST", path, params=params, body=sent)
            except (ForbiddenError, TooManyRequestsError) as error:
                waits = isinstance(error, TooManyRequestsError) or any(
                    each in error.message for each in _NOT_YET
                )
                if not (waits and left):
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
        raise AssertionError

    async def _made(self, document: Object, live: Object) -> None:
        """Remember what was made, for what comes after it."""
        kind = type_of(document)
        if kind == _USER:
            self.people.recognize(name_of(live), uid_of(live))
            await self._mark_bound(live)
        elif kind == _NAMESPACE and self.dry_run:
            self._absent.add(name_of(live))
        elif kind == _DEFINITION and self.dry_run:
            spec = document["spec"]
            self._defined.add((spec["group"], spec["names"]["kind"]))
        elif kind == _DEFINITION:
            await self.served.wait(document)

    async def _mark_bound(self, user: Object) -> None:
        """Say that a user has had the roles of new users: his bindings are in the file."""
        if self.dry_run or find_condition(user, _BOUND):
            return
        bound = {
            "type": _BOUND,
            "status": "True",
            "reason": "Imported",
            "message": "the roles of the user are those that he had",
            "lastTransitionTime": rfc3339(self.clock()),
        }
        try:
            await self.client.patch_status(
                resources.USERS, "", name_of(user), {"conditions": [bound]}
            )
        except ForbiddenError:
            # An administrator of llmos does not write a status; then the controllers run, who do,
            # before any role of the file is there.
            return

    async def _meet(
        self, resource: APIResource, document: Object, sent: Object, live: Object
    ) -> Result:
        """Something has the name already."""
        ref = Ref.of(document)
        kind = type_of(document)
        if kind in (_USER, _NAMESPACE):
            if origin_of(live) != origin_of(document) and not self.overwrite:
                return Result(ref, Outcome.WITHHELD, f"the {ref.kind} here is another one")
            if kind == _USER:
                self.people.recognize(ref.name, uid_of(live))
                await self._mark_bound(live)
        differing = await Comparer(self.client).differing(resource, document, live)
        differing += self._untied(document, live)
        if not differing:
            return Result(ref, Outcome.UNCHANGED)
        if not (self.overwrite or self._is_pristine(live)):
            return Result(ref, Outcome.KEPT, f"it differs in {shown(differing)}")
        await self._replace(resource, live, sent)
        why = shown(differing) if self.overwrite else "nobody had changed what the server made"
        return Result(ref, Outcome.REPLACED, why)

    def _untied(self, document: Object, live: Object) -> list[str]:
        """An account that belongs to a user of the same name who is gone."""
        if not is_account(document):
            return []
        known = self.people.known[decoded(document)["user"]]
        return [] if decoded(live).get("userUID") == known else ["data.userUID"]

    async def _replace(self, resource: APIResource, live: Object, sent: Object) -> None:
        path = resource_path(resource, namespace_of(live), name_of(live))
        params = {"dryRun": "All"} if self.dry_run else {}
        for left in reversed(range(_TRIES)):
            try:
                await self.client.call("PUT", path, params=params, body=replaced(live, sent))
            except ConflictError:
                if not left:
                    raise
                live = await self.client.get(resource, namespace_of(live), name_of(live))
            else:
                return

    def _is_pristine(self, live: Object) -> bool:
        """Whether nobody has made anything of it since the server made it by itself."""
        kind = type_of(live)
        if kind == ("", "ServiceAccount"):
            return name_of(live) == "default" and is_plain_account(live)
        if kind == ("", "Secret") and is_account(live) and live["type"] == PASSWORD_TYPE:
            data = decoded(live)
            unused = data.get("oneTime") == "true" and data.get("used") != "true"
            return unused or bool(self._untied(live, live))
        if kind == (resources.MANAGEMENT_GROUP, "Setting"):
            return not live.get("value")
        shipped = self._shipped.get((kind[1], name_of(live)))
        return shipped is not None and shipped == portable(live).get("spec")


async def _require_operator(client: Client) -> None:
    """Refuse whom the policies would refuse half of it."""
    review = await client.create(resources.SELF_SUBJECT_REVIEWS, {})
    if USERS_GROUP in get_path(review, "status", "userInfo", "groups", default=()):
        raise ForbiddenError(
            "who signed in through llmos writes nobody's password: the operator of a cluster "
            "imports with its own kubeconfig; into an embedded server, --data-dir does"
        )


def shown(paths: list[str], most: int = 4) -> str:
    """Some paths, and how many more there are."""
    rest = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + rest
