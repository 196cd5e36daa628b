"""Groups of tests that need something which a machine may lack.

On a user's machine such a group is skipped; where ``LLMOS_REQUIRE`` names it (``kubectl,clients``)
it fails instead, so that CI never passes by leaving it out.
"""

import os
from typing import NoReturn

import pytest


def missing(group: str, why: str) -> NoReturn:
    """Skip the test, or fail where the group is required."""
    if group in os.environ.get("LLMOS_REQUIRE", "").split(","):
        pytest.fail(f"LLMOS_REQUIRE names {group}: {why}")
    pytest.skip(why)
