"""Usernames in a cluster: whoever makes a user claims his names first, and one alone gets each.

The cluster keeps ``metadata.name`` apart by itself; other names it compares with users that it has
heard of, and of two that are made at the same moment neither has heard of the other. So every name
that a new user would take (normalised, as the embedded server compares them) is claimed before:
by a Secret in ``llmos-system`` whose own name says which, and which can be created but once,
whichever replica does it. Nothing of the user is in it but his names.

A claim whose user was made belongs to him, and the cluster's garbage collector takes it when he
goes. One whose user never came is void as soon as the request that made it can do nothing more.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field

from llmos.apimachinery.clock import Clock, parse_rfc3339
from llmos.apimachinery.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidError,
    NotFoundError,
    StatusError,
)
from llmos.apimachinery.object import (
    Object,
    copy_object,
    get_path,
    is_terminating,
    name_of,
    owner_references,
    uid_of,
)
from llmos.apimachinery.validation import field_invalid
from llmos.apis.usernames import names_held
from llmos.authentication.records import (
    SECRETS,
    SYSTEM_NAMESPACE,
    USER_KIND,
    USERS,
    make_secret,
    secret_data,
)
from llmos.proxy.lifetimes import REQUEST_SECONDS
from llmos.proxy.platform import Platform

TYPE = "llmos.ai/username"
IN_FLIGHT_SECONDS = 5 * REQUEST_SECONDS
"""After that nobody makes a user by a claim any more: what a request may take here, as much in the
cluster, and a margin for clocks that differ."""
_ATTEMPTS = 4
"""How often a claim that went away meanwhile is tried again."""


@dataclass(slots=True)
class Claims:
    """Who gets a name."""

    platform: Platform
    clock: Clock

    async def take(self, new: Object, old: Object | None) -> "Taken":
        """Claim every name that a user would have by a change, and did not have before.

        Raises:
            InvalidError: one is another user's.
            ConflictError: one is about to be, or this very user is being made already.
        """
        taken = Taken(self.platform, name_of(new))
        names = names_held(new) - (names_held(old) if old else frozenset())
        try:
            for each in sorted(names):
                made = await self._claim(each, taken.user)
                if made is not None:
                    taken.claims[each] = made
        except StatusError:
            await taken.give_back()
            raise
        return taken

    async def _claim(self, name: str, user: str) -> Object | None:
        """Claim a name; None: the user has it already."""
        wanted = make_secret(secret_name(name), TYPE, {"name": name, "user": user})
        for _ in range(_ATTEMPTS):
            try:
                return await self.platform.create(SECRETS, wanted)
            except AlreadyExistsError:
                found = await self.platform.fetch(SECRETS, SYSTEM_NAMESPACE, name_of(wanted))
            if found is None:
                continue
            holder = secret_data(found, TYPE).get("user", "")
            if not await self._is_void(found, name, holder):
                if holder == user:
                    return None
                taken = field_invalid("spec.username", name, "is another user's name")
                raise InvalidError.of(USER_KIND, user, [taken])
            await _drop(self.platform, found)
        raise _contended(user)

    async def _is_void(self, claim: Object, name: str, holder: str) -> bool:
        """Whether nobody has the name by this claim.

        Raises:
            ConflictError: that is not decided yet.
        """
        user = await self.platform.fetch(USERS, "", holder) if holder else None
        owners = [each.get("uid") for each in owner_references(claim)]
        if user is not None and name in names_held(user) and (not owners or uid_of(user) in owners):
            return False
        if owners or is_terminating(claim) or not holder:
            return True
        made = str(get_path(claim, "metadata", "creationTimestamp", default=""))
        if self.clock() - parse_rfc3339(made) < IN_FLIGHT_SECONDS:
            raise _contended(holder)
        return True


@dataclass(slots=True)
class Taken:
    """The claims of one request, until it is known what became of it."""

    platform: Platform
    user: str
    claims: dict[str, Object] = field(default_factory=dict)
    """By the names that they are for."""

    async def settle(self, status: int) -> None:
        """Hear what the cluster answered: claims are given to the user, or given back.

        An answer that does not say whether he was made leaves them open.
        """
        if not self.claims or status >= 500:
            return
        # What is not done here is done by whoever wants the name next.
        with suppress(StatusError):
            user = await self.platform.fetch(USERS, "", self.user)
            held = names_held(user) if user else frozenset()
            for name in held & self.claims.keys():
                assert user is not None
                await self._give(self.claims.pop(name), user)
            await self.give_back()

    async def _give(self, claim: Object, user: Object) -> None:
        given = copy_object(claim)
        owner = {"name": name_of(user), "uid": uid_of(user), "kind": USER_KIND.kind}
        owner["apiVersion"] = f"{USER_KIND.group}/{USER_KIND.version}"
        given["metadata"]["ownerReferences"] = [owner]
        await self.platform.update(SECRETS, given)

    async def give_back(self) -> None:
        """Let others have the names."""
        with suppress(StatusError):
            for each in self.claims.values():
                await _drop(self.platform, each)


def secret_name(name: str) -> str:
    """The name of the Secret that claims a (normalised) name, whatever is in that."""
    return f"username-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


async def _drop(platform: Platform, claim: Object) -> None:
    """Delete this very claim, which somebody else may have done."""
    with suppress(NotFoundError, ConflictError):
        await platform.delete(SECRETS, SYSTEM_NAMESPACE, name_of(claim), uid=uid_of(claim))


def _contended(user: str) -> ConflictError:
    why = "a user of this name is being made at this moment; please try again later"
    return ConflictError.of(USERS, user, why)
