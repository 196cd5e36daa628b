"""Credentials of a kubeconfig: files that change, programs that are asked, certificates."""

import asyncio
import base64
import json
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from llmos.authentication.certificates import ensure_certificates
from llmos.cli.kubeconfigs import Kubeconfigs
from llmos.client.client import Client
from llmos.client.config import ClientCertificate, Config
from llmos.client.credentials import CredentialError, Program
from llmos.client.errors import ConnectionFailedError
from llmos.client.kubeconfig import KubeconfigError
from llmos.client.tls import make_context

V1 = "client.authentication.k8s.io/v1"


def kubeconfig(directory: Path, user: dict, cluster: dict | None = None) -> Kubeconfigs:
    """A file with one context."""
    path = directory / "config"
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://host", **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(document))
    return Kubeconfigs(path)


def program(directory: Path, script: str) -> str:
    """An executable that lies beside the kubeconfig."""
    path = directory / "credential"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return "./credential"


def credential(**status: str) -> str:
    """A script that prints an ExecCredential."""
    body = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})
    return f'echo \'{body}\'; echo x >> "$(dirname "$0")/runs"'


def runs(directory: Path) -> int:
    """How often the program ran."""
    return len((directory / "runs").read_text().split())


def test_a_token_file_is_read_anew_each_time(tmp_path: Path) -> None:
    """It lies beside the kubeconfig that names it; whoever renews the token renews ours."""
    (tmp_path / "token").write_text("one\n")
    config = kubeconfig(tmp_path, {"tokenFile": "token", "token": "old"}).get().config()
    assert config.bearer() == "one"
    (tmp_path / "token").write_text("two\n")
    assert config.bearer() == "two"
    (tmp_path / "token").unlink()

    async def ask() -> None:
        async with Client(config) as client:
            await client.call("GET", "/")

    with pytest.raises(ConnectionFailedError, match="token file"):
        asyncio.run(ask())


def test_a_program_gives_the_token(tmp_path: Path) -> None:
    """It runs once, as long as what it gave is good."""
    command = program(tmp_path, credential(token="secret"))
    spec = {"apiVersion": V1, "command": command}
    config = kubeconfig(tmp_path, {"exec": spec}).get().config()
    assert (config.bearer(), config.bearer()) == ("secret", "secret")
    assert runs(tmp_path) == 1


@pytest.mark.parametrize(("lives", "good"), [(3600, 3540), (300, 240), (30, 24), (5, 4)])
def test_a_program_is_asked_again_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: int, good: int
) -> None:
    """A minute before, or a fifth of a short life: it has to last until it is used."""
    now = 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + lives))
    command = program(tmp_path, credential(token="secret", expirationTimestamp=end))
    asked = Program({"apiVersion": V1, "command": str(tmp_path / command)})
    asked()
    now += good - 0.5
    assert (asked(), runs(tmp_path)) == ("secret", 1)
    now += 1
    assert (asked(), runs(tmp_path)) == ("secret", 2)


def test_a_program_without_an_end_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As client-go does; the server's refusal is another matter."""
    command = program(tmp_path, credential(token="secret"))
    asked = Program({"apiVersion": V1, "command": str(tmp_path / command)})
    asked()
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert (asked(), runs(tmp_path)) == ("secret", 1)


def test_a_program_is_not_asked_twice_at_once(tmp_path: Path) -> None:
    """Who wants it meanwhile waits for its word."""
    command = program(tmp_path, f"sleep 0.3; {credential(token='secret')}")
    asked = Program({"apiVersion": V1, "command": str(tmp_path / command)})
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: asked(), range(4))) == {"secret"}
    assert runs(tmp_path) == 1


def test_a_program_is_told_what_it_asks_for(tmp_path: Path) -> None:
    """Arguments and environment of the kubeconfig, and the cluster if it wants to know."""
    script = f"""echo "$KUBERNETES_EXEC_INFO" > "{tmp_path}/info"; {credential(token="x")}
echo "$1 $REGION" > "{tmp_path}/seen" """
    spec = {
        "apiVersion": V1,
        "command": program(tmp_path, script),
        "args": ["get-token"],
        "env": [{"name": "REGION", "value": "north"}],
        "provideClusterInfo": True,
    }
    cluster = {"certificate-authority-data": base64.b64encode(b"PEM").decode()}
    kubeconfig(tmp_path, {"exec": spec}, cluster).get().config().bearer()
    info = json.loads((tmp_path / "info").read_text())
    assert (info["kind"], info["apiVersion"]) == ("ExecCredential", V1)
    assert info["spec"]["cluster"]["server"] == "https://host"
    assert (tmp_path / "seen").read_text().split() == ["get-token", "north"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "ended with 3"),
        ("echo nonsense", "printed no ExecCredential"),
        ("""echo '{"status":{}}'""", "neither a token nor a certificate"),
        (credential(token="x", expirationTimestamp="soon"), "'soon' is no time"),
    ],
)
def test_a_program_that_fails(tmp_path: Path, script: str, why: str) -> None:
    """Whatever goes wrong is said in words, without what it printed."""
    spec = {"apiVersion": V1, "command": program(tmp_path, script)}
    with pytest.raises(KubeconfigError, match=why):
        kubeconfig(tmp_path, {"exec": spec}).get().config()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """The hint of the kubeconfig says how to get it; an unknown protocol is not spoken."""
    missing = {"apiVersion": V1, "command": "no-such-program", "installHint": "apt install it"}
    with pytest.raises(CredentialError, match="apt install it"):
        Program(missing)()
    with pytest.raises(CredentialError, match="no known version"):
        Program({"apiVersion": "v9", "command": "true"})()


def test_a_certificate_is_shown(tmp_path: Path) -> None:
    """A server that demands one answers who has it, and nobody else."""
    made = ensure_certificates(tmp_path, ["127.0.0.1"], time.time)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.cert_path, made.key_path)
    own = _client_certificate(tmp_path)
    context.load_verify_locations(own)
    context.verify_mode = ssl.CERT_REQUIRED
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    user = {"client-certificate": own.name, "client-key": own.name}
    cluster = {
        "server": f"https://127.0.0.1:{server.server_port}",
        "certificate-authority": "ca.crt",
    }

    async def ask(config: Config) -> object:
        async with Client(config) as client:
            return await client.call("GET", "/")

    try:
        config = kubeconfig(tmp_path, user, cluster).get().config()
        assert config.certificate is not None
        assert "PRIVATE" not in repr(config)
        assert asyncio.run(ask(config)) == {"hello": "you"}
        stranger = kubeconfig(tmp_path, {"token": "x"}, cluster).get().config()
        with pytest.raises(ConnectionFailedError):
            asyncio.run(ask(stranger))
    finally:
        server.shutdown()
        server.server_close()


def _client_certificate(directory: Path) -> Path:
    """A certificate for clients, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "operator")])
    now = datetime.fromtimestamp(time.time(), UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = directory / "client.pem"
    path.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Say hello."""
        body = b'{"hello": "you"}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    """Half of one is refused when it is read, and a wrong one when it is used; nothing stays."""
    data = base64.b64encode(b"PEM").decode()
    with pytest.raises(KubeconfigError, match="no key"):
        kubeconfig(tmp_path, {"client-certificate-data": data}).get()
    with pytest.raises(KubeconfigError, match="client-key cannot be read"):
        kubeconfig(tmp_path, {"client-certificate-data": data, "client-key": "gone"}).get()
    with pytest.raises(CredentialError, match="cannot be used"):
        make_context(Config("https://host", certificate=ClientCertificate("PEM", "PEM")))


def test_the_name_in_the_certificate_may_be_given(tmp_path: Path) -> None:
    """``tls-server-name`` and ``insecure-skip-tls-verify`` reach the connection."""
    cluster = {"tls-server-name": "api.internal", "insecure-skip-tls-verify": True}
    config = kubeconfig(tmp_path, {"token": "x"}, cluster).get().config()
    assert (config.server_name, config.verify) == ("api.internal", False)
    assert make_context(config).verify_mode == ssl.CERT_NONE
