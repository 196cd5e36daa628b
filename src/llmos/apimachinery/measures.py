"""What is counted and timed, in a form that costs next to nothing where it happens.

Prometheus' words (counter, gauge, histogram); its library is only asked for when somebody reads
(``endpoints.exposition``). Every measure belongs to one thread.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Labels = tuple[str, ...]
"""The values of labels, in the order of their names."""


class Histogram:
    """How often something took how long.

    Args:
        bounds: the upper ends of the buckets, in seconds and in order; they belong to them.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """By bucket, those below it left out; the last has no upper end."""
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    @property
    def count(self) -> int:
        """How often it happened."""
        return sum(self.counts)

    def plus(self, other: "Histogram") -> "Histogram":
        """Both together; neither changes."""
        both = Histogram(self.bounds)
        both.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        both.sum = self.sum + other.sum
        return both

    def copy(self) -> "Histogram":
        """As it is now."""
        same = Histogram(self.bounds)
        same.counts, same.sum = self.counts.copy(), self.sum
        return same


@dataclass(slots=True)
class Family:
    """The measures of one name."""

    name: str
    """Of a counter with its ``_total``."""
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    samples: list[tuple[Labels, "float | Histogram"]] = field(default_factory=list)

    def add(self, value: "float | Histogram", *labels: str) -> None:
        """One measure; a histogram must not change any more."""
        self.samples.append((labels, value))


def gauge(name: str, text: str, value: float) -> Family:
    """A gauge without labels."""
    return Family(name, "gauge", text, (), [((), value)])


def counter(name: str, text: str, value: float) -> Family:
    """A counter without labels."""
    return Family(name, "counter", text, (), [((), value)])
