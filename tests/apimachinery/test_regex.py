"""Patterns match as Go's regular expressions do, in linear time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.regex import Regex, TextTooComplexError
from llmos.apimachinery.regex_syntax import RegexError

MATCHES = (
    ("^[a-z]+$", "abc", True),
    ("^[a-z]+$", "abc\n", False),
    ("b", "abc", True),
    ("^b", "abc", False),
    ("^$", "", True),
    ("", "anything", True),
    ("(?i)FoO", "xfOo", True),
    ("a.c", "a\nc", False),
    ("(?s)a.c", "a\nc", True),
    (r"^\d{2,4}$", "12345", False),
    (r"^\d{2,}$", "12345", True),
    (r"^\d{3}$", "123", True),
    (r"^\w+\s\S$", "ab_ c", True),
    (r"^\D\W$", "a-", True),
    ("^[^a-c]$", "b", False),
    ("^[^a-c]$", "é", True),
    ("(?i)^[^a]$", "A", False),
    ("^[]a]$", "]", True),
    ("^[a-]$", "-", True),
    (r"^[\d\-]+$", "1-2", True),
    ("^[[:alpha:]]+$", "aZ", True),
    ("^[[:^digit:]]$", "1", False),
    (r"^\x41\x{1F600}$", "A😀", True),
    (r"^\Qa.b*\E$", "a.b*", True),
    (r"\Aab\z", "ab", True),
    ("^(?:a|b)?c$", "bc", True),
    ("^(?P<n>a)+?$", "aa", True),
    ("^(?<n>a)$", "a", True),
    ("^a{,2}$", "a{,2}", True),
    ("^(a|)*$", "aaa", True),
    (r"^\.\*$", ".*", True),
    (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a-b.c", True),
    (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a-.c", False),
)


@pytest.mark.parametrize(("pattern", "text", "expected"), MATCHES)
def test_patterns_match_as_in_go(pattern: str, text: str, expected: bool) -> None:
    """The supported syntax means what RE2 says it means."""
    assert Regex(pattern).search(text) is expected


REFUSED = (
    "(",
    ")",
    "[a",
    "a**",
    "*a",
    "\\",
    r"\1",
    r"\b",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?m)^a",
    "a{1001}",
    "a{2,1}",
    "[z-a]",
    r"\p{Greek}",
    r"\x{110000}",
    r"\xZZ",
    "[[:nope:]]",
    "(?P<n",
    "(a{1000}){1000}",
    "(" * 5000,
)


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_is_malformed_or_not_linear_is_refused(pattern: str) -> None:
    """A pattern that cannot be matched safely never compiles, and nothing else is raised."""
    with pytest.raises(RegexError):
        Regex(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)*x$"])
def test_no_pattern_blows_up(pattern: str) -> None:
    """What takes a backtracking engine for ever takes a moment."""
    begin = time.process_time()
    Regex(pattern).search("a" * 50_000 + "!")
    assert time.process_time() - begin < 1


def test_a_text_that_needs_too_many_states_is_given_up() -> None:
    """The work for one text is bounded even where the automaton would explode."""
    text = "".join("ab"[(each * 7919) % 13 % 2] for each in range(200_000))
    begin = time.process_time()
    with pytest.raises(TextTooComplexError):
        Regex("(a|b)*a(a|b){900}c").search(text)
    assert time.process_time() - begin < 3


@given(
    st.sampled_from(
        [
            "^[a-c]*$",
            "a|b|",
            "(ab|a)(c|bcd)(d*)$",
            "x*y",
            "a{0,2}b",
            "[^a]{2}$",
            "^(a|b)?c",
            "(a*)+$",
        ]
    ),
    st.text("abcdxy\n", max_size=12),
)
def test_agrees_with_python_where_both_speak(pattern: str, text: str) -> None:
    """On syntax that means the same, Python's engine is the witness."""
    witness = re.compile(pattern.replace("$", r"\Z"))
    assert Regex(pattern).search(text) is bool(witness.search(text))
