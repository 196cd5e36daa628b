r"""The JSONPath of printer columns, scale paths and selectable fields.

A subset of k8s.io/client-go/util/jsonpath that CustomResourceDefinitions use: ``.a.b``, ``['a']``,
``[0]``, ``[-1]``, ``[0:2]``, ``[*]``, ``.*``, ``[?(@.type=="Ready")]``; a dot in a key is escaped
as ``\.``. Used by ``apis.apiextensions_v1``.
"""

import operator
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

Step = Callable[[Any], Iterable[Any]]
Path = Callable[[Any], list[Any]]
"""Finds every value a path leads to; missing keys lead to none."""

_FIELD = re.compile(r"\.((?:[^.\[\]\\'\"\s]|\\.)+)")
_BRACKET = re.compile(
    r"\[(?:(?P<index>-?\d+)"
    r"|(?P<all>\*)"
    r"|(?P<from>-?\d*):(?P<to>-?\d*)"
    r"|'(?P<single>(?:[^'\\]|\\.)*)'"
    r'|"(?P<double>(?:[^"\\]|\\.)*)"'
    r"|\?\((?P<filter>[^()]*)\))\]"
)
_FILTER = re.compile(
    r"^\s*@(?P<path>[^\s=!<>]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>.+?))?\s*$"
)
_QUOTED = re.compile(r"""^(['"])(.*)\1$""", re.DOTALL)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"true": True, "false": False, "null": None}


def compile_path(text: str) -> Path:
    """Compile a path (without the braces of kubectl).

    Raises:
        ValueError: the text is not a path of the subset.
    """
    steps = list(_steps(text))

    def find(value: Any) -> list[Any]:
        found = [value]
        for step in steps:
            found = [each for one in found for each in step(one)]
            if not found:
                break
        return found

    return find


def simple_fields(text: str) -> tuple[str, ...]:
    """The keys of a path that has only keys, such as ``.spec.replicas``.

    Raises:
        ValueError: the path has other steps, or does not begin with a dot.
    """
    fields = []
    position = 0
    while position < len(text):
        match = _FIELD.match(text, position)
        if match is None:
            raise ValueError(f"not a simple path: {text!r}")
        fields.append(_unescape(match[1]))
        position = match.end()
    if not fields:
        raise ValueError("a path needs at least one key")
    return tuple(fields)


def _steps(text: str) -> Iterable[Step]:
    position = 0
    while position < len(text):
        if text[position] == "." and text[position + 1 : position + 2] in ("", "["):
            position += 1
            continue
        match = _FIELD.match(text, position) or _BRACKET.match(text, position)
        if match is None:
            raise ValueError(f"unrecognized character in action: {text[position:][:20]!r}")
        yield _field_step(match[1]) if match.re is _FIELD else _bracket_step(match)
        position = match.end()


def _field_step(name: str) -> Step:
    return _every if name == "*" else partial(_field, _unescape(name))


def _bracket_step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return partial(_index, int(match["index"]))
    if match["all"]:
        return _every
    if match["from"] is not None:
        bounds = [int(each) if each else None for each in (match["from"], match["to"])]
        return partial(_slice, slice(*bounds))
    if match["filter"] is not None:
        return _filter_step(match["filter"])
    quoted = match["single"] if match["single"] is not None else match["double"]
    return partial(_field, _unescape(quoted))


def _filter_step(text: str) -> Step:
    match = _FILTER.match(text)
    if match is None:
        raise ValueError(f"unrecognized filter: {text[:40]!r}")
    find = compile_path(match["path"])
    if match["op"] is None:
        return lambda value: (each for each in _items(value) if find(each))
    compare, wanted = _OPERATORS[match["op"]], _literal(match["value"])

    def matches(item: Any) -> bool:
        try:
            return any(compare(each, wanted) for each in find(item))
        except TypeError:
            return False

    return lambda value: (each for each in _items(value) if matches(each))


def _literal(text: str) -> Any:
    quoted = _QUOTED.match(text)
    if quoted:
        return quoted[2]
    if text in _WORDS:
        return _WORDS[text]
    try:
        return int(text)
    except ValueError:
        return float(text)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _field(name: str, value: Any) -> Iterable[Any]:
    return (value[name],) if isinstance(value, dict) and name in value else ()


def _index(index: int, value: Any) -> Iterable[Any]:
    return (value[index],) if isinstance(value, list) and -len(value) <= index < len(value) else ()


def _slice(part: slice, value: Any) -> Iterable[Any]:
    return value[part] if isinstance(value, list) else ()


def _every(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else _items(value)


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
