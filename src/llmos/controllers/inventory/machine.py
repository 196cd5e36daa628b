"""Reads what this machine is and has; everything here is measured, nothing configured."""

import platform
import re
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_MIN_MEMORY = 100 * 1024 * 1024
"""Available bytes below which memory is short: kubelet's own threshold."""
_MIN_DISK = 0.10
"""The free part of the disk below which it is short: kubelet's own threshold."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine, as a Node tells of it."""

    name: str
    hostname: str
    addresses: tuple[str, ...]
    """Its addresses on the network, loopback and link-local ones left out."""
    cpus: int
    memory: int
    """Bytes."""
    disk: int
    """Bytes of the file system that holds the data."""
    kernel: str
    os_image: str
    architecture: str
    machine_id: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Pressure:
    """Whether something is short now."""

    memory: bool
    disk: bool


def read_machine(data_dir: Path) -> Machine:
    """What the machine is."""
    hostname = socket.gethostname()
    return Machine(
        name=node_name(hostname),
        hostname=hostname,
        addresses=_addresses(),
        cpus=psutil.cpu_count() or 1,
        memory=psutil.virtual_memory().total,
        disk=psutil.disk_usage(str(data_dir)).total,
        kernel=platform.release(),
        os_image=_os_image(),
        architecture=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        machine_id=_first_line("/etc/machine-id"),
        boot_id=_first_line("/proc/sys/kernel/random/boot_id"),
    )


def read_pressure(data_dir: Path) -> Pressure:
    """What is short at this moment."""
    disk = psutil.disk_usage(str(data_dir))
    return Pressure(
        memory=psutil.virtual_memory().available < _MIN_MEMORY,
        disk=disk.free < disk.total * _MIN_DISK,
    )


def node_name(hostname: str) -> str:
    """A hostname as the name of a Node: a DNS-1123 subdomain."""
    name = re.sub(r"[^a-z0-9.-]+", "-", hostname.lower()).strip("-.")[:253]
    return name or "localhost"


def _addresses() -> tuple[str, ...]:
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6)
    ]
    outward = [each for each in found if not each.startswith(("127.", "::1", "fe80:", "169.254."))]
    return tuple(dict.fromkeys(outward)) or ("127.0.0.1",)


def _os_image() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
