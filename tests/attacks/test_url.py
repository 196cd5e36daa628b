"""URL: paths, encodings, methods and query tricks; everything is sent as bytes."""

import time

import pytest

from attacks.support import Actor, World
from attacks.wire import request_bytes
from attacks.words import MERGE, MG, NS, RESERVED, rule
from support.objects import config_map

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "path",
    [
        f"{NS}/team-a/../team-b/configmaps/c",
        f"{NS}/team-a/%2e%2e/team-b/configmaps/c",
        f"{NS}/team-a/.%2e/team-b/configmaps/c",
        f"{NS}/./team-b/configmaps",
        f"{NS}/team-a/configmaps/../../team-b/configmaps/c",
        f"{NS}/team-a/configmaps/a/../../../team-b/configmaps/c",
        "/api/v1/../../api/v1/namespaces/team-b/configmaps/c",
        f"/version/../{NS}/team-b/configmaps/c",
        f"/readyz/..{NS}/team-b/configmaps/c",
        f"/auth/login/../..{NS}/team-b/configmaps/c",
        f"{NS}/team-a/..;/team-b/configmaps/c",
        f"{NS}/team-a/\\..\\team-b/configmaps/c",
        # Encoded once and twice.
        f"{NS}/team-a%2f..%2fteam-b/configmaps",
        f"{NS}/team-a/configmaps/..%2f..%2fteam-b%2fconfigmaps%2fc",
        f"{NS}/team-a/configmaps/%2fteam-b",
        f"{NS}/team-a/configmaps/%252e%252e%252fteam-b",
        f"{NS}/%252e%252e%252fteam-b/configmaps/c",
        f"{NS}/team-a%5c..%5cteam-b/configmaps",
        f"{NS}/team-b%00/configmaps",
        f"{NS}/team-a%0d%0a/configmaps",
        f"{NS}/%74%65%61%6d%2d%62/configmaps/c",
        f"{NS}/team-b%20/configmaps",
        f"{NS}/TEAM-B/configmaps/c",
        f"{NS}/team-b;x/configmaps/c",
        f"{NS}/team-b%c0%af/configmaps/c",
        f"{NS}/\uff54eam-b/configmaps/c",
    ],
)
def test_url_01_02_no_path_leads_out_of_a_namespace(alice: Actor, path: str):
    """However it is written, the way to team-b is refused as its own path is."""
    for method in ("GET", "DELETE"):
        assert alice.call(method, path).status in (400, 403, 404)


@pytest.mark.parametrize(
    "target",
    [
        f"{NS}#x",
        f"{NS}/team-a/configmaps#/../../team-b/configmaps",
        f"{NS}/team-a/configmaps?limit=1#&fieldSelector=x",
        f"{NS}/team-a/configmaps/a?#",
        f"https://127.0.0.1{NS}#x",
        "/version#x",
        "/auth/whoami#",
        "/#",
        "#",
    ],
)
def test_url_02_a_fragment_is_a_bad_request(alice: Actor, anonymous: Actor, target: str):
    """Nothing cuts it off and answers the rest; it is no part of what a client may ask for."""
    for actor in (alice, anonymous):
        for method in ("GET", "POST", "DELETE"):
            assert actor.call(method, target).status == 400


@pytest.mark.parametrize("escape", ["%", "%zz", "%2", "%2%65%2e", "%u0062", "%-1", "%%62"])
def test_url_03_a_malformed_escape_is_a_bad_request(alice: Actor, escape: str):
    """Nothing falls back to a looser reading."""
    for path in (
        f"{NS}/team-b{escape}/configmaps",
        f"{NS}/team-a/configmaps/{escape}",
        f"{NS}/{escape}",
        f"/{escape}",
    ):
        assert alice.get(path).status == 400, path


@pytest.mark.parametrize(
    "path",
    [
        f"{NS}//configmaps",
        f"{NS}//secrets",
        "/api/v1//configmaps",
        "//api/v1/secrets",
        "/api//v1/namespaces/team-b/secrets",
        f"{NS}/team-b//configmaps",
        f"{NS}/team-b/configmaps//c",
        "//api/v1/namespaces/team-b/configmaps",
        "/apis//management.llmos.ai/v1/users",
        f"{NS}/%20/configmaps",
    ],
)
def test_url_04_an_empty_segment_is_never_everything(alice: Actor, path: str):
    """No namespace is not all namespaces."""
    for method in ("GET", "DELETE", "POST"):
        body = config_map("x") if method == "POST" else None
        assert alice.call(method, path, body).status in (400, 403, 404)


@pytest.mark.parametrize(
    "path",
    [f"{NS}/team-b", f"{NS}/team-b/configmaps", f"{NS}/team-b/configmaps/c", f"{MG}/users/root"],
)
@pytest.mark.parametrize("end", ["/", "/.", "/..", "//"])
def test_url_05_a_slash_at_the_end_changes_no_rights(alice: Actor, path: str, end: str):
    """The answer is that of the path without it, or there is none; nobody is sent elsewhere."""
    for method in ("GET", "DELETE"):
        plain, ended = alice.call(method, path).status, alice.call(method, path + end).status
        assert ended in (plain, 400, 403, 404)


def test_url_05_a_slash_does_not_switch_the_guard_off(root: Actor, alice: Actor, world: World):
    """Reserved namespaces stay with and without a slash, also for an admin."""
    with world.unchanged():
        for name in RESERVED:
            for end in ("", "/", "/.", "//", "/status", "/status/", "/finalize/"):
                assert root.delete(f"{NS}/{name}{end}").status in (400, 403, 404, 405)
                assert alice.delete(f"{NS}/{name}{end}").status in (400, 403, 404, 405)
    assert alice.get(f"{NS}/").names == alice.get(NS).names


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"GET http://127.0.0.1:PORT{NS}/team-b/configmaps HTTP/1.1", (400, 403)),
        (f"GET https://evil.test{NS}/team-b/configmaps HTTP/1.1", (400, 403)),
        (
            "GET http://evil.test/api/v1/secrets?fieldSelector=metadata.name%3Dx HTTP/1.1",
            (200, 400),
        ),
        ("CONNECT 127.0.0.1:22 HTTP/1.1", (400, 403, 405, 501)),
        ("CONNECT evil.test:443 HTTP/1.1", (400, 403, 405, 501)),
        ("GET @evil.test/ HTTP/1.1", (400,)),
        ("GET evil.test HTTP/1.1", (400,)),
        ("OPTIONS * HTTP/1.1", (400, 403, 405)),
        (f"GET {NS}/team-b HTTP/3.0", (400, 505)),
        (f"GET {NS}/team-b HTTP/1.1 HTTP/1.1", (400,)),
        (f"GET {NS}/team-b#/../team-a HTTP/1.1", (400, 403, 404)),
        (f"GET\t{NS}/team-b HTTP/1.1", (400,)),
        ("PRI * HTTP/2.0", (0, 400, 405, 505)),
        (f"TRACE {NS}/team-a HTTP/1.1", (403, 405)),
    ],
)
def test_url_10_a_target_is_a_path(alice: Actor, world: World, line: str, expected: tuple):
    """An absolute target is read as its path, or refused; nothing is fetched, nothing tunnelled."""
    line = line.replace("PORT", str(world.wire.address[1]))
    head = f"{line}\r\nHost: evil.test\r\nAuthorization: Bearer {alice.token}\r\n"
    answer = alice.send(f"{head}Connection: close\r\n\r\n".encode())
    assert answer.status in expected
    assert "upgrade" not in answer.headers


@pytest.mark.parametrize(
    ("namespace", "expected"), [("team-b", 400), ("team-a ", 400), ("*", 400), ("", 201)]
)
def test_url_15_an_object_is_where_its_path_says(
    alice: Actor, world: World, namespace: str, expected: int
):
    """A body for another namespace is refused; one without takes that of the path."""
    made = config_map("url-15")
    made["metadata"]["namespace"] = namespace
    answer = alice.post(f"{NS}/team-a/configmaps", made)
    assert answer.status == expected
    if expected == 201:
        assert answer.json()["metadata"]["namespace"] == "team-a"
        assert alice.delete(f"{NS}/team-a/configmaps/url-15").status == 200
    assert world.operator.get(f"{NS}/team-b/configmaps/url-15").status_code == 404


def test_url_16_an_object_is_what_its_path_says(alice: Actor, world: World):
    """Another name or kind in the body is refused."""
    path = f"{NS}/team-a/configmaps/a"
    with world.unchanged():
        assert alice.put(path, config_map("b")).status == 400
        assert alice.put(path, {**config_map("a"), "kind": "Secret"}).status == 400
        assert alice.put(path, {**config_map("a"), "apiVersion": "v2"}).status == 400
        rename = {"op": "replace", "path": "/metadata/name", "value": "b"}
        assert alice.json_patch(path, rename).status in (400, 422)
        move = {"op": "replace", "path": "/metadata/namespace", "value": "team-b"}
        assert alice.json_patch(path, move).status in (400, 422)
        assert alice.patch(path, {"metadata": {"name": "b"}}).status in (400, 422)
        assert alice.patch(path, {"metadata": {"namespace": "team-b"}}).status in (400, 422)
        assert alice.patch(path, {"metadata": {"uid": "x"}}).status in (409, 422)
        assert alice.patch(path, {"kind": "Secret"}).status in (400, 422)
        assert alice.apply(path, config_map("b")).status == 400


def _nina(world: World) -> Actor:
    """Somebody who may read the one object ``a`` of team-n, where there is a ``b`` too."""
    eve = world.throwaway("nina")
    text = world.guard(f"CANARY-{eve.name}", "root")
    if world.operator.get(f"{NS}/team-n").status_code == 404:
        world.add_namespace("team-n")
    for name in ("a", "b"):
        path = f"{NS}/team-n/configmaps"
        if world.operator.get(f"{path}/{name}").status_code == 404:
            world.do("POST", path, config_map(name, of=text if name == "b" else "all"))
    world.odd_rule(eve, "team-n", rule("", "configmaps", "get list watch", "a"))
    return eve


@pytest.mark.parametrize(
    ("selector", "expected", "names"),
    [
        ("metadata.name=a", (200,), ["a"]),
        ("metadata.name==a", (200,), ["a"]),
        ("metadata.name=a,metadata.name=b", (200, 403), []),
        ("metadata.name=b,metadata.name=a", (200, 403), []),
        ("metadata.name!=a", (403,), []),
        ("metadata.name=b", (403,), []),
        ("metadata.name in (a,b)", (400, 403), []),
        ("metadata.namespace=team-n", (403,), []),
        ("metadata.name=a,metadata.name!=a", (200, 403), []),
        ("metadata.name=", (403,), []),
        ("metadata.name=a\\,b", (403,), []),
        ("", (403,), []),
    ],
)
@pytest.mark.parametrize("more", ["", "&watch=1&timeoutSeconds=1"])
def test_url_20_a_selector_shows_only_the_name_one_may_read(
    world: World, selector: str, expected: tuple, names: list, more: str
):
    """Whoever may read one object gets it by a selector that means it, and never another."""
    eve = _nina(world)
    quoted = selector.replace("=", "%3D").replace(" ", "%20").replace("\\", "%5C")
    answer = eve.get(f"{NS}/team-n/configmaps?fieldSelector={quoted}{more}", within=3)
    assert answer.status in expected
    if answer.status == 200 and not more:
        assert answer.names == names
    # A refusal names what was asked for.
    assert answer.status == 403 or '"name":"b"' not in answer.text


def test_url_20_the_selector_that_counts_is_the_one_that_is_used(world: World):
    """Of two selectors in a query the same one is authorized and applied."""
    eve = _nina(world)
    for query in (
        "fieldSelector=metadata.name%3Da&fieldSelector=metadata.name%3Db",
        "fieldSelector=metadata.name%3Db&fieldSelector=metadata.name%3Da",
        "fieldSelector=metadata.name%3Da&fieldSelector=",
        "fieldSelector=&fieldSelector=metadata.name%3Da",
        "fieldselector=metadata.name%3Da",
        "fieldSelector=metadata.name%3Da;fieldSelector=metadata.name%3Db",
    ):
        answer = eve.get(f"{NS}/team-n/configmaps?{query}")
        assert answer.status in (200, 400, 403), query
        assert answer.status == 403 or '"name":"b"' not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "a" * 64 * 1024,
        "&".join(f"k{number}=v" for number in range(5000)),
        "&" * 1024 * 1024,
        "labelSelector=" + ",".join(f"a{number}" for number in range(15_000)),
        "labelSelector=" + "(" * 100_000,
    ],
    ids=lambda each: f"{each[:16]}-{len(each)}",
)
def test_url_21_a_query_is_bounded(anonymous: Actor, world: World, query: str):
    """A long or odd query is refused quickly, before anybody is asked who he is."""
    busy = world.cpu_seconds()
    pairs = [("Authorization", "Bearer nobody:knows")]
    answer = anonymous.send(request_bytes("GET", f"{NS}?{query}", pairs))
    assert answer.status in (0, 400, 414, 431)
    assert world.cpu_seconds() - busy < 0.1


def test_url_21_selectors_of_honest_length_are_quick(alice: Actor, world: World):
    """What fits into a request line is parsed within a tenth of a second."""
    for selector in (
        "labelSelector=" + ",".join(f"a{number}" for number in range(4_000)),
        "labelSelector=a+in+(" + ",".join(f"b{number}" for number in range(4_000)) + ")",
        "labelSelector=" + "!" * 10_000,
        "labelSelector=" + "a+in+(" * 2_000,
        "fieldSelector=" + "metadata.name%3Da," * 1_500,
    ):
        busy = world.cpu_seconds()
        answer = alice.get(f"{NS}/team-a/configmaps?{selector}")
        assert answer.status in (200, 400)
        assert world.cpu_seconds() - busy < 0.15


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_url_a_method_is_the_one_in_the_line(vera: Actor, world: World, header: str):
    """No header and no parameter turns a read into a change."""
    path = f"{NS}/team-a/configmaps/a"
    with world.unchanged():
        for method in ("DELETE", "PATCH"):
            assert vera.get(path, headers=[(header, method)]).status == 200
            assert vera.get(f"{path}?_method={method}").status == 200
        assert vera.post(path, {}, headers=[(header, "DELETE")]).status in (403, 405)
        assert vera.call("delete", path).status in (400, 403, 405)
        assert vera.call("GETX", path).status in (400, 403, 405)
        assert vera.patch(path, {}, MERGE).status == 403


def test_url_every_answer_comes_in_time(anonymous: Actor):
    """A refusal takes no longer than an answer."""
    started = time.monotonic()
    for _ in range(50):
        assert anonymous.get(f"{NS}/team-b/configmaps").status == 403
    assert time.monotonic() - started < 5
