"""IMP and URL where a cluster is behind a proxy: who a request is from when it arrives there."""

import json
import random
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from attacks.support import Actor, World
from attacks.wire import request_bytes
from attacks.words import MG, NS, RB, rule
from support.objects import user
from support.upstreamlog import Sent, UpstreamLog
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.on("cluster")]
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SECRETS = f"{NS}/kube-system/secrets"
HOP_BY_HOP = (
    [("Connection", "Impersonate-User, Impersonate-Group")],
    [("connection", "impersonate-user")],
    [("Connection", "close"), ("Connection", "Impersonate-User")],
    [("Connection", "close, Impersonate-Group")],
    [("Connection", "Authorization")],
    [("Connection", "keep-alive, authorization, impersonate-user, impersonate-group")],
    [("Proxy-Connection", "Impersonate-User")],
    [("Keep-Alive", "Impersonate-User")],
)


@pytest.fixture
def upstream(world: World) -> UpstreamLog:
    """What arrives at the cluster."""
    assert world.engine.upstream is not None
    return world.engine.upstream


@pytest.mark.parametrize("pairs", HOP_BY_HOP)
@pytest.mark.parametrize("path", [f"{NS}/team-b", f"{NS}/team-b/configmaps", SECRETS])
def test_imp_05_06_no_client_says_what_is_taken_off(
    alice: Actor, upstream: UpstreamLog, pairs: Sequence, path: str
):
    """Headers of a connection are the client's; those that say who asks are not."""
    usual = alice.get(path)
    mark = upstream.mark()
    answer = alice.get(path, headers=pairs)
    assert answer.status == usual.status
    assert answer.status in (403, 404)
    mine = f"{NS}/team-a/configmaps/a"
    assert alice.get(mine, headers=pairs).status == 200
    arrived = upstream.since(mark)
    assert [each.target for each in arrived][-1] == mine
    for each in arrived:
        assert each.user == "alice"
        assert {"connection", "keep-alive"}.isdisjoint(name for name, _ in each.headers)


def test_imp_18_a_group_is_one_whatever_is_in_its_name(world: World, upstream: UpstreamLog):
    """A comma or a space in the name of a group makes no second group."""
    group = "dev,system:masters"
    body = user("grouped", "Some-password-1", groups=[group])
    answer = world.admin.post(f"{MG}/users", json=body)
    if answer.status_code in (400, 422):
        return
    assert answer.status_code == 201, answer.text
    eve = Actor("grouped", world, world.sign_in("grouped", "Some-password-1"))
    mark = upstream.mark()
    assert eve.get(SECRETS).status == 403
    assert eve.get("/version").status == 200
    arrived = upstream.since(mark, "grouped")
    assert arrived
    for each in arrived:
        assert group in each.all("impersonate-group")
        assert "system:masters" not in each.all("impersonate-group")
    world.do("DELETE", f"{MG}/users/grouped")


@pytest.mark.parametrize(
    "name",
    ["a\r\nImpersonate-Group: system:masters", "\u00e5lice", "alice%0d%0a", "alice\u0000", "a\tb"],
)
def test_imp_19_a_name_is_no_header(world: World, root: Actor, name: str):
    """Nobody is given a name that a header cannot carry, neither by metadata nor by spec."""
    with world.unchanged():
        for body in (user(name, "Some-password-1"), user("odd-name", "Some-password-1")):
            if body["metadata"]["name"] == "odd-name":
                body["spec"]["username"] = name
            assert root.post(f"{MG}/users", body, within=3).status in (400, 422)
    assert root.get(f"{MG}/users/odd-name").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/metrics", "/debug/pprof/", "/configz", "/_healthz/../api/v1/secrets",
        "/healthz/../api/v1/secrets", "/readyz/../api/v1/secrets", "/livez/../api/v1/namespaces",
        "/_healthz%2f..%2fapi", "/healthz%2f..%2fapi", "/readyz%2f..%2fapi%2fv1%2fsecrets",
        "/healthzz", "/readyz/../../metrics", "//healthz/../metrics",
    ],
)  # fmt: skip
def test_imp_25_only_health_is_for_everybody(anonymous: Actor, upstream: UpstreamLog, path: str):
    """A path that begins like health is none; nothing of the proxy's own is shown to anybody."""
    mark = upstream.mark()
    answer = anonymous.get(path)
    assert answer.status in (400, 401, 403, 404)
    for each in upstream.since(mark):
        # The cluster may be asked, but by nobody in particular, and it refuses.
        assert each.user == "system:anonymous"
        assert answer.status in (401, 403)
    # What is answered here is nobody's before the cluster has said that he may see it.
    asked = {each.path.rpartition("/")[2] for each in upstream.own(mark)}
    assert asked <= {"subjectaccessreviews"}


@pytest.mark.parametrize("path", ["/readyz?verbose", "/livez?verbose", "/healthz?verbose"])
def test_imp_25_health_names_nobody(anonymous: Actor, world: World, path: str):
    """What is said of health has no names of namespaces and people in it."""
    answer = anonymous.get(path)
    assert answer.status in (200, 401, 403)
    for word in ("team-a", "team-b", "alice", world.engine.url, "Bearer"):
        assert word not in answer.text


def _review(actor: Actor, tls: ssl.SSLSocket, aborted: bool) -> bool:
    """Ask who one is on a connection; whether it can still be used."""
    pairs = [("Authorization", f"Bearer {actor.token}"), ("Content-Type", "application/json")]
    body = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
    tls.sendall(request_bytes("POST", SELF, pairs, body, close=False))
    if aborted:
        tls.recv(20)
        return False
    data = b""
    while b"\r\n\r\n" not in data:
        data += tls.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(rest) < int(fields[b"content-length"]):
        rest += tls.recv(65536)
    said = json.loads(rest)["status"]["userInfo"]["username"]
    assert said == actor.name, f"{actor.name} is told that he is {said}"
    return True


def _reviews(world: World, actors: Sequence[Actor], seed: int, count: int) -> None:
    choice = random.Random(seed)
    left = count
    while left:
        with world.wire.connect() as tls:
            going_on = True
            while going_on and left:
                left -= 1
                going_on = _review(choice.choice(actors), tls, choice.random() < 0.2)
            tls.unwrap if going_on else tls.shutdown(socket.SHUT_RDWR)


@pytest.mark.timeout(120)
def test_imp_26_nobody_gets_the_answer_of_others(world: World, alice: Actor, bob: Actor):
    """Two people on shared connections, of which one in five breaks off in the middle."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: _reviews(world, (alice, bob), seed, 200), range(8)))


@pytest.mark.parametrize(
    "line",
    [":authority: x", ":path: /api/v1/secrets", "X\x00: y", "X\x80: y", "A" * 71680 + ": y",
     "X: " + "y" * 71680],
)  # fmt: skip
def test_imp_28_what_is_no_header_goes_nowhere(alice: Actor, upstream: UpstreamLog, line: str):
    """What the parser refuses has not arrived at the cluster."""
    mark = upstream.mark()
    head = f"GET {NS}/team-a/configmaps/a HTTP/1.1\r\nHost: x\r\n"
    head += f"Authorization: Bearer {alice.token}\r\n{line}\r\nConnection: close\r\n\r\n"
    assert alice.send(head.encode("latin-1")).status in (400, 431)
    assert not upstream.since(mark)


PIECES = ("%2f", "%2F", "%2e", "%2E%2e", "/", "//", ";", ";x=y", ".", "..", "%00", "%25", "%252f",
          "team-a", "team-b", "configmaps", "a", "c", "?", "%3f", "#", "%23", "\\", "%5c", "~", "+",
          "%20", "%c3%28", "namespaces", "secrets")  # fmt: skip


def _paths() -> list[str]:
    choice = random.Random(22)
    roots = (f"{NS}/team-a", f"{NS}/team-b", NS, "/api/v1", "/apis", "", f"{NS}/team-a/configmaps")
    return [
        choice.choice(roots) + "/" + "".join(choice.choices(PIECES, k=choice.randint(1, 6)))
        for _ in range(500)
    ]


def test_url_22_what_was_judged_is_what_arrives(alice: Actor, upstream: UpstreamLog):
    """Of odd paths each is refused, or arrives as the same bytes, from the same person, once."""
    for path in _paths():
        mark = upstream.mark()
        answer = alice.get(path)
        arrived = upstream.since(mark)
        assert len(arrived) <= 1, f"{path}: {arrived}"
        for each in arrived:
            _is_the_same(each, path)
        if not arrived:
            assert answer.status in (200, 400, 403, 404, 405), f"{path}: {answer.status}"
        if "team-b" in path and answer.status == 200:
            assert "/team-a" in path or path.startswith(f"{NS}?") or "?" in path, path


def _is_the_same(arrived: Sent, path: str) -> None:
    assert (arrived.method, arrived.user) == ("GET", "alice")
    judged = path.partition("#")[0].removesuffix("?")
    assert arrived.target == judged, f"{path} arrived as {arrived.target}"
    assert not {".", ".."} & set(arrived.path.split("/")), path


def test_a_service_account_is_itself_with_all_that_its_token_says(
    runner: Actor, world: World, upstream: UpstreamLog
):
    """Fields of its token arrive as well, and what is refused is refused for its rights alone."""
    mark = upstream.mark()
    answer = runner.post(SELF, {})
    assert answer.status == 201, answer.text
    said = answer.json()["status"]["userInfo"]
    assert said["username"] == "system:serviceaccount:team-a:runner"
    assert "authentication.kubernetes.io/credential-id" in said["extra"]
    (arrived,) = upstream.since(mark)
    assert any(name.startswith("impersonate-extra-") for name, _ in arrived.headers)
    odd = world.odd_rule(runner, "team-a", rule("", "configmaps", "get"))
    path = f"{RB}/namespaces/team-a/rolebindings/{odd}"
    account = {"kind": "ServiceAccount", "name": "runner", "namespace": "team-a"}
    bound = world.do("GET", path) | {"subjects": [account]}
    world.do("PUT", path, bound)
    wait_until(lambda: runner.get(f"{NS}/team-a/configmaps/a").status == 200, 5)
    assert runner.get(f"{NS}/team-b/configmaps/c").status == 403
    world.do("DELETE", path)
    world.do("DELETE", f"{RB}/namespaces/team-a/roles/{odd}")
