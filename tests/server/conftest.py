"""One site for the tests of a module; each test has a namespace of its own."""

from collections.abc import Iterator

import pytest

from server.site import Site, opened


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server that has just started."""
    with opened() as made:
        yield made


@pytest.fixture
def place(site: Site) -> str:
    """The path of a new namespace."""
    return site.namespace()


@pytest.fixture
def path(place: str) -> str:
    """The path of a collection of config maps."""
    return f"{place}/configmaps"


@pytest.fixture
def notebooks(place: str) -> str:
    """The path of a collection of custom resources."""
    return place.replace("/api/v1", "/apis/ml.llmos.ai/v1") + "/notebooks"
