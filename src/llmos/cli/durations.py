"""Lengths of time as people write them: ``30d``, ``12h``, ``1h30m``."""

import re

import click

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,9})([dhms])")
_WHOLE = re.compile(r"(\d{1,9}[dhms])+", re.ASCII)


def parse_duration(text: str) -> int:
    """Seconds.

    Raises:
        ValueError: it is not a length of time, or none at all.
    """
    whole = text.strip()
    if not _WHOLE.fullmatch(whole):
        raise ValueError(f"{text!r} is not a length of time such as 30d, 12h or 1h30m")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(whole))
    if seconds == 0:
        raise ValueError("nothing lasts no time at all")
    return seconds


def duration(_: click.Context, __: click.Parameter, text: str) -> int:
    """The callback of an option that takes a length of time."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
