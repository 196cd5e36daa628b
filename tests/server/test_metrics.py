"""What the embedded server tells of its storage and its objects."""

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from llmos.storage.config import StorageConfig
from llmos.storage.sqlite import SQLiteStorage, open_storage
from server.site import Site, config_map, opened
from storage.tools import fill


def told(site: Site) -> dict[str, float]:
    """Every sample, by its name with its labels."""
    answer = site.ask("GET", "/metrics")
    assert answer.status == 200
    found = re.findall(r"^([^# \n]+) (\S+)$", answer.body.decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_objects_and_revisions(site: Site, path: str) -> None:
    """They grow with every write, and are those that are read."""
    before = told(site)
    for number in range(3):
        site.make(path, config_map(f"a-{number}"))
    assert site.ask("DELETE", f"{path}/a-0").status == 200
    after = told(site)
    maps = 'apiserver_resource_objects{group="",resource="configmaps"}'
    assert after[maps] == len(site.get("/api/v1/configmaps")["items"])
    assert after[maps] - before[maps] == 2
    assert after["llmos_storage_revision"] - before["llmos_storage_revision"] == 4
    assert after["llmos_storage_rows"] - before["llmos_storage_rows"] == 4
    name = "llmos_storage_commit_duration_seconds"
    assert after[f"{name}_count"] > before[f"{name}_count"]
    assert after["llmos_storage_writable"] == 1


def test_compaction() -> None:
    """Cuts rows off, and says how far."""
    config = StorageConfig(window_events=20, window_seconds=0, compaction_batch=10)
    with opened(config) as site:
        maps = f"{site.namespace()}/configmaps"
        site.make(maps, config_map("a"))
        for number in range(60):
            patch = {"data": {"x": str(number)}}
            answer = site.ask(
                "PATCH", f"{maps}/a", patch, content_type="application/merge-patch+json"
            )
            assert answer.status == 200
        found = told(site)
    assert found["llmos_storage_compactions_total"] >= 2
    assert 0 < found["llmos_storage_compacted_revision"] < found["llmos_storage_revision"]
    assert found["llmos_storage_rows"] < found["llmos_storage_revision"]


def test_rows_are_those_of_the_file(tmp_path: Path) -> None:
    """Also after compaction, and after a restart."""
    config = StorageConfig(window_events=20, window_seconds=0, compaction_batch=10)
    path = tmp_path / "llmos.db"

    def rows(storage: SQLiteStorage) -> float:
        found = {each.name: each for each in storage.families()}
        return found["llmos_storage_rows"].samples[0][1]

    async def check() -> None:
        async with open_storage(path, config) as storage:
            await fill(storage, 60)
            sizes = {each.name: each for each in storage.families()}["llmos_storage_file_bytes"]
            assert {labels for labels, _ in sizes.samples} == {("database",), ("wal",)}
            assert all(size > 0 for _, size in sizes.samples)
        kept = rows(storage)
        with closing(sqlite3.connect(path)) as database:
            (counted,) = database.execute("SELECT count(*) FROM log").fetchone()
        assert kept == counted < 60
        async with open_storage(path, config) as storage:
            assert rows(storage) == counted

    asyncio.run(check())


def test_who_may_not(site: Site) -> None:
    """Somebody without the right."""
    assert site.ask("GET", "/metrics", token="alice").status == 403
    assert site.ask("GET", "/metrics", token="").status == 403
    assert site.ask("GET", "/metrics", token="wrong").status == 401
    assert "/metrics" in site.get("/")["paths"]
