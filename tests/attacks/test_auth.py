"""AUTH: authentication, tokens and passwords."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from attacks.support import Actor, World
from attacks.words import MG, NS, unique
from support.objects import secret
from support.waiting import wait_until

pytestmark = pytest.mark.slow
SYSTEM_SECRETS = f"{NS}/llmos-system/secrets"


def _token_secret(world: World, name: str) -> dict[str, str]:
    """What the server keeps of a token."""
    data = world.do("GET", f"{SYSTEM_SECRETS}/{name}")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


@pytest.mark.parametrize("value", ["Bearer", "bearer", "", " ", "Bearer a b"])
def test_auth_01_an_empty_token_is_refused(anonymous: Actor, value: str):
    """A scheme without a token, and an empty header, are 401."""
    answer = anonymous.get(NS, headers=[("Authorization", value)])
    assert answer.status == 401


@pytest.mark.parametrize("value", ["Bearer ", "Bearer  ", "bearer ", "Basic ", "Basic YTpi"])
def test_auth_01_an_empty_token_is_nobodys(anonymous: Actor, value: str):
    """Kubernetes takes an empty token for none: the answer is that of a request without any."""
    for path in (NS, f"{NS}/llmos-public", f"{MG}/users", "/auth/whoami", "/auth/tokens"):
        answer = anonymous.get(path, headers=[("Authorization", value)])
        assert answer.status in (401, 403)
        assert (answer.status, answer.body) == (
            (without := anonymous.get(path)).status,
            without.body,
        )


def test_auth_02_a_bad_credential_does_not_fall_through(alice: Actor, anonymous: Actor):
    """A bad bearer is 401 whatever else the request brings."""
    answer = anonymous.get(
        f"{MG}/users/alice",
        headers=[("Cookie", f"L_SESS={alice.token}"), ("Authorization", "Bearer garbage")],
    )
    assert answer.status == 401


@pytest.mark.parametrize("first", [True, False])
def test_auth_04_two_authorization_headers_are_refused(
    vera: Actor, root: Actor, anonymous: Actor, first: bool
):
    """A request with two Authorization headers is served as neither identity."""
    name = root.token.partition(":")[0]
    pairs = [
        ("Authorization", f"Bearer {vera.token}"),
        ("Authorization", f"Bearer {name}:x"),
    ]
    answer = anonymous.get(f"{MG}/users", headers=pairs if first else pairs[::-1])
    assert answer.status in (400, 401)


def test_auth_05_a_token_fits_whole_or_not_at_all(alice: Actor, anonymous: Actor):
    """Every deviation from a token is the same 401."""
    name, _, key = alice.token.partition(":")
    tried = [
        f"{name}:", name, f":{key}", f"{name}:{key}:x", f"{name}:{key}%00",
        f"{name}:{key.upper()}", f"{name}:{key[:-1]}", f"{name.upper()}:{key}",
    ]  # fmt: skip
    answers = [anonymous.get(NS, headers=[("Authorization", f"Bearer {each}")]) for each in tried]
    assert [each.status for each in answers] == [401] * len(tried)
    assert len({each.body for each in answers}) == 1


def test_auth_06_a_stored_hash_opens_nothing(alice: Actor, world: World, anonymous: Actor):
    """Whoever has read the database signs in neither with a token's nor with a password's hash."""
    name = alice.token.partition(":")[0]
    stored = _token_secret(world, name)["hash"]
    for key in (stored, stored.upper(), base64.b64encode(bytes.fromhex(stored)).decode()):
        answer = anonymous.get(NS, headers=[("Authorization", f"Bearer {name}:{key}")])
        assert answer.status == 401
    hashed = _token_secret(world, "password-alice")["hash"]
    body = {"username": "alice", "password": hashed}
    answer = anonymous.post("/auth/login", body, source="127.0.6.1")
    assert answer.status == 401


def test_auth_07_an_expired_token_ends_at_once(alice: Actor):
    """A token is refused when it is over, and what it has opened ends within 5 s."""
    made = alice.new_token(ttl=1)
    short = alice.with_token(made["token"])
    with short.watch(f"{NS}/team-a/configmaps") as watch:
        assert watch.status == 200
        assert short.get(f"{NS}/team-a/configmaps").status == 200
        time.sleep(1.2)
        assert short.get(NS).status == 401
        assert watch.ended.wait(5)
    assert alice.delete(f"/auth/tokens/{made['name']}").status in (204, 404)


@pytest.mark.parametrize(
    "extra",
    [
        {"userId": "root"},
        {"user": "root"},
        {"spec": {"userId": "root", "authProvider": "local", "token": "known"}},
        {"token": "known"},
        {"hash": hashlib.sha256(b"known").hexdigest()},
    ],
)
def test_auth_10_a_token_is_for_oneself(alice: Actor, world: World, extra: dict):
    """Whose a token is and what its key is are not for the client to say."""
    with world.unchanged():
        answer = alice.post("/auth/tokens", {"ttlSeconds": 60, **extra})
        assert answer.status == 422


def test_auth_10_a_token_for_another_is_ones_own(alice: Actor, anonymous: Actor):
    """A user parameter in the query does not make a token another's."""
    answer = alice.post("/auth/tokens?user=root", {"ttlSeconds": 60})
    assert answer.status in (201, 403)
    if answer.status == 201:
        assert answer.json()["user"] == "alice"
        made = alice.with_token(answer.json()["token"])
        assert made.get("/auth/whoami").json()["user"]["username"] == "alice"


@pytest.mark.parametrize("namespace", ["team-a", "llmos-system"])
@pytest.mark.parametrize("way", ["create", "apply"])
def test_auth_10_a_secret_is_no_way_to_a_token(
    alice: Actor, root: Actor, anonymous: Actor, namespace: str, way: str
):
    """A Secret of the shape that the server keeps tokens in gives nobody's identity."""
    name = f"token-{unique('x')[-5:]}"
    data = {
        "hash": hashlib.sha256(b"known").hexdigest(), "user": "root", "userUID": root.uid,
        "kind": "api", "createdAt": "2020-01-01T00:00:00Z", "expiresAt": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    made = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "llmos.ai/token",
        "stringData": data,
    }
    path = f"{NS}/{namespace}/secrets"
    answer = alice.post(path, made) if way == "create" else alice.apply(f"{path}/{name}", made)
    assert answer.status == (201 if namespace == "team-a" else 403)
    tried = anonymous.get(NS, headers=[("Authorization", f"Bearer {name}:known")])
    assert tried.status == 401


def test_auth_10_there_is_no_kind_of_tokens(alice: Actor, world: World):
    """Tokens are no objects of the API that could be written raw."""
    body = {"metadata": {"name": "x"}, "spec": {"userId": "root", "token": "known"}}
    with world.unchanged():
        assert alice.post(f"{MG}/tokens", body).status in (403, 404)
        assert alice.apply(f"{MG}/tokens/x", body).status in (403, 404)


def test_auth_11_a_user_sees_only_his_tokens(newbie: Actor, alice: Actor, root: Actor):
    """Neither lists nor names nor the Secrets behind them show the tokens of others."""
    mine = newbie.new_token()["name"]
    theirs = alice.token.partition(":")[0]
    listed = newbie.get("/auth/tokens")
    assert listed.status == 200
    assert {each["user"] for each in listed.json()["items"]} == {"newbie"}
    assert mine in {each["name"] for each in listed.json()["items"]}
    for other in ("alice", "root", "", "*", "nobody"):
        answer = newbie.get(f"/auth/tokens?user={other}")
        assert answer.status == 403, other
    for path in (
        f"/auth/tokens/{theirs}", f"{MG}/tokens", f"{MG}/tokens?watch=1", f"{MG}/tokens/{theirs}",
        SYSTEM_SECRETS, f"{SYSTEM_SECRETS}/{theirs}", f"{SYSTEM_SECRETS}?watch=1",
    ):  # fmt: skip
        assert newbie.get(path).status in (403, 404, 405), path
    everywhere = newbie.get("/api/v1/secrets")
    assert everywhere.status == 200
    assert everywhere.names == []
    for each in (newbie.get("/auth/tokens"), alice.get("/auth/tokens"), root.get("/auth/tokens")):
        assert "hash" not in each.text


def test_auth_12_nobody_ends_the_tokens_of_others(newbie: Actor, root: Actor, world: World):
    """Neither by name nor as a collection."""
    name = root.token.partition(":")[0]
    with world.unchanged():
        assert newbie.delete(f"/auth/tokens/{name}").status == 404
        assert newbie.delete(f"/auth/tokens/{name}?user=root").status == 403
        assert newbie.delete("/auth/tokens").status in (403, 405)
        assert newbie.delete("/auth/tokens?user=root").status in (403, 405)
        assert newbie.delete(f"{SYSTEM_SECRETS}/{name}").status == 403
        assert newbie.delete(SYSTEM_SECRETS).status == 403
        selector = "fieldSelector=metadata.name%3D" + name
        assert newbie.delete(f"{SYSTEM_SECRETS}?{selector}").status == 403
    assert root.get(NS).status == 200


def test_auth_13_signing_out_needs_the_key(anonymous: Actor, root: Actor, world: World):
    """The name of a session does not end it."""
    name = root.token.partition(":")[0]
    bad = f"{name}:wrong"
    with world.unchanged():
        for pairs in ([("Authorization", f"Bearer {bad}")], [("Cookie", f"L_SESS={bad}")], []):
            assert anonymous.post("/auth/logout", {}, headers=pairs).status == 401
    assert root.get("/auth/whoami").status == 200


def test_auth_14_no_token_is_made_over_anothers(alice: Actor, bob: Actor, world: World):
    """The token of another stays as it is, whatever is created, applied or put at its name."""
    name = bob.token.partition(":")[0]
    body = {"ttlSeconds": 60}
    kept = secret(name)
    with world.unchanged():
        assert alice.post("/auth/tokens", {**body, "name": name}).status == 422
        named = {**body, "metadata": {"name": name}}
        assert alice.post("/auth/tokens", named).status == 422
        assert alice.put(f"/auth/tokens/{name}", body).status in (403, 405)
        assert alice.patch(f"/auth/tokens/{name}", body).status in (403, 405)
        assert alice.post(f"/auth/tokens/{name}", body).status in (403, 405)
        assert alice.post(SYSTEM_SECRETS, kept).status == 403
        assert alice.apply(f"{SYSTEM_SECRETS}/{name}", kept).status == 403
        assert alice.put(f"{SYSTEM_SECRETS}/{name}", kept).status == 403
    assert bob.get("/auth/whoami").json()["user"]["username"] == "bob"


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"auth.management.llmos.ai/user-id": "bob"}},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "User", "name": "bob", "uid": "x"}]},
        {"finalizers": ["x/y"]},
    ],
)
def test_auth_15_a_token_takes_no_metadata(alice: Actor, world: World, metadata: dict):
    """Labels, owners and finalizers of a token are not for its user to choose."""
    with world.unchanged():
        answer = alice.post("/auth/tokens", {"ttlSeconds": 60, "metadata": metadata})
        assert answer.status == 422


def test_auth_15_a_finalizer_does_not_hold_a_token(alice: Actor, world: World):
    """A deleted token is refused at once even where its Secret lingers."""
    made = alice.new_token()
    path = f"{SYSTEM_SECRETS}/{made['name']}"
    kept = world.do("GET", path)
    kept["metadata"]["finalizers"] = ["example.com/hold"]
    world.do("PUT", path, kept)
    short = alice.with_token(made["token"])
    assert short.get("/auth/whoami").status == 200
    assert alice.delete(f"/auth/tokens/{made['name']}").status == 204
    assert short.get("/auth/whoami").status == 401
    lingering = world.do("GET", path)
    lingering["metadata"]["finalizers"] = []
    world.do("PUT", path, lingering)


def test_auth_17_a_user_made_again_inherits_nothing(world: World):
    """The tokens and memberships of a deleted user do not pass to the next of his name."""
    dave = world.throwaway("dave")
    api = dave.with_token(dave.new_token()["token"])
    world.bind(f"{dave.name}-x", "namespace-owner", dave.name, "team-x")
    world.bind(f"{dave.name}-admin", "admin", dave.name)
    world.do("DELETE", f"{MG}/users/{dave.name}")
    again = world.add_user(dave.name)
    assert again.uid != dave.uid
    for old in (dave, api):
        assert old.get(NS).status == 401
    assert again.get("/auth/whoami").json()["user"]["uid"] == again.uid
    wait_until(lambda: again.get(NS).names == ["llmos-public"], 2)
    assert again.get(f"{NS}/team-x/configmaps").status == 403
    assert again.get(f"{MG}/users").names == [again.name]
    assert [each["user"] for each in again.get("/auth/tokens").json()["items"]] == [again.name]
    body = {"username": dave.name, "password": dave.password}
    assert world.anonymous.post("/auth/login", body, source="127.0.17.1").status == 401


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _signed(header: dict, claims: dict, key: bytes = b"k" * 32) -> str:
    """A JWT with an HMAC for a signature, of keys too that libraries refuse to use so."""
    text = ".".join(_coded(json.dumps(each).encode()) for each in (header, claims))
    return f"{text}.{_coded(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def _forgeries(world: World) -> dict[str, str]:
    """Tokens that say ``system:masters``, or what a real one says, and that nobody signed."""
    real = world.actors["runner"].token
    head, body, signature = real.split(".")
    claims = jwt.decode(real, options={"verify_signature": False})
    header = {**jwt.get_unverified_header(real), "alg": "HS256"}
    masters = {**claims, "sub": "system:admin", "groups": ["system:masters"]}
    other = _signed(header, masters).split(".")[1]
    endless = {key: value for key, value in claims.items() if key != "exp"}
    none = _signed({**header, "alg": "none"}, masters).rpartition(".")[0]
    return {
        "none": f"{none}.",
        "none, with a signature": _signed({**header, "alg": "none"}, claims),
        "None": _signed({**header, "alg": "None"}, claims).rpartition(".")[0] + ".",
        "the public key as a secret": _signed(header, masters, _public_key(world)),
        "kid is a path": _signed({**header, "kid": "../../../../dev/null"}, masters, b""),
        "kid is SQL": _signed({**header, "kid": "x' UNION SELECT 'k"}, masters, b"k"),
        "no end": _signed(header, endless),
        "another audience": _signed(header, {**claims, "aud": ["x"]}),
        "masters": _signed(header, masters),
        "other claims under the signature": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{body}.",
        "a signature of zeros": f"{head}.{body}.{_coded(bytes(64))}",
    }


def _private_key(world: World) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """The key that signs, as whoever has the database has it."""
    if world.on_cluster:
        pem = (world.engine.data_dir.parent / "service-accounts.key").read_bytes()
        made = serialization.load_pem_private_key(pem, None)
        assert isinstance(made, rsa.RSAPrivateKey)
        return made
    secrets = world.do("GET", SYSTEM_SECRETS)["items"]
    (kept,) = [each for each in secrets if each["type"] == "llmos.ai/signing-key"]
    texts = map(base64.b64decode, kept["data"].values())
    pem = next(text for text in texts if text.startswith(b"-----BEGIN"))
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _public_key(world: World) -> bytes:
    """The public half of the key that signs, as PEM."""
    return (
        _private_key(world)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def test_auth_27_forged_tokens_are_refused(world: World, anonymous: Actor, runner: Actor):
    """No algorithm, key id, audience or claim makes a token that the server did not sign."""
    assert runner.get(NS).status == 403
    for kind, token in _forgeries(world).items():
        for path in (NS, f"{NS}/kube-system/secrets", "/version"):
            answer = anonymous.get(path, headers=[("Authorization", f"Bearer {token}")])
            assert answer.status == 401, (kind, path)


_OF_KUBERNETES: list[dict] = [{"exp": None}, {"aud": None}, {"sub": None}, {"sub": "system:admin"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": 1},
        {"nbf": 99999999999},
        {"aud": ["somebody-else"]},
        {"aud": None},
        {"iss": "https://evil.test"},
        {"sub": "system:admin"},
        {"sub": None},
        {"kubernetes.io": None},
        {
            "kubernetes.io": {
                "namespace": "team-b",
                "serviceaccount": {"name": "runner", "uid": "x"},
            }
        },
    ],
    ids=str,
)
def test_auth_27_a_signature_alone_is_not_enough(
    world: World, anonymous: Actor, runner: Actor, changes: dict
):
    """Even what the right key signed is refused without an end, or for another audience."""
    if world.on_cluster and changes in _OF_KUBERNETES:
        pytest.skip("whose tokens Kubernetes itself takes is for it to say")
    claims = jwt.decode(runner.token, options={"verify_signature": False}) | changes
    claims = {key: value for key, value in claims.items() if value is not None}
    header = jwt.get_unverified_header(runner.token)
    token = jwt.encode(claims, _private_key(world), header["alg"], headers=header)
    answer = anonymous.get(NS, headers=[("Authorization", f"Bearer {token}")])
    assert answer.status == 401


def test_auth_27_claims_give_no_groups(world: World, runner: Actor):
    """Groups in a token count for nothing: they come from the account's name."""
    claims = jwt.decode(runner.token, options={"verify_signature": False})
    claims |= {"groups": ["system:masters"], "email": "root@example.com"}
    header = jwt.get_unverified_header(runner.token)
    token = jwt.encode(claims, _private_key(world), header["alg"], headers=header)
    assert runner.with_token(token).get(f"{NS}/kube-system/secrets").status == 403
