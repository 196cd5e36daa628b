"""What a CRD schema node says of strings and numbers, and of types at all.

Source: k8s.io/kube-openapi/pkg/validation/validate. Used by ``apimachinery.structural_validation``.
"""

from collections.abc import Callable
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.formats import STRING_FORMATS
from llmos.apimachinery.golang import quote
from llmos.apimachinery.regex import Regex, TextTooComplexError, regex_of
from llmos.apimachinery.validation import field_invalid, field_too_long, field_type_invalid
from llmos.apimachinery.valuepath import Path, render

Node = dict[str, Any]
Check = Callable[[Any, Path, list[FieldError]], None]
"""``(value, path, errors)``: append what is wrong."""

_NAMES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1
_SLOW_KEYWORDS = ("allOf", "anyOf", "oneOf", "not", "x-kubernetes-int-or-string")
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (_MIN_INT64, _MAX_INT64)}


def types_of(node: Node) -> tuple[str, ...]:
    """The types a node allows; none: any."""
    if node.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    kind = node.get("type")
    return (kind,) if kind else ()


def type_name(value: Any) -> str:
    """What OpenAPI calls the type of a JSON value; integers beyond 64 bits are numbers."""
    if value is None:
        return "null"
    name = _NAMES[type(value)]
    return "number" if name == "integer" and not _MIN_INT64 <= value <= _MAX_INT64 else name


def type_error(path: Path, types: tuple[str, ...], shown: str) -> FieldError:
    """The error of a value whose type (``shown``) is none of the types."""
    field = render(path)
    text = f"{field} in body must be of type {','.join(types)}: {quote(shown)}"
    return field_type_invalid(field, shown, text)


def scalar_fast_path(node: Node) -> Callable[[Any], bool] | None:
    """A quick yes for the values that a node of a scalar type most often has; None: no way."""
    if any(node.get(key) for key in _SLOW_KEYWORDS):
        return None
    kind = node.get("type")
    if kind == "string":
        return _fast_string(node)
    if kind == "boolean" and not node.get("enum"):
        return lambda value: type(value) is bool
    if kind == "integer" and not node.get("enum") and not node.get("multipleOf"):
        low, high = _RANGES.get(node.get("format") or "", (_MIN_INT64, _MAX_INT64))
        least = max(low, low if node.get("minimum") is None else node["minimum"])
        most = min(high, high if node.get("maximum") is None else node["maximum"])
        strict = node.get("exclusiveMinimum") or node.get("exclusiveMaximum")
        return None if strict else lambda value: type(value) is int and least <= value <= most
    return None


def _fast_string(node: Node) -> Callable[[Any], bool] | None:
    if node.get("format") in STRING_FORMATS or node.get("pattern"):
        return None
    allowed = node.get("enum")
    if allowed:
        words = frozenset(each for each in allowed if isinstance(each, str))
        bounded = node.get("minLength") or node.get("maxLength")
        return None if bounded else lambda value: type(value) is str and value in words
    least, most = node.get("minLength") or 0, node.get("maxLength")
    longest = _MAX_INT64 if most is None else most
    return lambda value: type(value) is str and least <= len(value) <= longest


def string_check(node: Node) -> Check | None:
    """Length and pattern; only the first thing wrong is said."""
    longest, shortest, pattern = node.get("maxLength"), node.get("minLength"), node.get("pattern")
    if longest is None and shortest is None and not pattern:
        return None
    regex = regex_of(pattern) if pattern else None

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        if type(value) is not str:
            return
        if longest is not None and len(value) > longest:
            errors.append(field_too_long(render(path), longest))
        elif shortest is not None and len(value) < shortest:
            text = f"{render(path)} in body should be at least {shortest} chars long"
            errors.append(field_invalid(render(path), value, text))
        elif regex is not None:
            wrong = _pattern_error(regex, str(pattern), value)
            if wrong:
                field = render(path)
                errors.append(field_invalid(field, value, f"{field} in body {wrong}"))

    return check


def _pattern_error(regex: Regex, pattern: str, value: str) -> str:
    try:
        return "" if regex.search(value) else f"should match '{pattern}'"
    except TextTooComplexError as error:
        return str(error)


def format_check(node: Node) -> Check | None:
    """The format of a string."""
    name = node.get("format") or ""
    fits = STRING_FORMATS.get(name)
    if fits is None:
        return None

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        if type(value) is str and not fits(value):
            field = render(path)
            text = f"{field} in body must be of type {name}: {quote(value)}"
            errors.append(field_type_invalid(field, value, text))

    return check


def number_check(node: Node) -> Check | None:
    """Width and bounds of a number."""
    types = types_of(node)
    in_range = _range_check(types[0] if types else "", node.get("format") or "")
    bounds = _bounds(node)
    if in_range is None and not bounds:
        return None

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        if type(value) is not int and type(value) is not float:
            return
        if in_range is not None:
            in_range(value, path, errors)
        for breaks, text in bounds:
            if breaks(value):
                field = render(path)
                errors.append(field_invalid(field, value, f"{field} in body should be {text}"))

    return check


def _range_check(kind: str, form: str) -> Check | None:
    """Whether a number fits the width of its format; Go says it without naming the field."""
    if kind != "integer":
        return None
    low, high = _RANGES.get(form, (_MIN_INT64, _MAX_INT64))
    width = f"with format {form}" if form in _RANGES else "(default format)"

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        whole = type(value) is int or value.is_integer()
        if not whole or not low <= value <= high:
            text = f"Checked value must be of type integer {width} in {render(path)}"
            errors.append(field_invalid("<nil>", "", text))

    return check


def _bounds(node: Node) -> list[tuple[Callable[[float], bool], str]]:
    found: list[tuple[Callable[[float], bool], str]] = []
    factor, most, least = node.get("multipleOf"), node.get("maximum"), node.get("minimum")
    if factor:
        found.append(
            (lambda value: not _is_multiple(value, factor), f"a multiple of {number(factor)}")
        )
    if most is not None and node.get("exclusiveMaximum"):
        found.append((lambda value: value >= most, f"less than {number(most)}"))
    elif most is not None:
        found.append((lambda value: value > most, f"less than or equal to {number(most)}"))
    if least is not None and node.get("exclusiveMinimum"):
        found.append((lambda value: value <= least, f"greater than {number(least)}"))
    elif least is not None:
        found.append((lambda value: value < least, f"greater than or equal to {number(least)}"))
    return found


def _is_multiple(value: float, factor: float) -> bool:
    return value % factor == 0 or (value / factor).is_integer()


def number(value: Any) -> str:
    """A number as Go's ``%v`` prints it."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e21
    return str(int(value)) if whole else repr(value)
