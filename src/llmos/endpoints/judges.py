"""Those who know who somebody is and what he may, kept true by whatever brings the news.

The same on both engines: commits of the storage feed them on one, informers on the other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import UserInfo
from llmos.authentication.administrators import Administrators
from llmos.authentication.records import SECRETS, SYSTEM_NAMESPACE, USERS
from llmos.authentication.session_limits import SessionLimits
from llmos.authentication.tokens import Tokens
from llmos.authentication.users import Users
from llmos.authorization.escalation import Escalation
from llmos.authorization.index import RBACIndex
from llmos.authorization.rbac import RBACAuthorizer
from llmos.authorization.visibility import Visibility
from llmos.endpoints.streams import OpenStreams

RBAC_RESOURCES = tuple(
    GroupResource("rbac.authorization.k8s.io", each)
    for each in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
)
BINDINGS = GroupResource("management.llmos.ai", "roletemplatebindings")
SETTINGS = GroupResource("management.llmos.ai", "settings")

Take = Callable[[Object], None]


class Feed(Protocol):
    """Brings every object of a resource, now and at every change."""

    def __call__(
        self, resource: GroupResource, put: Take, remove: Take, namespace: str | None
    ) -> object:
        """Begin; ``namespace``: only what is in this one."""


@dataclass(slots=True)
class Judges:
    """Indexes of users, tokens and rights, and the streams that depend on them."""

    clock: Clock
    index: RBACIndex = field(init=False, default_factory=RBACIndex)
    authorizer: RBACAuthorizer = field(init=False)
    escalation: Escalation = field(init=False)
    streams: OpenStreams = field(init=False, default_factory=OpenStreams)
    users: Users = field(init=False)
    tokens: Tokens = field(init=False)
    _administrators: Administrators = field(init=False)
    _visibility: Visibility = field(init=False)
    _limits: SessionLimits = field(init=False, default_factory=SessionLimits)

    def __post_init__(self) -> None:
        self.authorizer = RBACAuthorizer(self.index)
        self.escalation = Escalation(self.index)
        self._visibility = Visibility(self.index)
        self._administrators = Administrators(self.clock)
        self.users = Users(self._administrators)
        self.tokens = Tokens(self.users, self.clock, self._limits)

    def learn(self, feed: Feed) -> None:
        """Hear of everything that they judge by; open streams are told that rights changed."""
        for resource in RBAC_RESOURCES:
            put, remove = partial(self.index.set, resource), partial(self.index.delete, resource)
            self._follow(feed, resource, put, remove)
        self._follow(feed, USERS, self.users.set, self.users.delete)
        self._follow(feed, BINDINGS, self._administrators.set, self._administrators.delete)
        self._follow(feed, SETTINGS, self._limits.set, self._limits.delete)
        tokens = self.tokens
        feed(SECRETS, self._telling(tokens.set), self._telling(tokens.delete), SYSTEM_NAMESPACE)

    def _follow(self, feed: Feed, resource: GroupResource, put: Take, remove: Take) -> None:
        feed(resource, self._telling(put), self._telling(remove), None)

    def _telling(self, take: Take) -> Take:
        def taken(obj: Object) -> None:
            take(obj)
            self.streams.rights_changed()

        return taken

    def visible_namespaces(
        self, user: UserInfo, verb: str, group: str, resource: str
    ) -> frozenset[str] | None:
        """Where a user may do something; None: everywhere."""
        return self._visibility.visible_namespaces(user, verb, group, resource)

    def may_manage(self, actor: UserInfo, name: str) -> bool:
        """Whether a user holds no rights that the actor does not hold."""
        account = self.users.get(name)
        if account is None:
            return True
        other = self.users.info(name, account.uid)
        return other is None or self.escalation.covers_user(actor, other)
