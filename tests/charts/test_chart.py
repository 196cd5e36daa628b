"""The Helm chart: what it makes is accepted by a cluster, and fits the command and the package."""

import json
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.binaries import HELM_3, HELM_4
from llmos import __version__
from llmos.cli.proxy import proxy
from llmos.proxy.authority import NAME as AUTHORITY
from support.cluster import Cluster
from support.controlplane import ADMIN_TOKEN, control_plane
from support.kubectl import Done
from support.objects import Object
from support.session import Session

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "llmos"
SECONDS = 60
HOST = "llmos.example.org"
SETS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "one": {"replicas": 1, "networkPolicy": {"enabled": False}},
    "secret": {
        "tls": {"existingSecret": "own", "names": ["ignored.example.org"]},
        "image": {"repository": "r.example.org/llmos", "digest": "sha256:" + "a" * 64},
    },
    "cert-manager": {
        "tls": {"names": [HOST], "certManager": {"enabled": True, "issuerRef": {"name": "ca"}}}
    },
    "everything": {
        "replicas": 3,
        "image": {"repository": "x", "tag": "1", "pullSecrets": [{"name": "p"}]},
        "tls": {"names": ["a.example.org"]},
        "service": {"type": "LoadBalancer", "nodePort": 30443, "annotations": {"a": "b"},
                    "loadBalancerSourceRanges": ["10.0.0.0/8"]},
        "ingress": {"enabled": True, "host": HOST, "className": "nginx", "tlsSecret": "s",
                    "annotations": {"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS"}},
        "networkPolicy": {"from": [{"namespaceSelector": {}}], "apiServerPorts": [6443]},
        "podDisruptionBudget": {"minAvailable": "50%"},
        "extraArgs": ["--verbose"],
        "serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"release": "prometheus"}},
        "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "system-cluster-critical",
    },
}  # fmt: skip
SERVED = SETS["everything"] | {"serviceMonitor": {"enabled": False}}
"""Without what another project's definitions bring."""
WRONG: dict[str, dict[str, Any]] = {
    "replicas": {"replicas": 0},
    "unknown": {"replica": 2},
    "digest": {"image": {"repository": "x", "digest": "latest"}},
    "ingress without a host": {"ingress": {"enabled": True}},
    "no issuer": {"tls": {"certManager": {"enabled": True}}},
    "service": {"service": {"type": "ExternalName"}},
    "interval": {"serviceMonitor": {"interval": "often"}},
}


@dataclass(frozen=True)
class Helm:
    """One helm, and where it may write."""

    binary: Path
    home: Path

    def __call__(
        self, *arguments: str, values: Any = None, namespace: str = "llmos-system"
    ) -> Done:
        """Run a command to its end."""
        given: tuple[str, ...] = ()
        if values is not None:
            file = self.home / "values.json"
            file.write_text(json.dumps(values))
            given = ("-f", str(file))
        done = subprocess.run(
            [str(self.binary), *arguments, *given, "-n", namespace],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home)},
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def template(self, values: dict[str, Any]) -> list[Object]:
        """The objects of a release."""
        text = self("template", "llmos", str(CHART), values=values).ok()
        return [each for each in yaml.safe_load_all(text) if each]


@pytest.fixture(scope="module", params=[HELM_3, HELM_4], ids=["helm 3", "helm 4"])
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Either generation."""
    return Helm(request.param.find(), tmp_path_factory.mktemp("helm"))


def pod_of(objects: list[Object]) -> Object:
    """The template of the pods."""
    (found,) = [each for each in objects if each["kind"] == "Deployment"]
    return found["spec"]["template"]


def test_versions_are_the_package_s() -> None:
    """A chart installs the image of its own version."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"], __version__) == (package, package, package)


def test_every_value_has_a_schema() -> None:
    """What can be set is checked."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(values) == set(schema["properties"]) - {"global"}
    for name, value in values.items():
        properties = schema["properties"][name].get("properties")
        if properties is not None:
            assert set(value) == set(properties), name


@pytest.mark.slow
@pytest.mark.clients
class TestRendered:
    """What helm makes of it."""

    @pytest.mark.parametrize("name", SETS)
    def test_lint(self, helm: Helm, name: str) -> None:
        """Nothing to complain about."""
        helm("lint", "--strict", str(CHART), values=SETS[name]).ok()

    @pytest.mark.parametrize("name", WRONG)
    def test_wrong_values_are_refused(self, helm: Helm, name: str) -> None:
        """Before anything is made."""
        assert helm("template", "llmos", str(CHART), values=WRONG[name]).code != 0

    @pytest.mark.parametrize("name", SETS)
    def test_the_command_knows_its_options(self, helm: Helm, name: str) -> None:
        """Every option of the pod is one of llmos proxy, which parses them."""
        pod = pod_of(helm.template(SETS[name]))
        verb, *arguments = pod["spec"]["containers"][0]["args"]
        assert verb == "proxy"
        known = {opt for each in proxy.params for opt in (*each.opts, *each.secondary_opts)}
        assert {each for each in arguments if each.startswith("--")} <= known

    def test_kinds(self, helm: Helm) -> None:
        """What was not asked for is not there; nothing gives rights."""

        def kinds(name: str) -> list[str]:
            return sorted(each["kind"] for each in helm.template(SETS[name]))

        usual = ["Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"]
        assert kinds("defaults") == kinds("secret") == usual
        assert kinds("one") == ["Deployment", "Service"]
        assert kinds("cert-manager") == ["Certificate", *usual]
        scraping = ["ClusterRole", "ClusterRoleBinding", "Secret", "ServiceAccount"]
        everything = [*usual, *scraping, "Ingress", "ServiceMonitor"]
        assert kinds("everything") == sorted(everything)

    def test_scraping(self, helm: Helm) -> None:
        """Over TLS that is checked, with a token of somebody who may read that and no more."""
        found = {each["kind"]: each for each in helm.template(SETS["everything"])}
        monitor, service = found["ServiceMonitor"], found["Service"]
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["spec"]["selector"]["matchLabels"].items() <= (
            service["metadata"]["labels"].items()
        )
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["port"] in {each["name"] for each in service["spec"]["ports"]}
        assert (endpoint["scheme"], endpoint["path"]) == ("https", "/metrics")
        assert endpoint["interval"] == "15s"
        names = pod_of(list(found.values()))["spec"]["containers"][0]["args"]
        assert endpoint["tlsConfig"]["serverName"] in names
        assert "insecureSkipVerify" not in endpoint["tlsConfig"]
        authority = endpoint["tlsConfig"]["ca"]["secret"]
        assert authority == {"name": AUTHORITY, "key": "ca.crt"}

        credentials = endpoint["authorization"]["credentials"]
        assert credentials == {"name": found["Secret"]["metadata"]["name"], "key": "token"}
        account = found["ServiceAccount"]["metadata"]
        annotations = found["Secret"]["metadata"]["annotations"]
        assert annotations == {"kubernetes.io/service-account.name": account["name"]}
        (who,) = found["ClusterRoleBinding"]["subjects"]
        assert who == {"kind": "ServiceAccount"} | {
            each: account[each] for each in ("name", "namespace")
        }
        assert found["ClusterRole"]["rules"] == [
            {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
        ]

    def test_the_authority_that_scraping_trusts(self, helm: Helm) -> None:
        """The one of the certificate that is shown."""

        def authority(name: str, **more: str) -> str:
            values = {**SETS[name], "serviceMonitor": {"enabled": True, **more}}
            found = {each["kind"]: each for each in helm.template(values)}
            (endpoint,) = found["ServiceMonitor"]["spec"]["endpoints"]
            return str(endpoint["tlsConfig"]["ca"]["secret"]["name"])

        assert authority("secret") == "own"
        assert authority("cert-manager") == "llmos-tls"
        assert authority("secret", caSecret="roots") == "roots"

    def test_certificates(self, helm: Helm) -> None:
        """A Secret is mounted where there is one; else the proxy is told its names."""
        own = pod_of(helm.template(SETS["everything"]))["spec"]["containers"][0]["args"]
        assert {HOST, "a.example.org", "llmos.llmos-system.svc"} <= set(own)
        assert "--tls-cert" not in own
        for name, secret in (("secret", "own"), ("cert-manager", "llmos-tls")):
            objects = helm.template(SETS[name])
            spec = pod_of(objects)["spec"]
            assert "--tls-name" not in spec["containers"][0]["args"]
            assert "/etc/llmos/tls/tls.crt" in spec["containers"][0]["args"]
            assert {"tls": secret}.items() <= {
                each["name"]: each.get("secret", {}).get("secretName") for each in spec["volumes"]
            }.items()
        (certificate,) = [each for each in objects if each["kind"] == "Certificate"]
        assert HOST in certificate["spec"]["dnsNames"]

    def test_only_where_its_account_is(self, helm: Helm) -> None:
        """In another namespace there is no ServiceAccount llmos-proxy."""
        done = helm("template", "llmos", str(CHART), namespace="default")
        assert (done.code != 0, "llmos-system" in done.err) == (True, True)

    def test_the_probes(self, helm: Helm) -> None:
        """A proxy that waits for its cluster is alive and not ready."""
        (container,) = pod_of(helm.template({}))["spec"]["containers"]
        probes = ("startupProbe", "livenessProbe", "readinessProbe")
        paths = [container[each]["httpGet"]["path"] for each in probes]
        assert paths == ["/livez", "/livez", "/readyz"]


@pytest.fixture(scope="module")
def restricted(cluster: Cluster) -> Iterator[str]:
    """A namespace that takes no pod but those that ask for nothing special."""
    name, label = "restricted", "pod-security.kubernetes.io/enforce"
    body = {"metadata": {"name": name, "labels": {label: "restricted"}}}
    assert cluster.operator.create("/api/v1/namespaces", body).status_code == 201
    account = {"metadata": {"name": "llmos-proxy"}}
    path = f"/api/v1/namespaces/{name}/serviceaccounts"
    assert cluster.operator.create(path, account).status_code == 201
    yield name
    cluster.operator.delete(f"/api/v1/namespaces/{name}")


PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/llmos-system/deployments",
    "Service": "/api/v1/namespaces/llmos-system/services",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/llmos-system/ingresses",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/llmos-system/networkpolicies",
    "ServiceAccount": "/api/v1/namespaces/llmos-system/serviceaccounts",
    "Secret": "/api/v1/namespaces/llmos-system/secrets",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/llmos-system/poddisruptionbudgets",
}


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.cluster
class TestOnACluster:
    """Against Kubernetes."""

    @pytest.mark.parametrize("name", SETS)
    def test_every_object_is_accepted(self, helm: Helm, cluster: Cluster, name: str) -> None:
        """Without a word about fields that it does not know."""
        for each in helm.template(SETS[name]):
            if each["kind"] in ("Certificate", "ServiceMonitor"):
                continue  # nobody serves them here
            query = {"dryRun": "All", "fieldValidation": "Strict"}
            answer = cluster.operator.create(PATHS[each["kind"]], each, **query)
            assert answer.status_code == 201, answer.text
            assert "Warning" not in answer.headers

    @pytest.mark.parametrize("name", SETS)
    def test_pods_ask_for_nothing_special(
        self, helm: Helm, cluster: Cluster, restricted: str, name: str
    ) -> None:
        """They keep the strictest of the standards for pods."""
        template = pod_of(helm.template(SETS[name]))
        template["spec"].pop("priorityClassName", None)
        pod = {"metadata": {"name": "p", "labels": template["metadata"]["labels"]}}
        pod["spec"] = template["spec"]
        path = f"/api/v1/namespaces/{restricted}/pods"
        answer = cluster.operator.create(path, pod, dryRun="All")
        assert answer.status_code == 201, answer.text
        pod["spec"]["containers"][0]["securityContext"].pop("capabilities")
        assert cluster.operator.create(path, pod, dryRun="All").status_code == 403

    def test_the_probes_are_answered(self, cluster: Cluster) -> None:
        """To the kubelet, who signs in as nobody."""
        with cluster.proxies[0].client() as nobody:
            assert [nobody.get(each).status_code for each in ("/livez", "/readyz")] == [200, 200]

    def test_a_release(self, helm: Helm, cluster: Cluster) -> None:
        """Installed, upgraded and removed by the operator of the cluster."""
        access = ("--kubeconfig", str(cluster.plane.kubeconfig))
        helm("install", "llmos", str(CHART), *access).ok()
        try:
            helm("upgrade", "llmos", str(CHART), *access, values=SERVED).ok()
            found = cluster.operator.get(f"{PATHS['Deployment']}/llmos").json()
            assert found["spec"]["replicas"] == 3
        finally:
            helm("uninstall", "llmos", *access).ok()
        assert cluster.operator.get(f"{PATHS['Deployment']}/llmos").status_code == 404

    def test_where_llmos_is_not_installed(self, helm: Helm, tmp_path: Path) -> None:
        """There is nothing yet that a proxy could work with."""
        with control_plane(tmp_path) as plane:
            operator: Session = plane.session("operator", ADMIN_TOKEN)
            space = {"metadata": {"name": "llmos-system"}}
            assert operator.create("/api/v1/namespaces", space).status_code == 201
            operator.close()
            access = ("--kubeconfig", str(plane.kubeconfig))
            done = helm("install", "llmos", str(CHART), *access)
        assert (done.code != 0, "llmos install" in done.err) == (True, True)


class TestImage:
    """The Containerfile."""

    lines = tuple(
        shlex.split(each)
        for each in (ROOT / "Containerfile").read_text().replace("\\\n", " ").splitlines()
        if each and not each.startswith("#")
    )

    def test_what_it_copies_is_there(self) -> None:
        """And is not hidden from the builder."""
        shown = {
            each[1:] for each in (ROOT / ".dockerignore").read_text().split() if each[0] == "!"
        }
        sources = {
            source
            for line in self.lines
            if line[0] == "COPY" and not line[1].startswith("--from")
            for source in line[1:-1]
        }
        assert {each.removeprefix("./") for each in sources} == shown
        assert all((ROOT / each).exists() for each in sources)

    def test_nobody_is_root(self) -> None:
        """As a number, which Kubernetes can judge, and the one of the chart."""
        last = [line for line in self.lines if line[0] in ("FROM", "USER")]
        assert [line[0] for line in last] == ["FROM", "FROM", "USER"]
        assert last[-1][1] == "65532:65532"
        text = (CHART / "templates" / "deployment.yaml").read_text()
        assert "runAsUser: 65532\n" in text

    def test_it_starts_the_command(self) -> None:
        """The chart gives its arguments."""
        assert ["ENTRYPOINT", "[llmos]"] in self.lines

    @pytest.mark.slow
    @pytest.mark.clients
    @pytest.mark.timeout(480)
    def test_its_wheel_builds(self, tmp_path: Path) -> None:
        """From what it copies, and nothing else; everything is in the wheel."""
        source = tmp_path / "src"
        source.mkdir()
        for name in ("constraints.txt", "pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, source)
        ignored = shutil.ignore_patterns(
            "schemas.json", "site", "__pycache__", "node_modules", "dist", "coverage"
        )
        for name in ("building", "src", "web"):
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
        done = subprocess.run(
            [*command, str(tmp_path), str(source)],
            env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
            | {"PIP_CONSTRAINT": str(source / "constraints.txt")},
            capture_output=True,
            text=True,
            timeout=420,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (wheel,) = tmp_path.glob("llmos-*.whl")
        with zipfile.ZipFile(wheel) as packed:
            names = set(packed.namelist())
        for each in (
            "apis/schemas.json",
            "manifests/policies/namespaces.yaml",
            "cli/proxy.py",
            "web/site/index.html",
        ):
            assert f"llmos/{each}" in names
