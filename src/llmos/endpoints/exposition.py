"""Measures in Prometheus' formats; imported by the first who reads them (see ``metrics``)."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from llmos.apimachinery.measures import Family, Histogram


async def written(families: Sequence[Family], accept: str) -> tuple[bytes, str]:
    """The measures, and those of the process, with their media type.

    Args:
        families: nobody may change them any more.
        accept: the header of who asks.
    """
    return await asyncio.to_thread(_written, families, accept)


def _written(families: Sequence[Family], accept: str) -> tuple[bytes, str]:
    registry = CollectorRegistry()
    registry.register(_Measured(families))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


class _Measured(Collector):
    """What the library asks for everything of ours."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return map(_metric, self._families)

    def describe(self) -> Iterable[Metric]:
        """Nothing: each of these registries lives for one answer, and has no two of one name."""
        return ()


def _metric(family: Family) -> Metric:
    if family.kind == "histogram":
        histograms = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, value in family.samples:
            assert isinstance(value, Histogram)
            histograms.add_metric(labels, _buckets(value), value.sum)
        return histograms
    make = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric: Metric = make(family.name, family.help, labels=family.labels)
    for labels, value in family.samples:
        assert not isinstance(value, Histogram)
        metric.add_sample(family.name, dict(zip(family.labels, labels, strict=True)), value)
    return metric


def _buckets(value: Histogram) -> list[tuple[str, float]]:
    """Each with those below it, as Prometheus counts them; their ends as Go writes numbers."""
    ends = [f"{each:g}" for each in value.bounds]
    return list(zip((*ends, "+Inf"), accumulate(value.counts), strict=True))
