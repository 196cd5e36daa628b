"""The facts of a machine that its figures depend on."""

import os
import platform
import subprocess
from pathlib import Path

import apsw
import psutil


def facts(directory: Path, generator: str) -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "cores": str(os.cpu_count()),
        "CPU": _cpu(),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "file system": file_system(directory),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "SQLite": apsw.sqlite_lib_version(),
        "commit": _commit(),
        "load generator": generator,
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def file_system(directory: Path) -> str:
    """The kind of file system that a directory is on."""
    best = ("", "unknown")
    for each in psutil.disk_partitions(all=True):
        if directory.resolve().is_relative_to(each.mountpoint):
            best = max(best, (each.mountpoint, each.fstype), key=lambda found: len(found[0]))
    return best[1]


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    here = Path(__file__).parent
    try:
        said = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()
