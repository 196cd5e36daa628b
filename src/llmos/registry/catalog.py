"""Which kinds are served now: the built-in ones, and those that CustomResourceDefinitions bring.

``revision`` changes with every change, so that discovery and OpenAPI know when to be made anew.
"""

from collections.abc import Iterable, Sequence

from llmos.apimachinery.resource import GroupResource
from llmos.registry.served import Served
from llmos.watchcache.interface import Readable


class Catalog:
    """Finds served kinds by group, version and plural."""

    def __init__(self, builtin: Iterable[Served]) -> None:
        self._builtin = tuple(builtin)
        self._custom: dict[str, tuple[Served, ...]] = {}
        self._by_path: dict[tuple[str, str, str], Served] = {}
        self._by_resource: dict[GroupResource, Served] = {}
        self._by_version: dict[str, dict[str, list[Served]]] = {}
        self.revision = 0
        self._index()

    def _index(self) -> None:
        self._by_path = {}
        self._by_resource = {}
        self._by_version = {}
        customs = [served for name in sorted(self._custom) for served in self._custom[name]]
        for served in (*self._builtin, *customs):
            resource = served.resource
            self._by_path[resource.group, resource.version, resource.plural] = served
            self._by_resource.setdefault(resource.group_resource, served)
            versions = self._by_version.setdefault(resource.group, {})
            versions.setdefault(resource.version, []).append(served)
        self.revision += 1

    def find(self, group: str, version: str, plural: str) -> Served | None:
        """The kind at a path."""
        return self._by_path.get((group, version, plural))

    def in_force(self, served: Readable) -> bool:
        """Whether a kind that was found once is still served as it was then."""
        resource = served.resource
        now = self._by_path.get((resource.group, resource.version, resource.plural))
        return now is not None and now.defined == served.defined

    def of_kind(self, group: str, version: str, kind: str) -> Served | None:
        """The kind that an object names by its apiVersion and kind."""
        found = self.resources(group, version)
        return next((each for each in found if each.resource.kind == kind), None)

    def of(self, resource: GroupResource) -> Served | None:
        """The kind of a resource, in its preferred version."""
        return self._by_resource.get(resource)

    def groups(self) -> Sequence[str]:
        """Every served group, the core group (``""``) first."""
        return list(self._by_version)

    def versions(self, group: str) -> Sequence[str]:
        """The served versions of a group, the preferred one first; empty for an unknown group."""
        return list(self._by_version.get(group, ()))

    def resources(self, group: str, version: str) -> Sequence[Served]:
        """The kinds of a group version."""
        return self._by_version.get(group, {}).get(version, [])

    def is_custom(self, group: str) -> bool:
        """Whether a group has custom kinds only."""
        return all(each.resource.group != group for each in self._builtin)

    def all(self) -> Iterable[Served]:
        """Every served kind in every version."""
        return self._by_path.values()

    def set_custom(self, name: str, served: Sequence[Served]) -> None:
        """Serve the kinds of a CustomResourceDefinition, in place of those it brought before."""
        if served:
            self._custom[name] = tuple(served)
        else:
            self._custom.pop(name, None)
        self._index()

    def custom(self, name: str) -> Sequence[Served]:
        """What a CustomResourceDefinition brings now."""
        return self._custom.get(name, ())
