"""The embedded server, put together from its rooms; nothing here decides anything.

Order matters in one place: indexes are fed before anything is served, and they hear of a commit
before whoever made it.
"""

from dataclasses import dataclass, field
from functools import partial

from llmos import __version__
from llmos.admission.default_chain import default_chain
from llmos.admission.policies import BINDINGS, POLICIES, Policies
from llmos.apimachinery.clock import Clock
from llmos.apimachinery.resource import APIResource
from llmos.apis.authentication_v1 import UserInfo
from llmos.authentication.accounts import Accounts
from llmos.authentication.authenticator import Authenticator, Union
from llmos.authentication.passwords import Passwords
from llmos.authentication.service_accounts import ServiceAccountTokens
from llmos.authentication.signing_key import load_signing_key
from llmos.authentication.tokens import Tokens
from llmos.authorization.index import RBACIndex
from llmos.authorization.rbac import RBACAuthorizer
from llmos.endpoints.judges import Judges
from llmos.endpoints.metrics import Metrics, RequestMetrics
from llmos.endpoints.requestinfo import RequestInfo
from llmos.endpoints.streams import OpenStreams
from llmos.registry.builtin import builtin_served
from llmos.registry.catalog import Catalog
from llmos.registry.lister import CommittedLister, LatestLister, PlatformStore
from llmos.registry.store import Store
from llmos.server.customresources import CustomResources
from llmos.server.feeds import feed
from llmos.server.metrics import object_families
from llmos.server.passwordintake import PasswordIntake
from llmos.server.policytypes import PolicyTypes
from llmos.storage.interface import Storage


@dataclass(slots=True)
class Core:
    """Everything of the server that is not HTTP."""

    storage: Storage
    clock: Clock
    catalog: Catalog = field(init=False)
    store: Store = field(init=False)
    platform: PlatformStore = field(init=False)
    judges: Judges = field(init=False)
    index: RBACIndex = field(init=False)
    authorizer: RBACAuthorizer = field(init=False)
    streams: OpenStreams = field(init=False)
    tokens: Tokens = field(init=False)
    passwords: Passwords = field(init=False, default_factory=Passwords)
    accounts: Accounts = field(init=False)
    custom: CustomResources = field(init=False)
    policies: Policies = field(init=False)
    policy_types: PolicyTypes = field(init=False)
    committed: CommittedLister = field(init=False)
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = Catalog(builtin_served())
        self.judges = judges = Judges(self.clock)
        self.index, self.authorizer = judges.index, judges.authorizer
        self.streams, self.tokens = judges.streams, judges.tokens
        self.committed = CommittedLister(self.storage)
        latest = LatestLister(self.storage)
        self.policies = Policies(latest, self.authorizer, self._find_kind)
        chain = default_chain(latest, self.authorizer, judges.escalation, self.clock, self.policies)
        self.store = Store(self.storage, PasswordIntake(chain), self.clock)
        self.platform = PlatformStore(self.store, self.catalog)
        self.accounts = Accounts(self.platform, self.tokens, self.passwords, self.clock)
        self.custom = CustomResources(self.storage, self.catalog, self.platform, self.clock)
        self.policy_types = PolicyTypes(self.storage, self.catalog, self.platform)
        self.metrics = Metrics(RequestMetrics(self._serves), __version__)
        self.metrics.tell("storage", self.storage.families)
        self.metrics.tell("objects", partial(object_families, self.catalog, self.storage))
        judges.learn(partial(feed, self.storage))
        feed(self.storage, POLICIES, self.policies.set_policy, self.policies.delete_policy)
        feed(self.storage, BINDINGS, self.policies.set_binding, self.policies.delete_binding)

    def _find_kind(self, group: str, version: str, kind: str) -> APIResource | None:
        served = self.catalog.of_kind(group, version, kind)
        return None if served is None else served.resource

    def _serves(self, info: RequestInfo) -> bool:
        return self.catalog.find(info.group, info.version, info.resource) is not None

    def visible_namespaces(
        self, user: UserInfo, verb: str, group: str, resource: str
    ) -> frozenset[str] | None:
        """Where a user may do something; None: everywhere."""
        return self.judges.visible_namespaces(user, verb, group, resource)

    async def authenticators(
        self, static: Authenticator | None
    ) -> tuple[Union, ServiceAccountTokens]:
        """All who know bearer tokens, those of service accounts also by themselves."""
        key = await load_signing_key(self.platform)
        service_accounts = ServiceAccountTokens(key, self.committed, self.clock)
        known: list[Authenticator] = [self.tokens, service_accounts]
        if static is not None:
            known.insert(0, static)
        return Union(known), service_accounts
