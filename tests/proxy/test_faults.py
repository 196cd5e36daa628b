"""What a client is told when the cluster does not answer well: an error, never a part as the whole.

The pool is clean afterwards: the next hundred answers belong to their requests.
"""

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from llmos.authentication.certificates import ensure_certificates
from llmos.client.config import ClientCertificate, Config
from llmos.proxy import lifetimes, upstream
from proxy.front import connected, fronted, plain
from proxy.scripted import answer, saying, scripted

CM = "/api/v1/namespaces/a/configmaps"
EXEC = "/api/v1/namespaces/a/pods/p/exec"
LARGE = 600_000
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def sized(length, body):
    """An answer that says how long it is."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (length, body)


def chunk(data):
    """A chunk of an answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)


async def echo(asked, wire):
    """Say what was asked."""
    await wire.say(answer(200, asked.target.encode()))


async def outcome(client):
    """The status of an answer, or how it broke off."""
    try:
        status, _, _ = await client.answer()
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        return type(error)
    return status


async def next_hundred(front, cluster):
    """Ask a hundred things, on ten connections at once; each answer must be that of its request."""
    cluster.script = echo

    async def ten(number):
        async with connected(front.port) as client:
            for each in range(10):
                target = f"{CM}/c-{number}-{each}"
                assert await client.ask("GET", target) == (
                    200,
                    {"content-type": "application/json", "content-length": str(len(target))},
                    target.encode(),
                )

    await asyncio.gather(*map(ten, range(10)))


def bad_answer(script, *, path=CM, method="GET", body=b""):
    """What a client gets of it, and how often the cluster was asked."""

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                client.send(method, path, body=body)
                got = await outcome(client)
            count = len(cluster.asked)
            await next_hundred(front, cluster)
        return got, count

    return asyncio.run(scenario())


BROKEN = {
    "closes at once": saying(then="close"),
    "resets at once": saying(then="reset"),
    "half a head": saying(b"HTTP/1.1 200 OK\r\nContent-Le", then="close"),
    "no HTTP": saying(b"hello\r\n\r\n"),
    "two lengths": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "length and chunks": saying(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "bad length": saying(b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na"),
    "no length": saying(b"HTTP/1.1 200 OK\r\n\r\nhalf of i", then="close"),
    "old HTTP": saying(b"HTTP/1.0 200 OK\r\n\r\nhalf of i", then="close"),
    "101 that nobody asked for": saying(
        b"HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc"
    ),
    "short, closes": saying(sized(100, b"half"), then="close"),
    "short, resets": saying(sized(100, b"half"), then="reset"),
    "cut chunk, closes": saying(CHUNKED + b"64\r\nhalf", then="close"),
    "cut chunk, resets": saying(CHUNKED + b"64\r\nhalf", then="reset"),
    "no last chunk": saying(CHUNKED + chunk(b"half"), then="close"),
    "bad chunk": saying(CHUNKED + b"zz\r\n"),
    "no status": saying(b"HTTP/1.1 799 X\r\nContent-Length: 0\r\n\r\n"),
    "two headers in one": saying(b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n"),
}
"""What is known to be bad before anything was said to the client."""


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_an_error(script):
    """502, with a Status."""
    got, count = bad_answer(script)
    assert got == 502
    assert count <= 2


BROKEN_LATE = {
    "short, closes": saying(sized(LARGE, b"x" * 400_000), then="close"),
    "short, resets": saying(sized(LARGE, b"x" * 400_000), then="reset"),
    "cut chunk, closes": saying(CHUNKED + chunk(b"x" * 400_000) + b"64\r\nhalf", then="close"),
    "cut chunk, resets": saying(CHUNKED + chunk(b"x" * 400_000) + b"64\r\nhalf", then="reset"),
    "no last chunk": saying(CHUNKED + chunk(b"x" * 400_000), then="close"),
    "bad chunk": saying(CHUNKED + chunk(b"x" * 400_000), b"zz\r\n"),
}


@pytest.mark.parametrize("script", BROKEN_LATE.values(), ids=BROKEN_LATE)
@pytest.mark.parametrize("path", [CM, f"{CM}?watch=1", "/api/v1/namespaces/a/pods/p/log"])
def test_an_answer_that_breaks_off_breaks_off(script, path):
    """The client has a part of it already; he cannot take it for the whole."""
    got, count = bad_answer(script, path=path)
    assert got in (ConnectionResetError, asyncio.IncompleteReadError)
    assert count == 1


@pytest.mark.parametrize(
    "behind",
    [b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", b"HTTP/1.1 200 OK\r\nContent-Le"],
)
@pytest.mark.parametrize("later", [0.0, 0.05])
def test_what_nobody_asked_for_is_nobody_s_answer(behind, later):
    """An answer that is longer than it says, at once or a while after."""

    async def script(asked, wire):
        if not later:
            await wire.say(sized(4, b"good") + behind)
            return
        await wire.say(sized(4, b"good"))
        await asyncio.sleep(later)
        await wire.say(behind)

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                first = await outcome(client_sent(client))
                await asyncio.sleep(2 * later)
            poisoned = {each.connection for each in cluster.asked}
            count = len(cluster.asked)
            await next_hundred(front, cluster)
            assert not poisoned & {each.connection for each in cluster.asked[count:]}
        return first

    def client_sent(client):
        client.send("GET", CM)
        return client

    assert asyncio.run(scenario()) in (200, 502)


def test_interim_answers_are_not_the_answer():
    """100 and 103 come before it."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    got, count = bad_answer(saying(interim + sized(2, b"{}")))
    assert (got, count) == (200, 1)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("then", ["close", "reset"])
def test_what_may_change_something_is_never_sent_twice(method, then):
    """Nobody knows whether it was done; also on a connection that was used before."""

    async def scenario():
        async with scripted() as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                await client.ask("GET", CM)
                cluster.script = saying(then=then)
                status, headers, _ = await client.ask(method, f"{CM}/x", body=b"{}")
            return status, headers, [each.method for each in cluster.asked]

    status, headers, methods = asyncio.run(scenario())
    assert status == 502
    assert "retry-after" not in headers
    assert methods == ["GET", method]


def test_a_read_is_sent_again_once():
    """The connection may have been closed while it lay idle."""
    for times, expected in ((1, 200), (2, 502)):
        left = [times]

        async def script(asked, wire, left=left):
            if left[0]:
                left[0] -= 1
                wire.writer.close()
                return
            await wire.say(answer())

        got, count = bad_answer(script)
        assert (got, count) == (expected, 2)


# The cluster is away


def test_everybody_is_told_at_once_that_the_cluster_is_away():
    """503 with Retry-After within 100 ms after the first; two seconds later all is well."""

    async def scenario():
        async with scripted() as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                await client.ask("GET", CM)
                await cluster.stop()
                await client.ask("GET", CM)
                began = time.monotonic()
                for method in ("GET", "POST", "DELETE"):
                    status, headers, _ = await client.ask(method, CM)
                    assert (status, headers["retry-after"]) == (503, "1")
                assert time.monotonic() - began < 1
                await asyncio.sleep(1)
                await cluster.start()
                began = time.monotonic()
                for _ in range(40):
                    if (await client.ask("GET", CM))[0] == 200:
                        break
                    await asyncio.sleep(0.05)
                assert time.monotonic() - began < 2
            return cluster.asked

    asked = asyncio.run(scenario())
    assert len(asked) == 2
    assert all(each.values("Impersonate-User") == ["alice"] for each in asked)


def self_signed(name):
    """A certificate for a client, its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)  # noqa: TID251 - the TLS library looks at the real clock
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return ClientCertificate(
        made.public_bytes(serialization.Encoding.PEM).decode(), encoded.decode()
    )


def test_nobody_tries_a_cluster_that_is_away():
    """Where connecting takes long, nobody waits for it again."""

    async def scenario():
        async with (
            scripted() as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            await cluster.stop()
            first = (await client.ask("GET", CM))[0]
            tried = []
            front.upstream.send = lambda *_: tried.append(1)
            codes = [(await client.ask("GET", CM))[0] for _ in range(3)]
            assert front.forwarder.problem()
            await cluster.start()
            return first, codes, tried

    assert asyncio.run(scenario()) == (503, [503] * 3, [])


@pytest.fixture(scope="module")
def cluster_tls(tmp_path_factory):
    """A certificate with its authority, and the settings of a server that shows it."""
    certificates = ensure_certificates(tmp_path_factory.mktemp("tls"), ["127.0.0.1"], time.time)
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(certificates.cert_path, certificates.key_path)
    return certificates, settings


@pytest.mark.parametrize(
    ("trusted", "name", "expected"),
    [(True, "", 200), (True, "localhost", 200), (False, "", 503), (True, "other.test", 503)],
)
@pytest.mark.parametrize("target", [CM, EXEC])
def test_only_the_cluster_itself_is_asked(cluster_tls, trusted, name, expected, target):
    """TLS that cannot be trusted: nothing is sent."""
    certificates, settings = cluster_tls
    authority = certificates.ca_pem if trusted else ""

    async def scenario():
        async with scripted(tls=settings) as cluster:
            config = Config(
                f"https://127.0.0.1:{cluster.port}", "t", ca_pem=authority, server_name=name
            )
            async with fronted(lambda anew: config) as front, connected(front.port) as client:
                upgrade = ("Connection: Upgrade", "Upgrade: SPDY/3.1") if target == EXEC else ()
                answers = [(await client.ask("GET", target, *upgrade))[0]]
                return answers, len(cluster.asked)

    assert asyncio.run(scenario()) == ([expected], 1 if expected == 200 else 0)


def test_a_certificate_of_our_own_is_shown_and_replaced(monkeypatch, cluster_tls):
    """Without a token; a new one is shown soon after it was put there."""
    monkeypatch.setattr(upstream, "REREAD_SECONDS", 0.05)
    certificates, _ = cluster_tls
    first, second = self_signed("one"), self_signed("two")
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asking.load_cert_chain(certificates.cert_path, certificates.key_path)
    asking.verify_mode = ssl.CERT_REQUIRED
    for each in (first, second):
        asking.load_verify_locations(cadata=each.certificate)
    shown = []

    async def script(asked, wire):
        shown.append(wire.writer.get_extra_info("peercert")["serialNumber"])
        await wire.say(answer())

    async def scenario():
        current = [first]

        def load(anew):
            address = f"https://127.0.0.1:{cluster.port}"
            return Config(address, ca_pem=certificates.ca_pem, certificate=current[0])

        async with (
            scripted(script, tls=asking) as cluster,
            fronted(load) as front,
            connected(front.port) as client,
        ):
            for each in (first, second):
                current[0] = each
                for _ in range(20):
                    assert (await client.ask("GET", CM))[0] == 200
                    await asyncio.sleep(0.01)
            assert all(each.values("authorization") == [] for each in cluster.asked)

    asyncio.run(scenario())
    assert shown[0] == shown[10] != shown[-1]


# The cluster is slow


def test_the_client_says_how_long_he_waits():
    """504 when his time is over; and everybody else is served meanwhile."""

    async def script(asked, wire):
        if "timeout" in asked.target:
            await asyncio.sleep(30)
        await wire.say(answer())

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:

            async def stuck():
                async with connected(front.port) as client:
                    return (await client.ask("GET", f"{CM}?timeout=2s"))[0]

            waiting = [asyncio.create_task(stuck()) for _ in range(200)]
            await asyncio.sleep(0.1)
            async with connected(front.port) as client:
                began = time.monotonic()
                quick = (await client.ask("GET", CM, user="bob"))[0]
                took = time.monotonic() - began
            return quick, took, await asyncio.gather(*waiting)

    quick, took, codes = asyncio.run(scenario())
    assert (quick, codes) == (200, [504] * 200)
    assert took < 1.5


@pytest.mark.parametrize("begins", [b"", CHUNKED + chunk(b"a"), CHUNKED + chunk(b"a" * 300_000)])
def test_a_short_request_has_its_time(monkeypatch, begins):
    """504, or the end of the connection where something was said already; watches have no time."""
    monkeypatch.setattr(lifetimes, "REQUEST_SECONDS", 0.3)

    async def script(asked, wire):
        await wire.say(begins)
        await asyncio.sleep(1)
        await wire.say(answer() if not begins else b"0\r\n\r\n")

    async def scenario():
        async with (
            scripted(script) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as short,
            connected(front.port) as watch,
        ):
            short.send("GET", CM)
            watch.send("GET", f"{CM}?watch=true")
            return await asyncio.gather(outcome(short), outcome(watch))

    short, watch = asyncio.run(scenario())
    late = len(begins) > 100_000
    assert short in ((asyncio.IncompleteReadError, ConnectionResetError) if late else (504,))
    assert watch == 200


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m", 60), ("1h", 60), ("0s", 60), ("x", 60), ("-1s", 60), ("1.5s", 1.5),
     ("1s500ms", 1.5), ("", 60), ("10", 60), ("250µs", 0.00025)],
)  # fmt: skip
def test_the_time_of_a_request(text, seconds):
    """The client's, where it is one and shorter than the cluster's own."""
    from urllib.parse import quote

    from endpoints.exchange import request_of

    request = request_of("GET", f"{CM}?timeout={quote(text)}")
    assert lifetimes.allowed_seconds(request) == pytest.approx(seconds)


# The cluster does not know us


def test_the_proxy_s_own_401_is_nobody_else_s(monkeypatch):
    """A new credential is read once, and used; where there is none the proxy is at fault."""
    monkeypatch.setattr(upstream, "RENEW_PAUSE", 0.0)
    tokens = ["old", "new"]

    async def script(asked, wire):
        known = asked.values("authorization") == [f"Bearer {tokens[-1]}"]
        await wire.say(answer(200 if known else 401))

    async def scenario():
        loads = []

        def load(anew):
            loads.append(anew)
            return Config(f"http://127.0.0.1:{cluster.port}", token=tokens[min(len(loads), 2) - 1])

        async with (
            scripted(script) as cluster,
            fronted(load) as front,
            connected(front.port) as client,
        ):
            first = await client.ask("POST", CM, body=b"{}")
            sent = [(each.method, each.target, each.body) for each in cluster.asked]
            tokens.append("none of both")
            second = await client.ask("GET", CM)
            return first[0], sent, second[0], second[1].get("retry-after"), loads

    first, sent, second, retry, loads = asyncio.run(scenario())
    assert first == 200
    assert sent == [("POST", CM, b"{}"), ("GET", "/api", b""), ("POST", CM, b"{}")]
    assert (second, retry) == (503, "1")
    assert loads == [False, True, True]


@pytest.mark.parametrize(
    "target", ["/api/v1/namespaces/a/services/web/proxy/", "/apis/metrics.k8s.io/v1beta1/nodes"]
)
def test_somebody_else_s_401_is_passed_on(target):
    """Of what is behind the cluster, which takes our own credential."""

    async def script(asked, wire):
        theirs = answer(401, b"sign in", "WWW-Authenticate: Basic")
        await wire.say(theirs if asked.target == target else answer())

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                got = await client.ask("GET", target)
            return got, cluster.asked

    (status, headers, body), asked = asyncio.run(scenario())
    assert (status, headers["www-authenticate"], body) == (401, "Basic", b"sign in")
    assert all(each.values("impersonate-user") == ["alice"] for each in asked)


@pytest.mark.parametrize("code", [403, 409, 410, 422, 429, 500, 503, 507, 599])
def test_other_refusals_are_passed_on(code):
    """With what they say about when to ask again."""
    said = answer(code, b'{"kind":"Status"}', "Retry-After: 9")

    async def scenario():
        async with (
            scripted(saying(said)) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            return await client.ask("GET", CM), len(cluster.asked)

    (status, headers, body), count = asyncio.run(scenario())
    assert (status, headers["retry-after"], body) == (code, "9", b'{"kind":"Status"}')
    assert count == 1


@pytest.mark.parametrize("broken", [OSError("gone"), upstream.CredentialError("half written")])
def test_a_credential_that_changes_is_used_soon(monkeypatch, broken):
    """And one that cannot be read just now is kept: no request fails."""
    monkeypatch.setattr(upstream, "REREAD_SECONDS", 0.05)
    current: list = ["one"]

    def token():
        if isinstance(current[0], Exception):
            raise current[0]
        return current[0]

    async def scenario():
        async with scripted() as cluster, fronted(plain(cluster.port, token)) as front:
            async with connected(front.port) as client:
                for value in ("one", broken, "two"):
                    current[0] = value
                    for _ in range(20):
                        assert (await client.ask("GET", CM))[0] == 200
                        await asyncio.sleep(0.01)
            return [each.values("authorization")[0] for each in cluster.asked]

    used = asyncio.run(scenario())
    assert used[:21] == ["Bearer one"] * 21
    assert used[-5:] == ["Bearer two"] * 5


@pytest.mark.parametrize("error", [OSError("gone"), upstream.CredentialError("empty")])
def test_without_a_credential_nothing_goes(error):
    """503; and as soon as there is one, all is well."""

    async def scenario():
        failing = [True]

        def load(anew):
            if failing[0]:
                raise error
            return Config(f"http://127.0.0.1:{cluster.port}", token="t")

        async with (
            scripted() as cluster,
            fronted(load) as front,
            connected(front.port) as client,
        ):
            refused = await client.ask("GET", CM)
            count = len(cluster.asked)
            failing[0] = False
            await asyncio.sleep(upstream.RENEW_PAUSE)
            return refused[0], count, (await client.ask("GET", CM))[0]

    assert asyncio.run(scenario()) == (503, 0, 200)


def test_an_empty_token_is_no_credential():
    """It would go under no name, and be taken for anonymous."""

    async def scenario():
        async with (
            scripted() as cluster,
            fronted(plain(cluster.port, "")) as front,
            connected(front.port) as client,
        ):
            return (await client.ask("GET", CM))[0], cluster.asked

    assert asyncio.run(scenario()) == (503, [])


@pytest.mark.parametrize("who", ["nobody", "masters", "odd"])
def test_who_is_not_named_is_not_forwarded(who):
    """Nothing reaches the cluster, under no name at all."""
    from llmos.apis.authentication_v1 import UserInfo

    people = {
        "nobody": None,
        "masters": UserInfo("root", groups=("system:masters",)),
        "odd": UserInfo("a\r\nImpersonate-Group: system:masters"),
    }

    async def scenario():
        async with scripted() as cluster, fronted(plain(cluster.port)) as front:
            front.people.update(people)
            async with connected(front.port) as client:
                return (await client.ask("GET", CM, user=who))[0], cluster.asked

    status, asked = asyncio.run(scenario())
    assert status == {"nobody": 401}.get(who, 403)
    assert asked == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "PROPFIND", "M-SEARCH"])
def test_methods_that_no_server_of_kubernetes_knows(method):
    """They do not go."""

    async def scenario():
        async with (
            scripted() as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            client.send(method, CM)
            return await outcome(client), cluster.asked

    status, asked = asyncio.run(scenario())
    assert status in (400, 405)
    assert asked == []
