"""A new world for each test."""

from collections.abc import Iterator

import pytest

from registry.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A store with nothing in it."""
    made = World()
    yield made
    made.close()
