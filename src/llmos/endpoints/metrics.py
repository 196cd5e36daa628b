"""What is told at ``/metrics``: every request that was answered, and what others have to tell.

Names, labels and buckets are those of kube-apiserver (k8s.io/apiserver/pkg/endpoints/metrics) where
it has such a measure, so that dashboards and alerts for it work. No label has a value that a client
chooses: no user, no object, no namespace, and a resource only if it is served.
"""

import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from llmos.apimachinery.errors import MethodNotAllowedError
from llmos.apimachinery.lazy import LazyModule
from llmos.apimachinery.measures import Family, Histogram
from llmos.endpoints.http import Request, Response, StreamResponse, UpgradeResponse
from llmos.endpoints.requestinfo import CONNECTS, RequestInfo, is_long

if TYPE_CHECKING:
    from llmos.endpoints import exposition
else:
    exposition = LazyModule("llmos.endpoints.exposition")

PATH = "/metrics"
BOUNDS = (
    0.001, 0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0,
    8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
"""Upper ends of the buckets of latencies, in seconds: Kubernetes' own, and one below them."""
MAX_SERIES = 5000
"""So many sets of labels are told apart; what comes after them is counted without labels."""
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_VERBS = {
    "create": "POST",
    "update": "PUT",
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SUBRESOURCES = CONNECTS | {
    "", "approval", "binding", "ephemeralcontainers", "eviction", "finalize", "log", "resize",
    "scale", "status", "token",
}  # fmt: skip
_PATHS = frozenset(
    {PATH, "/", "/api", "/apis", "/healthz", "/livez", "/readyz", "/version", "/openapi/v2"}
    | {"/openapi/v3", "/auth/login", "/auth/logout"}
)
_LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")


class Labels(NamedTuple):
    """What a request was, as kube-apiserver's labels say it."""

    verb: str
    dry_run: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    scope: str = ""
    component: str = ""


Answer = Response | StreamResponse | UpgradeResponse
Source = Callable[[], Iterable[Family]]
"""What somebody has to tell now; called on the event loop's thread."""


class RequestMetrics:
    """Counts and times requests.

    Args:
        served: whether there is such a resource.
        component: who answers: ``apiserver``, or ``proxy``.
        clock: seconds that only grow.
    """

    __slots__ = ("_cells", "_changing", "_clock", "_component", "_long", "_reading", "_served")

    def __init__(
        self,
        served: Callable[[RequestInfo], bool] = lambda _: False,
        component: str = "apiserver",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._served = served
        self._component = component
        self._clock = clock
        self._cells: dict[tuple[Labels, int], Histogram] = {}
        self._long: dict[Labels, int] = {}
        self._reading = self._changing = 0

    def begin(self, request: Request) -> float:
        """A request is read; ``answered`` or ``dropped`` must follow."""
        if request.method in _CHANGING:
            self._changing += 1
        else:
            self._reading += 1
        return self._clock()

    def dropped(self, request: Request) -> None:
        """Nobody waits for the answer any more."""
        if request.method in _CHANGING:
            self._changing -= 1
        else:
            self._reading -= 1

    def answered(self, request: Request, answer: Answer, began: float) -> None:
        """There is an answer; one that goes on is timed to its end."""
        if request.method in _CHANGING:
            self._changing -= 1
        else:
            self._reading -= 1
        if answer.__class__ is not Response:
            self._follow(request, answer, began)
            return
        cell = request.cells.get(answer.status)
        if cell is None:
            cell = self._cell(request, answer.status)
        # As Histogram.observe; a call would cost as much as all the rest.
        seconds = self._clock() - began
        cell.counts[bisect_left(BOUNDS, seconds)] += 1
        cell.sum += seconds

    def _cell(self, request: Request, status: int) -> Histogram:
        labels = self._labels(request)
        cell = self._cells.get((labels, status))
        if cell is None:
            if len(self._cells) >= MAX_SERIES:
                labels = Labels("OTHER")
            cell = self._cells.setdefault((labels, status), Histogram(BOUNDS))
        if labels.resource:
            # The next request with the same head finds it here. What is not served now may be then.
            request.cells[status] = cell
        return cell

    def _follow(self, request: Request, answer: Any, began: float) -> None:
        run: Callable[..., Awaitable[None]] = answer.run

        async def followed(*arguments: Any) -> None:
            info = getattr(request, "info", None)
            labels = self._labels(request) if info is not None and is_long(info) else None
            if labels is not None:
                self._long[labels] = self._long.get(labels, 0) + 1
            try:
                await run(*arguments)
            finally:
                if labels is not None:
                    self._long[labels] -= 1
                self._cell(request, answer.status).observe(self._clock() - began)

        answer.run = followed

    def _labels(self, request: Request) -> Labels:
        info: RequestInfo | None = getattr(request, "info", None)
        if info is None or not info.is_resource:
            known = info is not None and info.path in _PATHS
            path = info.path if info is not None and known else ""
            method = request.method
            return Labels(method if method in _METHODS else "OTHER", subresource=path)
        if not self._served(info):
            return Labels(_VERBS.get(info.verb, "OTHER"), component=self._component)
        dry_run = "All" if request.query.get("dryRun") == "All" else ""
        return Labels(
            _verb(request, info),
            dry_run,
            info.group,
            info.version,
            info.resource,
            info.subresource if info.subresource in _SUBRESOURCES else "other",
            _scope(info),
            self._component,
        )

    def families(self) -> Iterable[Family]:
        """Everything that was counted, as it is now."""
        total = Family(
            "apiserver_request_total",
            "counter",
            "Counter of requests broken out for each verb, dry run value, group, version, "
            "resource, scope, component, and HTTP response code.",
            (*_LABELS, "code"),
        )
        durations: dict[Labels, Histogram] = {}
        for (labels, status), cell in self._cells.items():
            total.add(cell.count, *labels, str(status))
            before = durations.get(labels)
            durations[labels] = cell.copy() if before is None else before.plus(cell)
        yield total
        yield Family(
            "apiserver_request_duration_seconds",
            "histogram",
            "Response latency distribution in seconds for each verb, dry run value, group, "
            "version, resource, subresource, scope and component.",
            _LABELS,
            list(durations.items()),
        )
        yield from self._present()

    def _present(self) -> Iterable[Family]:
        in_flight = Family(
            "apiserver_current_inflight_requests",
            "gauge",
            "Number of requests that are being answered now, per request kind.",
            ("request_kind",),
        )
        in_flight.add(self._reading, "readOnly")
        in_flight.add(self._changing, "mutating")
        yield in_flight
        long = Family(
            "apiserver_longrunning_requests",
            "gauge",
            "Gauge of all active long-running requests broken out by verb, group, version, "
            "resource, scope and component.",
            tuple(each for each in _LABELS if each != "dry_run"),
        )
        for labels, count in self._long.items():
            long.add(count, labels.verb, *labels[2:])
        yield long


def _verb(request: Request, info: RequestInfo) -> str:
    """The verb as kube-apiserver reports it (``cleanVerb``)."""
    if info.subresource in CONNECTS:
        return "CONNECT"
    if info.verb == "patch" and "apply-patch" in request.headers.get("content-type", ""):
        return "APPLY"
    return _VERBS.get(info.verb, "OTHER")


def _scope(info: RequestInfo) -> str:
    """How much a request is about (``CleanScope``)."""
    if info.name or info.verb == "create":
        return "resource"
    return "namespace" if info.namespace else "cluster"


class Metrics:
    """The handler of ``/metrics``, for whom the filters, or the router, let pass."""

    def __init__(self, requests: RequestMetrics, version: str) -> None:
        self.requests = requests
        build = Family("llmos_build_info", "gauge", "The version that runs.", ("version",))
        build.add(1, version)
        self._sources: dict[str, Source] = {
            "build": lambda: (build,),
            "requests": requests.families,
        }

    def tell(self, name: str, source: Source) -> None:
        """Ask this source, too, from now on; it takes the place of one of the same name."""
        self._sources[name] = source

    def be_silent(self, name: str) -> None:
        """Ask a source no more."""
        self._sources.pop(name, None)

    def families(self) -> list[Family]:
        """Everything that there is to tell now."""
        return [family for source in self._sources.values() for family in source()]

    async def answer(self, request: Request) -> Response:
        """All of it in the text format of Prometheus, or OpenMetrics for who asks for it.

        Raises:
            MethodNotAllowedError: it is no GET.
        """
        if request.method != "GET":
            raise MethodNotAllowedError
        # Written down here, in one moment; put into words elsewhere, which takes longer.
        families = self.families()
        body, kind = await exposition.written(families, request.headers.get("accept", ""))
        return Response(200, body, kind)
