"""Percentiles, medians and ratios: the figures of the table."""

import pytest
from bench.measures import Measured, medians, of_latencies, percentile, ratio


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, 0.0),
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 1.0, 4.0),
        ([float(each) for each in range(1, 101)], 0.99, 99.0),
    ],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    """The value below which a share of the values lies."""
    assert percentile(values, share) == expected


def test_latencies_in_any_order() -> None:
    """Latencies become milliseconds, whatever their order."""
    measured = of_latencies([0.003, 0.001, 0.002])
    assert (measured.p50_ms, measured.p99_ms, measured.count) == (2.0, 2.0, 3)


def test_medians_field_by_field() -> None:
    """One odd round does not count."""
    rounds = [Measured(rate=100, p50_ms=1), Measured(rate=9, p50_ms=90), Measured(rate=110)]
    assert medians(rounds) == Measured(rate=100, p50_ms=1)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (Measured(rate=300, p50_ms=9), Measured(rate=100, p50_ms=1), 3.0),
        (Measured(p50_ms=1), Measured(p50_ms=4), 4.0),
        (Measured(megabytes=50), Measured(megabytes=400), 8.0),
        (Measured(), Measured(rate=100), None),
    ],
)
def test_ratio_says_how_much_better(
    ours: Measured, theirs: Measured, expected: float | None
) -> None:
    """More answers, less latency and less memory are all better."""
    assert ratio(ours, theirs) == expected
