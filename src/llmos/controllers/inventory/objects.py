"""What this machine looks like as Kubernetes objects; pure."""

import re

from llmos import __version__
from llmos.apimachinery.clock import rfc3339, rfc3339_micro
from llmos.apimachinery.object import Object, copy_object, set_condition
from llmos.controllers.inventory.gpus import GPU
from llmos.controllers.inventory.machine import Machine, Pressure

LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
GPU_RESOURCE = "nvidia.com/gpu"
_NOT_READY = "node.kubernetes.io/not-ready"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def node(machine: Machine) -> Object:
    """The Node as it is registered."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": machine.name,
            "labels": {
                "kubernetes.io/arch": machine.architecture,
                "kubernetes.io/hostname": machine.hostname.lower()[:63],
                "kubernetes.io/os": "linux",
                "node-role.kubernetes.io/control-plane": "",
            },
        },
        "spec": {},
    }


def without_not_ready(current: Object) -> Object | None:
    """The Node without the taint of a new node; None where it has none."""
    taints = (current.get("spec") or {}).get("taints") or []
    kept = [each for each in taints if each.get("key") != _NOT_READY]
    if len(kept) == len(taints):
        return None
    changed: Object = copy_object(current)
    changed["spec"]["taints"] = kept
    return changed


def with_status(
    current: Object, machine: Machine, gpus: tuple[GPU, ...], pressure: Pressure, now: float
) -> Object:
    """The Node with the status of this moment."""
    capacity = {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory // 1024}Ki",
        "ephemeral-storage": f"{machine.disk // 1024}Ki",
        # Workloads are stored here and do not run.
        "pods": "0",
    }
    if gpus:
        capacity[GPU_RESOURCE] = str(len(gpus))
    changed: Object = copy_object(current)
    status = changed.setdefault("status", {})
    status["capacity"] = capacity
    status["allocatable"] = dict(capacity)
    status["addresses"] = [
        *({"type": "InternalIP", "address": each} for each in machine.addresses),
        {"type": "Hostname", "address": machine.hostname},
    ]
    status["nodeInfo"] = _node_info(machine)
    conditions = status["conditions"] = status.get("conditions") or []
    for condition in _conditions(pressure):
        heartbeat = {**condition, "lastHeartbeatTime": rfc3339(now)}
        set_condition(conditions, heartbeat, rfc3339(now))
    return changed


def _node_info(machine: Machine) -> Object:
    return {
        "machineID": machine.machine_id,
        "systemUUID": machine.machine_id,
        "bootID": machine.boot_id,
        "kernelVersion": machine.kernel,
        "osImage": machine.os_image,
        "containerRuntimeVersion": "",
        "kubeletVersion": f"llmos-{__version__}",
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": machine.architecture,
    }


def _conditions(pressure: Pressure) -> list[Object]:
    def short(kind: str, is_short: bool, what: str) -> Object:
        return {
            "type": kind,
            "status": "True" if is_short else "False",
            "reason": f"NodeHas{'Insufficient' if is_short else 'Sufficient'}{what}",
            "message": f"{what.lower()} is {'short' if is_short else 'sufficient'}",
        }

    return [
        short("MemoryPressure", pressure.memory, "Memory"),
        short("DiskPressure", pressure.disk, "Disk"),
        {
            "type": "Ready",
            "status": "True",
            "reason": "ServerRunning",
            "message": "llmos serves on this machine",
        },
    ]


def lease(machine: Machine, now: float, current: Object | None) -> Object:
    """The Node's heartbeat: a Lease renewed while the server runs."""
    renewed: Object = (
        copy_object(current)
        if current
        else {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": machine.name, "namespace": LEASE_NAMESPACE},
            "spec": {},
        }
    )
    renewed["spec"] = {
        **(renewed.get("spec") or {}),
        "holderIdentity": machine.name,
        "leaseDurationSeconds": LEASE_SECONDS,
        "renewTime": rfc3339_micro(now),
    }
    return renewed


def gpu_device(machine: Machine, gpu: GPU) -> Object:
    """The GPUDevice of a GPU, with its status."""
    short = re.sub(r"[^a-z0-9-]+", "-", gpu.uuid.lower()).strip("-")
    return {
        "apiVersion": "gpustack.llmos.ai/v1",
        "kind": "GPUDevice",
        "metadata": {"name": short[:253] or f"{machine.name}-gpu-{gpu.index}"},
        "status": {
            "nodeName": machine.name,
            "internalIP": machine.addresses[0],
            "index": gpu.index,
            "uuid": gpu.uuid,
            "vendor": "NVIDIA",
            "devName": gpu.model,
            "maxCount": gpu.max_instances,
            "vram": gpu.memory,
            "cudaCores": gpu.cores,
            "devCores": 100,
            "numa": gpu.numa,
            "health": True,
            "state": "Healthy",
        },
    }


def storage_class() -> Object:
    """The default StorageClass: volumes of this machine, made by hand."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "local",
            "annotations": {
                _DEFAULT_CLASS: "true",
                "kubernetes.io/description": "Volumes on the disks of this machine, made by hand.",
            },
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
