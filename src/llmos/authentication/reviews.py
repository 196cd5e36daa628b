"""TokenReview and SelfSubjectReview: what the API says of credentials and of who asks."""

from collections.abc import Sequence
from typing import Any

from llmos.apimachinery.clock import rfc3339
from llmos.apimachinery.errors import BadRequestError, UnauthorizedError
from llmos.apimachinery.object import Object
from llmos.apis.authentication_v1 import UserInfo
from llmos.authentication.authenticator import Authenticator, Identity
from llmos.authentication.service_accounts import ServiceAccountTokens

API_VERSION = "authentication.k8s.io/v1"
_INVALID = {"user": {}, "error": "invalid bearer token"}


def _spec(body: Object) -> tuple[str, list[str]]:
    """The token and the audiences that a TokenReview asks for."""
    spec = body.get("spec")
    spec = {} if spec is None else spec
    token = spec.get("token") if isinstance(spec, dict) else None
    if not token:
        raise BadRequestError("token is required for TokenReview in authentication")
    audiences = spec.get("audiences") or []
    strings = isinstance(audiences, list) and all(isinstance(each, str) for each in audiences)
    if not (isinstance(token, str) and strings):
        raise BadRequestError("TokenReview: spec.token must be a string, spec.audiences strings")
    return token, audiences


def review_token(
    body: Object, authenticator: Authenticator, service_accounts: ServiceAccountTokens
) -> Object:
    """Answer a TokenReview, which is authorized already; the token is not repeated in it.

    Raises:
        BadRequestError: there is no token to review.
    """
    token, wanted = _spec(body)
    status: dict[str, Any] = _INVALID
    found = _find(token, wanted, authenticator, service_accounts)
    if found is not None:
        identity, audiences = found
        user = identity.user.to_object()
        status = {"authenticated": True, "user": user, "audiences": list(audiences)}
    return {
        "kind": "TokenReview",
        "apiVersion": API_VERSION,
        "metadata": {},
        "spec": {"audiences": wanted} if wanted else {},
        "status": status,
    }


def _find(
    token: str,
    wanted: Sequence[str],
    authenticator: Authenticator,
    service_accounts: ServiceAccountTokens,
) -> tuple[Identity, tuple[str, ...]] | None:
    """Whose token it is and for whom; tokens that know no audience are for the API server."""
    own = service_accounts.issuer
    try:
        found = service_accounts.verify(token, wanted or (own,))
        if found is not None:
            return found
        if wanted and own not in wanted:
            return None
        identity = authenticator.authenticate(token)
    except UnauthorizedError:
        return None
    # A session of a browser is good as its cookie alone.
    return (identity, (own,)) if identity and not identity.browser else None


def self_subject_review(user: UserInfo, now: float) -> Object:
    """Answer a SelfSubjectReview: who the server takes the sender for."""
    return {
        "kind": "SelfSubjectReview",
        "apiVersion": API_VERSION,
        "metadata": {"creationTimestamp": rfc3339(now)},
        "status": {"userInfo": user.to_object()},
    }
