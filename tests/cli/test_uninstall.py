"""``llmos uninstall`` asks before it does anything."""

from functools import partial

import pytest

from cli.api import API, SERVER, invoke
from llmos.cli.kubeconfigs import Kubeconfigs
from llmos.client.kubeconfig import Login


@pytest.fixture
def operator(api: API, home):
    """The command of a cluster's operator."""
    login = Login("cluster", SERVER, "admin-token", user="operator@cluster", insecure=True)
    Kubeconfigs().put(login)
    return partial(invoke, api)


def test_nobody_is_there(api: API, operator):
    """Without a terminal it needs --yes."""
    result = operator("uninstall")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert api.requests == []


@pytest.mark.parametrize("options", [[], ["--delete-data"]])
@pytest.mark.parametrize("answer", ["n\n", "\n", "what\nn\n"])
def test_no(api: API, operator, options, answer):
    """Who does not say yes has changed nothing; the question names the cluster and the data."""
    result = operator("uninstall", *options, text=answer)
    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr
    assert SERVER in result.stderr
    assert ("all its data" in result.stderr) is bool(options)
    assert api.requests == []


def test_yes(api: API, operator):
    """Whoever says yes is obeyed."""
    operator("uninstall", text="y\n")
    assert api.requests
