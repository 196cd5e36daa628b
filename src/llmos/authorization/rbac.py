"""Attributes become a Decision by the roles that are bound to the identity.

Follows k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac. Answers are remembered for each
identity until a role or binding changes, so that deciding again is a lookup.
"""

from dataclasses import dataclass, field

from llmos.apis.authorization_v1 import DENIED, Attributes, Decision
from llmos.authorization.index import Grant, RBACIndex, is_superuser, missing_role, scopes_of
from llmos.authorization.rules import Question, Rules, rule_concerns

_MASTERS = Decision(allowed=True)
MEMORY = 50_000
"""How many answers are remembered, over all identities: clients choose what they ask for."""

_Key = tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    """The decision on one kind of request, for any object and for those that rules name."""

    general: Decision
    named: dict[str, Decision] = field(default_factory=dict)


def summary(problems: list[str]) -> str:
    """Several problems in one line, as Kubernetes' aggregated errors print."""
    found = list(dict.fromkeys(problems))
    return found[0] if len(found) == 1 else "[" + ", ".join(found) + "]"


class RBACAuthorizer:
    """Decides by the index it was given; implements ``apis.authorization_v1.Authorizer``."""

    def __init__(self, index: RBACIndex) -> None:
        self.index = index
        self._generation = -1
        self._memory: dict[tuple[str, tuple[str, ...]], dict[_Key, _Answer]] = {}
        self._remembered = 0

    def authorize(self, attributes: Attributes) -> Decision:
        """Say whether some rule allows the request, and which binding brought that rule."""
        user = attributes.user
        if self._generation != self.index.generation:
            self._forget()
        key = (
            attributes.verb,
            attributes.resource,
            attributes.namespace,
            attributes.group,
            attributes.subresource,
            attributes.path,
        )
        answers = self._memory.get((user.name, user.groups))
        answer = answers.get(key) if answers is not None else None
        if answer is None:
            answer = self._remember(attributes, key)
        if answer.named:
            return answer.named.get(attributes.name, answer.general)
        return answer.general

    def _forget(self) -> None:
        self._generation = self.index.generation
        self._memory.clear()
        self._remembered = 0

    def _remember(self, attributes: Attributes, key: _Key) -> _Answer:
        if self._remembered >= MEMORY:
            self._forget()
        self._remembered += 1
        user = attributes.user
        answers = self._memory.setdefault((user.name, user.groups), {})
        answer = answers[key] = self._answer(attributes)
        return answer

    def _answer(self, attributes: Attributes) -> _Answer:
        """Go through the rules until one allows the request whatever the object's name is."""
        if is_superuser(attributes.user):
            return _Answer(_MASTERS)
        question = Question.of(attributes)
        named: dict[str, Decision] = {}
        problems: list[str] = []
        for grant, rules in self.index.held(attributes.user, *scopes_of(attributes.namespace)):
            if rules is None:
                problems.append(missing_role(grant.binding.role))
            elif _collect(question, grant, rules, named):
                return _Answer(Decision(allowed=True, reason=grant.reason), named)
        if problems:
            return _Answer(Decision(reason=f"RBAC: {summary(problems)}"), named)
        return _Answer(DENIED, named)


def _collect(question: Question, grant: Grant, rules: Rules, named: dict[str, Decision]) -> bool:
    """Whether the rules allow any name; the names they allow go to ``named``."""
    for rule in rules:
        if not rule_concerns(question, rule):
            continue
        if question.path or not rule.resource_names:
            return True
        decision = Decision(allowed=True, reason=grant.reason)
        for name in filter(None, rule.resource_names):
            named.setdefault(name, decision)
    return False
