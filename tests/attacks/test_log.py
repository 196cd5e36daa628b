"""LOG: what is written down, on disk, in logs and in answers."""

import base64
import json
import stat
from pathlib import Path

import pytest

from attacks.support import Actor, World
from attacks.wire import Answer
from attacks.words import APPLY, MG, NS, STRATEGIC, canary, unique
from support.objects import user
from support.waiting import wait_until

pytestmark = pytest.mark.slow
SECRETS = f"{NS}/team-a/secrets"


@pytest.mark.on("embedded")
def test_log_03_files_are_the_owners_alone(world: World):
    """The data directory is 0700 and each file in it 0600, save what anybody may read."""
    folder = world.engine.data_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    public = {"ca.crt", "server.crt"}
    for each in folder.rglob("*"):
        mode = stat.S_IMODE(each.lstat().st_mode)
        assert not each.is_symlink()
        if each.name not in public:
            assert mode & 0o077 == 0, f"{each}: {mode:o}"


@pytest.mark.on("embedded")
def test_log_03_nothing_secret_lies_in_the_database(world: World):
    """Of passwords and tokens only hashes are stored, argon2id and SHA-256 of random keys."""
    eve = world.throwaway("eve")
    made = eve.new_token()
    new = canary()
    body = {"currentPassword": eve.password, "newPassword": new}
    assert eve.put("/auth/password", body, source="127.0.9.1", within=3).status == 204
    words = [new, eve.password, eve.token, made["token"]]
    words += [each.partition(":")[2] for each in (eve.token, made["token"])]
    words += [base64.b64encode(each.encode()).decode().rstrip("=") for each in list(words)]
    content = _content(world.engine.data_dir)
    for text in [*words, *(text for text, owners in world.canaries if owners <= set(world.actors))]:
        if _is_credential(world, text) or text in words:
            assert text.encode() not in content
    stored = world.do("GET", f"{NS}/llmos-system/secrets/password-{eve.name}")["data"]["hash"]
    assert base64.b64decode(stored).startswith(b"$argon2id$")
    token = world.do("GET", f"{NS}/llmos-system/secrets/{made['name']}")["data"]["hash"]
    assert len(bytes.fromhex(base64.b64decode(token).decode())) == 32


def _is_credential(world: World, text: str) -> bool:
    return any(text in (each.password, each.token) for each in world.actors.values())


def _content(folder: Path) -> bytes:
    return b"".join(
        each.read_bytes()
        for each in (*folder.glob("llmos.db*"), *folder.glob("member/*/*"))
        if each.is_file()
    )


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_log_04_a_refused_secret_is_not_said_again(alice: Actor, world: World, field: str):
    """Errors about a Secret name its fields and never their values; so do log and events."""
    text = world.guard(canary())
    name = unique("secret")
    value = text if field == "stringData" else base64.b64encode(text.encode()).decode()
    coded = base64.b64encode(text.encode()).decode()
    world.guard(coded)
    good = {"metadata": {"name": name}, field: {"key": value}}
    assert alice.post(f"{SECRETS}?dryRun=All", b"{").status == 400
    tried = [
        alice.post(SECRETS, {**good, "type": "kubernetes.io/tls"}),
        alice.post(SECRETS, {**good, field: {"bad key!": value}}),
        alice.post(SECRETS, {**good, field: {"key": [value]}}),
        alice.post(SECRETS, {**good, field: {"key": {"x": value}}}),
        alice.post(SECRETS, {**good, field: [value]}),
        alice.post(SECRETS, {**good, "data": {"key": text}}),
        alice.post(SECRETS, {**good, "data": {"key": f"{coded}!"}}),
        alice.post(SECRETS, {**good, "metadata": {"name": "Not A Name"}}),
        alice.post(SECRETS, {**good, "kind": "ConfigMap"}),
        alice.post(SECRETS, json.dumps(good).encode()[:-2]),
        alice.post(SECRETS, json.dumps(good).encode() + b"}"),
        alice.post(SECRETS, json.dumps(good).encode().replace(b'"key"', b'key')),
        alice.post(SECRETS, f"data: {{key: [{value}".encode(), content="application/yaml"),
        alice.post(SECRETS, f"a: 1\nstringData:\n key: {value}\n  b: 1".encode(),
                   content="application/yaml"),
        alice.post(f"{SECRETS}?fieldValidation=Strict", {**good, "daten": {"key": value}}),
        alice.patch(f"{SECRETS}/s", {field: {"key": [value]}}),
        alice.patch(f"{SECRETS}/s", {"data": {"key": text + "!"}}),
        alice.patch(f"{SECRETS}/s", {"type": "Other", field: {"key": value}}),
        alice.patch(f"{SECRETS}/s", {"stringData": {"key": {"a": text}}}, STRATEGIC),
        alice.patch(f"{SECRETS}/s", f'{{"stringData":{{"key":"{text}"'.encode()),
        alice.patch(f"{SECRETS}/s?fieldManager=k", {"stringData": {"key": [text]}}, APPLY),
        alice.json_patch(f"{SECRETS}/s", {"op": "test", "path": "/data/key", "value": text}),
        alice.json_patch(f"{SECRETS}/s", {"op": "add", "path": "/data/x/y", "value": text}),
        alice.json_patch(f"{SECRETS}/s", {"op": "replace", "path": "/data", "value": text}),
        alice.put(f"{SECRETS}/s", {**good, "metadata": {"name": "other"}}),
    ]  # fmt: skip
    for number, answer in enumerate(tried):
        assert answer.status in (400, 403, 409, 422), (number, answer.text)
        if world.on_cluster and "audit-id" in answer.headers:
            continue  # Kubernetes' own words, to whoever has sent the value
        assert text not in answer.text, number
        assert coded not in answer.text, number
    assert text not in world.log()
    assert coded not in world.log()
    for path in ("/api/v1/events", "/apis/events.k8s.io/v1/events"):
        assert text not in json.dumps(world.do("GET", path))


@pytest.mark.parametrize("way", ["create", "apply", "update", "merge", "json", "annotation"])
def test_log_05_a_password_in_a_manifest_is_not_kept_in_it(root: Actor, world: World, way: str):
    """A User's password is kept where nobody reads it: neither in the object nor in the log."""
    name = unique("applied")
    password = world.guard(canary())
    path = f"{MG}/users/{name}"
    made = user(name, password)
    last = "kubectl.kubernetes.io/last-applied-configuration"
    if way not in ("create", "apply", "annotation"):
        assert root.post(f"{MG}/users", {**made, "spec": {}}).status == 201
    if way == "annotation":
        made["metadata"]["annotations"] = {last: json.dumps(user(name, password))}
    operation = {"op": "add", "path": "/spec/password", "value": password}
    answer = {
        "create": lambda: root.post(f"{MG}/users", made, within=3),
        "annotation": lambda: root.post(f"{MG}/users", made, within=3),
        "apply": lambda: root.apply(path, made),
        "update": lambda: _update(root, path, password),
        "merge": lambda: root.patch(path, {"spec": {"password": password}}, within=3),
        "json": lambda: root.json_patch(path, operation),
    }[way]()
    assert answer.status in (200, 201)
    assert password not in answer.text
    assert password not in json.dumps(world.do("GET", path))
    assert password not in world.log()
    assert password.encode() not in _content(world.engine.data_dir)
    body = {"username": name, "password": password}
    source = "127.0.9.2"
    signed = world.anonymous.post("/auth/login", body, source=source, within=3)
    assert signed.status == 200
    with root.watch(f"{MG}/users", resourceVersion="0") as watch:
        wait_until(lambda: name in watch.shown(), 3)
        assert password not in json.dumps(watch.events)


def _update(root: Actor, path: str, password: str) -> Answer:
    """Replace a User by one with a password, also where a controller writes its status first."""

    def update() -> Answer | None:
        whole = root.get(path).json()
        whole["spec"]["password"] = password
        answer = root.put(path, whole, within=3)
        return None if answer.status == 409 else answer

    return wait_until(update, 5)


@pytest.mark.parametrize(
    "path",
    [
        "/?debug=1", f"{NS}?debug=1", f"{NS}/team-b?verbose=1&trace=1", "/console", "/__debugger__",
        "/debug/pprof/", "/debug/vars", "/server-status", "/.env", "/.git/config", "/docs",
        "/openapi.json", "/redoc", "/favicon.ico", "/robots.txt", "/static/../../etc/passwd",
        "/healthz/verbose", "/readyz?verbose", "/livez?verbose=1",
    ],
)  # fmt: skip
def test_log_07_there_is_no_way_to_debug(anonymous: Actor, path: str):
    """Debug switches change nothing: no trace, no path, no SQL, no version in an answer."""
    pairs = [("X-Debug", "1"), ("X-Trace", "1"), ("Cookie", "debug=1")]
    answer = anonymous.get(path, headers=pairs)
    assert answer.status in (200, 400, 401, 403, 404)
    for word in ("Traceback", 'File "', "/src/", ".py", "SELECT ", "sqlite", "apsw", "uvicorn"):
        assert word not in answer.text
        assert word not in str(answer.headers)
    assert "server" not in answer.headers
    if answer.status == 200:
        assert answer.text == "ok"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x00" * 64,
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"GET /api/v1/namespaces HTTP/0.9\r\n\r\n",
    ],
)
def test_log_07_what_is_no_request_gets_no_details(anonymous: Actor, world: World, sent: bytes):
    """Garbage is a short refusal, or the end of the connection."""
    with world.wire.connect(timeout=2) as tls:
        tls.sendall(sent)
        try:
            answer = tls.recv(65536)
        except TimeoutError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert len(answer) < 1000
    for word in (b"Traceback", b".py", b"uvicorn", b"httptools", b"Invalid HTTP"):
        assert word not in answer
