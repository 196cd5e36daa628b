"""``serviceaccounts/token``: a TokenRequest in, a signed token out.

Rules and texts follow kube-apiserver's pkg/registry/core/serviceaccount/storage/token.go.
"""

import uuid
from typing import Any

from llmos.apimachinery.clock import Clock, rfc3339
from llmos.apimachinery.errors import (
    BadRequestError,
    ConflictError,
    FieldError,
    InvalidError,
    NotFoundError,
)
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, metadata, name_of, namespace_of, uid_of
from llmos.apimachinery.resource import GroupResource, GroupVersionKind
from llmos.authentication.service_accounts import (
    BOUND_RESOURCES,
    SERVICE_ACCOUNTS,
    BoundObject,
    Claims,
    ServiceAccountTokens,
)

TOKEN_REQUEST = GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest")
DEFAULT_SECONDS = 3600
MIN_SECONDS = 600
MAX_SECONDS = 1 << 32


def request_token(
    tokens: ServiceAccountTokens,
    lister: Lister,
    clock: Clock,
    account: tuple[str, str],
    body: Object,
) -> Object:
    """Answer ``POST …/serviceaccounts/{name}/token``, which is authorized already.

    Args:
        tokens: Who signs.
        lister: Where the account and the bound object are.
        clock: The time.
        account: Namespace and name of the path.
        body: The TokenRequest as it was sent.

    Raises:
        NotFoundError: the account or the bound object does not exist.
        InvalidError: the time is too short or too long, or the body names another account.
        BadRequestError: a field is of the wrong type.
        ConflictError: the bound object has another uid.
    """
    namespace, name = account
    _check_metadata(body, namespace, name)
    stored = lister.get(SERVICE_ACCOUNTS, namespace, name)
    if stored is None:
        raise NotFoundError.of(SERVICE_ACCOUNTS, name)
    spec = _map(body.get("spec"), "spec")
    seconds = _seconds(spec)
    audiences = _audiences(spec) or [tokens.issuer]
    reference = spec.get("boundObjectRef")
    bound = _bound_object(lister, namespace, reference) if reference is not None else None
    now = int(clock())
    claims = Claims(
        namespace=namespace,
        name=name,
        uid=uid_of(stored),
        audiences=tuple(audiences),
        expires_at=now + seconds,
        not_before=now,
        token_id=str(uuid.uuid4()),
        bound=bound,
    )
    return {
        "kind": "TokenRequest",
        "apiVersion": TOKEN_REQUEST.api_version,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": rfc3339(now)},
        "spec": {
            "audiences": audiences,
            "expirationSeconds": seconds,
            "boundObjectRef": reference,
        },
        "status": {
            "token": tokens.key.sign(claims.to_json(tokens.issuer, now)),
            "expirationTimestamp": rfc3339(now + seconds),
        },
    }


def _map(value: Any, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequestError(f"TokenRequest: {field} must be an object")
    return value


def _check_metadata(body: Object, namespace: str, name: str) -> None:
    _map(body.get("metadata"), "metadata")
    metadata(body)
    errors = [
        FieldError(
            "FieldValueInvalid",
            f"metadata.{field}",
            f'Invalid value: "{given}": must match the service account {field} if specified',
        )
        for field, given, wanted in (
            ("name", name_of(body), name),
            ("namespace", namespace_of(body), namespace),
        )
        if given and given != wanted
    ]
    if errors:
        raise InvalidError.of(TOKEN_REQUEST, name, errors)


def _seconds(spec: dict[str, Any]) -> int:
    seconds = spec.get("expirationSeconds")
    if seconds is None:
        return DEFAULT_SECONDS
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise BadRequestError("TokenRequest: spec.expirationSeconds must be an integer")
    if seconds < MIN_SECONDS:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > MAX_SECONDS:
        why = "may not specify a duration larger than 2^32 seconds"
    else:
        return seconds
    message = f"Invalid value: {seconds}: {why}"
    error = FieldError("FieldValueInvalid", "spec.expirationSeconds", message)
    raise InvalidError.of(TOKEN_REQUEST, "", [error])


def _audiences(spec: dict[str, Any]) -> list[str]:
    audiences = spec.get("audiences") or []
    if not isinstance(audiences, list) or not all(isinstance(each, str) for each in audiences):
        raise BadRequestError("TokenRequest: spec.audiences must be a list of strings")
    return audiences


def _bound_object(lister: Lister, namespace: str, reference: Any) -> BoundObject:
    """Find the object that the token shall end with."""
    given = _map(reference, "spec.boundObjectRef")
    kind, name, uid = (str(given.get(key) or "") for key in ("kind", "name", "uid"))
    version = str(given.get("apiVersion") or "v1")
    if version != "v1" or kind not in BOUND_RESOURCES:
        raise BadRequestError(f"cannot bind token to object of type {version}, Kind={kind}")
    resource = BOUND_RESOURCES[kind]
    found = lister.get(resource, "" if kind == "Node" else namespace, name)
    if found is None:
        raise NotFoundError.of(resource, name)
    if uid and uid != uid_of(found):
        why = (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise ConflictError.of(GroupResource("", kind), name, why)
    return BoundObject(kind, name, uid_of(found))
