"""A control plane for the tests here, and somebody who may do everything in it."""

from collections.abc import Iterator

import pytest

from support.cluster import Cluster
from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.running import RunningEngine
from support.session import Session
from support.world import World


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


@pytest.fixture(scope="module")
def front(cluster: Cluster) -> RunningEngine:
    """The first proxy before the cluster that has llmos in it."""
    return cluster.engine(cluster.proxies[0])


@pytest.fixture(scope="module")
def boss(front: RunningEngine) -> Iterator[Session]:
    """The administrator, who goes through the proxy."""
    session = Session("admin", front.login("admin", front.admin_password), front)
    yield session
    session.close()


@pytest.fixture
def place(cluster: Cluster, front: RunningEngine, boss: Session) -> Iterator[World]:
    """An empty world before the cluster; whatever failed, nothing went up that must not."""
    made = World(front, boss)
    yield made
    made.close()
    cluster.recorder.log.check()
