"""The filters before a cluster: those of the embedded server, but the last word is the cluster's.

What our copy of the cluster's RBAC does not allow is not refused here: the cluster may have other
authorizers, and words its refusals itself. It goes there under the user's name and nobody else's.
"""

from dataclasses import dataclass

from llmos.apimachinery.errors import StatusError
from llmos.apis.authorization_v1 import Attributes
from llmos.endpoints.account import is_account_path
from llmos.endpoints.filters import Gate, attributes_of, forbidden
from llmos.endpoints.http import Request
from llmos.proxy.reviewing import AccessReviews


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterGate(Gate):
    """Decides who a request comes from, and whether he sees the whole of what he asks for."""

    reviews: AccessReviews

    async def authorize(self, request: Request) -> None:
        """Narrow what the user may not see whole; the cluster decides about the rest."""
        request.visible = None
        if is_account_path(request.info.path):
            return
        if not self.authorizer.authorize(attributes_of(request.user, request.info)).allowed:
            request.visible = self.narrowing.view(request.user, request.info)

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
