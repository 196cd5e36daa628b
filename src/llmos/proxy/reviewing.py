"""What the cluster says: whose a token is that is none of ours, and whether somebody may.

What it says of a token is kept by its hash, for seconds; errors are kept not at all, and never make
an identity. ``system:masters`` does not come in here: the proxy may not impersonate it, and whoever
holds such a credential goes to the cluster directly.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.errors import (
    ForbiddenError,
    ServiceUnavailableError,
    StatusError,
    TooManyRequestsError,
)
from llmos.apimachinery.object import Object
from llmos.apis.authentication_v1 import MASTERS_GROUP, UserInfo
from llmos.apis.authorization_v1 import Attributes
from llmos.authentication.authenticator import Identity
from llmos.client.client import Client
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS

KNOWN_SECONDS = 10.0
UNKNOWN_SECONDS = 2.0
ALLOWED_SECONDS = 2.0
MAX_REMEMBERED = 4096
MAX_TOKEN = 16 * 1024
"""Characters; more is no honest token."""
MAX_AT_ONCE = 64
"""Reviews under way; garbage must not become a flood upstream."""
ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Remembered:
    identity: Identity | None
    until: float


@dataclass(slots=True)
class TokenReviews:
    """Asks the cluster; the same token that is asked about already is not asked about twice."""

    client: Client
    clock: Callable[[], float] = time.monotonic
    _known: dict[bytes, _Remembered] = field(default_factory=dict)
    _asking: "dict[bytes, asyncio.Task[Identity | None]]" = field(default_factory=dict)

    async def authenticate(self, bearer: str) -> Identity | None:
        """Say whose token it is; None: nobody's.

        Raises:
            ForbiddenError: it is one of ``system:masters``.
            ServiceUnavailableError: the cluster does not say.
            TooManyRequestsError: it is asked about too many at once.
        """
        if len(bearer) > MAX_TOKEN:
            return None
        digest = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is not None and self.clock() < known.until:
            return _admitted(known.identity)
        asking = self._asking.get(digest)
        if asking is None:
            if len(self._asking) >= MAX_AT_ONCE:
                raise TooManyRequestsError("too many unknown credentials, please try again later")
            asking = asyncio.ensure_future(self._ask(bearer))
            self._asking[digest] = asking
            asking.add_done_callback(lambda task: self._answered(digest, task))
        # Whoever goes away does not take the answer from the others who wait for it.
        return _admitted(await asyncio.shield(asking))

    async def _ask(self, bearer: str) -> Identity | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self.client.create(TOKEN_REVIEWS, {"spec": {"token": bearer}})
        except (StatusError, ConnectionFailedError, TimeoutError):
            raise ServiceUnavailableError("the cluster does not say whose token it is") from None
        return read_review(answer)

    def _answered(self, digest: bytes, task: "asyncio.Task[Identity | None]") -> None:
        self._asking.pop(digest, None)
        self._known.pop(digest, None)
        if task.cancelled() or task.exception() is not None:
            return
        identity = task.result()
        seconds = UNKNOWN_SECONDS if identity is None else KNOWN_SECONDS
        self._known[digest] = _Remembered(identity, self.clock() + seconds)
        while len(self._known) > MAX_REMEMBERED:
            del self._known[next(iter(self._known))]


@dataclass(slots=True)
class AccessReviews:
    """Asks the cluster about rights that our copy of its rules does not give.

    For streams that are open already: what the cluster said holds for a moment, so that many of
    them do not ask at once.
    """

    client: Client
    clock: Callable[[], float] = time.monotonic
    _known: "dict[str, tuple[bool, float]]" = field(default_factory=dict)

    async def allowed(self, attributes: Attributes) -> bool:
        """Whether the cluster allows it; False as well where it does not say."""
        key = repr(attributes)
        known = self._known.get(key)
        if known is not None and self.clock() < known[1]:
            return known[0]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self.client.create(SUBJECT_ACCESS_REVIEWS, _question(attributes))
        except (StatusError, ConnectionFailedError, TimeoutError):
            return False
        status = answer.get("status")
        allowed = isinstance(status, dict) and status.get("allowed") is True
        self._known[key] = allowed, self.clock() + ALLOWED_SECONDS
        while len(self._known) > MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        return allowed


def _question(attributes: Attributes) -> Object:
    """A SubjectAccessReview."""
    user = attributes.user
    spec: Object = {
        "user": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    if attributes.is_resource:
        names = ("verb", "group", "version", "resource", "subresource", "namespace", "name")
        spec["resourceAttributes"] = {each: getattr(attributes, each) for each in names}
    else:
        spec["nonResourceAttributes"] = {"verb": attributes.verb, "path": attributes.path}
    return {"spec": spec}


def read_review(answer: Object) -> Identity | None:
    """The identity in a TokenReview; None: it says that there is none.

    Raises:
        ServiceUnavailableError: it is not a TokenReview that can be read whole.
    """
    status = answer.get("status")
    if answer.get("kind") != "TokenReview" or not isinstance(status, dict):
        raise ServiceUnavailableError("the cluster does not say whose token it is")
    if status.get("authenticated") is not True or status.get("error"):
        return None
    user = status.get("user")
    user = user if isinstance(user, dict) else {}
    name, uid, groups = user.get("username") or "", user.get("uid") or "", user.get("groups") or []
    extra = user.get("extra") or {}
    if not (_is_text(name) and isinstance(uid, str) and _is_texts(groups) and _is_extra(extra)):
        raise ServiceUnavailableError("the cluster names a user that cannot be one")
    values: Mapping[str, list[str]] = extra
    # Only llmos gives the groups of llmos, whatever an identity provider calls its own.
    given = tuple(each for each in groups if not each.startswith("llmos:"))
    info = UserInfo(name, uid, given, {key: tuple(each) for key, each in values.items()})
    return Identity(info, "tokenreview")


def _admitted(identity: Identity | None) -> Identity | None:
    """Let everybody in but the cluster's own operators.

    Raises:
        ForbiddenError: it is one.
    """
    if identity is not None and MASTERS_GROUP in identity.user.groups:
        why = f"members of {MASTERS_GROUP} are not served here: use the cluster's own address"
        raise ForbiddenError(why)
    return identity


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_extra(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return all(
        isinstance(texts, list) and all(isinstance(each, str) for each in texts)
        for texts in value.values()
    )
