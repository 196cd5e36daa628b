"""The cluster that each test starts with."""

import pytest

from admission.world import World


@pytest.fixture
def world() -> World:
    """A fresh one."""
    return World()
