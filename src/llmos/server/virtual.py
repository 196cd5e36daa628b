"""Handlers of kinds that are answered and never stored: reviews, and a service account's token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import ForbiddenError
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object
from llmos.apimachinery.serializer import decode_body
from llmos.apis.authentication_v1 import MASTERS_GROUP
from llmos.apis.authorization_v1 import Authorizer
from llmos.apis.namespaces import is_reserved
from llmos.authentication.authenticator import Authenticator
from llmos.authentication.reviews import review_token, self_subject_review
from llmos.authentication.service_accounts import ServiceAccountTokens
from llmos.authentication.token_requests import request_token
from llmos.authorization.index import RBACIndex
from llmos.authorization.reviews import (
    local_subject_access_review,
    self_subject_access_review,
    self_subject_rules_review,
    subject_access_review,
)
from llmos.endpoints.http import Request, Response
from llmos.endpoints.rendering import object_form
from llmos.endpoints.responses import object_response
from llmos.registry.served import Served
from llmos.server.bodies import read_object
from llmos.server.router import VirtualHandler

_AUTHENTICATION = "authentication.k8s.io"
_AUTHORIZATION = "authorization.k8s.io"
Review = Callable[[Request, Object], Object]


@dataclass(frozen=True, slots=True)
class Reviews:
    """Answers reviews from the indexes of authentication and authorization."""

    authenticator: Authenticator
    service_accounts: ServiceAccountTokens
    authorizer: Authorizer
    index: RBACIndex
    lister: Lister
    clock: Clock

    def handlers(self) -> Mapping[tuple[str, str], VirtualHandler]:
        """The handlers by group and plural."""
        reviews: dict[tuple[str, str], Review] = {
            (_AUTHENTICATION, "tokenreviews"): self._token,
            (_AUTHENTICATION, "selfsubjectreviews"): self._self,
            (_AUTHORIZATION, "selfsubjectaccessreviews"): self._self_access,
            (_AUTHORIZATION, "subjectaccessreviews"): self._access,
            (_AUTHORIZATION, "localsubjectaccessreviews"): self._local_access,
            (_AUTHORIZATION, "selfsubjectrulesreviews"): self._self_rules,
        }
        return {key: _handler(review) for key, review in reviews.items()}

    def _token(self, _: Request, body: Object) -> Object:
        return review_token(body, self.authenticator, self.service_accounts)

    def _self(self, request: Request, _: Object) -> Object:
        return self_subject_review(request.user, self.clock())

    def _self_access(self, request: Request, body: Object) -> Object:
        return self_subject_access_review(self.authorizer, request.user, body)

    def _access(self, _: Request, body: Object) -> Object:
        return subject_access_review(self.authorizer, body)

    def _local_access(self, request: Request, body: Object) -> Object:
        return local_subject_access_review(self.authorizer, request.info.namespace, body)

    def _self_rules(self, request: Request, body: Object) -> Object:
        return self_subject_rules_review(self.index, request.user, body)

    async def token(self, request: Request, served: Served) -> Response:
        """Answer a TokenRequest for a service account.

        Raises:
            ForbiddenError: the account is the platform's, and only it may speak for it.
        """
        form = object_form(request, served)
        info = request.info
        if is_reserved(info.namespace) and MASTERS_GROUP not in request.authenticated.groups:
            raise ForbiddenError.of(
                served.resource.group_resource,
                info.name,
                f'the namespace "{info.namespace}" is reserved for the platform',
            )
        body = decode_body(
            await request.body(), request.headers.get("content-type", ""), "TokenRequest"
        ).value
        answer = request_token(
            self.service_accounts, self.lister, self.clock, (info.namespace, info.name), body
        )
        return object_response(orjson.dumps(answer), form, 201)


def _handler(review: Review) -> VirtualHandler:
    async def handle(request: Request, served: Served) -> Response:
        form = object_form(request, served)
        answer = review(request, await read_object(request, served))
        return object_response(orjson.dumps(answer), form, 201)

    return handle
