"""``llmos token``."""

import json

import pytest

from llmos.cli.durations import parse_duration


def test_create_prints_the_token_alone_on_stdout(llmos):
    """So that a shell can keep it; what is for people is on stderr."""
    result = llmos("token", "create", "--ttl", "12h", "--description", "ci")
    assert result.stdout == "token-1:key\n"
    assert "shown only now" in result.stderr


def test_create_sends_seconds(llmos):
    """The life and the description arrive as they were said."""
    shown = json.loads(llmos("token", "create", "--ttl", "1h30m", "-o", "json").stdout)
    assert (shown["ttlSeconds"], shown["token"]) == (5400, "token-1:key")


@pytest.mark.parametrize("arguments", [(), ("--ttl", "0h"), ("--ttl", "soon"), ("--ttl", "5")])
def test_a_token_always_ends(api, llmos, arguments):
    """No life, or none that can be understood, is a usage error."""
    assert llmos("token", "create", *arguments).exit_code == 2
    assert api.requests == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2592000), ("12h", 43200), ("1h30m", 5400), ("90s", 90)]
)
def test_durations(text, seconds):
    """Days, hours, minutes and seconds, together or alone."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1.5h", "1w", "0s", "1h 1m", "\u0661h"])
def test_what_is_no_duration(text):
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r".+"):
        parse_duration(text)


def test_list_and_delete(api, llmos):
    """What there is as a table or names; what is gone is gone."""
    assert llmos("token", "list").stdout.splitlines()[1].split()[:2] == ["token-1", "api"]
    assert llmos("token", "list", "-o", "name").stdout == "token-1\n"
    assert json.loads(llmos("token", "list", "-o", "json").stdout)["items"][0]["kind"] == "api"
    assert llmos("token", "delete", "token-1").stdout == "token/token-1 deleted\n"
    assert llmos("token", "delete", "token-2", "--user", "bob").exit_code == 5


def test_a_name_stays_a_name(api, llmos):
    """A name with a slash reaches no other path."""
    llmos("token", "delete", "../password")
    assert ("DELETE", "/auth/tokens/../password") in api.requests
