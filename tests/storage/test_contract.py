"""Every promise of the storage, on a file and in memory."""

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from llmos.storage.sqlite import open_storage
from storage.contract import CONTRACT
from storage.tools import USUAL, Case


@pytest.mark.parametrize("case", CONTRACT, ids=lambda case: case.name)
def test_on_a_file(case: Case, tmp_path: Path) -> None:
    """The promise holds for the storage in a file."""

    def opener(config=USUAL, clock=time.monotonic):
        return open_storage(tmp_path / "llmos.db", config, clock)

    asyncio.run(case.check(opener))


@pytest.mark.parametrize(
    "case", [case for case in CONTRACT if not case.reopens], ids=lambda case: case.name
)
def test_in_memory(case: Case) -> None:
    """The promise holds for the storage in memory."""

    def opener(config=USUAL, clock=time.monotonic):
        return open_storage(None, config, clock)

    asyncio.run(case.check(opener))


def test_no_case_is_lost() -> None:
    """Two cases of one name would hide one another."""
    names = sorted(case.name for case in CONTRACT)
    assert all(one != two for one, two in itertools.pairwise(names))
