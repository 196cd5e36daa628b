"""Which namespaces an identity may see something in: what narrows its lists and watches.

Computed from the same index and the same matching as *may he*, never from a list of its own.
"""

from dataclasses import dataclass, field, replace

from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes
from llmos.authorization.index import RBACIndex, is_superuser
from llmos.authorization.rules import Question, rule_answers, rule_concerns


def visible_namespaces(
    index: RBACIndex, user: UserInfo, verb: str, group: str, resource: str
) -> frozenset[str] | None:
    """The namespaces in which the identity may ``verb`` the resource; None stands for all.

    For ``namespaces`` themselves, list and watch ask who may ``get`` the Namespace of that name,
    as its own path would ask. ``resource`` may name a subresource, e.g. ``pods/log``.
    """
    if is_superuser(user):
        return None
    name, _, subresource = resource.partition("/")
    itself = not group and name == "namespaces"
    if itself and not subresource and verb in ("list", "watch"):
        verb = "get"
    question = Question.of(Attributes(user, verb, group, "", name, subresource))
    everywhere = _cluster_wide(index, user, question)
    if everywhere is None:
        return None
    visible = set(everywhere if itself else ())
    for namespace in index.namespaces(user):
        asked = replace(question, name=namespace) if itself else question
        if _holds(index, user, namespace, asked):
            visible.add(namespace)
    return frozenset(visible)


_Asked = tuple[str, tuple[str, ...], str, str, str]
_MAX_REMEMBERED = 16_384


@dataclass(slots=True)
class Visibility:
    """Remembers answers of ``visible_namespaces`` until what the identity holds has changed.

    A thousand open watches ask again whenever somebody's rights change.
    """

    index: RBACIndex
    _remembered: dict[_Asked, tuple[int, frozenset[str] | None]] = field(default_factory=dict)

    def visible_namespaces(
        self, user: UserInfo, verb: str, group: str, resource: str
    ) -> frozenset[str] | None:
        """The namespaces in which the identity may ``verb`` the resource; None stands for all."""
        asked = (user.name, user.groups, verb, group, resource)
        stamp = self.index.stamp(user)
        known = self._remembered.get(asked)
        if known is not None and known[0] == stamp:
            return known[1]
        visible = visible_namespaces(self.index, user, verb, group, resource)
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[asked] = (stamp, visible)
        return visible


def _cluster_wide(index: RBACIndex, user: UserInfo, question: Question) -> set[str] | None:
    """The names for which the question is answered everywhere; None stands for any name."""
    names: set[str] = set()
    for _, rules in index.held(user, ""):
        for rule in rules or ():
            if rule_concerns(question, rule):
                if not rule.resource_names:
                    return None
                names.update(filter(None, rule.resource_names))
    return names


def _holds(index: RBACIndex, user: UserInfo, namespace: str, question: Question) -> bool:
    return any(
        rule_answers(question, rule)
        for _, rules in index.held(user, namespace)
        for rule in rules or ()
    )
