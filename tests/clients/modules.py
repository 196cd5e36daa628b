"""Foreign clients that are Python packages."""

from importlib.util import find_spec

from support.required import missing


def needed(name: str) -> None:
    """Leave a test out where a client is not installed, or fail where clients are required."""
    if find_spec(name) is None:
        missing("clients", f"the Python client {name} is not installed")
