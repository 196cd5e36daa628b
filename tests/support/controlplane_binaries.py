"""The programs of a real control plane and a kubelet: where they are, and how they are built.

``python tests/support/controlplane_binaries.py`` builds them from the Go modules in
``tests/cluster/controlplane`` and ``tests/cluster/kubelet`` into the user's cache, once for each
state of a module, and prints the folders. A folder that ``KUBEBUILDER_ASSETS`` names goes before
that of the control plane.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_MODULES = Path(__file__).resolve().parent.parent / "cluster"
MODULE = _MODULES / "controlplane"
KUBELET = _MODULES / "kubelet"
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}
_VERSION = "k8s.io/component-base/version"
_FLAGS = ("-trimpath", "-ldflags=-s -w")


def find_binaries(*names: str) -> Path | None:
    """The folder that has these programs, or all of them when none is named."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    folders = (Path(assets), cache_folder()) if assets else (cache_folder(),)
    wanted = names or tuple(PACKAGES)
    whole = (each for each in folders if all(os.access(each / name, os.X_OK) for name in wanted))
    return next(whole, None)


def cache_folder() -> Path:
    """Where the programs of the module as it stands are built."""
    state = [(MODULE / each).read_text() for each in ("go.mod", "go.sum")]
    return _cache("controlplane", (state, PACKAGES, _FLAGS))


def find_kubelet() -> Path | None:
    """The program of the kubelet."""
    program = kubelet_folder() / "kubelet"
    return program if os.access(program, os.X_OK) else None


def kubelet_folder() -> Path:
    """Where the kubelet of the module as it stands is built."""
    state = [(KUBELET / each).read_text() for each in ("go.mod", "go.sum", "main.go")]
    return _cache("kubelet", (state, _FLAGS))


def _cache(name: str, made_from: object) -> Path:
    digest = hashlib.sha256(repr(made_from).encode()).hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "llmos" / name / digest


def kubernetes_version() -> str:
    """The version of Kubernetes that the module asks for, ``v1.2.3``."""
    found = re.search(r"\tk8s\.io/kubernetes (v\S+)", (MODULE / "go.mod").read_text())
    assert found is not None, "go.mod asks for no k8s.io/kubernetes"
    return found[1]


def build_binaries() -> Path:
    """Build the control plane unless it is there; the folder that has it."""
    return _once(cache_folder(), find_binaries, _build_control_plane)


def build_kubelet() -> Path:
    """Build the kubelet unless it is there; the folder that has it."""

    def found() -> Path | None:
        program = find_kubelet()
        return program and program.parent

    return _once(kubelet_folder(), found, lambda to: _build(to / "kubelet", ".", KUBELET, ""))


def _once(folder: Path, find: Callable[[], Path | None], build: Callable[[Path], None]) -> Path:
    """Build into a folder that is there whole or not at all, whoever else builds it meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = find()
        if found is not None:
            return found
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
        try:
            build(unfinished)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _build_control_plane(to: Path) -> None:
    """Build it with the version that Kubernetes' own build writes into its programs."""
    version = kubernetes_version()
    major, minor = version.removeprefix("v").split(".")[:2]
    facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    written = " ".join(f"-X {_VERSION}.{key}={value}" for key, value in facts.items())
    for name, package in PACKAGES.items():
        _build(to / name, package, MODULE, written)


def _build(target: Path, package: str, module: Path, linking: str) -> None:
    go = shutil.which("go")
    if go is None:
        sys.exit("a control plane is built with Go, and there is no go on the PATH")
    sys.stderr.write(f"building {target.name}; the first time takes minutes\n")
    *flags, link = _FLAGS
    subprocess.run(
        [go, "build", *flags, f"{link} {linking}", "-o", str(target), package],
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        check=True,
    )


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build_binaries()}\n{build_kubelet()}\n")
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
