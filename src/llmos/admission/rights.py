"""What admission asks about rights: may he, and does he hold what he is about to hand out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmos.admission.identity import is_platform
from llmos.admission.refusals import forbidden
from llmos.apimachinery.errors import ForbiddenError
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes, Authorizer, forbidden_message

Rule = dict[str, Any]
"""A PolicyRule of ``rbac.authorization.k8s.io/v1``."""


class Escalation(Protocol):
    """Compares what people hold; ``authorization`` implements it."""

    def confirm_no_escalation(self, user: UserInfo, namespace: str, rules: Sequence[Rule]) -> None:
        """Raise ForbiddenError, its message naming the rules that the user does not hold."""

    def covers_user(self, editor: UserInfo, other: UserInfo) -> bool:
        """Whether the editor holds all that the other holds."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The two questions, asked on behalf of the author of a change."""

    authorizer: Authorizer
    escalation: Escalation

    def may(
        self,
        user: UserInfo,
        verb: str,
        resource: GroupResource,
        namespace: str = "",
        name: str = "",
    ) -> bool:
        """Whether the user has a verb on an object; the platform has every one."""
        if is_platform(user):
            return True
        asked = Attributes(
            user=user,
            verb=verb,
            group=resource.group,
            resource=resource.resource,
            namespace=namespace,
            name=name,
        )
        return self.authorizer.authorize(asked).allowed

    def require(self, attributes: AdmissionAttributes, asked: Attributes) -> None:
        """Refuse a change whose author lacks a further right.

        Raises:
            ForbiddenError: he lacks it.
        """
        if not is_platform(attributes.user) and not self.authorizer.authorize(asked).allowed:
            raise forbidden(attributes, forbidden_message(asked))

    def confirm_held(
        self, attributes: AdmissionAttributes, namespace: str, rules: Sequence[Rule]
    ) -> None:
        """Refuse to hand out rules that the author does not hold himself; ask ``may`` first.

        Raises:
            ForbiddenError: he lacks one; the text lists them, as kube-apiserver does.
        """
        try:
            self.escalation.confirm_no_escalation(attributes.user, namespace, rules)
        except ForbiddenError as error:
            raise forbidden(attributes, error.message) from error
