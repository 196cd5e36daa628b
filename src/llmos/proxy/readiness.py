"""Why a proxy should get no traffic: in words, for whoever looks at ``/readyz``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llmos.apis.platform_content import amiss
from llmos.endpoints.serving import Lifecycle
from llmos.proxy.platform import Platform


@dataclass(frozen=True, slots=True)
class Readiness:
    """Looks at everything that an answer needs."""

    lifecycle: Lifecycle
    platform: Platform
    upstream: Callable[[], str]
    """What is wrong with the way to the cluster; empty: nothing."""
    caches: Callable[[], str]
    """The same, of what narrowed reads come from."""

    def problem(self) -> str:
        """What is wrong; empty: nothing."""
        return next(self._problems(), "")

    def _problems(self) -> Iterator[str]:
        if self.lifecycle.problem:
            yield self.lifecycle.problem
        stale = self.platform.stale()
        if stale:
            yield f"nothing is heard from the cluster about {', '.join(stale)}"
        yield from filter(None, (self.upstream(), self.caches()))
        yield from (f"{each}: llmos install" for each in amiss(self.platform))
