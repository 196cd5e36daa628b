"""``find`` and ``findAll``: what of a text matches a pattern.

Source: k8s.io/apiserver/pkg/cel/library/regex.go. The runtime's own regular expressions do the
work, which match in linear time.
"""

from functools import cache, lru_cache

from cel_expr_python import cel

from llmos.apimachinery.cel.functions import Function, method
from llmos.apimachinery.cel.types import INT, STRING, list_of

_ESCAPED, _CLASS = 2, 1


@cache
def _extract(source: str) -> cel.Expression:
    config = cel.NewEnvConfigFromYaml('extensions: [{name: "optional"}, {name: "regex"}]')
    names = {"text": cel.Type.STRING, "pattern": cel.Type.STRING}
    return cel.NewEnv(config=config, variables=names).compile(source)


@lru_cache(maxsize=512)
def whole_match(pattern: str) -> str:
    """The same pattern with one group, around all of it."""
    pieces, at, in_class = [], 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            pieces.append(pattern[at : at + 2])
            at += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            end = at + 2 if pattern[at + 1 : at + 2] == "^" else at + 1
            if pattern[end : end + 1] == "]":
                pieces.append(pattern[at:end])
                at, char = end, "\\]"
                pieces.append(char)
                at += 1
                continue
        elif char == "(":
            at, char = _open_group(pattern, at)
        pieces.append(char)
        at += 1
    return f"({''.join(pieces)})"


def _open_group(pattern: str, at: int) -> tuple[int, str]:
    """Where the opening of a group ends, and what stands for it: a group that captures nothing."""
    if not pattern.startswith("(?", at):
        return at, "(?:"
    if pattern.startswith(("(?P<", "(?<"), at):
        return pattern.index(">", at), "(?:"
    return at, "("


def _run(source: str, text: str, pattern: str) -> object:
    value = _extract(source).eval(data={"text": text, "pattern": whole_match(pattern)})
    if value.type() == cel.Type.ERROR:
        raise ValueError(f"Illegal regex: {pattern!r}")
    return value.plain_value()


def _find(text: str, pattern: str) -> object:
    return _run("regex.extract(text, pattern).orValue('')", text, pattern)


def _find_all(text: str, pattern: str) -> object:
    return _run("regex.extractAll(text, pattern)", text, pattern)


def _find_some(text: str, pattern: str, limit: int) -> object:
    found = _find_all(text, pattern)
    assert isinstance(found, list)
    return found if limit < 0 else found[:limit]


FUNCTIONS: tuple[Function, ...] = (
    method("find", STRING, STRING, STRING, call=_find),
    method("findAll", STRING, STRING, list_of(STRING), call=_find_all),
    method("findAll", STRING, STRING, INT, list_of(STRING), call=_find_some),
)
