"""Nobody grants what he does not hold: whether one set of rules covers another.

Follows k8s.io/component-helpers/auth/rbac/validation (Covers) and
k8s.io/kubernetes/pkg/registry/rbac/validation (ConfirmNoEscalation, CompactRules).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from llmos.apimachinery.errors import ForbiddenError
from llmos.apimachinery.object import Object
from llmos.apis.authentication_v1 import UserInfo
from llmos.authorization.index import RBACIndex, is_superuser, quoted
from llmos.authorization.rules import Rule, Rules, parse_rules, url_matches


def _break_down(rule: Rule) -> Iterator[Rule]:
    """Split a rule into rules of one group, resource, name and verb, or one URL and verb."""
    names: list[tuple[str, ...]] = [(name,) for name in rule.resource_names] or [()]
    for group, resource, verb, name in product(rule.api_groups, rule.resources, rule.verbs, names):
        yield Rule((verb,), (group,), (resource,), name)
    for url, verb in product(rule.non_resource_urls, rule.verbs):
        yield Rule((verb,), non_resource_urls=(url,))


def _rule_covers(owned: Rule, wanted: Rule) -> bool:
    """Whether one rule covers a broken-down one."""
    verb = wanted.verbs[0]
    if verb not in owned.verbs and "*" not in owned.verbs:
        return False
    if wanted.non_resource_urls:
        url = wanted.non_resource_urls[0]
        return any(each == url or url_matches(each, url) for each in owned.non_resource_urls)
    group, resource = wanted.api_groups[0], wanted.resources[0]
    if group not in owned.api_groups and "*" not in owned.api_groups:
        return False
    if owned.resource_names and not (
        wanted.resource_names and wanted.resource_names[0] in owned.resource_names
    ):
        return False
    return _resource_covers(owned.resources, resource)


def _resource_covers(owned: Sequence[str], resource: str) -> bool:
    if "*" in owned or resource in owned:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in owned


def uncovered(owned_rules: Iterable[Rule], wanted_rules: Iterable[Rule]) -> list[Rule]:
    """The parts of the wanted rules that no single owned rule covers, each broken down."""
    owned = tuple(owned_rules)
    wanted = dict.fromkeys(part for rule in wanted_rules for part in _break_down(rule))
    return [part for part in wanted if not any(_rule_covers(each, part) for each in owned)]


def _compact(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Join the verbs of broken-down rules on the same resource and name."""
    verbs: dict[Rule, list[str]] = {}
    for rule in rules:
        if rule.non_resource_urls:
            yield rule
        else:
            same = Rule((), rule.api_groups, rule.resources, rule.resource_names)
            verbs.setdefault(same, []).extend(rule.verbs)
    for same, joined in verbs.items():
        yield Rule(tuple(joined), same.api_groups, same.resources, same.resource_names)


def _list(values: Iterable[str]) -> str:
    return "[" + " ".join(quoted(each) for each in values) + "]"


def _describe(rule: Rule) -> str:
    parts = {
        "APIGroups": rule.api_groups,
        "Resources": rule.resources,
        "NonResourceURLs": rule.non_resource_urls,
        "ResourceNames": rule.resource_names,
        "Verbs": rule.verbs,
    }
    return "{" + ", ".join(f"{key}:{_list(value)}" for key, value in parts.items() if value) + "}"


def escalation_message(user: UserInfo, missing: Iterable[Rule], problems: Sequence[str]) -> str:
    """Kubernetes' words for what the user tries to grant without holding it."""
    lines = sorted({_describe(rule) for rule in _compact(missing)})
    message = (
        f"user {quoted(user.name)} (groups={_list(user.groups)}) is attempting to grant RBAC "
        "permissions not currently held:\n" + "\n".join(lines)
    )
    if problems:
        message += f"; resolution errors: [{' '.join(problems)}]"
    return message


@dataclass(frozen=True, slots=True)
class Escalation:
    """Compares what identities hold, by the index it was given."""

    index: RBACIndex

    def confirm_no_escalation(
        self, user: UserInfo, namespace: str, rules: Sequence[Object]
    ) -> None:
        """Let the user grant PolicyRules in a namespace (``""``: cluster-wide) if he holds them.

        Raises:
            ForbiddenError: he does not; its message lists what is missing.
        """
        if is_superuser(user):
            return
        owned, problems = self.index.rules_for(user, namespace)
        missing = uncovered(owned, parse_rules(rules))
        if missing:
            raise ForbiddenError(escalation_message(user, missing, problems))

    def covers_user(self, editor: UserInfo, other: UserInfo) -> bool:
        """Whether the editor holds all that the other holds, cluster-wide and in each namespace.

        Who edits an account could act as its owner, so he must not gain by it.
        """
        if is_superuser(editor):
            return True
        if is_superuser(other):
            return False
        return not any(
            uncovered(self._held(editor, each), self._held(other, each))
            for each in ("", *self.index.namespaces(other))
        )

    def _held(self, user: UserInfo, namespace: str) -> Rules:
        return self.index.rules_for(user, namespace)[0]
