"""Service account tokens: made, verified, reviewed."""

import asyncio
import base64
import hashlib
import hmac

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization

from authentication.objects import START, Objects, SetClock
from llmos.apimachinery.errors import (
    BadRequestError,
    ConflictError,
    InternalError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
)
from llmos.apimachinery.object import copy_object
from llmos.apimachinery.resource import GroupResource
from llmos.authentication.authenticator import Union
from llmos.authentication.records import SECRETS, SYSTEM_NAMESPACE
from llmos.authentication.reviews import review_token, self_subject_review
from llmos.authentication.service_accounts import (
    DEFAULT_ISSUER,
    SERVICE_ACCOUNTS,
    ServiceAccountTokens,
)
from llmos.authentication.signing_key import NAME, SigningKey, load_signing_key
from llmos.authentication.static_tokens import StaticTokens
from llmos.authentication.token_requests import request_token

KEY = SigningKey.generate()
SECONDS = (
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: '
)
OTHER = 'TokenRequest.authentication.k8s.io "bot" is invalid: metadata.name: Invalid value: '
PODS = GroupResource("", "pods")


def an_object(name, namespace="san", **more):
    return {"metadata": {"name": name, "namespace": namespace}, **more}


class Cluster:
    """A namespace ``san`` with the account ``bot`` and a pod."""

    def __init__(self):
        self.clock = SetClock()
        self.store = Objects()
        self.tokens = ServiceAccountTokens(KEY, self.store, self.clock)
        self.bot = self.create(SERVICE_ACCOUNTS, "bot")
        self.pod = self.create(PODS, "worker")

    def create(self, resource, name):
        """Create an object there."""
        return asyncio.run(self.store.create(resource, an_object(name)))

    def delete(self, resource, name):
        """Delete one."""
        asyncio.run(self.store.delete(resource, "san", name))

    def request(self, body=None, name="bot"):
        """Answer a TokenRequest."""
        return request_token(self.tokens, self.store, self.clock, ("san", name), body or {})

    def token(self, **spec):
        """A token of the bot."""
        return self.request({"spec": spec})["status"]["token"]

    def refuses(self, token):
        """Whether a token gives nobody."""
        try:
            return self.tokens.authenticate(token) is None
        except UnauthorizedError as error:
            return error.message == "Unauthorized"


def test_request_is_answered_as_kubernetes_does():
    """The answer names the account, echoes the spec with its defaults, and holds the token."""
    answer = Cluster().request({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"})
    assert (answer["kind"], answer["apiVersion"]) == ("TokenRequest", "authentication.k8s.io/v1")
    assert answer["metadata"]["name"] == "bot"
    assert answer["metadata"]["namespace"] == "san"
    assert answer["spec"] == {
        "audiences": [DEFAULT_ISSUER],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    }
    assert answer["status"]["expirationTimestamp"] == "2023-11-14T23:13:20Z"


def test_token_has_kubernetes_claims():
    """The claims are those that clients and other verifiers know."""
    cluster = Cluster()
    token = cluster.token(expirationSeconds=7200, audiences=["x", "y"])
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.pop("jti")
    assert claims == {
        "aud": ["x", "y"],
        "exp": int(START) + 7200,
        "iat": int(START),
        "nbf": int(START),
        "iss": DEFAULT_ISSUER,
        "sub": "system:serviceaccount:san:bot",
        "kubernetes.io": {
            "namespace": "san",
            "serviceaccount": {"name": "bot", "uid": cluster.bot["metadata"]["uid"]},
        },
    }


def test_token_gives_its_account():
    """Name, uid, groups and the credential's id; not an llmos user."""
    cluster = Cluster()
    identity = cluster.tokens.authenticate(cluster.token())
    user = identity.user
    assert (user.name, user.uid) == (
        "system:serviceaccount:san:bot",
        cluster.bot["metadata"]["uid"],
    )
    assert user.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:san",
        "system:authenticated",
    )
    (value,) = user.extra["authentication.kubernetes.io/credential-id"]
    assert value.startswith("JTI=")
    assert identity.expires_at == int(START) + 3600
    assert identity.valid()


@pytest.mark.parametrize("again", [False, True])
def test_token_ends_with_its_account(again):
    """Deleting the account, or making it anew, ends its tokens at once, remembered or not."""
    cluster = Cluster()
    token, unseen = cluster.token(), cluster.token()
    identity = cluster.tokens.authenticate(token)
    cluster.delete(SERVICE_ACCOUNTS, "bot")
    if again:
        cluster.create(SERVICE_ACCOUNTS, "bot")
    assert cluster.refuses(token)
    assert cluster.refuses(unseen)
    assert not identity.valid()


def test_token_of_a_terminating_account_is_refused():
    """The beginning of a deletion ends the tokens."""
    cluster = Cluster()
    token = cluster.token()
    bot = copy_object(cluster.bot)
    bot["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    asyncio.run(cluster.store.update(SERVICE_ACCOUNTS, bot))
    assert cluster.refuses(token)


def test_token_ends_at_its_time_and_stays_ended():
    """Expiry is looked at on every use; a clock set back revives nothing."""
    cluster = Cluster()
    token = cluster.token(expirationSeconds=600)
    identity = cluster.tokens.authenticate(token)
    cluster.clock.now = int(START) + 599.9
    assert identity.valid()
    cluster.clock.now += 0.2
    assert not identity.valid()
    assert cluster.refuses(token)
    cluster.clock.now = START
    assert cluster.refuses(token)


def test_token_for_somebody_else_is_refused():
    """A token for another audience does not open the API."""
    cluster = Cluster()
    assert cluster.refuses(cluster.token(audiences=["x"]))
    assert not cluster.refuses(cluster.token(audiences=["x", DEFAULT_ISSUER]))


def test_bound_token_ends_with_its_object():
    """A token bound to a pod names it, and ends when the pod is gone or another."""
    cluster = Cluster()
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "worker"}
    token = cluster.token(boundObjectRef=reference)
    identity = cluster.tokens.authenticate(token)
    assert identity.user.extra["authentication.kubernetes.io/pod-name"] == ("worker",)
    uid = cluster.pod["metadata"]["uid"]
    assert identity.user.extra["authentication.kubernetes.io/pod-uid"] == (uid,)
    cluster.delete(PODS, "worker")
    assert cluster.refuses(token)
    cluster.create(PODS, "worker")
    assert cluster.refuses(token)
    assert not identity.valid()


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (
            {"spec": {"expirationSeconds": 10}},
            InvalidError,
            SECONDS + "10: may not specify a duration less than 10 minutes",
        ),
        (
            {"spec": {"expirationSeconds": 4294967297}},
            InvalidError,
            SECONDS + "4294967297: may not specify a duration larger than 2^32 seconds",
        ),
        (
            {"metadata": {"name": "other"}},
            InvalidError,
            OTHER + '"other": must match the service account name if specified',
        ),
        (
            {"spec": {"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "nope"}}},
            NotFoundError,
            'secrets "nope" not found',
        ),
        (
            {"spec": {"boundObjectRef": {"kind": "Pod", "name": "worker", "uid": "other"}}},
            ConflictError,
            "does not match the UID in record",
        ),
        (
            {"spec": {"boundObjectRef": {"kind": "ConfigMap", "name": "x"}}},
            BadRequestError,
            "cannot bind token to object of type v1, Kind=ConfigMap",
        ),
        ({"spec": {"boundObjectRef": {"kind": ["Pod"]}}}, BadRequestError, "cannot bind token"),
        ({"spec": {"expirationSeconds": "3600"}}, BadRequestError, "must be an integer"),
        ({"spec": {"expirationSeconds": True}}, BadRequestError, "must be an integer"),
        ({"spec": {"audiences": "x"}}, BadRequestError, "list of strings"),
        ({"spec": {"audiences": [1]}}, BadRequestError, "list of strings"),
        ({"spec": []}, BadRequestError, "must be an object"),
        ({"metadata": "x"}, BadRequestError, "must be an object"),
    ],
)
def test_bad_requests_are_refused_in_kubernetes_words(body, error, message):
    """Too short, too long, another name, a missing bound object, odd types."""
    with pytest.raises(error) as caught:
        Cluster().request(body)
    assert message in caught.value.message


def test_missing_account_is_404():
    """There is no token for an account that does not exist."""
    with pytest.raises(NotFoundError, match='serviceaccounts "nope" not found'):
        Cluster().request({"spec": {}}, name="nope")


def good_claims(cluster, **changes):
    claims = jwt.decode(cluster.token(), options={"verify_signature": False})
    for key, value in changes.items():
        if value is None:
            del claims[key]
        else:
            claims[key] = value
    return claims


def encode(part):
    return base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode()


def test_forged_algorithms_are_refused():
    """No signature, one made with the public key as a secret, another key, another kid: 401."""
    cluster = Cluster()
    claims = good_claims(cluster)
    kid = jwt.get_unverified_header(cluster.token())["kid"]
    public = KEY._public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = f"{encode({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{encode(claims)}"
    mac = base64.urlsafe_b64encode(hmac.digest(public, body.encode(), hashlib.sha256)).decode()
    other = SigningKey.generate()
    other._id = kid
    forged = [
        f"{encode({'alg': 'none', 'kid': kid})}.{encode(claims)}.",
        f"{encode({'alg': 'None', 'kid': kid})}.{encode(claims)}.AAAA",
        f"{body}.{mac.rstrip('=')}",
        other.sign(claims),
        jwt.encode(claims, KEY._private, algorithm="ES256"),
        *(
            jwt.encode(claims, KEY._private, algorithm="ES256", headers={"kid": odd})
            for odd in ("../../../../dev/null", "x' UNION SELECT 'k")
        ),
    ]
    assert all(cluster.refuses(token) for token in forged)
    assert not cluster.refuses(KEY.sign(claims))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"nbf": None},
        {"iat": None},
        {"aud": None},
        {"iss": None},
        {"sub": None},
        {"kubernetes.io": None},
        {"iss": "https://elsewhere"},
        {"sub": "system:admin"},
        {"sub": "system:serviceaccount:kube-system:bot"},
        {"exp": "soon"},
        {"exp": int(START) - 1},
        {"nbf": int(START) + 100},
        {"aud": "x"},
        {"kubernetes.io": {"namespace": "san"}},
        {"kubernetes.io": {"namespace": "san", "serviceaccount": {"name": "bot", "uid": "x"}}},
        {"kubernetes.io": []},
    ],
)
def test_odd_claims_are_refused_even_when_signed(changes):
    """Every claim is needed, and has to be the account's own."""
    cluster = Cluster()
    assert cluster.refuses(KEY.sign(good_claims(cluster, **changes)))


def test_claimed_groups_count_for_nothing():
    """What else a token claims gives nothing."""
    cluster = Cluster()
    token = KEY.sign(good_claims(cluster, groups=["system:masters"]))
    assert "system:masters" not in cluster.tokens.authenticate(token).user.groups


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "a.b", "....", "\ud800.x.y", "é.é.é", "e30.e30.e30"]
)
def test_what_is_no_jwt_is_refused(token):
    """Garbage is no error of ours."""
    assert Cluster().refuses(token)


def test_deeply_nested_header_is_refused():
    """A header of a hundred thousand brackets is garbage as well."""
    deep = base64.urlsafe_b64encode(b"[" * 100_000).rstrip(b"=").decode()
    assert Cluster().refuses(f"{deep}.{deep}.AAAA")


def test_memory_of_signatures_is_bounded(monkeypatch):
    """The oldest is forgotten; a forgotten token is verified again."""
    monkeypatch.setattr("llmos.authentication.service_accounts._REMEMBERED", 3)
    cluster = Cluster()
    tokens = [cluster.token() for _ in range(5)]
    assert not any(cluster.refuses(token) for token in tokens)
    assert len(cluster.tokens._known) == 3
    assert not cluster.refuses(tokens[0])


def test_signing_key_is_made_once_and_kept():
    """The first start makes a key, every later one takes it; a broken one is never replaced."""

    async def scenario():
        store = Objects()
        first = await load_signing_key(store)
        again = await load_signing_key(store)
        token = first.sign(
            dict.fromkeys(("exp", "iat", "nbf"), 1) | {"iss": "", "sub": "", "aud": ""}
        )
        assert again.verify(token) is not None
        secret = copy_object(store.get(SECRETS, SYSTEM_NAMESPACE, NAME))
        assert secret["type"] == "llmos.ai/signing-key"
        secret["data"] = {"key": "bm8="}
        await store.update(SECRETS, secret)
        with pytest.raises(InternalError, match="no usable key"):
            await load_signing_key(store)

    asyncio.run(scenario())


ROBOTS = StaticTokens.parse("alicetoken,alice,alice-uid,devs")


def review(cluster, **spec):
    union = Union([ROBOTS, cluster.tokens])
    answer = review_token({"spec": spec}, union, cluster.tokens)
    assert answer["kind"] == "TokenReview"
    assert str(spec["token"]) not in str(answer)
    return answer["status"]


def test_review_of_a_good_token():
    """The user and the audience of the API server, also for tokens that know no audience."""
    cluster = Cluster()
    assert review(cluster, token="alicetoken") == {
        "authenticated": True,
        "user": {
            "username": "alice",
            "uid": "alice-uid",
            "groups": ["devs", "system:authenticated"],
        },
        "audiences": [DEFAULT_ISSUER],
    }
    status = review(cluster, token=cluster.token())
    assert status["user"]["username"] == "system:serviceaccount:san:bot"
    assert status["audiences"] == [DEFAULT_ISSUER]


def test_review_for_other_audiences():
    """A token is good for the audiences that it shares with the question."""
    cluster = Cluster()
    token = cluster.token(audiences=["x", "y"])
    assert review(cluster, token=token, audiences=["x"])["audiences"] == ["x"]
    assert review(cluster, token=token, audiences=["z", "y"])["audiences"] == ["y"]
    for spec in (
        {"token": token},
        {"token": token, "audiences": ["z"]},
        {"token": "alicetoken", "audiences": ["z"]},
    ):
        assert "authenticated" not in review(cluster, **spec)


def test_review_of_a_bad_token_is_an_answer():
    """A bad token is no error of the one who asks."""
    cluster = Cluster()
    token = cluster.token()
    cluster.delete(SERVICE_ACCOUNTS, "bot")
    for bad in ("nope-nope", token):
        assert review(cluster, token=bad) == {"user": {}, "error": "invalid bearer token"}


@pytest.mark.parametrize("body", [{}, {"spec": {}}, {"spec": {"token": ""}}, {"spec": None}])
def test_review_without_a_token_is_400(body):
    """There is nothing to review."""
    cluster = Cluster()
    with pytest.raises(BadRequestError) as caught:
        review_token(body, ROBOTS, cluster.tokens)
    assert caught.value.message == "token is required for TokenReview in authentication"


@pytest.mark.parametrize("spec", [{"token": 1}, {"token": "x", "audiences": "y"}])
def test_review_of_odd_types_is_400(spec):
    """Types are those of the API."""
    cluster = Cluster()
    with pytest.raises(BadRequestError):
        review_token({"spec": spec}, ROBOTS, cluster.tokens)


def test_self_subject_review_names_the_sender():
    """The answer says who the server takes one for."""
    user = ROBOTS.authenticate("alicetoken").user
    assert self_subject_review(user, START) == {
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": "2023-11-14T22:13:20Z"},
        "status": {
            "userInfo": {
                "username": "alice",
                "uid": "alice-uid",
                "groups": ["devs", "system:authenticated"],
            }
        },
    }
