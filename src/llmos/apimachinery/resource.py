"""Names of kinds and resources, as Kubernetes' discovery spells them.

Every room speaks of resources in these words; ``apis.scheme`` holds the table of those served.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class GroupVersionKind(NamedTuple):
    """The type of an object, as ``apiVersion`` and ``kind`` say it."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """``v1`` for the core group, ``group/version`` for every other."""
        return f"{self.group}/{self.version}" if self.group else self.version


class GroupResource(NamedTuple):
    """A resource without its version: what storage and RBAC know it by."""

    group: str
    resource: str

    def __str__(self) -> str:
        """Kubernetes' own text for it: ``configmaps`` or ``roles.rbac.authorization.k8s.io``."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


def parse_api_version(api_version: str) -> tuple[str, str]:
    """Split an ``apiVersion`` into group and version (the core group is ``""``)."""
    group, _, version = api_version.rpartition("/")
    return group, version


STANDARD_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A subresource as discovery lists it, e.g. ``status`` or ``scale``."""

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    kind: GroupVersionKind | None = None
    """The kind it answers with, where that is not the resource's own."""


@dataclass(frozen=True, slots=True)
class APIResource:
    """One served resource in one version: a row of discovery."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    list_kind: str = ""
    verbs: tuple[str, ...] = STANDARD_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    custom: bool = False
    """True for kinds that a CustomResourceDefinition defines: their wire rules differ in places."""
    group_resource: GroupResource = field(init=False, compare=False)
    gvk: GroupVersionKind = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not self.list_kind:
            object.__setattr__(self, "list_kind", f"{self.kind}List")
        object.__setattr__(self, "group_resource", GroupResource(self.group, self.plural))
        object.__setattr__(self, "gvk", GroupVersionKind(self.group, self.version, self.kind))

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of its objects."""
        return self.gvk.api_version

    def subresource(self, name: str) -> Subresource | None:
        """Find a subresource by its name."""
        return next((each for each in self.subresources if each.name == name), None)
