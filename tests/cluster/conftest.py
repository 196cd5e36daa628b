"""A control plane for the tests here, and somebody who may do everything in it."""

from collections.abc import Iterator

import pytest

from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.session import Session


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Kubernetes."""
    with control_plane(tmp_path_factory.mktemp("plane"), controllers=True) as running:
        yield running


@pytest.fixture(scope="session")
def operator(plane: ControlPlane) -> Iterator[Session]:
    """Who holds the cluster's own credentials."""
    session = plane.session("admin", ADMIN_TOKEN)
    yield session
    session.close()
