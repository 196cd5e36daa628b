"""What was measured: one run of an operation, medians of several, and how two compare."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields


class BenchError(Exception):
    """Something did not answer as it must: there are no figures."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of an operation, or the medians of several. What does not apply is 0."""

    rate: float = 0.0
    """Answers, or for watches events, in a second."""
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    megabytes: float = 0.0
    """Resident memory."""
    count: int = 0
    generator_busy: float = 0.0
    """The share of its one core that the load generator used: near 1 it is the limit."""

    def as_json(self) -> dict[str, float]:
        """The fields by name."""
        return asdict(self)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of the ordered values lies; 0 of nothing."""
    return ordered[int((len(ordered) - 1) * share)] if ordered else 0.0


def of_latencies(seconds: Sequence[float]) -> Measured:
    """What single latencies come to."""
    ordered = sorted(seconds)
    return Measured(
        p50_ms=percentile(ordered, 0.5) * 1e3,
        p99_ms=percentile(ordered, 0.99) * 1e3,
        count=len(ordered),
    )


def medians(rounds: Sequence[Measured]) -> Measured:
    """Field by field the median of several rounds."""
    return Measured(
        **{
            each.name: statistics.median(getattr(one, each.name) for one in rounds)
            for each in fields(Measured)
        }
    )


def ratio(ours: Measured, theirs: Measured) -> float | None:
    """How many times better the first is, by the figure that both were measured for.

    More answers a second, less latency, less memory; None where there is nothing to compare.
    """
    for mine, other in (
        (ours.rate, theirs.rate),
        (theirs.megabytes, ours.megabytes),
        (theirs.p50_ms, ours.p50_ms),
    ):
        if mine and other:
            return mine / other
    return None
