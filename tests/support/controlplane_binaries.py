"""The programs of a real control plane: where they are, and how they are built.

``python tests/support/controlplane_binaries.py`` builds them from the Go module in
``tests/cluster/controlplane`` into the user's cache, once for each state of that module, and prints
the folder. A folder that ``KUBEBUILDER_ASSETS`` names goes before it.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODULE = Path(__file__).resolve().parent.parent / "cluster" / "controlplane"
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
    digest = hashlib.sha256(repr((state, PACKAGES, _FLAGS)).encode()).hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "llmos" / "controlplane" / digest


def kubernetes_version() -> str:
    """The version of Kubernetes that the module asks for, ``v1.2.3``."""
    found = re.search(r"\tk8s\.io/kubernetes (v\S+)", (MODULE / "go.mod").read_text())
    assert found is not None, "go.mod asks for no k8s.io/kubernetes"
    return found[1]


def build_binaries() -> Path:
    """Build the programs unless they are there; the folder that has them."""
    folder = cache_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = find_binaries()
        if found is not None:
            return found
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
        try:
            for name, package in PACKAGES.items():
                _build(unfinished / name, package)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _build(target: Path, package: str) -> None:
    """Build one program, with the version that Kubernetes' own build writes into it."""
    go = shutil.which("go")
    if go is None:
        sys.exit("a control plane is built with Go, and there is no go on the PATH")
    sys.stderr.write(f"building {target.name}; the first time takes minutes\n")
    version = kubernetes_version()
    major, minor = version.removeprefix("v").split(".")[:2]
    facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    written = " ".join(f"-X {_VERSION}.{key}={value}" for key, value in facts.items())
    *flags, linking = _FLAGS
    subprocess.run(
        [go, "build", *flags, f"{linking} {written}", "-o", str(target), package],
        cwd=MODULE,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        check=True,
    )


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build_binaries()}\n")
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
