"""How much of the past is remembered; the defaults are what production uses."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """Limits of the watch window."""

    window_events: int = 10_000
    """As many of the newest events are always remembered, while ``window_bytes`` allows."""
    window_seconds: float = 300.0
    """Events younger than this are remembered too, while ``window_bytes`` allows."""
    window_bytes: int = 64 * MIB
    """The memory the window may take, whatever the other two say."""
    snapshots: int = 8
    """How many lists of the past are kept, so that the pages of one walk are cut from one list."""
