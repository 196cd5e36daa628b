"""What a proxy tells of the way to its cluster and of what it hears from there."""

from collections.abc import Iterator

from llmos.apimachinery.measures import Family, Histogram, gauge
from llmos.proxy.caches import Caches
from llmos.proxy.platform import STALE_SECONDS, Platform

BOUNDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""client-go's own, in seconds."""
MAX_SERIES = 500
_KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class UpstreamMetrics:
    """Requests that were sent on, by the names of client-go's metrics.

    The time is that until the head of the answer.
    """

    __slots__ = ("_durations", "_totals")

    def __init__(self) -> None:
        self._durations: dict[tuple[str, str], Histogram] = {}
        self._totals: dict[tuple[str, str, str], int] = {}

    def observe(self, method: str, host: str, code: str, seconds: float) -> None:
        """A request was answered, or (``<error>``) was not."""
        verb = method if method in _KNOWN else "OTHER"
        total = (code, verb, host)
        if total not in self._totals and len(self._totals) >= MAX_SERIES:
            total = ("", verb, "")
        self._totals[total] = self._totals.get(total, 0) + 1
        timed = (verb, total[2])
        duration = self._durations.get(timed)
        if duration is None:
            duration = self._durations[timed] = Histogram(BOUNDS)
        duration.observe(seconds)

    def families(self) -> Iterator[Family]:
        """Everything that was counted."""
        totals = Family(
            "rest_client_requests_total",
            "counter",
            "Number of HTTP requests, partitioned by status code, method, and host.",
            ("code", "method", "host"),
        )
        for labels, count in self._totals.items():
            totals.add(count, *labels)
        durations = Family(
            "rest_client_request_duration_seconds",
            "histogram",
            "Request latency in seconds. Broken down by verb, and host.",
            ("verb", "host"),
        )
        for timed, duration in self._durations.items():
            durations.add(duration.copy(), *timed)
        yield from (totals, durations)


def breaker_family(is_open: bool) -> Family:
    """Whether the cluster is away."""
    return gauge(
        "llmos_upstream_breaker_open",
        "Whether the cluster cannot be reached, so that requests are refused at once.",
        int(is_open),
    )


def informer_families(platform: Platform, caches: Caches) -> Iterator[Family]:
    """How old what is in memory may be."""
    silence = Family(
        "llmos_informer_silence_seconds",
        "gauge",
        "For how long the cluster has said nothing about what is kept in memory; "
        f"after {STALE_SECONDS:.0f} s it decides nothing any more.",
        ("purpose", "group", "resource"),
    )
    synced = Family(
        "llmos_informer_synced",
        "gauge",
        "Whether what is kept in memory was read whole.",
        ("purpose", "group", "resource"),
    )
    told = [("platform", *each) for each in platform.ages()]
    told += [("narrowing", *each) for each in caches.ages()]
    for purpose, resource, age in told:
        synced.add(int(age is not None), purpose, resource.group, resource.resource)
        if age is not None:
            silence.add(age, purpose, resource.group, resource.resource)
    yield from (silence, synced)
