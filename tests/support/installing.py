"""``llmos install`` and its opposite, as an operator runs them."""

import os
import subprocess
import sys

from support.controlplane import ControlPlane
from support.server import ADMIN_PASSWORD

SECONDS = 120


def llmos(plane: ControlPlane, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command as the cluster's administrator."""
    return subprocess.run(
        [sys.executable, "-m", "llmos", *arguments, "--kubeconfig", str(plane.kubeconfig)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def install(plane: ControlPlane) -> None:
    """Put the platform into a cluster; the user ``admin`` has the password of all tests."""
    done = llmos(plane, "install", LLMOS_ADMIN_PASSWORD=ADMIN_PASSWORD)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
