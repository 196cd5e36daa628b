"""From the core to an ASGI application: the list of filters and the router."""

from collections.abc import Mapping
from typing import Any

from llmos import __version__
from llmos.apimachinery.clock import Clock
from llmos.apimachinery.object import Object
from llmos.authentication.authenticator import Union
from llmos.authentication.records import USERS
from llmos.authentication.service_accounts import ServiceAccountTokens
from llmos.endpoints.account import AccountServices
from llmos.endpoints.filters import Gate
from llmos.endpoints.http import Request
from llmos.endpoints.narrowing import Narrowing
from llmos.endpoints.pages import Pages
from llmos.endpoints.pipeline import Pipeline
from llmos.endpoints.reading import Reading
from llmos.endpoints.requestinfo import RequestInfo
from llmos.endpoints.serving import Lifecycle
from llmos.server.assembly import Core
from llmos.server.changing import Changing
from llmos.server.discovery import Discovery
from llmos.server.documents import Documents
from llmos.server.openapi import OpenAPI
from llmos.server.passwordintake import PASSWORD_NOTE
from llmos.server.router import Router
from llmos.server.scaling import Scaling
from llmos.server.subresources import Subresources
from llmos.server.virtual import Reviews


def build(
    core: Core,
    lifecycle: Lifecycle,
    authenticators: tuple[Union, ServiceAccountTokens],
    clock: Clock,
    ca_pem: str = "",
) -> Pipeline:
    """Put the application together; ``ca_pem`` is what kubeconfigs name as its authority."""
    authenticator, service_accounts = authenticators
    reviews = Reviews(
        authenticator, service_accounts, core.authorizer, core.index, core.committed, clock
    )

    def namespaced(info: RequestInfo) -> bool:
        served = core.catalog.find(info.group, info.version, info.resource)
        return served is not None and served.resource.namespaced

    gate = Gate(authenticator, core.authorizer, Narrowing(core, namespaced), use=core.tokens.use)

    async def still_allowed(request: Request) -> bool:
        return not lifecycle.stopping and await gate.still_allowed(request)

    async def keep_password(user: Object, notes: Mapping[str, Any]) -> None:
        if PASSWORD_NOTE in notes:
            await core.accounts.absorb_password(user, notes[PASSWORD_NOTE])

    reading = Reading(
        core.storage,
        clock,
        still_allowed,
        core.streams,
        protobuf=True,
        in_force=core.catalog.in_force,
    )
    changing = Changing(core.store, clock, gate.creation_check, {USERS: keep_password})
    router = Router(
        catalog=core.catalog,
        reading=reading,
        changing=changing,
        subresources=Subresources(reading, changing, Scaling(core.store, clock), reviews.token),
        documents=Documents(
            Discovery(core.catalog),
            OpenAPI(core.catalog),
            __version__,
            lambda: _unready(core, lifecycle),
            clock,
        ),
        virtual=reviews.handlers(),
        account=AccountServices(core.accounts, core.authorizer, core.judges.may_manage, ca_pem),
        metrics=core.metrics,
    )
    return Pipeline(gate.filters, router, clock, core.metrics.requests, Pages())


def _unready(core: Core, lifecycle: Lifecycle) -> str:
    """Why no traffic should come here; empty: it should."""
    return lifecycle.problem or core.storage.reason
