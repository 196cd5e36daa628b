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
