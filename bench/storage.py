"""Measures the storage alone: durable writes, fan-out, start and reload. Prints one JSON object.

Run it on the disk that matters: ``python bench/storage.py [--directory DIR] [--rounds N]``.
"""

import argparse
import asyncio
import itertools
import json
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import apsw
import uvloop

from llmos.storage.config import StorageConfig
from llmos.storage.interface import Write
from llmos.storage.sqlite import SQLiteStorage, open_storage
from llmos.watchcache.interface import Key

VALUE = os.urandom(550).hex().encode()  # 1.1 KB, as a ConfigMap with managedFields
OBJECTS = 100_000
BATCH = 500
NUMBERS = itertools.count()


def create(number: int) -> Write:
    key = Key("configmaps", f"team-{number % 100}", f"object-{number:06}")
    return Write(key, 0, lambda _: VALUE)


async def writers(storage: SQLiteStorage, count: int, seconds: float) -> dict[str, float]:
    """Let ``count`` writers create objects, each waiting for its own, for some seconds."""
    latencies: list[float] = []
    begin = time.perf_counter()

    async def write() -> None:
        while (now := time.perf_counter()) - begin < seconds:
            await storage.submit([create(next(NUMBERS))])
            latencies.append(time.perf_counter() - now)

    await asyncio.gather(*(write() for _ in range(count)))
    latencies.sort()
    return {
        "rows_per_second": round(len(latencies) / (time.perf_counter() - begin)),
        "p50_ms": round(latencies[len(latencies) // 2] * 1e3, 3),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1e3, 3),
    }


async def fan_out(storage: SQLiteStorage, watchers: int) -> dict[str, float]:
    """Commit singly with many watches open, and count deliveries."""
    delivered = 0

    def deliver(events) -> None:
        nonlocal delivered
        delivered += len(events)

    watches = [
        storage.watch("configmaps", None, storage.revision, deliver) for _ in range(watchers)
    ]
    result = await writers(storage, 16, 1.0)
    for watch in watches:
        watch.close()
    events = result["rows_per_second"] * watchers
    assert delivered > 0
    return {"watchers": watchers, "events_per_second": events, "p99_ms": result["p99_ms"]}


async def fill(storage: SQLiteStorage, objects: int) -> float:
    """Write objects in large transactions; gives the seconds it took."""
    begin = time.perf_counter()
    for start in range(0, objects, BATCH):
        await storage.submit([create(number) for number in range(start, start + BATCH)])
    return time.perf_counter() - begin


async def one_round(directory: Path) -> dict[str, float]:
    """Measure everything once, in fresh files."""
    figures: dict[str, float] = {}
    begin = time.perf_counter()
    async with open_storage(directory / "writes.db") as storage:
        figures["start_empty_ms"] = (time.perf_counter() - begin) * 1e3
        for count in (1, 16, 64):
            result = await writers(storage, count, 1.5)
            figures |= {f"writers_{count}_{name}": value for name, value in result.items()}
    async with open_storage(directory / "watches.db") as storage:
        result = await fan_out(storage, 1000)
        figures |= {f"fan_out_{name}": value for name, value in result.items()}
    async with open_storage(directory / "objects.db") as storage:
        figures["fill_100k_s"] = await fill(storage, OBJECTS)
        begin = time.perf_counter()
        storage.list("configmaps")
        figures["list_100k_first_ms"] = (time.perf_counter() - begin) * 1e3
    begin = time.perf_counter()
    async with open_storage(directory / "objects.db", StorageConfig()) as storage:
        figures["reload_100k_s"] = time.perf_counter() - begin
        assert len(storage.list("configmaps").items) == OBJECTS
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=None, help="where to write")
    parser.add_argument("--rounds", type=int, default=3, help="the median of these is printed")
    options = parser.parse_args()
    rounds = []
    # All files stay until the end: removing large ones would slow the fsyncs of the next round.
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        for number in range(options.rounds):
            path = Path(directory) / str(number)
            rounds.append(uvloop.run(one_round(path)))
    result: dict[str, object] = {
        name: round(statistics.median(each[name] for each in rounds), 3) for name in rounds[0]
    }
    result["sqlite"] = apsw.sqlite_lib_version()
    result["cores"] = os.cpu_count()
    result["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
