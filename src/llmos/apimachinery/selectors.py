"""Label and field selectors: parse, print, match.

Grammar, matching and texts follow k8s.io/apimachinery/pkg/labels and pkg/fields. Field selectors
live in the second half of the module.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.golang import format_value, quote
from llmos.apimachinery.names import label_value, path_segment, qualified_name

Operator = Literal["=", "==", "!=", "in", "notin", "exists", "!", ">", "<"]

_TOKEN = re.compile(r"[ \t\r\n]*(?:(!=|==|[=!(),<>])|([^=!(),<> \t\r\n\0]+))")
_INTEGER = re.compile(r"[+-]?[0-9]{1,63}")
_END = ""


def _integer(text: str) -> int | None:
    """A 64-bit integer as Go's ``strconv.ParseInt`` reads it, or None."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label; all conditions of a selector must hold."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()
    """Sorted and distinct."""
    members: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", frozenset(self.values))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy the condition."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value is not None and value in self.members
            case "!=" | "notin":
                return value is None or value not in self.members
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        number, bound = _integer(value or ""), _integer(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator == ">" else number < bound

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        values = ",".join(self.values)
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({values})"
        return f"{self.key}{self.operator}{values}"

    def errors(self) -> list[str]:
        """What is wrong with the condition; empty if nothing is."""
        wrong = qualified_name(self.key)
        errors = [_invalid("key", self.key, "; ".join(wrong))] if wrong else []
        for index, value in enumerate(self.values):
            if self.operator in (">", "<") and _integer(value) is None:
                text = "for 'Gt', 'Lt' operators, the value must be an integer"
                errors.append(_invalid(f"values[{index}]", value, text))
            wrong = label_value(value)
            if wrong:
                errors.append(_invalid(f"values[{index}][{self.key}]", value, "; ".join(wrong)))
        return errors


def _invalid(where: str, value: str, text: str) -> str:
    return f"{where}: Invalid value: {quote(value)}: {text}"


def _requirement(key: str, operator: Operator, values: Sequence[str] = ()) -> Requirement:
    made = Requirement(key, operator, tuple(sorted(set(values))))
    errors = made.errors()
    if errors:
        text = errors[0] if len(errors) == 1 else "[" + ", ".join(errors) + "]"
        raise BadRequestError(text)
    return made


@dataclass(slots=True)
class _Tokens:
    """The tokens of a label selector, and how far they are read."""

    items: list[str]
    at: int = 0

    @classmethod
    def of(cls, text: str) -> "_Tokens":
        # A NUL ends the text, as it ends it for Kubernetes' lexer.
        return cls([symbol or word for symbol, word in _TOKEN.findall(text.partition("\0")[0])])

    def peek(self) -> str:
        return self.items[self.at] if self.at < len(self.items) else _END

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token


def _is_word(token: str) -> bool:
    return token != _END and token[0] not in "=!(),<>"


def _parse_requirement(tokens: _Tokens) -> Requirement:
    key = tokens.take()
    absent = key == "!"
    if absent:
        key = tokens.take()
    if not _is_word(key):
        raise BadRequestError(f"found '{key}', expected: identifier")
    wrong = qualified_name(key)
    if wrong:
        raise BadRequestError(_invalid("<nil>", key, "; ".join(wrong)))
    if tokens.peek() in (_END, ","):
        return _requirement(key, "!" if absent else "exists")
    operator = tokens.take()
    match operator:
        case "in" | "notin":
            return _requirement(key, operator, _parse_values(tokens))
        case "=" | "==" | "!=" | ">" | "<":
            return _requirement(key, operator, [_parse_value(tokens)])
        case _:
            expected = "in, notin, =, ==, !=, gt, lt"
            raise BadRequestError(f"found '{operator}', expected: {expected}")


def _parse_value(tokens: _Tokens) -> str:
    if tokens.peek() in (_END, ","):
        return ""
    value = tokens.take()
    if not _is_word(value):
        raise BadRequestError(f"found '{value}', expected: identifier")
    return value


def _parse_values(tokens: _Tokens) -> list[str]:
    """A list in parentheses; nothing between two commas is the empty value."""
    opening = tokens.take()
    if opening != "(":
        raise BadRequestError(f"found '{opening}' expected: '('")
    values = []
    value = ""
    while True:
        found = tokens.take()
        if found in (",", ")"):
            values.append(value)
            value = ""
            if found == ")":
                return values
        elif not _is_word(found):
            raise BadRequestError(f"found '{found}', expected: ',', or identifier")
        elif value:
            raise BadRequestError(f"found '{found}', expected: ',' or ')'")
        else:
            value = found


_EXPRESSION_OPERATORS: dict[str, Operator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!",
}


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Conditions on labels. Without any it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "LabelSelector":
        """Read the query string's syntax, e.g. ``a=b,c in (d,e),!f``.

        Raises:
            BadRequestError: the text is no selector.
        """
        if not text:
            return EVERYTHING
        tokens = _Tokens.of(text)
        requirements = []
        while (first := tokens.peek()) != _END:
            if first != "!" and not _is_word(first):
                raise BadRequestError(
                    f"found '{first}', expected: !, identifier, or 'end of string'"
                )
            try:
                requirements.append(_parse_requirement(tokens))
            except BadRequestError as error:
                text = f"unable to parse requirement: {error.message}"
                raise BadRequestError(text) from None
            separator = tokens.take()
            if separator == _END:
                break
            if separator != ",":
                raise BadRequestError(f"found '{separator}', expected: ',' or 'end of string'")
            following = tokens.peek()
            if following != "!" and not _is_word(following):
                raise BadRequestError(f"found '{following}', expected: identifier after ','")
        return cls(tuple(sorted(requirements, key=lambda each: each.key)))

    @classmethod
    def from_object(cls, selector: Mapping[str, Any]) -> "LabelSelector":
        """Read a ``metav1.LabelSelector`` (``matchLabels``, ``matchExpressions``).

        An absent selector means different things in different places: callers decide that.

        Raises:
            BadRequestError: an operator, a key or a value is not allowed.
        """
        requirements = [
            _requirement(key, "=", [value])
            for key, value in (selector.get("matchLabels") or {}).items()
        ]
        for expression in selector.get("matchExpressions") or ():
            operator = expression.get("operator", "")
            if operator not in _EXPRESSION_OPERATORS:
                raise BadRequestError(
                    f"{quote(str(operator))} is not a valid label selector operator"
                )
            values = expression.get("values") or ()
            _check_values(operator, values)
            requirements.append(
                _requirement(expression.get("key", ""), _EXPRESSION_OPERATORS[operator], values)
            )
        return cls(tuple(sorted(requirements, key=lambda each: each.key)))

    @property
    def empty(self) -> bool:
        """Whether there is no condition, so that everything matches."""
        return not self.requirements

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(each.matches(labels) for each in self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


def _check_values(operator: str, values: Sequence[str]) -> None:
    """In and NotIn take values, the others none."""
    if operator in ("In", "NotIn") and not values:
        text = "for 'in', 'notin' operators, values set can't be empty"
        raise BadRequestError(f"values: Invalid value: []: {text}")
    if operator in ("Exists", "DoesNotExist") and values:
        text = "values set must be empty for exists and does not exist"
        raise BadRequestError(f"values: Invalid value: {format_value(list(values))}: {text}")


EVERYTHING = LabelSelector()


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """``field = value``, or ``field != value``."""

    field: str
    operator: Literal["=", "!="]
    value: str

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether the fields satisfy the condition; an absent field is an empty one."""
        return (fields.get(self.field, "") == self.value) is (self.operator == "=")

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        return f"{self.field}{self.operator}{value}"


_TERM = re.compile(r"(?:\\.|[^\\,])*\\?", re.DOTALL)
_FIELD_OPERATOR = re.compile(r"!=|==|=")
_ESCAPED = re.compile(r"\\([\\,=])|(\\.?|[,=])", re.DOTALL)


def _unescape(value: str) -> str:
    def replace(found: re.Match[str]) -> str:
        wrong = found[2]
        if wrong is None:
            return found[1]
        if wrong[0] == "\\":
            raise BadRequestError(f"invalid field selector: invalid escape sequence: {wrong}")
        # Kubernetes prints the character's number here.
        raise BadRequestError(f"invalid field selector: unescaped character in value: {ord(wrong)}")

    return _ESCAPED.sub(replace, value)


def _terms(text: str) -> list[str]:
    """Split at commas that no backslash precedes; sorted, as Kubernetes sorts them."""
    terms = []
    at = 0
    while at <= len(text):
        found = _TERM.match(text, at)
        assert found is not None
        terms.append(found[0])
        at = found.end() + 1
    return sorted(filter(None, terms))


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Conditions on a few fields of an object, which the kind names."""

    requirements: tuple[FieldRequirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "FieldSelector":
        r"""Read the query string's syntax: ``a=b,c!=d``, with ``\\``, ``\,`` and ``\=`` in values.

        Raises:
            BadRequestError: the text is no selector.
        """
        requirements = []
        for term in _terms(text):
            found = _FIELD_OPERATOR.search(term)
            if found is None:
                raise BadRequestError(f"invalid selector: '{text}'; can't understand '{term}'")
            value = _unescape(term[found.end() :])
            operator: Literal["=", "!="] = "!=" if found[0] == "!=" else "="
            requirements.append(FieldRequirement(term[: found.start()], operator, value))
        return cls(tuple(requirements))

    @property
    def empty(self) -> bool:
        """Whether there is no condition, so that everything matches."""
        return not self.requirements

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether an object with these field values is selected."""
        return all(each.matches(fields) for each in self.requirements)

    @staticmethod
    def exact_name(text: str) -> str:
        """The one object name that a field selector asks for, or ``""``; never raises.

        Authorization takes it for the name of the request, so it must be a name that a path could
        carry, and every object the selector matches must bear it.
        """
        try:
            requirements = FieldSelector.parse(text).requirements
        except BadRequestError:
            return ""
        for each in requirements:
            if each.field == "metadata.name" and each.operator == "=":
                name = each.value
                return "" if path_segment(name) else name
        return ""

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))
