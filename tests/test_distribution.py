"""How the tests themselves are spread over processes."""

import os

import pytest


def test_the_tests_of_a_file_stay_together(request: pytest.FixtureRequest) -> None:
    """A test's group stands behind its name; without groups xdist would spread them."""
    grouped = request.node.nodeid.endswith("@test_distribution-any")
    assert grouped == ("PYTEST_XDIST_WORKER" in os.environ)
