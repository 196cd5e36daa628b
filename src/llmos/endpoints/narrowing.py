"""What a user sees of a list that he may not list whole.

A user without cluster-wide rights who lists or watches namespaces, or a namespaced kind across
all namespaces, gets what he may see instead of 403. What he may see comes from the same rules that
say what he may do. Both engines use it, each with the ``View`` over what it reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol
from weakref import WeakValueDictionary

import orjson

from llmos.apis.authentication_v1 import UserInfo
from llmos.endpoints.requestinfo import RequestInfo
from llmos.watchcache.interface import Key
from llmos.watchcache.listing import EVERYTHING, Scope

_READS = frozenset({"list", "watch"})
_BINDINGS = ("management.llmos.ai", "roletemplatebindings")
_USERS = ("management.llmos.ai", "users")


class Visibility(Protocol):
    """Answers, from the authorization rules, where a user may do something."""

    def visible_namespaces(
        self, user: UserInfo, verb: str, group: str, resource: str
    ) -> frozenset[str] | None:
        """The namespaces where he may; None: everywhere."""


@dataclass(frozen=True, slots=True)
class View:
    """What is visible: equal views show the same."""

    namespaces: frozenset[str] | None = None
    """Objects in these namespaces; None: wherever they are."""
    names: frozenset[str] | None = None
    """Objects with these names; None: whatever they are called."""
    targets: frozenset[str] | None = None
    """Role template bindings for these namespaces; None: whatever they are for."""

    def shows(self, namespace: str, name: str, value: bytes) -> bool:
        """Whether an object is visible, given as it is stored."""
        if self.namespaces is not None and namespace not in self.namespaces:
            return False
        if self.names is not None and name not in self.names:
            return False
        return self.targets is None or _target(value) in self.targets

    def scope(self) -> Scope:
        """Where a list looks."""
        allows = None if self.targets is None else self._allows
        return Scope(self.namespaces, allows, self.names)

    def _allows(self, key: Key, value: bytes) -> bool:
        return self.shows(key.namespace, key.name, value)

    def crossing(self, other: "View") -> Scope:
        """Where objects may be that only one of the two shows."""
        if self.targets != other.targets:
            return EVERYTHING
        if self.names == other.names and None not in (self.namespaces, other.namespaces):
            return Scope(namespaces=_difference(self.namespaces, other.namespaces))
        if self.namespaces == other.namespaces and None not in (self.names, other.names):
            return Scope(names=_difference(self.names, other.names))
        return EVERYTHING


def _difference(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str]:
    return (one or frozenset()) ^ (other or frozenset())


@lru_cache(maxsize=16384)
def _target(value: bytes) -> str:
    """The namespace that a binding is for; a thousand watchers ask about the same one."""
    return str(orjson.loads(value).get("namespaceId") or "")


def scope_of(view: View | None) -> Scope:
    """Where a list looks that may be narrowed."""
    return EVERYTHING if view is None else view.scope()


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Finds the view of a refused read."""

    visibility: Visibility
    namespaced: Callable[[RequestInfo], bool]
    """Whether the requested resource is a served namespaced kind."""
    _shared: WeakValueDictionary[frozenset[str], frozenset[str]] = field(
        default_factory=WeakValueDictionary, repr=False
    )
    """Equal sets are one in memory, however many watches see through them."""

    def view(self, user: UserInfo, info: RequestInfo) -> View | None:
        """What the user sees of a request he may not make whole; None: he is refused."""
        if not user.is_llmos_user or info.subresource:
            return None
        kind = (info.group, info.resource)
        if info.verb in _READS or info.verb == "get":
            if kind == _BINDINGS:
                return View(targets=self._namespaces(user))
            if kind == _USERS:
                return View(names=frozenset({user.name}))
        if info.verb not in _READS or info.named or info.namespace:
            return None
        return self._cluster_view(user, info, kind)

    def _cluster_view(
        self, user: UserInfo, info: RequestInfo, kind: tuple[str, str]
    ) -> View | None:
        """What he sees of a list over the whole cluster."""
        if kind == ("", "namespaces"):
            return View(names=self._namespaces(user))
        if not self.namespaced(info):
            return None
        return View(namespaces=self._where(user, info.verb, info.group, info.resource))

    def _namespaces(self, user: UserInfo) -> frozenset[str] | None:
        return self._where(user, "get", "", "namespaces")

    def _where(self, user: UserInfo, verb: str, group: str, resource: str) -> frozenset[str] | None:
        visible = self.visibility.visible_namespaces(user, verb, group, resource)
        return None if visible is None else self._shared.setdefault(visible, visible)
