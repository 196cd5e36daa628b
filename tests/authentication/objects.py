"""An ObjectStore in memory, a clock that tests own, and accounts made of the real parts."""

import base64
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import argon2

from llmos.apimachinery.clock import rfc3339
from llmos.apimachinery.errors import AlreadyExistsError, ConflictError, NotFoundError
from llmos.apimachinery.object import Object, copy_object, name_of, namespace_of
from llmos.apimachinery.resource import GroupResource
from llmos.authentication.accounts import Accounts
from llmos.authentication.passwords import Passwords
from llmos.authentication.records import SECRETS, USERS
from llmos.authentication.tokens import Tokens
from llmos.authentication.users import Users

START = 1_700_000_000.5
Observer = Callable[[str, GroupResource, Object], None]


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time it was set to."""
        return self.now


class Objects:
    """Objects in dicts, with revisions, uids and conflicts as the registry has them."""

    def __init__(self) -> None:
        self._objects: dict[tuple[GroupResource, str, str], Object] = {}
        self._revision = itertools.count(1)
        self.observers: list[Observer] = []

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, shared."""
        return self._objects.get((resource, namespace, name))

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource."""
        return [
            obj
            for (kind, space, _), obj in self._objects.items()
            if kind == resource and namespace in (None, space)
        ]

    async def create(self, resource: GroupResource, obj: Object) -> Object:
        """Create, with uid and revision."""
        key = (resource, namespace_of(obj), name_of(obj))
        if key in self._objects:
            raise AlreadyExistsError.of(resource, name_of(obj))
        stored = copy_object(obj)
        revision = str(next(self._revision))
        stored["metadata"] |= {
            "uid": f"uid-{revision}",
            "resourceVersion": revision,
            "creationTimestamp": rfc3339(START + int(revision)),
        }
        return self._put(key, stored)

    async def update(self, resource: GroupResource, obj: Object) -> Object:
        """Replace the version that is named."""
        key = (resource, namespace_of(obj), name_of(obj))
        current = self._objects.get(key)
        if current is None:
            raise NotFoundError.of(resource, name_of(obj))
        given = obj["metadata"].get("resourceVersion")
        if given and given != current["metadata"]["resourceVersion"]:
            raise ConflictError.of(resource, name_of(obj))
        stored = copy_object(obj)
        stored["metadata"]["uid"] = current["metadata"]["uid"]
        stored["metadata"]["resourceVersion"] = str(next(self._revision))
        return self._put(key, stored)

    async def delete(self, resource: GroupResource, namespace: str, name: str) -> None:
        """Delete at once."""
        obj = self._objects.pop((resource, namespace, name), None)
        if obj is None:
            raise NotFoundError.of(resource, name)
        self._tell("DELETED", resource, obj)

    def _put(self, key: tuple[GroupResource, str, str], obj: Object) -> Object:
        self._objects[key] = obj
        self._tell("SET", key[0], obj)
        return obj

    def _tell(self, event: str, resource: GroupResource, obj: Object) -> None:
        for each in self.observers:
            each(event, resource, obj)


def make_user(name: str, **spec: object) -> Object:
    """A User manifest."""
    return {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "metadata": {"name": name},
        "spec": spec,
    }


def cheap_passwords() -> Passwords:
    """Passwords whose hashes cost next to nothing."""
    return Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class World:
    """The account service over a store in memory; its indexes follow the store."""

    clock: SetClock = field(default_factory=SetClock)
    store: Objects = field(default_factory=Objects)
    admins: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.users = Users(lambda name, groups: bool(self.admins & {name, *groups}))
        self.tokens = Tokens(self.users, self.clock)
        self.store.observers.append(self._feed)
        self.passwords = cheap_passwords()
        self.accounts = Accounts(self.store, self.tokens, self.passwords, self.clock)

    def _feed(self, event: str, resource: GroupResource, obj: Object) -> None:
        index = {SECRETS: self.tokens, USERS: self.users}.get(resource)
        if index is not None:
            (index.delete if event == "DELETED" else index.set)(obj)

    def restart(self) -> "World":
        """Another server over the same store."""
        fresh = World(self.clock, self.store, self.admins)
        for resource, index in ((USERS, fresh.users), (SECRETS, fresh.tokens)):
            for obj in self.store.list(resource):
                index.set(obj)
        fresh.accounts.limiter.load(self.store)
        return fresh

    async def add_user(self, name: str, password: str = "", **spec: object) -> Object:
        """Create a user, with a password where one is given."""
        user = await self.store.create(USERS, make_user(name, **spec))
        if password:
            await self.accounts.set_password(name, password, must_change=False)
        return user

    async def change_user(self, name: str, **spec: object) -> None:
        """Replace parts of a user's spec."""
        user = copy_object(self.store.get(USERS, "", name))
        user["spec"] |= spec
        await self.store.update(USERS, user)

    def dump(self) -> str:
        """Everything stored, Secrets decoded: what somebody with the data directory reads."""
        texts = []
        for obj in self.store._objects.values():
            texts.append(repr(obj))
            if obj.get("kind") == "Secret":
                texts += [base64.b64decode(value).decode() for value in obj["data"].values()]
        return "\n".join(texts)
