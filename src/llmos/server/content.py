"""The platform's own content, put in place at every start: namespaces, CRDs, roles, policies.

What is missing is created; what is built in and was changed is restored. Of namespaces and
everything else that people may adorn only the platform's labels are restored.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from llmos.apimachinery.errors import AlreadyExistsError
from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import GroupResource, parse_api_version
from llmos.authorization.bootstrap import restored
from llmos.manifests import load
from llmos.registry.catalog import Catalog
from llmos.registry.lister import PlatformStore

_LOG = logging.getLogger("llmos.server")
_BEFORE_KINDS = ("namespaces", "kubernetes", "crds")
_WITH_KINDS = ("roles", "embedded", "settings")


@dataclass(frozen=True, slots=True)
class Content:
    """Puts manifests in place through the same store as every request."""

    platform: PlatformStore
    catalog: Catalog

    async def before_kinds(self) -> None:
        """What does not need our own kinds, and the definitions of these."""
        for folder in _BEFORE_KINDS:
            await self._ensure_all(load(folder))

    async def with_kinds(self) -> None:
        """What is made of our own kinds."""
        for folder in _WITH_KINDS:
            await self._ensure_all(load(folder))

    async def policies(self) -> None:
        """The rules about what others write; last, so that they judge nothing of the rest.

        Nothing may be served before they are in force.
        """
        await self._ensure_all(load("policies"))

    async def _ensure_all(self, objects: Iterable[Object]) -> None:
        await asyncio.gather(*(self._ensure(each) for each in objects))

    async def _ensure(self, wanted: Object) -> None:
        group, version = parse_api_version(str(wanted["apiVersion"]))
        served = next(
            each
            for each in self.catalog.resources(group, version)
            if each.resource.kind == wanted["kind"]
        )
        resource = served.resource.group_resource
        decoded, unknown = served.decode(wanted)
        if unknown:
            _LOG.warning("manifest %s has unknown fields: %s", name_of(wanted), unknown)
        current = self.platform.get(resource, namespace_of(wanted), name_of(wanted))
        if current is None:
            await self._create(resource, decoded)
            return
        served.strategy.default(decoded)
        changed = restored(current, decoded)
        if changed is not None:
            _LOG.info("restoring %s %s", wanted["kind"], name_of(wanted))
            await self.platform.update(resource, changed)

    async def _create(self, resource: GroupResource, obj: Object) -> None:
        try:
            await self.platform.install(resource, obj)
        except AlreadyExistsError:
            return
