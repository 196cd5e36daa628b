"""AUTH-22, AUTH-26, RBAC-13, RBAC-24: what a restart and a fresh start must not give away."""

import json
import stat
import time
from pathlib import Path

import pytest

import support.server
from attacks.wire import Answer, Wire, request_bytes
from support.objects import member, namespace, subject, user
from support.server import RunningServer, running_server
from support.waiting import wait_until

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


def test_auth_26_no_user_has_a_known_password(tmp_path: Path):
    """A fresh server has no default password; it tells its own once, on stdout and in a file."""
    with running_server(tmp_path, "--verbose", password="") as server:
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
        assert server.output.read_text().count(once) == 1
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


def test_rbac_24_access_ends_with_a_binding_that_no_controller_saw_go(tmp_path: Path):
    """Bindings that are deleted just before a crash give nothing within 2 s of the next start."""
    names = [f"eve-{number}" for number in range(8)]
    with running_server(tmp_path) as server, server.client("admintoken") as operator:

        def create(path: str, body: dict) -> None:
            answer = operator.post(path, json=body)
            assert answer.status_code == 201, answer.text

        create("/api/v1/namespaces", namespace("team-x"))
        for name in names:
            create(USERS, user(name, f"Password-of-{name}"))
            create(BINDINGS, member(name, "team-x", "namespace-owner", subject(name)))
        tokens = {name: server.login(name, f"Password-of-{name}") for name in names}
        wait_until(lambda: all(_reads(server, each) for each in tokens.values()), 5)
        answers = [operator.delete(f"{BINDINGS}/{name}").status_code for name in names]
        server.process.kill()
        server.process.wait()
    assert answers == [200] * len(names)
    with running_server(tmp_path) as again:
        wait_until(lambda: not any(_reads(again, each) for each in tokens.values()), 2)


def _reads(server: RunningServer, token: str) -> bool:
    """Whether somebody reads team-x."""
    with server.client(token) as client:
        status = client.get("/api/v1/namespaces/team-x/configmaps").status_code
    assert status in (200, 403)
    return status == 200


def test_rbac_13_what_is_built_in_comes_back(tmp_path: Path):
    """Built-in roles that even a cluster operator has changed or deleted are restored at start."""
    roles = "/apis/management.llmos.ai/v1/globalroles"
    templates = "/apis/management.llmos.ai/v1/roletemplates"
    bound = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/llmos:users"
    with running_server(tmp_path) as server, server.client("admintoken") as operator:
        before = operator.get(f"{roles}/user").json()["rules"]
        # No PUT: it could meet the controller that writes the status.
        every = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
        merge = {"Content-Type": "application/merge-patch+json"}
        changed = operator.patch(f"{roles}/user", content=json.dumps(every), headers=merge)
        assert changed.status_code == 200
        assert operator.delete(f"{templates}/namespace-readonly").status_code == 200
        assert operator.delete(bound).status_code == 200
    with running_server(tmp_path) as again, again.client("admintoken") as operator:
        assert operator.get(f"{roles}/user").json()["rules"] == before
        found = operator.get(f"{templates}/namespace-readonly").json()
        assert found["spec"]["builtin"] is True
        assert operator.get(bound).status_code == 200
