"""Keeps the inventory true: registers what is here, refreshes it, removes what is gone.

A client of the API like every controller; runs beside the embedded server on the machine it
describes.
"""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import AlreadyExistsError, ConflictError, NotFoundError, StatusError
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apimachinery.resource import APIResource
from llmos.client.client import Client
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import NODES, resource
from llmos.controllers.inventory import objects
from llmos.controllers.inventory.gpus import GPU, read_gpus
from llmos.controllers.inventory.machine import Machine, read_machine, read_pressure

LEASES = resource("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True)
GPU_DEVICES = resource("gpustack.llmos.ai", "v1", "gpudevices", "GPUDevice")
STORAGE_CLASSES = resource("storage.k8s.io", "v1", "storageclasses", "StorageClass")
HEARTBEAT_SECONDS = 10.0
STATUS_SECONDS = 300.0
"""How often the whole status is written although nothing changed, as kubelet does."""
_LOG = logging.getLogger(__name__)
_HEARTBEATS = ("lastHeartbeatTime", "lastTransitionTime")


@dataclass(slots=True)
class Inventory:
    """Registers this machine and keeps it fresh; ``run`` is its life."""

    client: Client
    clock: Clock
    data_dir: Path
    _status_at: float = 0.0

    async def run(self) -> None:
        """Register, then refresh until cancelled."""
        while True:
            try:
                await self.refresh()
            except (StatusError, ConnectionFailedError) as error:
                _LOG.warning("inventory: %s", error)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def refresh(self) -> None:
        """Bring every object of this machine up to date once."""
        machine, gpus = await asyncio.to_thread(self._read)
        await self._node(machine, gpus)
        await self._lease(machine)
        await self._gpus(machine, gpus)
        await self._storage_class()

    def _read(self) -> tuple[Machine, tuple[GPU, ...]]:
        return read_machine(self.data_dir), read_gpus()

    async def _find(self, of: APIResource, name: str, namespace: str = "") -> Object | None:
        try:
            return await self.client.get(of, namespace, name)
        except NotFoundError:
            return None

    async def _node(self, machine: Machine, gpus: tuple[GPU, ...]) -> None:
        current = await self._find(NODES, machine.name)
        if current is None:
            current = await self.client.create(NODES, objects.node(machine))
        ready = objects.without_not_ready(current)
        if ready is not None:
            current = await self.client.update(NODES, ready)
        now = self.clock()
        pressure = read_pressure(self.data_dir)
        wanted = objects.with_status(current, machine, gpus, pressure, now)
        due = now - self._status_at >= STATUS_SECONDS
        if due or _lasting(wanted) != _lasting(current):
            await self.client.update_status(NODES, wanted)
            self._status_at = now

    async def _lease(self, machine: Machine) -> None:
        current = await self._find(LEASES, machine.name, objects.LEASE_NAMESPACE)
        wanted = objects.lease(machine, self.clock(), current)
        try:
            if current is None:
                await self.client.create(LEASES, wanted, namespace=objects.LEASE_NAMESPACE)
            else:
                await self.client.update(LEASES, wanted)
        except (AlreadyExistsError, ConflictError):
            return

    async def _gpus(self, machine: Machine, gpus: tuple[GPU, ...]) -> None:
        wanted = {name_of(each): each for each in (objects.gpu_device(machine, g) for g in gpus)}
        for device in await self.client.list(GPU_DEVICES):
            mine = get_path(device, "status", "nodeName") == machine.name
            if mine and name_of(device) not in wanted:
                await self.client.delete(GPU_DEVICES, "", name_of(device))
        for name, device in wanted.items():
            current = await self._find(GPU_DEVICES, name)
            if current is None:
                current = await self.client.create(GPU_DEVICES, device)
            status = {**(current.get("status") or {}), **device["status"]}
            if status != current.get("status"):
                await self.client.update_status(GPU_DEVICES, {**current, "status": status})

    async def _storage_class(self) -> None:
        """A default class where there is none at all; what an admin made of it stays."""
        if not await self.client.list(STORAGE_CLASSES):
            await self.client.create(STORAGE_CLASSES, objects.storage_class())


def _lasting(node: Object) -> Object:
    """A Node's status without the times that only say that it lives."""
    status = dict(node.get("status") or {})
    status["conditions"] = [
        {key: value for key, value in each.items() if key not in _HEARTBEATS}
        for each in status.get("conditions") or []
    ]
    return status
