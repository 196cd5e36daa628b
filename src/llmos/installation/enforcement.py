"""Policies act a moment after they are there: wait until they are seen to."""

import asyncio

from llmos.apimachinery.errors import (
    ForbiddenError,
    InvalidError,
    TimedOutError,
)
from llmos.client.client import Client, resource_path
from llmos.client.errors import status_error_from
from llmos.client.resources import NAMESPACES

WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.25
_PROBE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-llmos-probe"}}
_ADMIN = {"Impersonate-User": "llmos:probe", "Impersonate-Group": "llmos:admins"}


async def wait_enforced(client: Client) -> None:
    """Return once an admin of llmos is refused what no admin may do: tried, and changing nothing.

    Raises:
        TimedOutError: the policies do not act.
        StatusError: the operator may not act for others.
        ConnectionFailedError: the cluster does not answer.
    """
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                if await _refused(client):
                    return
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise TimedOutError("the policies are there and do not act") from None


async def _refused(client: Client) -> bool:
    response = await client.request(
        "POST",
        resource_path(NAMESPACES, None),
        params={"dryRun": "All"},
        body=_PROBE,
        headers=_ADMIN,
    )
    if response.is_success:
        return False
    error = status_error_from(response.json(), response.status_code)
    if isinstance(error, ForbiddenError | InvalidError) and "ValidatingAdmissionPolicy" in str(
        error.message
    ):
        return True
    raise error
