"""The filters before a cluster: those of the embedded server, but the last word is the cluster's.

What our copy of the cluster's RBAC does not allow is not refused here: the cluster may have other
authorizers, and words its refusals itself. It goes there under the user's name and nobody else's.
Only where a body would be read here first is the cluster asked before.
"""

from dataclasses import dataclass

from llmos.apimachinery.errors import StatusError
from llmos.apis.authentication_v1 import ANONYMOUS
from llmos.apis.authorization_v1 import Attributes
from llmos.endpoints.account import is_account_path
from llmos.endpoints.fastlane import in_task
from llmos.endpoints.filters import Gate, attributes_of, forbidden
from llmos.endpoints.http import Request
from llmos.proxy.passwords import writes_users
from llmos.proxy.reviewing import AccessReviews
from llmos.proxy.rules import judges


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterGate(Gate):
    """Decides who a request comes from, and whether he sees the whole of what he asks for."""

    reviews: AccessReviews

    async def authorize(self, request: Request) -> None:
        """Narrow what the user may not see whole; the cluster decides about the rest.

        Raises:
            ForbiddenError: the cluster would refuse it, and nobody reads for that what he sends.
        """
        request.visible = None
        if is_account_path(request.info.path):
            return
        attributes = attributes_of(request.user, request.info)
        if self.authorizer.authorize(attributes).allowed:
            return
        request.visible = self.narrowing.view(request.user, request.info)
        if request.visible is None and _brings_what_is_read_here(request):
            await in_task()
            if not await self.reviews.allowed(attributes):
                raise forbidden(attributes)

    async def require(self, request: Request) -> None:
        """Refuse a request that is answered here and not by the cluster.

        Raises:
            ForbiddenError: the user may not.
        """
        attributes = attributes_of(request.user, request.info)
        if not await self._allowed(attributes):
            raise forbidden(attributes)

    async def still_allowed(self, request: Request) -> bool:
        """Ask again about a stream that is open.

        One that was narrowed may go on narrowed, or whole; one that came whole from the cluster
        may go on whole alone.
        """
        narrowed = request.visible is not None
        try:
            await self.ask_again(request)
        except StatusError:
            return False
        if request.visible is not None:
            return narrowed
        return await self._allowed(attributes_of(request.user, request.info))

    async def _allowed(self, attributes: Attributes) -> bool:
        """By our copy of the rules, or else by the word of the cluster."""
        if self.authorizer.authorize(attributes).allowed:
            return True
        return await self.reviews.allowed(attributes)


def _brings_what_is_read_here(request: Request) -> bool:
    """Whether a body would be read before the cluster is asked, or comes from just anybody."""
    info = request.info
    read = judges(info) or writes_users(info) or request.user.name == ANONYMOUS
    return read and request.declared_length != 0
