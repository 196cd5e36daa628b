"""Whom the proxy knows: llmos users by their records, all others by the cluster's word."""

import re
from dataclasses import dataclass

from llmos.apimachinery.errors import (
    ServiceUnavailableError,
    StatusError,
    TooManyRequestsError,
    UnauthorizedError,
)
from llmos.authentication.authenticator import Identity
from llmos.authentication.records import SECRETS, SYSTEM_NAMESPACE, USERS
from llmos.authentication.tokens import Tokens
from llmos.client.errors import ConnectionFailedError
from llmos.proxy.platform import Platform
from llmos.proxy.reviewing import TokenReviews

_OURS = re.compile(r"(token-[a-z0-9]{1,32}):\S+")


@dataclass(frozen=True, slots=True)
class Identities:
    """From memory where that is enough (``authenticate``), else from the cluster (``ask``)."""

    platform: Platform
    tokens: Tokens
    reviews: TokenReviews

    def authenticate(self, bearer: str) -> Identity | None:
        """Say whose llmos token it is; None: memory does not know it.

        Raises:
            UnauthorizedError: it is one, and it is not good.
            ServiceUnavailableError: memory is too old to decide.
        """
        self.platform.check_fresh()
        return self.tokens.authenticate(bearer)

    async def ask(self, bearer: str) -> Identity | None:
        """Say whose token it is that memory does not know; None: nobody's.

        Raises:
            UnauthorizedError: it is one of ours, and it is not good.
            ServiceUnavailableError: the cluster does not say.
            TooManyRequestsError: too many unknown ones came lately.
            ForbiddenError: it is one of the cluster's own operators.
        """
        ours = _OURS.fullmatch(bearer)
        if ours is None:
            return await self.reviews.authenticate(bearer)
        try:
            return await self._look_up(bearer, ours[1])
        except (UnauthorizedError, TooManyRequestsError):
            raise
        except (StatusError, ConnectionFailedError):
            raise ServiceUnavailableError("the cluster does not say whose token it is") from None

    async def _look_up(self, bearer: str, name: str) -> Identity | None:
        """Another replica may have made the token, and its user, a moment ago."""
        secret = await self.platform.look_up(SECRETS, SYSTEM_NAMESPACE, name)
        if secret is None:
            return None
        record = self.tokens.get(name)
        if record is not None and self.tokens.users.get(record.user) is None:
            await self.platform.look_up(USERS, "", record.user)
        return self.tokens.authenticate(bearer)
