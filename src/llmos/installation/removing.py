"""``llmos uninstall``: the cluster is as it was before, but for what people have put into it.

First the platform's own accounts lose their rights, so that nothing comes back; then what lets in
goes, and last what keeps out. Definitions and their objects hold people's data, and so do
namespaces that are not empty: they stay, unless the operator asks for their deletion.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from llmos.apimachinery.errors import NotFoundError, StatusError
from llmos.apimachinery.object import (
    Object,
    annotations_of,
    get_path,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
)
from llmos.apimachinery.resource import APIResource, parse_api_version
from llmos.apis.namespaces import SYSTEM_NAMESPACE
from llmos.apis.platform_content import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    DEFINITIONS,
    GLOBAL_ROLES,
    MANAGER,
    NAMESPACES,
    POLICIES,
    POLICY_BINDINGS,
    RECORD,
    ROLE_BINDINGS,
    ROLE_TEMPLATES,
    ROLES,
    SERVICE_ACCOUNTS,
    Place,
    shipped,
)
from llmos.client.client import Client, delete_options
from llmos.client.discovery import discover, preferred
from llmos.client.resources import (
    CONFIG_MAPS,
    MANAGEMENT_GROUP,
    RBAC_GROUP,
    SECRETS,
    SUBJECT_ACCESS_REVIEWS,
    resource,
)
from llmos.installation import inventory
from llmos.installation.inventory import may_be_pruned
from llmos.installation.outcome import Action, Outcome
from llmos.installation.waiting import until

_LEASES = resource("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True)
_ACCOUNT = "system:serviceaccount:llmos-system:llmos-controllers"
_OURS = ("llmos-controllers", "llmos-proxy")
"""Who acts for the platform; also the name of the Lease."""
_WRITTEN = ("llmos.ai/creator", "llmos.ai/default-roles-bound")
"""Annotations of namespaces that the platform writes."""
_SECRET_TYPES = "llmos.ai/"  # noqa: S105 - how the types of our Secrets begin
_IN_EVERY_NAMESPACE = (("configmaps", "kube-root-ca.crt"), ("serviceaccounts", "default"))
_NO_CONTENT = frozenset({"events", "endpoints"})


@dataclass(slots=True)
class Uninstaller:
    """One run."""

    client: Client
    delete_data: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    async def run(self) -> Sequence[Outcome]:
        """Take the platform out; what is gone already is no failure.

        Raises:
            InstallationError: something that is waited for does not happen.
            StatusError: the cluster refused.
            ConnectionFailedError: it did not answer.
        """
        record = await inventory.read(self.client)
        if record.version:
            # Controllers repair content of their own version only: none is installed any more.
            gone = replace(record, content="")
            await inventory.write(self.client, gone, MANAGER)
        await self._disarm()
        places = self._places(record)
        await self._remove_rights(places)
        await self._remove(places, (POLICY_BINDINGS, POLICIES))
        await self._remove_credentials(places)
        await self._remove_data(places)
        await self._clean_namespaces(record.made)
        return self.outcomes

    def _places(self, record: inventory.Inventory) -> frozenset[Place]:
        ours = {each.place for each in shipped()}
        return frozenset(ours.union(each for each in record.places if may_be_pruned(each)))

    async def _disarm(self) -> None:
        """Take the rights of the platform's own accounts, and see that they are gone."""
        for each in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS):
            for obj in await self.client.list(each):
                subjects = obj.get("subjects") or ()
                if any(_is_ours(subject) for subject in subjects):
                    await self._delete(each, obj)
        asked = {"verb": "create", "group": RBAC_GROUP, "resource": "rolebindings"}
        review = {"spec": {"user": _ACCOUNT, "resourceAttributes": asked}}

        async def disarmed() -> bool:
            answer = await self.client.create(SUBJECT_ACCESS_REVIEWS, review)
            return get_path(answer, "status", "allowed") is False

        await until("the controllers have no rights left", disarmed)

    async def _remove_rights(self, places: Iterable[Place]) -> None:
        """Roles and bindings: those that controllers made, then those that were installed."""
        kinds = (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS, ROLES, CLUSTER_ROLES)
        for each in kinds:
            for obj in await self.client.list(each):
                if _is_made_by_controllers(obj):
                    await self._delete(each, obj)
        await self._remove(places, kinds)

    async def _remove(self, places: Iterable[Place], kinds: Iterable[APIResource]) -> None:
        for kind in kinds:
            for place in sorted(each for each in places if each.resource == kind.group_resource):
                obj = await self._read(kind, place.namespace, place.name)
                if obj is not None:
                    await self._delete(kind, obj)

    async def _remove_credentials(self, places: Iterable[Place]) -> None:
        """Passwords, tokens, accounts, and what was written about the installation."""
        await self._remove(places, (SERVICE_ACCOUNTS,))
        for obj in await self._list(SECRETS, SYSTEM_NAMESPACE):
            if str(obj.get("type")).startswith(_SECRET_TYPES):
                await self._delete(SECRETS, obj)
        for kind, name in ((_LEASES, _OURS[0]), (CONFIG_MAPS, RECORD)):
            found = await self._read(kind, SYSTEM_NAMESPACE, name)
            if found is not None:
                await self._delete(kind, found)

    async def _remove_data(self, places: Iterable[Place]) -> None:
        """Definitions, and with them all objects of their kinds; or say that they stay."""
        for place in sorted(each for each in places if each.resource == DEFINITIONS.group_resource):
            found = await self._read(DEFINITIONS, "", place.name)
            if found is None:
                continue
            if self.delete_data:
                await self._delete(DEFINITIONS, found)
                await self._until_gone(DEFINITIONS, found)
            else:
                self._keep(DEFINITIONS, found, "its objects are data: --delete-data")
        if not self.delete_data:
            for kind in (GLOBAL_ROLES, ROLE_TEMPLATES):
                for place in (each for each in places if each.resource == kind.group_resource):
                    found = await self._read(kind, "", place.name)
                    if found is not None:
                        self._keep(kind, found, "")

    async def _clean_namespaces(self, made: frozenset[str]) -> None:
        """Namespaces lose what was written on them; those that were made and are empty go."""
        ours = {each.place.name for each in shipped() if each.resource == NAMESPACES}
        going = []
        for obj in await self.client.list(NAMESPACES):
            name = name_of(obj)
            if name in made and name in ours:
                # Of others' systems only what llmos made and nobody used goes.
                all_of_it = self.delete_data and name.startswith("llmos-")
                why = "" if all_of_it else await self._content(name)
                if not why:
                    await self._delete(NAMESPACES, obj)
                    going.append(obj)
                    continue
                self._keep(NAMESPACES, obj, why)
            if name in ours:
                await self._release(obj)
            await self._unwrite(obj)
        for obj in going:
            await self._until_gone(NAMESPACES, obj)

    async def _content(self, name: str) -> str:
        """What is in a namespace that people put there, in a few words; ``""``: nothing."""
        async for kind, obj in self._in_namespace(name):
            if (kind.plural, name_of(obj)) not in _IN_EVERY_NAMESPACE:
                return f"it is not empty: {kind.group_resource}/{name_of(obj)}"
        return ""

    async def _in_namespace(self, name: str) -> AsyncIterator[tuple[APIResource, Object]]:
        found = await discover(self.client)
        for kind in preferred(found.resources):
            listed = kind.namespaced and "list" in kind.verbs and kind.plural not in _NO_CONTENT
            for obj in await self._list(kind, name) if listed else ():
                yield kind, obj

    async def _unwrite(self, namespace: Object) -> None:
        """Remove what controllers wrote on a user namespace."""
        written = [each for each in _WRITTEN if each in annotations_of(namespace)]
        if written:
            patch = {"metadata": {"annotations": dict.fromkeys(written)}}
            await self.client.patch(NAMESPACES, "", name_of(namespace), patch)
            self._note(NAMESPACES, namespace, Action.CHANGED)

    async def _release(self, namespace: Object) -> None:
        """Give up the fields that were applied: what nobody else wrote goes with them."""
        managers = get_path(namespace, "metadata", "managedFields", default=None) or ()
        if any(each.get("manager") == MANAGER for each in managers):
            bare = {"metadata": {"name": name_of(namespace)}}
            await self.client.apply(NAMESPACES, bare, manager=MANAGER)
            self._note(NAMESPACES, namespace, Action.CHANGED)

    async def _until_gone(self, kind: APIResource, obj: Object) -> None:
        async def gone() -> bool:
            found = await self._read(kind, namespace_of(obj), name_of(obj))
            return found is None or uid_of(found) != uid_of(obj)

        await until(f"{kind.singular} {name_of(obj)} is deleted", gone)

    async def _read(self, kind: APIResource, namespace: str, name: str) -> Object | None:
        try:
            return await self.client.get(kind, namespace, name)
        except NotFoundError:
            return None

    async def _list(self, kind: APIResource, namespace: str) -> list[Object]:
        try:
            return await self.client.list(kind, namespace)
        except StatusError:
            # Not served any more, or not readable: nothing of ours is there.
            return []

    async def _delete(self, kind: APIResource, obj: Object) -> None:
        options = delete_options(uid=uid_of(obj))
        try:
            await self.client.delete(kind, namespace_of(obj), name_of(obj), options)
        except NotFoundError:
            return
        self._note(kind, obj, Action.DELETED)

    def _keep(self, kind: APIResource, obj: Object, why: str) -> None:
        self._note(kind, obj, Action.KEPT, why)

    def _note(self, kind: APIResource, obj: Object, action: Action, note: str = "") -> None:
        place = Place(kind.group_resource, namespace_of(obj), name_of(obj))
        self.outcomes.append(Outcome(place, action, obj, note=note))


def _is_ours(subject: Object) -> bool:
    """Whether somebody is bound who acts for the platform."""
    return (
        subject.get("kind") == SERVICE_ACCOUNTS.kind
        and subject.get("namespace") == SYSTEM_NAMESPACE
        and subject.get("name") in _OURS
    )


def _owners(obj: Object) -> Iterator[str]:
    """The API groups of an object's controllers."""
    for each in owner_references(obj):
        if each.get("controller"):
            yield parse_api_version(str(each.get("apiVersion")))[0]


def _is_made_by_controllers(obj: Object) -> bool:
    """Whether an object is there because of one of ours: nobody else has it for a controller."""
    return MANAGEMENT_GROUP in _owners(obj)
