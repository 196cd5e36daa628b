"""``Impersonate-*`` headers: whom a sender wants to be, and what he must be allowed for that.

Kubernetes tries modes in order and takes the first that is allowed whole: the constrained ones
(KEP-5284: ``impersonate-on:<mode>:<verb>`` on the request itself, then ``impersonate:<mode>`` on
each part of the identity), then the old verb ``impersonate``. A refusal names what failed first.
Ours besides: the groups ``system:masters`` and ``llmos:…`` are given to members of
``system:masters`` only, so that nobody who signed in through llmos gains them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

import orjson

from llmos.apimachinery.errors import BadRequestError, ForbiddenError
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import (
    ANONYMOUS,
    AUTHENTICATED_GROUP,
    MASTERS_GROUP,
    UNAUTHENTICATED_GROUP,
    UserInfo,
    service_account_groups,
    split_service_account,
)
from llmos.apis.authorization_v1 import Attributes, Authorizer, forbidden_message
from llmos.apis.namespaces import is_reserved

RawHeaders = Sequence[tuple[bytes, bytes]]

_PREFIX = b"impersonate-"
_EXTRA = b"impersonate-extra-"
_GROUP = "authentication.k8s.io"
_NODE = re.compile(r"system:node:([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)")
_EXTRA_KEY = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[a-z0-9/._~%!$&'()*+,;=:-]+")
_MALFORMED = re.compile(r"%(?![0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The identity as the headers have it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_bare(self) -> bool:
        """Whether only a name is given."""
        return not (self.uid or self.groups or self.extra)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to become somebody: allowed when all its checks are."""

    checks: tuple[Attributes, ...]
    user: UserInfo
    possible: bool = True
    """False: the identity holds something that this mode never gives."""


def is_asked_for(headers: RawHeaders) -> bool:
    """Whether a request has any ``Impersonate-*`` header: few do, and most stop here."""
    return any(name[:12].lower() == _PREFIX for name, _ in headers)


def read_headers(headers: RawHeaders) -> Wanted | None:
    """Read the ``Impersonate-*`` headers; None: there are none.

    Raises:
        BadRequestError: something is wanted without a user, or two users are.
    """
    found = [
        (name.lower(), value.strip(b" \t").decode("utf-8", "replace"))
        for name, value in headers
        if name[:12].lower() == _PREFIX
    ]
    if not found:
        return None
    extra: dict[str, tuple[str, ...]] = {}
    for name, value in found:
        if name.startswith(_EXTRA):
            key = _extra_key(name[len(_EXTRA) :])
            extra[key] = (*extra.get(key, ()), value)
    wanted = Wanted(
        name=_single(found, b"impersonate-user"),
        uid=_single(found, b"impersonate-uid"),
        groups=tuple(value for name, value in found if name == b"impersonate-group"),
        extra=extra,
    )
    if wanted.name:
        return wanted
    if wanted.is_bare:
        return None
    raise BadRequestError(f"requested {_go_syntax(wanted)} without impersonating a user name")


def _single(found: list[tuple[bytes, str]], name: bytes) -> str:
    """The value of a header that may stand once."""
    values = [value for each, value in found if each == name]
    if len(values) > 1:
        raise BadRequestError(f"the request has more than one {name.decode()} header")
    return values[0] if values else ""


def _extra_key(raw: bytes) -> str:
    """Percent-decode a key; one that is not well encoded stays as it is."""
    key = raw.decode("latin-1").lower()
    return key if _MALFORMED.search(key) else unquote(key)


def _go_syntax(wanted: Wanted) -> str:
    """The text of Go's ``%#v``, which kube-apiserver puts into this message."""

    def quote(text: str) -> str:
        return orjson.dumps(text).decode()

    def strings(values: Sequence[str]) -> str:
        return "[]string{" + ", ".join(map(quote, values)) + "}" if values else "[]string(nil)"

    pairs = ", ".join(f"{quote(key)}:{strings(wanted.extra[key])}" for key in sorted(wanted.extra))
    extra = f"map[string][]string{{{pairs}}}" if pairs else "map[string][]string(nil)"
    return (
        f"&user.DefaultInfo{{Name:{quote(wanted.name)}, UID:{quote(wanted.uid)}, "
        f"Groups:{strings(wanted.groups)}, Extra:{extra}}}"
    )


def modes(wanted: Wanted, request: Attributes) -> list[Mode]:
    """The ways in which the sender of a request may become somebody, in order of trial."""
    legacy = Mode(tuple(_identity_checks(wanted, request.user, "")), _user(wanted))
    name = _constrained_mode(wanted)
    if not name:
        return [legacy]
    on = replace(request, verb=f"impersonate-on:{name}:{request.verb}")
    checks = (on, *_identity_checks(wanted, request.user, name))
    nodes = ("system:nodes",) if name == "arbitrary-node" else ()
    user = _user(replace(wanted, groups=nodes) if nodes else wanted)
    return [Mode(checks, user, _may_be_constrained(wanted)), legacy]


def _constrained_mode(wanted: Wanted) -> str:
    """The one constrained mode that fits an identity, or ``""``."""
    if _NODE.fullmatch(wanted.name):
        return "arbitrary-node" if wanted.is_bare else ""
    if split_service_account(wanted.name):
        return "serviceaccount" if wanted.is_bare else ""
    return "user-info"


def _may_be_constrained(wanted: Wanted) -> bool:
    """Whether constrained modes give such groups and extra at all."""
    if any(group in ("", MASTERS_GROUP) for group in wanted.groups):
        return False
    return all(_EXTRA_KEY.fullmatch(key) and all(v) for key, v in wanted.extra.items())


def _identity_checks(wanted: Wanted, sender: UserInfo, mode: str) -> list[Attributes]:
    """What must be allowed for each part of the identity; no mode: the old verb."""
    verb = f"impersonate:{mode}" if mode else "impersonate"
    named = Attributes(
        user=sender, verb=verb, group=_GROUP if mode else "", version="v1", resource="users"
    )
    other = replace(named, group=_GROUP)
    account = split_service_account(wanted.name)
    node = _NODE.fullmatch(wanted.name) if mode == "arbitrary-node" else None
    if account:
        who = replace(named, resource="serviceaccounts", namespace=account[0], name=account[1])
    elif node:
        who = replace(named, resource="nodes", name=node[1])
    else:
        who = replace(named, name=wanted.name)
    return [
        who,
        *(replace(other, resource="uids", name=each) for each in (wanted.uid,) if each),
        *(replace(named, resource="groups", name=each) for each in wanted.groups),
        *(
            replace(other, resource="userextras", subresource=key, name=value)
            for key in sorted(wanted.extra)
            for value in wanted.extra[key]
        ),
    ]


def _user(wanted: Wanted) -> UserInfo:
    """The identity that comes of it: with the groups that Kubernetes adds."""
    groups = wanted.groups
    account = split_service_account(wanted.name)
    if account and not groups:
        groups = service_account_groups(account[0])
    added = AUTHENTICATED_GROUP
    if wanted.name == ANONYMOUS or UNAUTHENTICATED_GROUP in groups:
        added = UNAUTHENTICATED_GROUP
    if added not in groups:
        groups = (*groups, added)
    return UserInfo(wanted.name, wanted.uid, groups, wanted.extra)


def _is_withheld(check: Attributes) -> bool:
    """Whether a check asks for what only ``system:masters`` may become.

    These are its own group, those of llmos, and the platform's service accounts.
    """
    if check.verb.startswith("impersonate-on:") or MASTERS_GROUP in check.user.groups:
        return False
    if check.resource == "serviceaccounts":
        return is_reserved(check.namespace)
    reserved = check.name == MASTERS_GROUP or check.name.startswith("llmos:")
    return check.resource == "groups" and reserved


def _refusal(check: Attributes) -> ForbiddenError:
    why = forbidden_message(check)
    if not check.is_resource:
        return ForbiddenError(f"forbidden: {why}", {})
    return ForbiddenError.of(GroupResource(check.group, check.resource), check.name, why)


def _first_refused(mode: Mode, authorizer: Authorizer) -> Attributes | None:
    for check in mode.checks:
        if _is_withheld(check) or not authorizer.authorize(check).allowed:
            return check
    return None if mode.possible else mode.checks[-1]


def impersonate(headers: RawHeaders, request: Attributes, authorizer: Authorizer) -> UserInfo:
    """Whose rights count for a request: the sender's own, or those of whom he may impersonate.

    Args:
        headers: All headers of the request.
        request: What is asked, with the sender as its user.
        authorizer: Decides about the sender.

    Raises:
        BadRequestError: the headers make no identity.
        ForbiddenError: he may not.
    """
    wanted = read_headers(headers)
    if wanted is None:
        return request.user
    first: Attributes | None = None
    for mode in modes(wanted, request):
        refused = _first_refused(mode, authorizer)
        if refused is None:
            return mode.user
        first = first or refused
    assert first is not None
    raise _refusal(first)
