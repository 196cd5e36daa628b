"""``llmos install``: the platform's content comes into a cluster, in an order without a hole.

Namespaces and kinds come first, then the policies. Roles are made when the policies are seen to
refuse, and bindings of roles last: nobody has a right before the rules about it are in force. What
an earlier version had is taken away at the end, so that neither version's rules are missing for a
while.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from llmos import __version__
from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import get_path
from llmos.apimachinery.resource import APIResource
from llmos.apis.namespaces import SYSTEM_NAMESPACE
from llmos.apis.platform_content import (
    DEFINITIONS,
    IN_ORDER,
    MANAGER,
    NAMESPACES,
    POLICIES,
    POLICY_BINDINGS,
    Place,
    Shipped,
    digest,
    shipped,
)
from llmos.authentication.bootstrap import ADMIN, MARK, bootstrap_admin
from llmos.authentication.passwords import Passwords
from llmos.client.client import Client
from llmos.client.resources import (
    ROLE_TEMPLATE_BINDINGS,
    SECRETS,
    SELF_SUBJECT_REVIEWS,
    USERS,
)
from llmos.installation import inventory
from llmos.installation.applying import Applier
from llmos.installation.inventory import Inventory
from llmos.installation.outcome import Action, InstallationError, Outcome
from llmos.installation.store import Snapshot
from llmos.installation.waiting import accepted, established, policies_seen

OLDEST = (1, 30)
"""The first Kubernetes in which ValidatingAdmissionPolicies are ``v1``."""
_POLICY_KINDS = (POLICIES, POLICY_BINDINGS)
_FIRST = (
    (USERS, {"metadata": {"name": "llmos-installing"}, "spec": {}}),
    (
        ROLE_TEMPLATE_BINDINGS,
        {
            "metadata": {"name": "llmos-installing"},
            "roleTemplateRef": {"kind": "GlobalRole", "name": "admin"},
            "subjects": [{"kind": "User", "name": ADMIN}],
        },
    ),
)
"""What can be created once every policy knows what it reads; nobody creates these."""
_BY_NAME = {each.group_resource: each for each in IN_ORDER}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator wants."""

    dry_run: bool = False
    force: bool = False
    password: str | None = None
    """The first password of the user ``admin``; None: one that signs in once is made."""


@dataclass(slots=True)
class Result:
    """What became of everything."""

    outcomes: list[Outcome] = field(default_factory=list)
    admin: Action = Action.UNCHANGED
    one_time_password: str = ""

    @property
    def changes(self) -> list[Outcome]:
        """What was not as it should be."""
        same = (Action.UNCHANGED, Action.KEPT)
        return [each for each in self.outcomes if each.action not in same]


async def check_cluster(client: Client) -> None:
    """Refuse to begin where it cannot end well.

    Raises:
        InstallationError: the cluster is too old, or who asks is a user of llmos.
    """
    version = await client.call("GET", "/version")
    digits = ["".join(filter(str.isdigit, str(version.get(key)))) for key in ("major", "minor")]
    if tuple(int(each or 0) for each in digits) < OLDEST:
        found = version.get("gitVersion")
        raise InstallationError(f"Kubernetes {OLDEST[0]}.{OLDEST[1]} or newer is needed: {found}")
    try:
        me = await client.create(SELF_SUBJECT_REVIEWS, {})
    except NotFoundError:
        return
    if "llmos:users" in get_path(me, "status", "userInfo", "groups", default=()):
        raise InstallationError(
            "whoever signed in through llmos cannot install it: use the kubeconfig of a cluster "
            "operator"
        )


@dataclass(slots=True)
class Installer:
    """One run."""

    client: Client
    clock: Clock
    wish: Wish
    deliver: Callable[[str], None]
    """Takes the one-time password of ``admin`` at once."""
    result: Result = field(default_factory=Result)
    content: Sequence[Shipped] = field(default_factory=shipped)

    async def run(self) -> Result:
        """Install, or say what would change.

        Raises:
            InstallationError: it cannot go on.
            InvalidError: the password of ``admin`` is not good enough.
            StatusError: the cluster refused.
            ConnectionFailedError: it did not answer.
        """
        await check_cluster(self.client)
        before = await inventory.read(self.client)
        applier = Applier(self.client, before, self.wish.dry_run)
        await self._refuse_strangers(applier)
        await self._apply(applier, (NAMESPACES,))
        current = await self._record(before)
        await self._apply(applier, (DEFINITIONS,))
        await self._await_definitions()
        news = await self._enforce(applier)
        await self._apply(applier, IN_ORDER[4:])
        for resource, obj in _FIRST if news else ():
            await accepted(self.client, resource, obj)
        await self._prune(applier, current)
        await self._make_admin()
        return self.result

    def _of(self, kinds: Iterable[APIResource]) -> list[Shipped]:
        return [each for each in self.content if each.resource in kinds]

    async def _apply(self, applier: Applier, kinds: Iterable[APIResource]) -> list[Outcome]:
        outcomes = [await applier.apply(each) for each in self._of(kinds)]
        self.result.outcomes += outcomes
        return outcomes

    async def _refuse_strangers(self, applier: Applier) -> None:
        """Find what is somebody else's before anything is written."""
        strangers = await applier.look(self.content)
        if strangers and not self.wish.force:
            raise InstallationError(
                "not the platform's, and under the names of its objects: "
                f"{', '.join(map(str, strangers))} (--force-conflicts takes them over)"
            )

    async def _record(self, before: Inventory) -> Inventory:
        """Write down what will be there, before it is: an end halfway leaves nothing unknown."""
        made = {each.place.name for each in self.result.outcomes if each.action is Action.CREATED}
        current = replace(
            before, version=__version__, content=digest(), made=before.made | made
        ).with_places(each.place for each in self.content)
        if not self.wish.dry_run:
            await inventory.write(self.client, current, MANAGER)
        return current

    async def _await_definitions(self) -> None:
        for each in () if self.wish.dry_run else self._of((DEFINITIONS,)):
            await established(self.client, each.object)

    async def _enforce(self, applier: Applier) -> bool:
        """Put the policies in force, and see that they are; says whether that is news."""
        if self.wish.dry_run:
            await self._apply(applier, _POLICY_KINDS)
            return False
        async with policies_seen(self.client, MANAGER) as wait:
            outcomes = await self._apply(applier, _POLICY_KINDS)
            news = any(each.action is not Action.UNCHANGED for each in outcomes)
            if news:
                await wait()
        return news

    async def _prune(self, applier: Applier, current: Inventory) -> None:
        """Take away what an earlier version had: what lets in first, what keeps out last."""
        wanted = {each.place for each in self.content}
        left = [each for each in current.places - wanted if inventory.may_be_pruned(each)]
        order = list(_BY_NAME)
        for place in sorted(left, key=lambda each: (-order.index(each.resource), each)):
            await self._prune_one(applier, place)
        if not self.wish.dry_run:
            kept = replace(current, places=frozenset(wanted))
            await inventory.write(self.client, kept, MANAGER)

    async def _prune_one(self, applier: Applier, place: Place) -> None:
        resource = _BY_NAME[place.resource]
        try:
            found = await self.client.get(resource, place.namespace, place.name)
        except NotFoundError:
            return
        self.result.outcomes.append(await applier.prune(resource, found))

    async def _make_admin(self) -> None:
        """The first administrator, once and never again, also not after he was deleted."""
        try:
            await self.client.get(SECRETS, SYSTEM_NAMESPACE, MARK)
        except NotFoundError:
            self.result.admin = Action.CREATED
        if self.wish.dry_run or self.result.admin is Action.UNCHANGED:
            return
        resources = (SECRETS, USERS, ROLE_TEMPLATE_BINDINGS)
        store = Snapshot(self.client, {each.group_resource: each for each in resources})
        for each in resources:
            await store.read(each, SYSTEM_NAMESPACE if each is SECRETS else None)
        made = await bootstrap_admin(
            store, Passwords(), self.clock, self.wish.password, self.deliver
        )
        self.result.one_time_password = made or ""
