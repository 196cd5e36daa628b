"""Applies the platform's content by server-side apply, and says what that changed.

Running it again changes nothing; running a newer version's changes what differs and deletes what
the older one had and the newer has no more. What was applied is kept in the ConfigMap
``llmos-inventory`` in ``llmos-system``, which no end user may write.
"""

import asyncio
import difflib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
import yaml

from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import Object, copy_object, get_path
from llmos.authorization.bootstrap import restored
from llmos.client.client import APPLY_PATCH, Client, resource_path
from llmos.client.resources import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS
from llmos.installation.plan import KEPT, STAGES, Ref, stage

MANAGER = "llmos"
INVENTORY = ("llmos-system", "llmos-inventory")
_ESTABLISHED_SECONDS = 60.0
_POLL_SECONDS = 0.2
_SERVED_TRIES = 50
_NOISE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
_KEEPS_SPEC = frozenset({"RoleTemplate", "GlobalRole"})


class Outcome(StrEnum):
    """What became of an object."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class Change:
    """One object, and what was, or would be, done with it."""

    ref: Ref
    outcome: Outcome
    before: Object | None
    after: Object | None

    def diff(self) -> str:
        """The difference as ``kubectl diff`` shows it."""
        return "".join(
            difflib.unified_diff(
                _shown(self.before), _shown(self.after), f"live {self.ref}", f"merged {self.ref}"
            )
        )


@dataclass(frozen=True, slots=True)
class Installer:
    """Works on one cluster, under the operator's identity."""

    client: Client
    dry_run: bool = False

    async def run(self) -> AsyncIterator[Change]:
        """Apply everything, in order; what the version before had besides is deleted.

        Raises:
            StatusError: the cluster refuses, or a definition is not served in time.
            ConnectionFailedError: it does not answer.
        """
        applied: list[Ref] = []
        for name in STAGES:
            for obj in stage(name):
                change = await self._apply(obj)
                applied.append(change.ref)
                yield change
            if name == "crds" and not self.dry_run:
                await self._established(applied)
        async for change in self._prune(applied):
            yield change
        if not self.dry_run:
            await self._keep(applied)

    async def _apply(self, shipped: Object) -> Change:
        ref = Ref.of(shipped)
        before = await self._get(ref)
        wanted = _wanted(before, shipped)
        try:
            after: Object | None = await self._send(ref, wanted)
        except NotFoundError:
            # Its namespace or its definition would have come before it.
            if not self.dry_run:
                raise
            after = wanted
        if before is None:
            return Change(ref, Outcome.CREATED, None, after)
        same = _meaning(before) == _meaning(after)
        return Change(ref, Outcome.UNCHANGED if same else Outcome.CONFIGURED, before, after)

    async def _send(self, ref: Ref, wanted: Object) -> Object:
        params = {"fieldManager": MANAGER, "force": "true"}
        if self.dry_run:
            params["dryRun"] = "All"
        path = resource_path(ref.resource, ref.namespace, ref.name)
        for _ in range(_SERVED_TRIES):
            try:
                return await self.client.call(
                    "PATCH", path, params=params, body=wanted, content_type=APPLY_PATCH
                )
            except NotFoundError as error:
                # A definition is served a moment after it says that it is.
                if self.dry_run or "could not find the requested resource" not in error.message:
                    raise
                await asyncio.sleep(_POLL_SECONDS)
        raise NotFoundError.resource()

    async def _get(self, ref: Ref) -> Object | None:
        try:
            return await self.client.get(ref.resource, ref.namespace, ref.name)
        except NotFoundError:
            return None

    async def _established(self, refs: Iterable[Ref]) -> None:
        """Wait until the definitions are served.

        Raises:
            StatusError: one is refused, or takes too long.
        """
        names = {each.name for each in refs if each.kind == "CustomResourceDefinition"}
        async with asyncio.timeout(_ESTABLISHED_SECONDS):
            while names:
                names = {each for each in names if not await self._is_established(each)}
                await asyncio.sleep(_POLL_SECONDS if names else 0)

    async def _is_established(self, name: str) -> bool:
        found = await self.client.get(CUSTOM_RESOURCE_DEFINITIONS, "", name)
        # A definition that is a moment old has ``conditions: null``.
        conditions = get_path(found, "status", "conditions") or ()
        return any(
            each.get("type") == "Established" and each.get("status") == "True"
            for each in conditions
        )

    async def _prune(self, applied: Iterable[Ref]) -> AsyncIterator[Change]:
        """Delete what an older version applied and this one has no more."""
        for ref in sorted(set(await inventory(self.client)) - set(applied)):
            if ref.kind in KEPT:
                continue
            before = await self._get(ref)
            if before is None:
                continue
            if not self.dry_run:
                await self.client.delete(ref.resource, ref.namespace, ref.name)
            yield Change(ref, Outcome.PRUNED, before, None)

    async def _keep(self, applied: Iterable[Ref]) -> None:
        """Write down what was applied."""
        namespace, name = INVENTORY
        listed = [
            [each.api_version, each.kind, each.namespace, each.name] for each in sorted(applied)
        ]
        obj = {
            "metadata": {"namespace": namespace, "name": name},
            "data": {"objects": orjson.dumps(listed).decode()},
        }
        await self.client.apply(CONFIG_MAPS, obj, manager=MANAGER)


async def inventory(client: Client) -> list[Ref]:
    """What was applied by the version that is installed; nothing where none is."""
    try:
        found = await client.get(CONFIG_MAPS, *INVENTORY)
    except NotFoundError:
        return []
    listed: list[Any] = orjson.loads(get_path(found, "data", "objects", default="[]"))
    return [Ref(*each) for each in listed]


def _wanted(before: Object | None, shipped: Object) -> Object:
    """What to apply: what an admin may set on a built-in role stays as he set it."""
    if before is None or shipped["kind"] not in _KEEPS_SPEC:
        return shipped
    repaired = restored(before, shipped) or before
    return {**shipped, "spec": copy_object(repaired["spec"])}


def _meaning(obj: Object | None) -> Object:
    """An object without what changes by itself."""
    if obj is None:
        return {}
    left: Object = {key: each for key, each in obj.items() if key != "status"}
    metadata = {key: each for key, each in left["metadata"].items() if key not in _NOISE}
    return {**left, "metadata": metadata}


def _shown(obj: Object | None) -> list[str]:
    if obj is None:
        return []
    return yaml.safe_dump(_meaning(obj), sort_keys=True).splitlines(keepends=True)
