"""LW: lists, watches, and what leaks through them."""

import base64
import contextlib
import gzip
import json
import statistics
import time

import pytest

from attacks.support import Actor, World
from attacks.wire import read_answer, request_bytes
from attacks.words import MG, NS, rule, unique
from support.objects import config_map, member, secret, subject
from support.waiting import wait_until

pytestmark = pytest.mark.slow
PROTOBUF = "application/vnd.kubernetes.protobuf"
META = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def _seen(body: bytes) -> str:
    """The text of an answer, unpacked where it is packed."""
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", (200,)),
        (TABLE, (200,)),
        (META, (200,)),
        ("application/yaml", (200,)),
        ("*/*;q=0.1, text/html", (200,)),
        ("", (200,)),
        # What is narrowed before a cluster is not told in protobuf.
        (PROTOBUF, (200, 406)),
        ("application/cbor", (406,)),
        ("text/html", (406,)),
        (f"{TABLE},application/json", (200,)),
        ("application/json;as=Table;v=v1;g=meta.k8s.io;includeObject=Object", (200,)),
    ],
)
@pytest.mark.parametrize("path", [NS, "/api/v1/configmaps", f"{NS}/team-b/configmaps"])
def test_lw_02_every_format_shows_the_same(alice: Actor, accept: str, expected: tuple, path: str):
    """A format is served with what is visible, or not at all."""
    for encoding in ("identity", "gzip", "deflate, gzip;q=1.0", "br"):
        for query in ("", "?includeObject=Object", "?pretty=true"):
            headers = [("Accept", accept), ("Accept-Encoding", encoding)]
            answer = alice.get(path + query, headers=headers)
            assert answer.status in ((403, 406) if "team-b" in path else expected)
            text = _seen(answer.body)
            for name in ("team-b", "team-x", "kube-system"):
                assert f'name":"{name}"' not in text
                assert f"name: {name}\n" not in text
                assert accept != PROTOBUF or answer.status != 200 or f"{name}\x12" not in text
            if answer.status == 200 and path == NS:
                assert "team-a" in text


def test_lw_05_get_is_neither_list_nor_watch(world: World):
    """Whoever may get secrets by name does not list or watch them by a selector."""
    eve = world.throwaway("eve")
    text = world.guard(f"CANARY-{eve.name}", "root", eve.name)
    name = unique("s")
    world.add_namespace(name)
    made = secret(name)
    made["stringData"] = {"key": text}
    world.do("POST", f"{NS}/{name}/secrets", made)
    world.odd_rule(eve, name, rule("", "secrets", "get"))
    path = f"{NS}/{name}/secrets"
    selector = f"fieldSelector=metadata.name%3D{name}"
    for query in (f"?{selector}&watch=true", f"?{selector}", "?limit=1", "", "?watch=1"):
        assert eve.get(path + query).status == 403, query
    for query in ("", "?watch=true", "?watch=1&resourceVersion=0"):
        started = time.monotonic()
        answer = eve.get(f"{path}/{name}{query}")
        assert answer.status in (200, 400, 403, 405)
        assert time.monotonic() - started < 1
        if answer.status == 200:
            assert answer.json()["kind"] == "Secret"
    watched = f"/api/v1/watch/namespaces/{name}/secrets/{name}"
    assert eve.get(watched).status in (403, 404)
    assert eve.get(f"/api/v1/watch/namespaces/{name}/secrets?{selector}").status in (403, 404)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
@pytest.mark.parametrize("rest", ["", "/configmaps", "/configmaps/c", "/secrets/s", "/status"])
def test_lw_06_what_is_hidden_looks_like_what_is_not_there(alice: Actor, method: str, rest: str):
    """For somebody else's namespace and for none the answers differ by the name alone."""
    body = config_map("c") if method in ("POST", "PUT", "PATCH") else None
    there = alice.call(method, f"{NS}/team-b{rest}", body)
    missing = alice.call(method, f"{NS}/team-q{rest}", body)
    assert there.status == missing.status
    assert there.body.replace(b"team-b", b"team-q") == missing.body
    volatile = ("content-length", "date", "audit-id")
    assert {k: v for k, v in there.headers.items() if k not in volatile} == {
        k: v for k, v in missing.headers.items() if k not in volatile
    }


@pytest.mark.parametrize("rest", ["", "/configmaps/c"])
def test_lw_06_what_is_hidden_takes_as_long_as_what_is_not_there(
    alice: Actor, world: World, rest: str
):
    """Medians of 200 timings each, taken in turns, lie within a tenth.

    Others use the machine too: a difference that is there shows every time.
    """
    assert any(_as_long(alice, world, rest) for _ in range(5))


def _as_long(alice: Actor, world: World, rest: str) -> bool:
    pairs = [("Authorization", f"Bearer {alice.token}")]
    taken: dict[str, list[float]] = {"team-b": [], "team-q": []}
    with world.wire.connect() as tls:
        for _ in range(200):
            for name, times in taken.items():
                started = time.perf_counter()
                tls.sendall(request_bytes("GET", f"{NS}/{name}{rest}", pairs, close=False))
                assert read_answer(tls).status == 403
                times.append(time.perf_counter() - started)
    there, missing = (statistics.median(times) for times in taken.values())
    return abs(there - missing) <= max(0.1 * max(there, missing), 30e-6)


def _tokens(world: World) -> dict[str, str]:
    """Continue tokens of an administrator."""
    found = {}
    for path in (NS, f"{NS}/team-b/configmaps", "/api/v1/configmaps", "/api/v1/secrets"):
        answer = world.actors["root"].get(f"{path}?limit=1")
        found[path] = answer.json()["metadata"]["continue"]
    return found


def test_lw_10_a_page_token_carries_no_rights(alice: Actor, root: Actor, world: World):
    """An admin's token in somebody else's hands shows what this one may see, or nothing."""
    tokens = _tokens(world)
    answer = alice.get(f"{NS}?limit=500&continue={tokens[NS]}")
    assert answer.status in (200, 400, 410)
    if answer.status == 200:
        assert set(answer.names) <= {"team-a", "llmos-public"}
    for path in ("/api/v1/configmaps", "/api/v1/secrets"):
        answer = alice.get(f"{path}?limit=500&continue={tokens[path]}")
        assert answer.status in (200, 400, 410)
        assert "team-b" not in answer.text
    stolen = tokens[f"{NS}/team-b/configmaps"]
    assert alice.get(f"{NS}/team-b/configmaps?continue={stolen}").status == 403
    for token in tokens.values():
        for path in (f"{NS}/team-a/secrets", f"{NS}/team-a/configmaps", f"{MG}/users"):
            answer = alice.get(f"{path}?limit=5&continue={token}")
            assert answer.status in (200, 400, 410)
            assert "team-b" not in answer.text


@pytest.mark.parametrize(
    "token",
    ["x", "%00", "e30", "e30%3D", "A" * 4000, "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ", "%FF%FE", "null"],
)
def test_lw_10_a_token_that_nobody_gave_is_refused(alice: Actor, token: str):
    """An invented token is a bad request."""
    for path in (NS, f"{NS}/team-a/configmaps"):
        assert alice.get(f"{path}?limit=1&continue={token}").status in (400, 410)


@pytest.mark.parametrize(
    "change",
    [
        '"rv": null', '"rv": []', '"rv": {}', '"rv": true', '"rv": -1', '"rv": 0', '"rv": 1e400',
        '"rv": NaN', '"rv": 1e300', f'"rv": "{"9" * 5000}"', f'"rv": {10**30}', '"rv": "\u0665"',
        '"after": null', '"after": []', '"after": {}', '"after": 5', '"after": [1, 2, 3]',
        '"after": [null, null, null]', '"after": [[], {}, "x"]', '"after": "abc"', '"v": 99',
    ],
    ids=lambda each: each[:40],
)  # fmt: skip
def test_lw_10_a_forged_token_is_refused(alice: Actor, change: str):
    """What is inside a token may be of any type and size: it is a bad request, or expired."""
    for each in ("one", "two"):
        made = config_map(f"forged-{each}")
        assert alice.post(f"{NS}/team-a/configmaps", made).status in (201, 409)
    token = alice.get(f"{NS}/team-a/configmaps?limit=1").json()["metadata"]["continue"]
    text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    forged = (text[:-1] + f", {change}}}", f"{{{change}}}", f"[{text}]", '"x"')
    for each in forged:
        made = base64.urlsafe_b64encode(each.encode()).decode().rstrip("=")
        for path in (NS, f"{NS}/team-a/configmaps", "/api/v1/configmaps"):
            answer = alice.get(f"{path}?limit=500&continue={made}")
            assert answer.status in (200, 400, 410, 504), each
            assert answer.status != 200 or "team-b" not in answer.text


def test_lw_10_an_edited_token_leads_nowhere(alice: Actor, world: World):
    """A start key that is changed to leave the namespace shows nothing from there."""
    for number in range(3):
        world.do("POST", f"{NS}/team-a/configmaps", config_map(unique(f"page-{number}")))
    answer = alice.get(f"{NS}/team-a/configmaps?limit=1")
    token = answer.json()["metadata"]["continue"]
    text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    for old, new in (("team-a", "team-b"), ("team-a", "../team-b"), ("team-a", ""), ('"', "'")):
        edited = base64.urlsafe_b64encode(text.replace(old, new).encode()).decode().rstrip("=")
        for path in (f"{NS}/team-a/configmaps", "/api/v1/configmaps"):
            found = alice.get(f"{path}?limit=500&continue={edited}")
            assert found.status in (200, 400, 410)
            assert '"namespace":"team-b"' not in found.text


def test_lw_10_11_today_s_rights_decide(world: World, root: Actor):
    """Neither a page token nor an old revision brings back rights that have ended."""
    eve = world.throwaway("eve")
    name = unique("gone")
    world.bind(name, "namespace-owner", eve.name, "team-x")
    path = f"{NS}/team-x/configmaps"
    wait_until(lambda: eve.get(path).status == 200, 2)
    for number in range(2):
        assert eve.post(path, config_map(unique(f"old-{number}"))).status == 201
    first = eve.get(f"{path}?limit=1").json()["metadata"]
    everywhere = eve.get("/api/v1/configmaps?limit=1").json()["metadata"]
    revision = first["resourceVersion"]
    assert root.delete(f"{MG}/roletemplatebindings/{name}").status == 200
    wait_until(lambda: eve.get(path).status == 403, 2)
    for query in (
        f"continue={first['continue']}",
        f"resourceVersion={revision}&resourceVersionMatch=Exact&limit=10",
        f"resourceVersion={revision}&resourceVersionMatch=NotOlderThan",
        "resourceVersion=0",
        f"watch=1&resourceVersion={revision}&timeoutSeconds=1",
        "watch=1&resourceVersion=0&timeoutSeconds=1",
    ):
        assert eve.get(f"{path}?{query}").status == 403, query
    for query in (
        f"continue={everywhere.get('continue', '')}",
        f"resourceVersion={revision}&resourceVersionMatch=Exact&limit=10",
        f"watch=1&resourceVersion={revision}&timeoutSeconds=1",
    ):
        answer = eve.get(f"/api/v1/configmaps?{query}", within=3)
        # 504: a cluster's cache that has not come so far.
        assert answer.status in (200, 400, 410, 504), query
        assert "team-x" not in answer.text


@pytest.mark.parametrize("kind", ["configmaps", "secrets", "events", "pods", "serviceaccounts"])
def test_lw_15_all_namespaces_are_ones_own(alice: Actor, kind: str):
    """A list or watch over all namespaces shows those one may read, and nothing of team-b."""
    for query in (
        "",
        "?limit=1000",
        "?watch=1&timeoutSeconds=1&resourceVersion=0",
        "?resourceVersion=0",
    ):
        answer = alice.get(f"/api/v1/{kind}{query}", within=3)
        assert answer.status in (200, 403)
        assert "team-b" not in answer.text
        assert "kube-system" not in answer.text


@pytest.mark.parametrize(
    "selector",
    [
        "metadata.namespace%3Dteam-b",
        "metadata.namespace!%3Dteam-a",
        "metadata.name%3Dc",
        "metadata.namespace%3Dteam-b,metadata.name%3Dc",
    ],
)
def test_lw_15_no_selector_widens_what_is_seen(alice: Actor, selector: str):
    """Field selectors choose among what is visible."""
    for kind in ("configmaps", "secrets"):
        answer = alice.get(f"/api/v1/{kind}?fieldSelector={selector}")
        assert answer.status in (200, 400, 403)
        assert "team-b" not in answer.text
    assert alice.delete(f"/api/v1/configmaps?fieldSelector={selector}").status in (403, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/namespaces", "/v1-public/ui", "/v1/subscribe", "/v1/counts", "/metrics",
        "/debug/pprof", "/configz", "/logs", "/dashboard/../api/v1/secrets",
        "/api/v1/proxy/nodes/x",
        "/swagger.json", "/auth/users", "/auth/namespaces", "/auth/users/root",
    ],
)  # fmt: skip
def test_lw_16_there_is_no_other_way_to_lists(alice: Actor, anonymous: Actor, path: str):
    """No aggregate, count, metric or search beside the API tells of other namespaces."""
    for actor in (alice, anonymous):
        answer = actor.get(path)
        assert answer.status in (400, 401, 403, 404)
        assert "team-b" not in answer.text


def test_lw_18_a_namespace_seen_by_everybody_tells_little(newbie: Actor, root: Actor, world: World):
    """Who made llmos-public, and what was applied to it, is not for every user to read."""
    answer = newbie.get(f"{NS}/llmos-public")
    assert answer.status == 200
    shown = answer.json()["metadata"].get("annotations", {})
    for key in shown:
        assert key not in (
            "kubectl.kubernetes.io/last-applied-configuration",
            "llmos.ai/creator",
            "field.cattle.io/creatorId",
        )


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=abc", "limit=1.5", "limit=0x10", "timeoutSeconds=abc",
        "resourceVersion=-1",
        "resourceVersion=abc", "resourceVersion=18446744073709551616", "resourceVersionMatch=Foo",
        "limit=99999999999999999999", "resourceVersionMatch=Exact", "continue=x&resourceVersion=5",
        "resourceVersion=0&resourceVersionMatch=Exact", "limit=%D9%A5", "resourceVersion=%D9%A5",
        "resourceVersion=1_0", "limit=1_0", "resourceVersion=+5", "resourceVersion=%205",
    ],
)  # fmt: skip
def test_lw_20_odd_options_are_refused(alice: Actor, query: str):
    """What is no number, or none that makes sense, is refused, and no full list comes instead."""
    for path in (NS, f"{NS}/team-a/configmaps", "/api/v1/configmaps"):
        answer = alice.get(f"{path}?{query}")
        if answer.status == 200:
            # Kubernetes takes a negative limit for none, and what it parses as Go does.
            assert query in ("limit=-1", "resourceVersion=+5"), path
        else:
            assert answer.status in (400, 410, 422), path


@pytest.mark.parametrize(
    "query", ["timeoutSeconds=-1", "timeoutSeconds=999999999", "limit=1000000000"]
)
def test_lw_20_large_numbers_are_bounded(alice: Actor, query: str):
    """A long watch is one that still ends with its rights; a large limit is the whole list."""
    assert alice.get(f"{NS}?{query}").status in (200, 400)
    assert alice.status("GET", f"{NS}?watch=1&{query}") in (200, 400)


def test_lw_20_a_watch_from_a_revision_that_never_was(alice: Actor, world: World):
    """A revision of the future or of long ago is told as such."""
    for revision in ("999999999", "1", "-1", "abc", "18446744073709551616"):
        query = f"watch=1&timeoutSeconds=1&resourceVersion={revision}"
        answer = alice.get(f"{NS}/team-a/configmaps?{query}", within=5)
        odd = [500] if world.on_cluster else []
        assert answer.status in (200, 400, 410, 504, *odd), revision


def test_lw_22_rules_of_a_hidden_namespace_are_those_of_none(alice: Actor):
    """A review of one's rules gives no hint whether a namespace exists."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    answers = [
        alice.post(path, {"spec": {"namespace": each}}) for each in ("team-b", "does-not-exist")
    ]
    assert [each.status for each in answers] == [201, 201]
    there, missing = (each.json()["status"] for each in answers)
    for each in (there, missing):  # the order says nothing
        each["resourceRules"].sort(key=json.dumps)
        each["nonResourceRules"].sort(key=json.dumps)
    assert there == missing
    own = alice.post(path, {"spec": {"namespace": "team-a"}}).json()["status"]
    assert len(own["resourceRules"]) > len(there["resourceRules"])


def test_lw_22_a_review_gives_no_hint_either(alice: Actor):
    """The reasons for a hidden namespace and for none are the same."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    found = []
    for each in ("team-b", "team-q"):
        attributes = {"verb": "get", "resource": "configmaps", "namespace": each}
        answer = alice.post(path, {"spec": {"resourceAttributes": attributes}})
        found.append(answer.json()["status"])
    assert found[0] == found[1]


def test_lw_23_events_are_of_what_one_may_watch_now(world: World, root: Actor):
    """After the right to secrets is gone their changes are told no more; others still are."""
    eve = world.throwaway("eve")
    name = unique("down")
    made = member(name, "team-x", "namespace-editor", subject(eve.name))
    assert root.post(f"{MG}/roletemplatebindings", made).status == 201
    world.bind(f"{name}-read", "namespace-readonly", eve.name, "team-x")
    path = f"{NS}/team-x"
    wait_until(lambda: eve.get(f"{path}/secrets").status == 200, 2)
    kept = unique("kept")
    assert eve.post(f"{path}/secrets", secret(kept)).status == 201
    with (
        eve.watch(f"{path}/secrets") as secrets,
        eve.watch("/api/v1/secrets") as everywhere,
        eve.watch(f"{path}/configmaps") as maps,
    ):
        wait_until(lambda: kept in secrets.shown() and kept in everywhere.shown(), 2)
        assert root.delete(f"{MG}/roletemplatebindings/{name}").status == 200
        wait_until(lambda: eve.get(f"{path}/secrets").status == 403, 2)
        assert secrets.ended.wait(5)
        wait_until(lambda: kept not in everywhere.shown(), 5)
        text = world.guard(f"CANARY-{name}", "root")
        late = {"stringData": {"key": text}}
        assert root.patch(f"{path}/secrets/{kept}", late).status == 200
        other = unique("map")
        assert root.post(f"{path}/configmaps", config_map(other)).status == 201
        maps.wait_for("ADDED", other)
        assert root.delete(f"{path}/secrets/{kept}").status == 200
        time.sleep(0.3)
        assert kept not in everywhere.shown()
        after = [each for each in everywhere.seen() if each[1] == kept]
        assert after[-1][0] == "DELETED"
        assert text not in json.dumps(everywhere.events)


def test_lw_23_what_leaves_ones_sight_is_deleted_without_its_new_content(
    world: World, root: Actor, bob: Actor
):
    """A namespace that one loses sight of comes as DELETED, and no change to it afterwards."""
    eve = world.throwaway("eve")
    name = unique("sight")
    world.bind(name, "namespace-readonly", eve.name, "team-x")
    wait_until(lambda: "team-x" in eve.get(NS).names, 2)
    with eve.watch(NS) as watch:
        wait_until(lambda: "team-x" in watch.shown(), 2)
        assert root.delete(f"{MG}/roletemplatebindings/{name}").status == 200
        wait_until(lambda: "team-x" not in watch.shown(), 5)
        text = world.guard(f"CANARY-{name}", "root", "bob")
        note = {"metadata": {"annotations": {"note": text}}}
        assert root.patch(f"{NS}/team-x", note).status == 200
        time.sleep(0.3)
        assert watch.seen()[-1] == ("DELETED", "team-x")
    assert root.patch(f"{NS}/team-x", {"metadata": {"annotations": {"note": None}}}).status == 200


def _upgrade(protocols: str = "", **more: str) -> list[tuple[str, str]]:
    """The headers of a client that wants a WebSocket."""
    pairs = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Origin", "https://127.0.0.1"),
    ]
    pairs = [each for each in pairs if each[0] not in more]
    pairs += [("Sec-WebSocket-Protocol", protocols)] if protocols else []
    return [*pairs, *((name.replace("_", "-"), value) for name, value in more.items())]


def _bearer(token: str) -> str:
    """A token in the form of a subprotocol, as browsers send it."""
    coded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return f"base64url.bearer.authorization.k8s.io.{coded}"


def test_lw_16_a_websocket_is_a_request_like_others(
    alice: Actor, bob: Actor, root: Actor, world: World
):
    """A watch by WebSocket is opened by who may watch, with one credential, and by nobody else."""
    mine = f"{NS}/team-a/configmaps?watch=1&timeoutSeconds=1"
    theirs = f"{NS}/team-b/configmaps?watch=1&timeoutSeconds=1"
    real, forged = _bearer(alice.token), _bearer(root.token.partition(":")[0] + ":x")
    plain = "base64.binary.k8s.io"

    def status(path: str, protocols: str = plain, **more: str) -> int:
        return world.wire.status(
            request_bytes("GET", path, _upgrade(protocols, **more), None, False)
        )

    assert status(mine, f"{real}, {plain}") == 101
    assert status(mine, Authorization=f"Bearer {alice.token}") == 101
    assert status(theirs, f"{real}, {plain}") == 403
    assert status(theirs, Authorization=f"Bearer {alice.token}") == 403
    assert status(mine) in (401, 403)
    assert status(mine, f"{forged}, {plain}") == 401
    assert status(mine, "base64url.bearer.authorization.k8s.io.!!!") in (400, 401, 403)
    assert status(mine, "base64url.bearer.authorization.k8s.io.") in (400, 401, 403)
    # Two credentials are one too many, whichever of them is good.
    both = status(theirs, f"{_bearer(bob.token)}, {plain}", Authorization=f"Bearer {alice.token}")
    assert both in (400, 401, 403)
    assert status(theirs, f"{_bearer(bob.token)}, {real}, {plain}") in (400, 401, 403)
    # A page of another site sends no credential of its user's, and gets nothing.
    assert status(theirs, Origin="https://evil.test") in (401, 403)


@pytest.mark.parametrize("protocol", ["a WebSocket", "HTTP"])
def test_lw_16_a_watch_ends_with_its_rights(world: World, protocol: str):
    """Whoever is refused a read is shown nothing more by his watch, which ends within 5 s."""
    eve = world.throwaway("eve")
    name = unique("socket")
    world.bind(name, "namespace-readonly", eve.name, "team-x")
    path = f"{NS}/team-x/configmaps"
    wait_until(lambda: eve.get(path).status == 200, 2)
    pairs = [("Authorization", f"Bearer {eve.token}")]
    upgrade = protocol == "a WebSocket"
    if upgrade:
        pairs = _upgrade("base64.binary.k8s.io", Authorization=f"Bearer {eve.token}")
    target = f"{path}?watch=1&resourceVersion=0"
    with world.wire.connect(timeout=5) as tls:
        tls.sendall(request_bytes("GET", target, pairs, close=not upgrade))
        assert tls.recv(4096).startswith(b"HTTP/1.1 101" if upgrade else b"HTTP/1.1 200")
        world.do("DELETE", f"{MG}/roletemplatebindings/{name}")
        wait_until(lambda: eve.get(path).status == 403, 2)
        text = world.guard(f"CANARY-{name}", "root")
        late = config_map(unique("late"), of=text)
        world.do("POST", path, late)
        seen = b""
        with contextlib.suppress(ConnectionError):
            while data := tls.recv(65536):
                seen += data
    world.do("DELETE", f"{path}/{late['metadata']['name']}")
    assert text.encode() not in seen
