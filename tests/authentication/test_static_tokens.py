"""The token file."""

import pytest

from llmos.authentication.static_tokens import StaticTokens, TokenFileError

FILE = """\
# robots
admintoken,admin,admin-uid,system:masters

alicetoken,alice,alice-uid,"devs,ops"
bobtoken,bob,
"""


@pytest.mark.parametrize(
    ("token", "name", "uid", "groups"),
    [
        ("admintoken", "admin", "admin-uid", ("system:masters", "system:authenticated")),
        ("alicetoken", "alice", "alice-uid", ("devs", "ops", "system:authenticated")),
        ("bobtoken", "bob", "", ("system:authenticated",)),
    ],
)
def test_lines_give_identities(token, name, uid, groups):
    """User, uid and groups come from the line; everybody is system:authenticated."""
    identity = StaticTokens.parse(FILE).authenticate(token)
    assert (identity.user.name, identity.user.uid, identity.user.groups) == (name, uid, groups)
    assert identity.valid()
    assert identity.expires_at is None


@pytest.mark.parametrize("token", ["", "nope", "admintoken ", "ADMINTOKEN", "# robots"])
def test_other_tokens_are_unknown(token):
    """Only the exact token counts."""
    assert StaticTokens.parse(FILE).authenticate(token) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sekret,u", 1),
        ("a,u,1\n,sekret,2", 2),
        ("a,u,1\nsekret,,2", 2),
        ("a,u,1\nb,u,1\na,sekret,2", 3),
        ("a,u,1,g,sekret", 1),
        ('a,u,1,"sekret', 1),
    ],
)
def test_errors_name_the_line_and_no_token(text, line):
    """A bad line is named by its number; nothing of it is repeated."""
    with pytest.raises(TokenFileError) as caught:
        StaticTokens.parse(text, "tokens.csv")
    assert f"tokens.csv:{line}:" in str(caught.value)
    assert "sekret" not in str(caught.value)


def test_load_reads_a_file_and_names_it_when_missing(tmp_path):
    """A file is read; one that is missing or no text is an error that names it."""
    path = tmp_path / "tokens.csv"
    path.write_text(FILE)
    assert StaticTokens.load(path).authenticate("bobtoken") is not None
    path.write_bytes(b"\xff\xfe,u,1")
    with pytest.raises(TokenFileError, match=r"tokens\.csv: it is not UTF-8"):
        StaticTokens.load(path)
    with pytest.raises(TokenFileError, match="missing"):
        StaticTokens.load(tmp_path / "missing")
