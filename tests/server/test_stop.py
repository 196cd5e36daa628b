"""How the server stops."""

import time
from pathlib import Path

import pytest

from support.server import start_server


@pytest.mark.slow
def test_a_stop_waits_for_no_idle_client(tmp_path: Path) -> None:
    """A client that keeps its connection and does not read it does not hold the server up."""
    server = start_server(tmp_path, static=False)
    with server.client() as client:
        assert client.get("/version").status_code == 200
        asked = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - asked < 5
