"""What a user sees of a list that he may not list whole.

A user without cluster-wide rights who lists or watches namespaces, or a namespaced kind across
all namespaces, gets what he may see instead of 403. What he may see comes from the same rules that
say what he may do. Both engines use it, each with the ``View`` over what it reads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from llmos.apimachinery.object import Object
from llmos.apis.authentication_v1 import UserInfo
from llmos.endpoints.requestinfo import RequestInfo

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

    def shows(self, namespace: str, name: str, load: Callable[[], Object]) -> bool:
        """Whether an object is visible; ``load`` reads it, if its content matters."""
        if self.namespaces is not None and namespace not in self.namespaces:
            return False
        if self.names is not None and name not in self.names:
            return False
        return self.targets is None or str(load().get("namespaceId") or "") in self.targets


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Finds the view of a refused read."""

    visibility: Visibility
    namespaced: Callable[[RequestInfo], bool]
    """Whether the requested resource is a served namespaced kind."""

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
        visible = self.visibility.visible_namespaces(user, info.verb, info.group, info.resource)
        return View(namespaces=visible)

    def _namespaces(self, user: UserInfo) -> frozenset[str] | None:
        return self.visibility.visible_namespaces(user, "get", "", "namespaces")
