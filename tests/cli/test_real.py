"""The command against a running server, as its users run it: in a process, in a shell, at a TTY."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.engine import Engine
from support.kubectl import find_kubectl
from support.required import missing
from support.waiting import wait_until

SECONDS = 40
PROGRAM = (sys.executable, "-m", "llmos")


@dataclass
class Person:
    """Somebody at a shell of his own."""

    home: Path
    engine: Engine
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess:
        """Run a program to its end."""
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=self.home,
            env=self.shell,
            check=False,
        )

    @property
    def shell(self) -> dict[str, str]:
        """The environment of the shell."""
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH")}
        return {**kept, "HOME": str(self.home), **self.environment}

    def llmos(self, *arguments: str, stdin: str = "") -> str:
        """What the command prints; it must succeed."""
        done = self.run(*PROGRAM, *arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sign_in(self, username: str, password: str) -> str:
        """Sign in from a script."""
        trust = ("--certificate-authority", str(self.engine.ca_file))
        arguments = ("login", self.engine.url, "-u", username, "--password-stdin", *trust)
        return self.llmos(*arguments, stdin=f"{password}\n")


@pytest.fixture
def admin(engine, tmp_path):
    """The administrator, signed in."""
    person = Person(tmp_path, engine)
    person.sign_in("admin", engine.admin_password)
    return person


@pytest.fixture
def someone(engine, tmp_path):
    """Somebody else, with a home of his own."""
    home = tmp_path / "someone"
    home.mkdir()
    return Person(home, engine)


INTERRUPT = "\x03"
"""Ctrl-C, as a terminal sends it."""


def dialogue(person: Person, steps: list[tuple[str, str]], *arguments: str) -> tuple[int, str]:
    """Run the command at a terminal and type each answer when its question comes."""
    process, terminal = pty.fork()
    if process == 0:
        # A shell lets what it runs in the background ignore Ctrl-C, and that is passed on.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(person.home)
        os.execve(PROGRAM[0], (*PROGRAM, *arguments), person.shell)
    said, read, asked = "", 0, list(steps)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            said += os.read(terminal, 4096).decode()
        except OSError:
            break
        # One read may bring more than one question.
        while asked and (found := said.find(asked[0][0], read)) >= 0:
            question, answer = asked.pop(0)
            read = found + len(question)
            time.sleep(0.1)  # from the question to where its answer is awaited
            os.write(terminal, answer.encode())
    # Not the other way round: who ends may still write.
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(terminal)
    assert not asked, said
    return status, said


def test_a_team_is_set_up_and_works(admin, someone):
    """The tour: a user, a namespace with him as owner, kubectl in it, and nothing beyond it."""
    once = re.search(r"one-time password: (\S+)", admin.llmos("user", "create", "tour-ann"))
    admin.llmos("namespace", "create", "tour-team", "--member", "tour-ann=owner")
    someone.sign_in("tour-ann", once[1])
    someone.llmos(
        "user", "password", "tour-ann", "--password-stdin", stdin=f"{once[1]}\nann-password\n"
    )
    someone.sign_in("tour-ann", "ann-password")
    assert someone.llmos("namespace", "list", "-o", "name").split() == [
        "namespace/llmos-public", "namespace/tour-team",
    ]  # fmt: skip
    refused = someone.run(*PROGRAM, "namespace", "create", "tour-other")
    assert refused.returncode == 1
    admin.llmos("user", "create", "tour-ben", "-o", "name")
    someone.llmos("member", "add", "-n", "tour-team", "--user", "tour-ben", "--role", "readonly")
    shown = json.loads(someone.llmos("member", "list", "-n", "tour-team", "-o", "json"))
    assert {each["subjects"][0]["name"] for each in shown["items"]} == {"tour-ann", "tour-ben"}
    admin.llmos("namespace", "delete", "tour-team", "--yes")
    assert admin.run(*PROGRAM, "namespace", "get", "tour-team").returncode == 5


@pytest.mark.clients
def test_kubectl_uses_the_context_of_login(admin):
    """Kubectl works with what login wrote, and stops when logout has taken it away."""
    kubectl = find_kubectl()
    if kubectl is None:
        missing("kubectl", "there is no kubectl")
    admin.environment["KUBECACHEDIR"] = str(admin.home / "cache")
    found = admin.run(str(kubectl), "get", "namespaces", "-o", "name")
    assert "namespace/llmos-public" in found.stdout.split()
    token = admin.llmos("token", "create", "--ttl", "1h").strip()
    named = admin.run(str(kubectl), "--token", token, "auth", "whoami", "-o", "json")
    assert json.loads(named.stdout)["status"]["userInfo"]["username"] == "admin"
    admin.llmos("logout")
    assert admin.run(str(kubectl), "get", "namespaces").returncode != 0


def test_a_stranger_at_a_terminal_signs_in(admin, someone):
    """He compares the authority, types what he was given, and chooses a password of his own."""
    made = json.loads(admin.llmos("user", "create", "tty-tom", "-o", "json"))
    status, said = dialogue(
        someone,
        [
            ("Trust it from now on?", "y\n"),
            ("Username", "tty-tom\n"),
            ("Password of tty-tom", f"{made['oneTimePassword']}\n"),
            ("New password", "short\n"),
            ("again", "short\n"),
            ("at least 8 characters", ""),
            ("New password", "toms-password\n"),
            ("again", "toms-password\n"),
        ],
        "login",
        someone.engine.url,
    )
    assert status == 0, said
    assert "SHA-256" in said
    assert "toms-password" not in said
    assert someone.llmos("whoami", "-o", "name") == "tty-tom\n"


def test_ctrl_c_ends_quietly(someone):
    """130, and no traceback."""
    status, said = dialogue(
        someone, [("Trust it", "y\n"), ("Username", INTERRUPT)], "login", someone.engine.url
    )
    assert status == 130
    assert "Traceback" not in said


def test_a_script_does_not_trust_whom_it_does_not_know(someone):
    """Exit code 3; the password stays here."""
    arguments = ("login", someone.engine.url, "-u", "admin", "--password-stdin")
    done = someone.run(*PROGRAM, *arguments, stdin="x\n")
    assert done.returncode == 3
    assert "--certificate-authority" in done.stderr


def test_a_new_role_has_no_gap(admin, someone):
    """A member whose role is changed again and again is never without access."""
    admin.llmos("user", "create", "gap-gil", "--password-stdin", stdin="gil-password\n")
    admin.llmos("namespace", "create", "gap", "--member", "gap-gil=editor")
    token = someone.engine.login("gap-gil", "gil-password")
    change = [*PROGRAM, "member", "set", "-n", "gap", "--user", "gap-gil", "--role"]
    with someone.engine.client(token) as client:
        for role in ("readonly", "owner"):
            with subprocess.Popen([*change, role], cwd=admin.home, env=admin.shell) as changing:
                while changing.poll() is None:
                    answer = client.get("/api/v1/namespaces/gap/configmaps")
                    assert answer.status_code == 200, answer.text
            assert changing.returncode == 0
    admin.llmos("namespace", "delete", "gap", "--yes", "--no-wait")


# The server


def serve(home: Path, *options: str, **environment: str) -> subprocess.CompletedProcess:
    """Start a server that is not going to."""
    return subprocess.run(
        (*PROGRAM, "serve", "--port", "0", *options),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=home,
        env={**os.environ, **environment},
        check=False,
    )


def refused(done: subprocess.CompletedProcess, *words: str) -> None:
    """One clear line, exit code 1."""
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in ("Error: ", *words)), done.stderr


@pytest.mark.slow
def test_a_server_that_cannot_start_says_why_in_one_line(tmp_path):
    """Directory, database, port, tokens, certificate and password, each by its name."""
    (tmp_path / "file").write_text("no pem, no token")
    refused(serve(tmp_path, "--data-dir", "file/data"), "file/data", "Not a directory")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "llmos.db").write_text("this is no database" * 100)
    refused(serve(tmp_path, "--data-dir", "broken"), "llmos.db", "not a database")
    refused(serve(tmp_path, "--token-auth-file", "file"), "file:1:")
    refused(serve(tmp_path, "--tls-cert", "file", "--tls-key", "file"), "certificate and key")
    refused(
        serve(tmp_path, "--data-dir", "new", LLMOS_ADMIN_PASSWORD="short"),
        "LLMOS_ADMIN_PASSWORD",
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(serve(tmp_path, "--port", port), f"127.0.0.1:{port}", "in use")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_server_stops_quietly(tmp_path, ending):
    """Ctrl-C and SIGTERM end it well; stdout has what people need, stderr one word of goodbye."""
    log = tmp_path / "out"
    with (
        log.open("w") as out,
        subprocess.Popen(
            (*PROGRAM, "serve", "--port", "0"),
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        ) as process,
    ):
        wait_until(lambda: "export KUBECONFIG=" in log.read_text(), SECONDS)
        process.send_signal(ending)
        _, err = process.communicate(timeout=SECONDS)
    assert log.read_text().startswith("llmos serves at https://127.0.0.1:")
    assert (process.returncode, err) == (0, "llmos has stopped.\n")
