"""Reads the NVIDIA GPUs of this machine through the driver's own library; none is a normal answer.

Source: NVML (NVIDIA Management Library) through ``nvidia-ml-py``.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pynvml

_LOG = logging.getLogger(__name__)
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GPU:
    """One device, as the driver describes it."""

    index: int
    uuid: str
    model: str
    memory: int
    """MiB."""
    cores: int
    """CUDA cores; 0 where the driver does not say."""
    max_instances: int
    """Into how many instances it can be split; 1 where it cannot."""
    numa: int


def read_gpus() -> tuple[GPU, ...]:
    """Every GPU that the driver knows; empty without a driver."""
    with _library() as there:
        if not there:
            return ()
        return tuple(_read(index) for index in range(pynvml.nvmlDeviceGetCount()))


@contextmanager
def _library() -> Iterator[bool]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()


def _read(index: int) -> GPU:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    return GPU(
        index=index,
        uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
        model=_text(pynvml.nvmlDeviceGetName(handle)),
        memory=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total) // _MEBIBYTE,
        cores=_or(0, "nvmlDeviceGetNumGpuCores", handle),
        max_instances=max(1, _or(1, "nvmlDeviceGetMaxMigDeviceCount", handle)),
        numa=_or(0, "nvmlDeviceGetNumaNodeId", handle),
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _or(default: int, function: str, handle: object) -> int:
    """What the driver answers, or a default where this device or driver has no answer."""
    try:
        return int(getattr(pynvml, function)(handle))
    except (pynvml.NVMLError, AttributeError):
        return default
