"""The command as a whole: exit codes, errors, warnings, help, and which server is meant."""

import subprocess
import sys

import click
import httpx
import pytest

from cli.api import SERVER, invoke
from llmos.apimachinery import errors
from llmos.cli import VERBS, command
from llmos.cli.completion import SHELLS
from llmos.cli.failures import MEANINGS, ExitCode, one_line
from llmos.cli.kubeconfigs import Kubeconfigs
from llmos.client.kubeconfig import Login
from llmos.client.warnings import parse_warnings


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ForbiddenError("no"), ExitCode.FAILED),
        (errors.InvalidError("no"), ExitCode.FAILED),
        (errors.TooManyRequestsError("no"), ExitCode.FAILED),
        (errors.InternalError("no"), ExitCode.FAILED),
        (errors.UnauthorizedError("no"), ExitCode.NOT_SIGNED_IN),
        (errors.NotFoundError("no"), ExitCode.NOT_FOUND),
        (errors.AlreadyExistsError("no"), ExitCode.CONFLICT),
        (errors.ConflictError("no"), ExitCode.CONFLICT),
        (httpx.ConnectError("no"), ExitCode.UNREACHABLE),
        (httpx.ReadTimeout("no"), ExitCode.UNREACHABLE),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    ],
)
def test_exit_codes(api, llmos, error, code):
    """Each kind of failure has its code, and one line on stderr; an interrupt says nothing."""
    api.refusals.append(("GET", "namespaces", error))
    result = llmos("namespace", "list")
    assert result.exit_code == code
    assert result.stdout == ""
    if code == ExitCode.INTERRUPTED:
        assert result.stderr.strip() == ""
    else:
        assert result.stderr.startswith("Error: ")
        assert len(result.stderr.splitlines()) == 1


def test_every_exit_code_has_a_meaning():
    """What the manual says is complete."""
    assert set(MEANINGS) == set(ExitCode)


def test_a_bare_401_says_what_to_do(api, llmos):
    """Kubernetes' own text is one word."""
    api.tokens.clear()
    assert "llmos login" in llmos("whoami").stderr


def test_errors_hold_no_control_characters(api, llmos):
    """A server cannot draw on the terminal, nor write a second line."""
    api.refusals.append(("GET", "namespaces", errors.ForbiddenError("a\n\x1b[2Jb\u202ec")))
    assert llmos("namespace", "list").stderr == "Error: a [2Jb c\n"
    assert one_line("ok — ✓") == "ok — ✓"


def test_not_signed_in(stranger, home):
    """No context, or one without a token, is exit code 4; one that is not there is an error."""
    assert stranger("whoami").exit_code == 4
    Kubeconfigs().put(Login("llmos", SERVER, user="x"))
    result = stranger("whoami")
    assert (result.exit_code, "has no credentials" in result.stderr) == (4, True)
    assert stranger("whoami", "--context", "nope").exit_code == 1
    (home / "broken").write_text("[")
    result = stranger("--kubeconfig", "broken", "whoami")
    assert (result.exit_code, result.stderr) == (1, "Error: broken is not YAML\n")


def test_the_server_is_chosen_before_or_after_the_verb(api, llmos, home):
    """--kubeconfig and --context count wherever they stand; the later one wins."""
    api.tokens["other-token"] = "other"
    Kubeconfigs(home / "other").put(Login("second", SERVER, "other-token", user="o"))
    for arguments in (
        ("--kubeconfig", "other", "whoami", "-o", "name"),
        ("whoami", "-o", "name", "--kubeconfig", "other", "--context", "second"),
        ("--kubeconfig", "nope", "whoami", "-o", "name", "--kubeconfig", "other"),
    ):
        assert llmos(*arguments).stdout == "other\n"
    assert llmos("whoami", "-o", "name").stdout == "admin\n"


def test_warnings_of_the_server_are_said_once(api, llmos):
    """On stderr, whatever the number of requests; stdout stays for programs."""
    api.warnings = ["not for production"]
    result = llmos("namespace", "create", "team", "--member", "group:a=editor", "-o", "name")
    assert result.stdout == "namespace/team\n"
    assert result.stderr == "Warning: not for production\n"


@pytest.mark.parametrize(
    ("headers", "texts"),
    [
        ([], []),
        (['299 - "a"'], ["a"]),
        (['299 - "a \\"b\\" \\\\c"', '299 kube "d"'], ['a "b" \\c', "d"]),
        (['299 - "a, b", 299 - "c"'], ["a, b", "c"]),
        (['199 - "no"', "junk", '299 - "open'], []),
    ],
)
def test_warning_headers(headers, texts):
    """Texts with quotes, commas and several in one header; other codes are not ours."""
    assert parse_warnings(headers) == texts


def everything(group=command, path=()):
    """Every verb with its path."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            yield (*path, name), found
            if isinstance(found, click.Group):
                yield from everything(found, (*path, name))


@pytest.mark.parametrize("path", [path for path, _ in everything()], ids=" ".join)
def test_every_verb_and_option_is_explained(path):
    """--help works, begins with a sentence, and no option is without a text."""
    result = invoke(None, *path, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    found = dict(everything())[path]
    assert found.help
    for each in found.params:
        assert isinstance(each, click.Argument) or each.help


def test_there_are_all_verbs():
    """One file a verb."""
    assert {path[0] for path, _ in everything()} == set(VERBS)


def test_an_unknown_verb_is_a_usage_error(llmos):
    """Exit code 2, with the way to help."""
    result = llmos("frobnicate")
    assert (result.exit_code, "--help" in result.stderr) == (2, True)


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_scripts(shell):
    """Each shell gets a script that asks us back."""
    assert "_LLMOS_COMPLETE" in invoke(None, "completion", shell).stdout


def test_completion_answers(monkeypatch):
    """What the script asks is answered: the verbs that begin so."""
    for name, value in (
        ("_LLMOS_COMPLETE", "bash_complete"), ("COMP_WORDS", "llmos na"), ("COMP_CWORD", "1")
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    assert invoke(None).stdout == "plain,namespace\n"


def test_serve_starts_without_what_only_some_requests_need():
    """Half of the time to start would go into importing it."""
    late = {"cel_expr_python", "httpx", "wsproto"}
    code = f"import sys, llmos.cli.serve; print(*{late} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout.split() == []
