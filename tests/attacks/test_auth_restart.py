"""AUTH-22 and AUTH-26: what a restart and a fresh start must not give away."""

import json
import stat
import time
from pathlib import Path

import pytest

import support.server
from attacks.wire import Answer, Wire, request_bytes
from support.server import RunningServer, running_server

pytestmark = pytest.mark.slow
USERS = "/apis/management.llmos.ai/v1/users"
BINDINGS = "/apis/management.llmos.ai/v1/roletemplatebindings"


@pytest.fixture(autouse=True)
def alive() -> None:
    """These attacks have servers of their own."""


class Guesser:
    """Signs in from another loopback address each time, so that only usernames are limited."""

    def __init__(self, server: RunningServer) -> None:
        self.wire = Wire(server.url, str(server.ca_file))
        self.tries = 0

    def __call__(self, password: str, username: str = "admin", **more: str) -> Answer:
        """Try once."""
        self.tries += 1
        body = json.dumps({"username": username, "password": password, **more}).encode()
        pairs = [("Content-Type", "application/json")]
        data = request_bytes("POST", "/auth/login", pairs, body)
        return self.wire.send(data, f"127.1.{self.tries // 250}.{self.tries % 250 + 1}")


def test_auth_22_a_restart_does_not_reset_the_limit(tmp_path: Path):
    """Whoever has used up his attempts is still limited after a restart, whatever he brings."""
    right = support.server.ADMIN_PASSWORD
    with running_server(tmp_path) as server:
        guess = Guesser(server)
        assert [guess("wrong").status for _ in range(5)] == [401] * 5
        # Each further failure doubles the wait, until it outlasts a restart.
        for _ in range(3):
            refused = guess(right)
            assert refused.status == 429
            time.sleep(int(refused.headers["retry-after"]))
            assert guess("wrong").status == 401
    with running_server(tmp_path) as again:
        guess = Guesser(again)
        answer = guess(right)
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) > 1


def test_auth_26_no_user_has_a_known_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fresh server knows no default passwords, and tells its own once, in a file of mode 0600."""
    monkeypatch.setattr(support.server, "ADMIN_PASSWORD", "")
    with running_server(tmp_path, "--verbose") as server:
        guess = Guesser(server)
        for username in ("admin", "root", "llmos"):
            assert guess("admin", username).status == 401
            assert guess("llmos", username).status == 401
        assert guess("").status in (401, 422)
        kept = server.data_dir / "admin.password"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        once = kept.read_text().strip()
        assert len(once) >= 16
        first = guess(once)
        assert first.status == 200
        assert first.json()["mustChangePassword"] is True
        assert guess(once).status == 401
        assert once not in server.log.read_text()
        assert once not in server.output.read_text()
        database = [each.read_bytes() for each in server.data_dir.glob("llmos.db*")]
        assert not any(once.encode() in each for each in database)


def test_auth_26_a_deleted_admin_does_not_come_back(tmp_path: Path):
    """Once the first admin is gone, neither the first nor the second restart makes another."""
    with running_server(tmp_path) as server, server.client("admintoken") as operator:
        assert operator.delete(f"{USERS}/admin").status_code == 200
    for _ in range(2):
        with running_server(tmp_path) as again, again.client("admintoken") as operator:
            assert operator.get(USERS).json()["items"] == []
            assert not (again.data_dir / "admin.kubeconfig").exists()
            assert Guesser(again)(support.server.ADMIN_PASSWORD).status == 401
