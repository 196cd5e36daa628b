"""Checks policies against the types of the objects they are for, and writes what is odd to status.

Source: kubernetes/pkg/controller/validatingadmissionpolicystatus and
k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go. Only a warning: a policy
with a wrong field name is in force all the same.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from llmos.admission.policies import POLICIES
from llmos.admission.policy_matching import kinds_of
from llmos.apimachinery.errors import FieldError, NotFoundError, StatusError
from llmos.apimachinery.lazy import LazyModule
from llmos.apimachinery.object import Object, get_path, metadata
from llmos.apimachinery.resource import parse_api_version
from llmos.registry.catalog import Catalog
from llmos.registry.lister import PlatformStore
from llmos.registry.served import Served
from llmos.storage.interface import Storage
from llmos.watchcache.interface import Event

_EXPRESSIONS = "llmos.apis.admissionregistration_v1_expressions"
_SCHEMA_TYPES = "llmos.apimachinery.cel.schema_types"

if TYPE_CHECKING:
    from llmos.apimachinery.cel import schema_types
    from llmos.apimachinery.cel.types import CelType
    from llmos.apis import admissionregistration_v1_expressions as expressions
else:
    expressions = LazyModule(_EXPRESSIONS)
    schema_types = LazyModule(_SCHEMA_TYPES)

_MAX_KINDS = 10
_RETRY_SECONDS = 0.5
_LOG = logging.getLogger("llmos.server")


@dataclass(slots=True)
class PolicyTypes:
    """One worker; the policies themselves are kept by admission."""

    storage: Storage
    catalog: Catalog
    platform: PlatformStore
    _todo: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    def start(self) -> None:
        """Look at every policy that there is, and follow them from here on."""
        snapshot = self.storage.list(str(POLICIES))
        for key, _ in snapshot.items:
            self._todo.put_nowait(key.name)
        self.storage.watch(str(POLICIES), None, snapshot.revision, self._deliver)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._check(await self._todo.get())

    async def settled(self) -> None:
        """Wait until every policy has been looked at."""
        while not self._todo.empty():
            await self._check(self._todo.get_nowait())

    async def _check(self, name: str) -> None:
        try:
            await self._reconcile(name)
        except NotFoundError:
            return
        except StatusError as error:
            _LOG.warning("validating admission policy %s: %s", name, error.message)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._todo.put_nowait, name)

    def _deliver(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.type != "DELETED":
                self._todo.put_nowait(event.key.name)

    async def _reconcile(self, name: str) -> None:
        policy = self.platform.get(POLICIES, "", name)
        if policy is None:
            return
        generation = metadata(policy).get("generation")
        status = policy.get("status") or {}
        if status.get("observedGeneration") == generation:
            return
        # A big import, for which no request needs to wait.
        await asyncio.to_thread(import_module, _EXPRESSIONS)
        warnings = self._warnings(policy.get("spec") or {})
        checking = {"expressionWarnings": warnings} if warnings else {}
        status = {**status, "observedGeneration": generation, "typeChecking": checking}
        await self.platform.update_status(POLICIES, {**policy, "status": status})

    def _warnings(self, spec: Object) -> list[dict[str, str]]:
        """One for each expression that is wrong for a kind, a line for each such kind."""
        lines: dict[str, list[str]] = {}
        for kind, known in self._kinds(spec):
            for error in expressions.expression_errors(spec, known):
                lines.setdefault(error.field, []).append(f"{kind}: {_compiler_text(error)}")
        return [{"fieldRef": where, "warning": "\n".join(each)} for where, each in lines.items()]

    def _kinds(self, spec: Object) -> "Iterator[tuple[str, Mapping[str, CelType]]]":
        """The kinds that a policy names, with the types of its variables for them."""
        params = self._param_type(spec.get("paramKind"))
        for triple in kinds_of(spec.get("matchConstraints"))[:_MAX_KINDS]:
            served = self.catalog.find(*triple)
            kind = None if served is None else _object_type(served)
            if served is None or kind is None:
                continue
            api_version, name = served.resource.api_version, served.resource.kind
            types = {"object": kind, "oldObject": kind, **params}
            yield f"{api_version}, Kind={name}", types

    def _param_type(self, kind: Object | None) -> "dict[str, CelType]":
        group, version = parse_api_version(get_path(kind, "apiVersion", default="") or "")
        served = self.catalog.of_kind(group, version, get_path(kind, "kind", default="") or "")
        found = None if served is None else _object_type(served)
        return {} if found is None else {"params": found}


def _object_type(served: Served) -> "CelType | None":
    """The type of a kind's objects; None: nothing is known of it."""
    schema = served.schema
    return None if schema is None else schema_types.type_of_schema(schema, served.resource.kind)


def _compiler_text(error: FieldError) -> str:
    """What the compiler said, without the value it said it of."""
    return error.message.partition("compilation failed: ")[2] or error.message
