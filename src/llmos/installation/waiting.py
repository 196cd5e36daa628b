"""What is written acts a little later: definitions are established, policies are loaded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from llmos.apimachinery.errors import (
    ForbiddenError,
    NotFoundError,
    ServiceUnavailableError,
    StatusError,
    TooManyRequestsError,
)
from llmos.apimachinery.object import Object, find_condition, name_of
from llmos.apimachinery.resource import APIResource
from llmos.apis.namespaces import SYSTEM_NAMESPACE
from llmos.apis.platform_content import DEFINITIONS, POLICIES, POLICY_BINDINGS
from llmos.client.client import Client, resource_path
from llmos.client.resources import CONFIG_MAPS
from llmos.installation.outcome import InstallationError

Wait = Callable[[], Awaitable[None]]

SECONDS = 60.0
"""For each thing that is waited for."""
_PAUSE = 0.1
_NOT_SYNCED = "not yet synced"
"""What an API server says of a policy's parameters that it has not read yet."""
_NAME = "llmos-installing"
_REFUSAL = "llmos is being installed: its policies are in force"


async def until(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds.

    Raises:
        InstallationError: it does not, for a minute.
    """
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                if await holds():
                    return
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise InstallationError(f"{what} not within {SECONDS:.0f} s: try again") from None


async def established(client: Client, definition: Object) -> None:
    """Wait until a kind is served.

    Raises:
        InstallationError: its names are taken, or it takes too long.
    """
    name = name_of(definition)

    async def holds() -> bool:
        found = await client.get(DEFINITIONS, "", name)
        refused = find_condition(found, "NamesAccepted") or {}
        if refused.get("status") == "False":
            raise InstallationError(f"{name}: {refused.get('message')}")
        return (find_condition(found, "Established") or {}).get("status") == "True"

    await until(f"{name} is established", holds)
    path = f"/apis/{definition['spec']['group']}/{definition['spec']['versions'][0]['name']}"

    async def served() -> bool:
        try:
            answer = await client.call("GET", f"{path}/{definition['spec']['names']['plural']}")
        except (NotFoundError, TooManyRequestsError, ServiceUnavailableError):
            # Established is said a moment before its storage is ready.
            return False
        return "items" in answer

    await until(f"{name} is served", served)


async def accepted(client: Client, resource: APIResource, obj: Object) -> None:
    """Wait until an object could be created: policies first read what others of its kind there are.

    Raises:
        InstallationError: it takes too long.
    """

    async def holds() -> bool:
        path = resource_path(resource, None)
        try:
            await client.call("POST", path, params={"dryRun": "All"}, body=obj)
        except StatusError as error:
            return _NOT_SYNCED not in error.message
        return True

    await until(f"{resource.plural} can be created", holds)


def _canary() -> tuple[Object, Object]:
    """A policy that refuses one ConfigMap, by a name that nobody needs."""
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["configmaps"],
    }
    condition = {"name": "canary", "expression": f"object.metadata.name == '{_NAME}'"}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [condition],
        "validations": [{"expression": "false", "message": _REFUSAL, "reason": "Forbidden"}],
    }
    return (
        {"metadata": {"name": _NAME}, "spec": spec},
        {
            "metadata": {"name": _NAME},
            "spec": {"policyName": _NAME, "validationActions": ["Deny"]},
        },
    )


@asynccontextmanager
async def policies_seen(client: Client, manager: str) -> AsyncIterator[Wait]:
    """Give a function that waits until all policies written before it is called are in force.

    An API server reads policies in the order in which they are written. So one that is written
    last, and is seen to refuse, says that those before it are in force, too.
    """
    policy, binding = _canary()

    async def wait() -> None:
        await client.apply(POLICIES, policy, manager=manager)
        await client.apply(POLICY_BINDINGS, binding, manager=manager)
        await until("the policies are in force", lambda: _refused(client))

    try:
        yield wait
    finally:
        for resource in (POLICY_BINDINGS, POLICIES):
            try:
                await client.delete(resource, "", _NAME)
            except NotFoundError:
                continue


async def _refused(client: Client) -> bool:
    body = {"metadata": {"name": _NAME, "namespace": SYSTEM_NAMESPACE}}
    path = resource_path(CONFIG_MAPS, SYSTEM_NAMESPACE)
    try:
        await client.call("POST", path, params={"dryRun": "All"}, body=body)
    except ForbiddenError as error:
        if _REFUSAL in error.message:
            return True
        raise
    except StatusError:
        return False
    return False
