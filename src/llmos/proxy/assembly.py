"""The proxy, put together from its rooms; nothing here decides anything."""

from dataclasses import dataclass, field
from functools import partial

from llmos.admission.platform_chain import platform_chain
from llmos.apimachinery.clock import Clock
from llmos.apimachinery.object import Object, name_of
from llmos.apis.platform_content import POLICIES, POLICY_BINDINGS
from llmos.authentication.accounts import Accounts
from llmos.authentication.limiter import STATE_NAME
from llmos.authentication.passwords import Passwords
from llmos.authentication.records import SECRETS, SYSTEM_NAMESPACE
from llmos.client import resources
from llmos.client.client import Client
from llmos.endpoints.account import AccountServices
from llmos.endpoints.http import Request
from llmos.endpoints.judges import Judges
from llmos.endpoints.metrics import Metrics
from llmos.endpoints.narrowing import Narrowing
from llmos.endpoints.pages import Pages
from llmos.endpoints.pipeline import Answer, Pipeline
from llmos.endpoints.serving import Lifecycle
from llmos.proxy.caches import Caches
from llmos.proxy.forwarding import Forwarder
from llmos.proxy.gate import ClusterGate
from llmos.proxy.identities import Identities
from llmos.proxy.metrics import breaker_family, informer_families
from llmos.proxy.narrowed import Narrowed
from llmos.proxy.passwords import PasswordIntake
from llmos.proxy.platform import Platform
from llmos.proxy.readiness import Readiness
from llmos.proxy.reviewing import AccessReviews, TokenReviews
from llmos.proxy.router import Router
from llmos.proxy.rules import Rules
from llmos.proxy.upstream import Upstream
from llmos.proxy.usernames import Claims

_FOLLOWED = (
    resources.ROLES,
    resources.ROLE_BINDINGS,
    resources.CLUSTER_ROLES,
    resources.CLUSTER_ROLE_BINDINGS,
    resources.USERS,
    resources.ROLE_TEMPLATE_BINDINGS,
    resources.ROLE_TEMPLATES,
    resources.GLOBAL_ROLES,
    resources.SETTINGS,
    resources.NAMESPACES,
    POLICIES,
    POLICY_BINDINGS,
)


@dataclass(slots=True)
class Core:
    """Everything of the proxy that is not HTTP."""

    client: Client
    clock: Clock
    platform: Platform = field(init=False)
    judges: Judges = field(init=False)
    accounts: Accounts = field(init=False)
    lifecycle: Lifecycle = field(init=False, default_factory=Lifecycle)

    def __post_init__(self) -> None:
        self.platform = Platform(self.client)
        for each in _FOLLOWED:
            self.platform.follow(each)
        self.platform.follow(resources.SECRETS, SYSTEM_NAMESPACE)
        self.judges = Judges(self.clock)
        self.judges.learn(self.platform.feed)
        self.accounts = Accounts(self.platform, self.judges.tokens, Passwords(), self.clock)
        self.platform.feed(SECRETS, self._take_state, lambda _: None, SYSTEM_NAMESPACE)

    def _take_state(self, secret: Object) -> None:
        """Hear of the attempts to sign in that other replicas saw."""
        if name_of(secret) == STATE_NAME:
            self.accounts.limiter.load(self.platform)


def build(
    core: Core, upstream: Upstream, caches: Caches, metrics: Metrics, ca_pem: str
) -> Pipeline:
    """Put the application together; it tells what there is to tell of it.

    Args:
        core: what it works with.
        upstream: the cluster.
        caches: what it remembers of the cluster.
        metrics: where it is told.
        ca_pem: what kubeconfigs name as its authority.
    """
    judges = core.judges
    identities = Identities(core.platform, judges.tokens, TokenReviews(core.client))
    gate = ClusterGate(
        identities,
        judges.authorizer,
        Narrowing(judges, caches.namespaced),
        identities.ask,
        reviews=AccessReviews(core.client),
        use=judges.tokens.use,
    )

    async def still_allowed(request: Request) -> bool:
        return not core.lifecycle.stopping and await gate.still_allowed(request)

    forward = Forwarder(upstream, still_allowed, judges.streams)
    chain = platform_chain(core.platform, judges.authorizer, judges.escalation, core.clock)
    rules = Rules(forward, chain, core.platform, Claims(core.platform, core.clock))
    metrics.tell("upstream", forward.metrics.families)
    metrics.tell("breaker", lambda: (breaker_family(forward.breaker.is_open),))
    metrics.tell("informers", partial(informer_families, core.platform, caches))

    async def tell(request: Request) -> Answer:
        await gate.require(request)
        return await metrics.answer(request)

    router = Router(
        account=AccountServices(core.accounts, judges.authorizer, judges.may_manage, ca_pem),
        readiness=Readiness(core.lifecycle, core.platform, forward.problem, caches.problem),
        narrowed=Narrowed(caches, core.clock, still_allowed, judges.streams),
        passwords=PasswordIntake(rules, core.accounts, core.platform),
        forward=forward,
        caches=caches,
        rules=rules,
        platform=core.platform,
        metrics=tell,
    )
    return Pipeline(gate.filters, router, core.clock, metrics.requests, Pages())
