"""What is moved arrives: on another server, on a cluster, and back."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from portability.moving import (
    MANAGEMENT,
    TEAM,
    documents,
    export,
    fill,
    has_rights,
    llmos,
    typed,
)
from support.cluster import Cluster
from support.controlplane import ADMIN_TOKEN, control_plane
from support.engine import Engine
from support.recorder import Recorder
from support.server import ADMIN_PASSWORD, RunningServer, start_server
from support.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@dataclass
class Source:
    """What was exported, and from where."""

    server: RunningServer
    file: Path
    token: str


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """The server that is left."""
    folder = tmp_path_factory.mktemp("source")
    server = start_server(folder, static=False)
    try:
        token = fill(server)
        export(server.kubeconfig, folder / "export")
        yield Source(server, folder / "export", token)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def target(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A fresh server, with everything imported."""
    server = fresh(tmp_path_factory.mktemp("target"))
    try:
        done = llmos(operator(server), "import", "-f", str(source.file))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "bindings: 4 in force, 0 not in force" in done.stdout
        yield server
    finally:
        server.stop()


def fresh(folder: Path) -> RunningServer:
    """A server whose admin has a one-time password that nobody used."""
    return start_server(folder, password="")


def operator(server: RunningServer) -> Path:
    """Whoever may do everything there, outside llmos."""
    session = Session("operator", ADMIN_TOKEN, Engine(server.url, server.ca_file, ""))
    return session.kubeconfig(server.data_dir.parent)


def names(source: Source, kind: str) -> set[str]:
    """Those of a kind in the file."""
    return {each["metadata"]["name"] for each in documents(source.file) if each["kind"] == kind}


def test_what_is_in_the_file(source: Source) -> None:
    """What users made; not what is made again, what is over, or what is the platform's."""
    assert names(source, "User") == {"admin", "alice", "bob", "carol"}
    assert names(source, "Namespace") == {"default", "llmos-public", "team-a", "team-b"}
    assert names(source, "ConfigMap") == {"c", "owned"}
    assert names(source, "Job") == {"j"}
    assert names(source, "RoleTemplate") == {"reader"}
    assert names(source, "GlobalRole") == {"watcher"}
    assert names(source, "CustomResourceDefinition") == {"widgets.example.com"}
    assert names(source, "ServiceAccount") == {"robot"}
    assert names(source, "RoleBinding") == set()
    assert "a-gone" not in names(source, "RoleTemplateBinding")
    kinds = {
        each["data"]["kind"]
        for each in documents(source.file)
        if each.get("type") == "llmos.ai/token"
    }
    assert kinds == {"YXBp"}  # api


def test_nobody_else_reads_the_file(source: Source) -> None:
    """It has the hashes of all passwords in it."""
    assert source.file.stat().st_mode & 0o777 == 0o600


def test_the_same_state_is_the_same_file(source: Source, tmp_path: Path) -> None:
    """Byte by byte."""
    export(source.server.kubeconfig, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == source.file.read_bytes()


def test_people_have_their_rights_on_another_server(source: Source, target: RunningServer) -> None:
    """With the passwords and tokens that they had."""
    has_rights(target, source.token)
    assert target.login("admin", ADMIN_PASSWORD)


def test_the_other_server_exports_the_same(
    source: Source, target: RunningServer, tmp_path: Path
) -> None:
    """Nothing is lost and nothing added on the way."""
    export(target.kubeconfig, tmp_path / "there")
    assert (tmp_path / "there").read_bytes() == source.file.read_bytes()


def test_owners_are_found_by_their_names(target: RunningServer) -> None:
    """The uid of an owner is another one there; with the old one the object would be collected."""
    with target.client(target.login("admin", ADMIN_PASSWORD)) as admin:
        owned = admin.get(f"{TEAM}/configmaps/owned").json()
        notebook = admin.get(
            f"{TEAM.replace('/api/v1', '/apis/ml.llmos.ai/v1')}/notebooks/n"
        ).json()
    (owner,) = owned["metadata"]["ownerReferences"]
    assert owner["uid"] == notebook["metadata"]["uid"]


def test_again_changes_nothing(source: Source, target: RunningServer) -> None:
    """Everything is there and as it should be."""
    done = llmos(operator(target), "import", "-f", str(source.file))
    assert done.returncode == 0, done.stdout
    number = len(documents(source.file))
    assert f"imported: {number} unchanged\n" in done.stdout
    assert f"checked: {number} agrees\n" in done.stdout


def test_a_pipe_will_do(source: Source, target: RunningServer) -> None:
    """Nothing has to lie on a disk."""
    exported = llmos(source.server.kubeconfig, "export")
    done = llmos(operator(target), "import", "--check", stdin=exported.stdout)
    assert (exported.returncode, done.returncode) == (0, 0), done.stdout
    cut = llmos(operator(target), "import", stdin=exported.stdout[:-100])
    assert (cut.returncode, "stdin: " in cut.stderr, cut.stdout) == (1, True, "")


@pytest.mark.cluster
def test_where_llmos_is_not_installed(source: Source, tmp_path: Path) -> None:
    """It is said in words."""
    with control_plane(tmp_path) as plane:
        for verb in ("export", "import"):
            done = llmos(plane.kubeconfig, verb, "-f", str(source.file))
            assert (done.returncode, "llmos install" in done.stderr) == (5, True), done.stderr


@pytest.fixture(scope="module")
def moved(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster into which everything was imported before its first proxy started."""
    folder = tmp_path_factory.mktemp("plane")
    with control_plane(folder, controllers=True) as plane:
        assert llmos(plane.kubeconfig, "install").returncode == 0
        done = llmos(plane.kubeconfig, "import", "-f", str(source.file))
        assert done.returncode == 0, done.stdout + done.stderr
        recorder = Recorder(plane.url, plane.directory)
        with recorder.running():
            operator = plane.session("operator", ADMIN_TOKEN)
            cluster = Cluster(plane, recorder, operator)
            try:
                cluster.add_proxy()
                yield cluster
            finally:
                for each in cluster.proxies:
                    each.stop()
                operator.close()


@pytest.mark.cluster
def test_people_have_their_rights_on_a_cluster(source: Source, moved: Cluster) -> None:
    """With the passwords and tokens that they had on the embedded server."""
    has_rights(moved.proxies[0], source.token)


@pytest.mark.cluster
def test_the_cluster_has_what_the_file_says(source: Source, moved: Cluster) -> None:
    """Seen by its operator and by an administrator before the proxy."""
    done = llmos(moved.plane.kubeconfig, "import", "--check", "-f", str(source.file))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.cluster
def test_an_administrator_exports_before_a_cluster(moved: Cluster, tmp_path: Path) -> None:
    """The same, byte by byte, as the cluster's operator."""
    proxy = moved.proxies[0]
    engine = Engine(proxy.url, moved.plane.ca_file, ADMIN_PASSWORD)
    admin = Session("admin", proxy.login("admin", ADMIN_PASSWORD), engine)
    export(admin.kubeconfig(tmp_path), tmp_path / "seen")
    export(moved.plane.kubeconfig, tmp_path / "there")
    assert (tmp_path / "seen").read_bytes() == (tmp_path / "there").read_bytes()


@pytest.mark.cluster
def test_and_back(source: Source, moved: Cluster, tmp_path: Path) -> None:
    """From the cluster to an embedded server."""
    export(moved.plane.kubeconfig, tmp_path / "export")
    server = fresh(tmp_path / "server")
    try:
        done = llmos(operator(server), "import", "-f", str(tmp_path / "export"))
        assert done.returncode == 0, done.stdout + done.stderr
        has_rights(server, source.token)
        done = llmos(operator(server), "import", "--check", "-f", str(source.file))
        assert done.returncode == 0, done.stdout
    finally:
        server.stop()


def test_a_change_is_told_and_kept(source: Source, tmp_path: Path) -> None:
    """Unless the file is said to win; Secrets are never shown."""
    server = fresh(tmp_path / "server")
    try:
        assert llmos(operator(server), "import", "-f", str(source.file)).returncode == 0
        with server.client(server.login("admin", ADMIN_PASSWORD)) as admin:
            headers = {"Content-Type": "application/merge-patch+json"}
            for path, patch in (
                (f"{TEAM}/configmaps/c", {"data": {"more": "x"}}),
                (f"{TEAM}/secrets/s", {"stringData": {"key": "another-secret"}}),
                (
                    f"{TEAM.replace('/api/v1', '/apis/apps/v1')}/deployments/d",
                    {"spec": {"paused": True}},
                ),
            ):
                assert admin.patch(path, json=patch, headers=headers).status_code == 200
            assert admin.delete(f"{TEAM}/serviceaccounts/robot").status_code == 200
            assert (
                admin.post(f"{TEAM}/configmaps", json={"metadata": {"name": "new"}}).status_code
                == 201
            )
        told = llmos(operator(server), "import", "--check", "-f", str(source.file))
        assert told.returncode == 1
        assert told.stdout.splitlines()[:-1] == [
            "serviceaccount/robot -n team-a missing",
            "secret/s -n team-a differs: data.key",
            "configmap/c -n team-a differs: data.more",
            "deployment.apps/d -n team-a differs: spec.paused",
            "configmap/new -n team-a only here",
        ]
        kept = llmos(operator(server), "import", "-f", str(source.file))
        assert (kept.returncode, kept.stdout.count(" kept: ")) == (1, 3)
        tried = llmos(
            operator(server), "import", "--overwrite", "--dry-run", "-f", str(source.file)
        )
        assert (tried.returncode, tried.stdout.count(" replaced: ")) == (0, 3)
        assert (
            "secret/s -n team-a differs"
            in llmos(operator(server), "import", "--check", "-f", str(source.file)).stdout
        )
        won = llmos(operator(server), "import", "--overwrite", "-f", str(source.file))
        assert (won.returncode, won.stdout.count(" replaced: ")) == (0, 3)
    finally:
        server.stop()


def test_a_dry_run_changes_nothing(source: Source, tmp_path: Path) -> None:
    """And says that all of it could be."""
    server = fresh(tmp_path / "server")
    try:
        before = export(server.kubeconfig, tmp_path / "before")
        done = llmos(operator(server), "import", "--dry-run", "-f", str(source.file))
        assert done.returncode == 0, done.stdout + done.stderr
        assert export(server.kubeconfig, tmp_path / "after") == before
    finally:
        server.stop()


def test_somebody_of_the_same_name_gets_nothing(source: Source, tmp_path: Path) -> None:
    """Neither a password nor a role; nor does a namespace of others get anything in it."""
    server = fresh(tmp_path / "server")
    try:
        one_time = (server.data_dir / "admin.password").read_text().strip()
        with server.client() as client:
            body = {"username": "admin", "password": one_time, "newPassword": ADMIN_PASSWORD}
            token = client.post("/auth/login", json=body).json()["token"]
        with server.client(token) as admin:
            users = f"{MANAGEMENT}/users"
            for name, groups in (("alice", []), ("dan", ["vision"])):
                spec = {"username": name, "password": "somebody-elses", "groups": groups}
                body = {"metadata": {"name": name}, "spec": spec}
                assert admin.post(users, json=typed(users, body)).status_code == 201
            body = {"metadata": {"name": "team-b"}}
            assert admin.post("/api/v1/namespaces", json=body).status_code == 201
            done = llmos(operator(server), "import", "-f", str(source.file))
            assert done.returncode == 1
            for each in (
                "user.management.llmos.ai/alice withheld: the User here is another one",
                "namespace/team-b withheld: the Namespace here is another one",
                "secret/password-alice -n llmos-system withheld",
                "roletemplatebinding.management.llmos.ai/a-alice withheld: the user alice",
                "roletemplatebinding.management.llmos.ai/b-alice withheld: the namespace team-b",
                "roletemplatebinding.management.llmos.ai/a-vision withheld: the group vision has",
            ):
                assert each in done.stdout
            found = admin.get(f"{MANAGEMENT}/roletemplatebindings").json()["items"]
            assert {each["metadata"]["name"] for each in found} == {"bootstrap-admin"}
        assert server.login("alice", "somebody-elses")
    finally:
        server.stop()


def test_by_the_data_directory(source: Source, tmp_path: Path) -> None:
    """Out of one server and into another, neither of which is running; nobody has to sign in."""
    nobody = tmp_path / "none.kubeconfig"
    data = tmp_path / "target" / "data"
    running = llmos(nobody, "export", "--data-dir", str(source.server.data_dir))
    assert (running.returncode, running.stdout) == (1, "")
    done = llmos(nobody, "import", "-f", str(source.file), "--data-dir", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    again = tmp_path / "again"
    done = llmos(nobody, "export", "-f", str(again), "--data-dir", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    assert again.read_bytes() == source.file.read_bytes()
    server = start_server(tmp_path / "target", password="")
    try:
        has_rights(server, source.token)
        assert server.kubeconfig.exists()
    finally:
        server.stop()


def test_an_administrator_of_llmos_imports_nothing(source: Source, tmp_path: Path) -> None:
    """He writes nobody's password; it is said before anything is made."""
    done = llmos(source.server.kubeconfig, "import", "-f", str(source.file))
    assert (done.returncode, done.stdout) == (1, "")
    assert "--data-dir" in done.stderr


def test_who_may_not_do_everything_exports_nothing(source: Source, tmp_path: Path) -> None:
    """What he sees is a part, and the part would pass for the whole."""
    kubeconfig = tmp_path / "alice.kubeconfig"
    shutil.copy(source.server.kubeconfig, kubeconfig)
    admin = source.server.kubeconfig.read_text()
    token = next(line.split()[-1] for line in admin.splitlines() if "token:" in line)
    kubeconfig.write_text(admin.replace(token, source.token))
    done = llmos(kubeconfig, "export", "-f", str(tmp_path / "export"))
    assert (done.returncode, "not everything is allowed" in done.stderr) == (1, True)
    assert [each.name for each in tmp_path.iterdir()] == ["alice.kubeconfig"]
    done = llmos(kubeconfig, "import", "-f", str(source.file))
    assert (done.returncode, "not everything is allowed" in done.stderr) == (1, True)
