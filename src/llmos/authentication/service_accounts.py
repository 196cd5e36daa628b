"""Service account tokens: JWTs as kube-apiserver makes them, good while their account exists.

Claims: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/. A token is
checked against the account (and the object it is bound to) on every use; only the signature, which
cannot change, is remembered.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import UnauthorizedError
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, is_terminating, uid_of
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import (
    UserInfo,
    service_account_groups,
    service_account_name,
)
from llmos.authentication.authenticator import Identity, never_back
from llmos.authentication.signing_key import SigningKey

DEFAULT_ISSUER = "https://kubernetes.default.svc"
SERVICE_ACCOUNTS = GroupResource("", "serviceaccounts")
BOUND_RESOURCES = {
    "Pod": GroupResource("", "pods"),
    "Secret": GroupResource("", "secrets"),
    "Node": GroupResource("", "nodes"),
}
"""What a token may be bound to, by kind; the claim is the kind in lower case."""
_EXTRA = "authentication.kubernetes.io/"
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class BoundObject:
    """The object that a token ends with."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says."""

    namespace: str
    name: str
    uid: str
    audiences: tuple[str, ...]
    expires_at: float
    not_before: float
    token_id: str
    bound: BoundObject | None = None

    def to_json(self, issuer: str, issued_at: int) -> dict[str, Any]:
        """The claims of the JWT."""
        private: dict[str, Any] = {
            "namespace": self.namespace,
            "serviceaccount": {"name": self.name, "uid": self.uid},
        }
        if self.bound:
            private[self.bound.kind.lower()] = {"name": self.bound.name, "uid": self.bound.uid}
        return {
            "aud": list(self.audiences),
            "exp": int(self.expires_at),
            "iat": issued_at,
            "iss": issuer,
            "jti": self.token_id,
            "kubernetes.io": private,
            "nbf": int(self.not_before),
            "sub": service_account_name(self.namespace, self.name),
        }

    @classmethod
    def from_json(cls, claims: dict[str, Any], issuer: str) -> "Claims | None":
        """Read the claims of a JWT whose signature is ours; None when they are not ours."""
        try:
            private = claims["kubernetes.io"]
            account = private["serviceaccount"]
            audiences = claims["aud"]
            read = cls(
                namespace=str(private["namespace"]),
                name=str(account["name"]),
                uid=str(account["uid"]),
                audiences=(audiences,) if isinstance(audiences, str) else tuple(audiences),
                expires_at=float(claims["exp"]),
                not_before=float(claims["nbf"]),
                token_id=str(claims.get("jti", "")),
                bound=_read_bound(private),
            )
        except (KeyError, TypeError, ValueError):
            return None
        ours = claims["iss"] == issuer
        return read if ours and claims["sub"] == read.user_name else None

    @property
    def user_name(self) -> str:
        """The RBAC user."""
        return service_account_name(self.namespace, self.name)

    def user(self) -> UserInfo:
        """The identity it gives."""
        extra: dict[str, tuple[str, ...]] = {}
        if self.token_id:
            extra[f"{_EXTRA}credential-id"] = (f"JTI={self.token_id}",)
        if self.bound and self.bound.kind in ("Pod", "Node"):
            prefix = f"{_EXTRA}{self.bound.kind.lower()}"
            extra[f"{prefix}-name"] = (self.bound.name,)
            extra[f"{prefix}-uid"] = (self.bound.uid,)
        return UserInfo(self.user_name, self.uid, service_account_groups(self.namespace), extra)


def _read_bound(private: dict[str, Any]) -> BoundObject | None:
    for kind in BOUND_RESOURCES:
        found = private.get(kind.lower())
        if found is not None:
            return BoundObject(kind, str(found["name"]), str(found["uid"]))
    return None


def is_live(obj: Object | None, uid: str) -> bool:
    """Whether it is the object of this uid, and not on its way out."""
    return obj is not None and uid_of(obj) == uid and not is_terminating(obj)


@dataclass(frozen=True, slots=True)
class _Known:
    claims: Claims
    user: UserInfo


class ServiceAccountTokens:
    """Verifies service account tokens."""

    def __init__(
        self, key: SigningKey, lister: Lister, clock: Clock, issuer: str = DEFAULT_ISSUER
    ) -> None:
        self.key = key
        self.issuer = issuer
        self._lister = lister
        self._now = never_back(clock)
        self._known: dict[bytes, _Known] = {}

    def authenticate(self, bearer: str) -> Identity | None:
        """Say whose token it is; None: this server did not sign it.

        Raises:
            UnauthorizedError: it is over, for somebody else, or its account is gone.
        """
        found = self.verify(bearer, (self.issuer,))
        return found[0] if found else None

    def verify(
        self, bearer: str, audiences: Sequence[str]
    ) -> tuple[Identity, tuple[str, ...]] | None:
        """Say whose token it is, and for which of some audiences; None: we did not sign it.

        Raises:
            UnauthorizedError: it is over, for none of them, or its account is gone.
        """
        if bearer.count(".") != 2:
            return None
        known = self._read(bearer)
        if known is None:
            return None
        fitting = tuple(each for each in audiences if each in known.claims.audiences)
        if not fitting or not self._holds(known.claims):
            raise UnauthorizedError
        holds = partial(self._holds, known.claims)
        identity = Identity(
            known.user, "serviceaccount", expires_at=known.claims.expires_at, valid=holds
        )
        return identity, fitting

    def _read(self, bearer: str) -> _Known | None:
        """The claims of a token of ours; its signature is verified once."""
        digest = hashlib.sha256(bearer.encode("utf-8", "replace")).digest()
        known = self._known.get(digest)
        if known is not None:
            return known
        payload = self.key.verify(bearer)
        claims = Claims.from_json(payload, self.issuer) if payload is not None else None
        if claims is None:
            return None
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        known = self._known[digest] = _Known(claims, claims.user())
        return known

    def _holds(self, claims: Claims) -> bool:
        """Whether the time, the account and the bound object are those of the token."""
        if not claims.not_before <= self._now() < claims.expires_at:
            return False
        account = self._lister.get(SERVICE_ACCOUNTS, claims.namespace, claims.name)
        if not is_live(account, claims.uid):
            return False
        bound = claims.bound
        if bound is None:
            return True
        namespace = "" if bound.kind == "Node" else claims.namespace
        there = self._lister.get(BOUND_RESOURCES[bound.kind], namespace, bound.name)
        return is_live(there, bound.uid)
