"""``llmos install``: what it shows, and what it ends with."""

import json
from functools import partial

import pytest

from cli.api import API, SERVER, invoke
from llmos.apimachinery.errors import ForbiddenError
from llmos.apimachinery.resource import GroupResource
from llmos.apis.platform_content import Place
from llmos.cli import install as module
from llmos.cli.kubeconfigs import Kubeconfigs
from llmos.client.kubeconfig import Login
from llmos.installation.installing import Result
from llmos.installation.outcome import Action, InstallationError, Outcome

PLACE = Place(GroupResource("apps", "things"), "where", "what")
BEFORE = {"metadata": {"name": "what", "managedFields": [{"manager": "secret"}]}, "spec": {"a": 1}}
AFTER = {"metadata": {"name": "what"}, "spec": {"a": 2}}
CHANGED = Outcome(PLACE, Action.CHANGED, BEFORE, AFTER)
SAME = Outcome(PLACE, Action.UNCHANGED, BEFORE, BEFORE)


@pytest.fixture
def installing(monkeypatch):
    """An installer that does nothing, and says what it was asked for and what it found."""

    class Installer:
        found: Result | Exception = Result()
        once = ""

        def __init__(self, client, clock, wish, deliver):
            Installer.wish, self.deliver = wish, deliver

        async def run(self):
            if isinstance(Installer.found, Exception):
                raise Installer.found
            if Installer.once:
                self.deliver(Installer.once)
            return Installer.found

    monkeypatch.setattr(module, "Installer", Installer)
    return Installer


@pytest.fixture
def operator(home):
    """The command of a cluster's operator."""
    login = Login("cluster", SERVER, "admin-token", user="operator@cluster", insecure=True)
    Kubeconfigs().put(login)
    return partial(invoke, API())


@pytest.mark.parametrize(
    ("arguments", "dry_run", "force"),
    [
        ([], False, False),
        (["--dry-run"], True, False),
        (["--diff"], True, False),
        (["--force-conflicts"], False, True),
    ],
)
def test_options(operator, installing, monkeypatch, arguments, dry_run, force):
    """A diff is a dry run; the password comes from the environment and leaves it."""
    monkeypatch.setenv("LLMOS_ADMIN_PASSWORD", "correct-horse")
    assert operator("install", *arguments).exit_code == 0
    wish = installing.wish
    assert (wish.dry_run, wish.force, wish.password) == (dry_run, force, "correct-horse")
    assert "LLMOS_ADMIN_PASSWORD" not in module.first_password.__globals__["os"].environ


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result([SAME]), 0),
        (Result([CHANGED, SAME]), 1),
        (Result([SAME], Action.CREATED), 1),
        (InstallationError("no"), 2),
        (ForbiddenError("no"), 2),
    ],
    ids=["same", "changed", "no admin yet", "refused", "forbidden"],
)
def test_diff(operator, installing, result, code):
    """As kubectl diff: 0 nothing, 1 something, more than 1 it could not be found out."""
    installing.found = result
    shown = operator("install", "--diff")
    assert shown.exit_code == code
    if isinstance(result, Result) and CHANGED in result.outcomes:
        assert "--- LIVE/where/things.apps/what" in shown.stdout
        assert "-  a: 1\n+  a: 2" in shown.stdout
        assert "secret" not in shown.stdout


@pytest.mark.parametrize("error", [InstallationError("in the way"), ForbiddenError("in the way")])
def test_failure(operator, installing, error):
    """One line, and 1."""
    installing.found = error
    result = operator("install")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "in the way" in result.stderr


def test_text(operator, installing):
    """A table of what was changed, and the one-time password; the rest is counted on stderr."""
    installing.found, installing.once = Result([CHANGED, SAME], one_time_password="once"), "once"
    result = operator("install")
    assert "one-time password of the user admin: once" in result.stdout
    assert "things.apps/what" in result.stdout
    assert "0 created, 1 changed, 1 as they should be" in result.stderr
    assert "llmos login" in result.stderr


@pytest.mark.parametrize("output", ["json", "name"])
def test_output_for_programs(operator, installing, output):
    """JSON tells of everything; names are those of what changed. The password is in no name."""
    installing.found, installing.once = Result([CHANGED, SAME], one_time_password="once"), "once"
    result = operator("install", "-o", output)
    assert "once" in result.stderr
    if output == "name":
        assert result.stdout == "things.apps/what\n"
        return
    shown = json.loads(result.stdout)
    assert [each["action"] for each in shown["objects"]] == ["changed", "unchanged"]
    assert shown["oneTimePassword"] == "once"
    assert shown["dryRun"] is False
