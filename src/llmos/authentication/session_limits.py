"""How long the sessions of browsers live: two Settings, in memory.

Fed with every event of ``settings.management.llmos.ai``. What cannot be read as a length of time
counts as not set.
"""

import re

from llmos.apimachinery.object import Object, name_of

IDLE = "session-idle-limit"
LIFETIME = "session-lifetime"
DEFAULTS = {IDLE: 12 * 3600.0, LIFETIME: 7 * 86400.0}
"""Seconds."""
LONGEST = 90 * 86400.0
"""Seconds; no session lives longer, whatever is set."""

_LENGTH = re.compile(r"([1-9][0-9]{0,5})([mhd])", re.ASCII)
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


def read_length(text: object) -> float | None:
    """Seconds of a length of time such as ``30m``, ``12h`` or ``7d``; None: it is none."""
    found = _LENGTH.fullmatch(text) if isinstance(text, str) else None
    return min(int(found[1]) * _UNITS[found[2]], LONGEST) if found else None


class SessionLimits:
    """The limits that are in force."""

    def __init__(self) -> None:
        self.idle = DEFAULTS[IDLE]
        """Seconds without a request after which a session is over."""
        self.lifetime = DEFAULTS[LIFETIME]
        """Seconds after which a session is over, however much it is used."""

    def set(self, setting: Object) -> None:
        """Take in a Setting that was added or changed."""
        value = read_length(setting.get("value")) or read_length(setting.get("default"))
        self._put(name_of(setting), value)

    def delete(self, setting: Object) -> None:
        """Forget a Setting that was deleted: the default counts."""
        self._put(name_of(setting), None)

    def _put(self, name: str, seconds: float | None) -> None:
        if name == IDLE:
            self.idle = seconds or DEFAULTS[IDLE]
        elif name == LIFETIME:
            self.lifetime = seconds or DEFAULTS[LIFETIME]
