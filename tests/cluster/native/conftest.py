"""One cluster for all who go around the proxy."""

from collections.abc import Iterator

import pytest

from support.native import Impersonated, Native, native_cluster


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Native]:
    """The cluster; what its people have, llmos gave them."""
    with native_cluster(tmp_path_factory.mktemp("native")) as running:
        yield running


@pytest.fixture
def root(native: Native) -> Impersonated:
    """An administrator of llmos, with the rights of a group."""
    return native.people["root"]


@pytest.fixture
def alice(native: Native) -> Impersonated:
    """The owner of team-a."""
    return native.people["alice"]


@pytest.fixture
def bob(native: Native) -> Impersonated:
    """The owner of team-b."""
    return native.people["bob"]


@pytest.fixture
def newbie(native: Native) -> Impersonated:
    """A user without any role in a namespace."""
    return native.people["newbie"]


@pytest.fixture
def outsider(native: Native) -> Impersonated:
    """The owner of team-a as well, who is no user of llmos."""
    return native.people["outsider"]


@pytest.fixture
def runner(native: Native) -> Impersonated:
    """A service account of team-a, with the rights of its owners."""
    return native.people["system:serviceaccount:team-a:runner"]
