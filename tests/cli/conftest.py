"""A machine of nobody's, and a command that is signed in to a server there."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from cli.api import API, SERVER, invoke
from llmos.cli.kubeconfigs import Kubeconfigs
from llmos.client.kubeconfig import Login

LLMOS = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees or touches the files of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def api() -> API:
    """The server."""
    return API()


@pytest.fixture
def stranger(api: API) -> LLMOS:
    """The command of somebody who has not signed in."""
    return partial(invoke, api)


@pytest.fixture
def llmos(api: API, home: Path) -> LLMOS:
    """The command of an administrator who has signed in."""
    # Without TLS to set up, which nothing here uses, each command is several times faster.
    login = Login("llmos", SERVER, "admin-token", user="admin@llmos", insecure=True)
    Kubeconfigs().put(login)
    return partial(invoke, api)
