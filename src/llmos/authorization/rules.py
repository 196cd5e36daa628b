"""One RBAC rule against one request, as k8s.io/component-helpers/auth/rbac/validation matches them.

Only ``*``, ``*/subresource`` and a trailing ``*`` of a non-resource URL are special; everything
else is literal and case-sensitive.
"""

from dataclasses import dataclass

from llmos.apimachinery.object import Object
from llmos.apis.authorization_v1 import Attributes


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule of rbac.authorization.k8s.io/v1, its lists in the order they were written."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()

    def to_object(self) -> Object:
        """The wire's PolicyRule, empty lists left out."""
        lists = {
            "verbs": self.verbs,
            "apiGroups": self.api_groups,
            "resources": self.resources,
            "resourceNames": self.resource_names,
            "nonResourceURLs": self.non_resource_urls,
        }
        return {key: list(value) for key, value in lists.items() if value}


Rules = tuple[Rule, ...]


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return ()
    return tuple(each for each in value if isinstance(each, str))


def parse_rule(rule: Object) -> Rule:
    """Read a PolicyRule; whatever is not a list of strings grants nothing."""
    return Rule(
        verbs=_strings(rule.get("verbs")),
        api_groups=_strings(rule.get("apiGroups")),
        resources=_strings(rule.get("resources")),
        resource_names=_strings(rule.get("resourceNames")),
        non_resource_urls=_strings(rule.get("nonResourceURLs")),
    )


def parse_rules(rules: object) -> Rules:
    """Read the ``rules`` of a role."""
    if not isinstance(rules, list | tuple):
        return ()
    return tuple(parse_rule(each) for each in rules if isinstance(each, dict))


@dataclass(frozen=True, slots=True)
class Question:
    """A request, prepared to be held against many rules: each set has all spellings that match."""

    verbs: frozenset[str]
    api_groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    name: str = ""
    path: str = ""

    @classmethod
    def of(cls, attributes: Attributes) -> "Question":
        """Prepare the question whether ``attributes`` are allowed."""
        verbs = frozenset((attributes.verb, "*"))
        if attributes.path:
            return cls(verbs=verbs, path=attributes.path)
        resource, subresource = attributes.resource, attributes.subresource
        if subresource:
            resources = frozenset((f"{resource}/{subresource}", f"*/{subresource}", "*"))
        else:
            resources = frozenset((resource, "*"))
        return cls(
            verbs=verbs,
            api_groups=frozenset((attributes.group, "*")),
            resources=resources,
            name=attributes.name,
        )


def url_matches(pattern: str, path: str) -> bool:
    """Whether a rule's non-resource URL means a path: equal, ``*``, or a prefix before ``*``."""
    if pattern.endswith("*"):
        return path.startswith(pattern.rstrip("*"))
    return pattern == path


def rule_concerns(question: Question, rule: Rule) -> bool:
    """Whether the rule allows this kind of request, for all objects or for those it names."""
    if question.verbs.isdisjoint(rule.verbs):
        return False
    if question.path:
        return any(url_matches(each, question.path) for each in rule.non_resource_urls)
    return not (
        question.api_groups.isdisjoint(rule.api_groups)
        or question.resources.isdisjoint(rule.resources)
    )


def rule_answers(question: Question, rule: Rule) -> bool:
    """Whether the rule allows the request; a rule with names never allows one without a name."""
    if rule.resource_names and not question.path:
        named = question.name and question.name in rule.resource_names
        return bool(named) and rule_concerns(question, rule)
    return rule_concerns(question, rule)


def rule_allows(attributes: Attributes, rule: Rule) -> bool:
    """Whether one rule allows one request."""
    return rule_answers(Question.of(attributes), rule)
