"""What controllers tell of their queues, by the names of client-go's workqueue metrics."""

from collections.abc import Iterator, Sequence

from llmos.apimachinery.measures import Family
from llmos.reconcile.controller import Controller

_LABELS = ("name",)


def queue_families(controllers: Sequence[Controller]) -> Iterator[Family]:
    """How much there is to do, how long it waits, and how long it takes."""
    depth = Family("workqueue_depth", "gauge", "Current depth of workqueue.", _LABELS)
    adds = Family(
        "workqueue_adds_total", "counter", "Total number of adds handled by workqueue.", _LABELS
    )
    retries = Family(
        "workqueue_retries_total",
        "counter",
        "Total number of retries handled by workqueue.",
        _LABELS,
    )
    waited = Family(
        "workqueue_queue_duration_seconds",
        "histogram",
        "How long in seconds an item stays in workqueue before being requested.",
        _LABELS,
    )
    worked = Family(
        "workqueue_work_duration_seconds",
        "histogram",
        "How long in seconds processing an item from workqueue takes.",
        _LABELS,
    )
    for each in controllers:
        measured = each.queue.measured
        depth.add(len(each.queue), each.name)
        adds.add(measured.adds, each.name)
        retries.add(measured.retries, each.name)
        waited.add(measured.waited.copy(), each.name)
        worked.add(measured.worked.copy(), each.name)
    yield from (depth, adds, retries, waited, worked)
    yield from _unfinished(controllers)


def _unfinished(controllers: Sequence[Controller]) -> Iterator[Family]:
    unfinished = Family(
        "workqueue_unfinished_work_seconds",
        "gauge",
        "How many seconds of work is in progress and has not been observed by work_duration.",
        _LABELS,
    )
    longest = Family(
        "workqueue_longest_running_processor_seconds",
        "gauge",
        "How many seconds the longest running processor for workqueue has been running.",
        _LABELS,
    )
    for each in controllers:
        running = each.queue.measured.running()
        unfinished.add(sum(running), each.name)
        longest.add(max(running, default=0.0), each.name)
    yield from (unfinished, longest)


def leader_family(name: str, leads: bool) -> Family:
    """Whether this replica leads (client-go's name for it)."""
    status = Family(
        "leader_election_master_status",
        "gauge",
        "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, "
        "1 indicates master. 'name' is the string used to identify the lease.",
        ("name",),
    )
    status.add(int(leads), name)
    return status
