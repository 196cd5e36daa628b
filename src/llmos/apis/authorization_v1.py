"""What authorization is asked and answers: ``authorization.k8s.io/v1`` in our rooms' shape."""

from dataclasses import dataclass
from typing import Protocol

from llmos.apis.authentication_v1 import UserInfo


@dataclass(frozen=True, slots=True)
class Attributes:
    """May this user do this? A resource request, or (``path`` set) a non-resource one."""

    user: UserInfo
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def is_resource(self) -> bool:
        """Whether it asks for a resource and not for a bare path."""
        return not self.path


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, and why. The default is no."""

    allowed: bool = False
    reason: str = ""


DENIED = Decision()


class Authorizer(Protocol):
    """Decides; synchronous, from memory."""

    def authorize(self, attributes: Attributes) -> Decision:
        """Say whether it is allowed; no opinion is no."""


def forbidden_message(attributes: Attributes) -> str:
    """The text of a 403 after ``is forbidden: ``, as kube-apiserver words it."""
    user = f'User "{attributes.user.name}"'
    if not attributes.is_resource:
        return f'{user} cannot {attributes.verb} path "{attributes.path}"'
    resource = attributes.resource
    if attributes.subresource:
        resource += f"/{attributes.subresource}"
    group = f'API group "{attributes.group}"'
    what = f'{user} cannot {attributes.verb} resource "{resource}" in {group}'
    if attributes.namespace:
        return f'{what} in the namespace "{attributes.namespace}"'
    return f"{what} at the cluster scope"
