"""How long the sessions of browsers live, as Settings say it."""

import pytest

from llmos.authentication.session_limits import (
    DEFAULTS,
    IDLE,
    LIFETIME,
    LONGEST,
    SessionLimits,
    read_length,
)


def setting(name, value="", default=""):
    return {"metadata": {"name": name}, "value": value, "default": default}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("12h", 43200), ("7d", 604800), ("1m", 60), ("900d", LONGEST)],
)
def test_a_length_is_a_number_and_a_unit(text, seconds):
    """Minutes, hours or days; never longer than any session may be."""
    assert read_length(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "0h", "12", "h", "-1h", "1.5h", "12 h", "1h30m", "12s", "٣h", "1" * 9 + "d", None, 7],
)
def test_anything_else_is_no_length(text):
    """What is no length of time sets nothing."""
    assert read_length(text) is None


def test_a_setting_counts_from_when_it_is_there_until_it_is_gone():
    """The value before the default of the Setting, and that before ours."""
    limits = SessionLimits()
    assert (limits.idle, limits.lifetime) == (DEFAULTS[IDLE], DEFAULTS[LIFETIME]) == (43200, 604800)
    limits.set(setting(IDLE, "30m", "1h"))
    limits.set(setting(LIFETIME, "", "1d"))
    limits.set(setting("other", "5m"))
    assert (limits.idle, limits.lifetime) == (1800, 86400)
    limits.set(setting(IDLE, "soon"))
    assert limits.idle == DEFAULTS[IDLE]
    limits.set(setting(IDLE, "30m"))
    limits.delete(setting(IDLE, "30m"))
    limits.delete(setting(LIFETIME))
    assert (limits.idle, limits.lifetime) == (DEFAULTS[IDLE], DEFAULTS[LIFETIME])
