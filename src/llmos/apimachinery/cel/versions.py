"""``semver('1.2.3')``.

Source: k8s.io/apiserver/pkg/cel/library/semverlib.go and https://semver.org/.
"""

import re
from typing import Any

from llmos.apimachinery.cel.functions import Function, function, method, unwrap, wrap
from llmos.apimachinery.cel.types import BOOL, INT, SEMVER, STRING

_NUMBER = r"(0|[1-9][0-9]*)"
_WORD = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-({_WORD}(?:\.{_WORD})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_PARTS = re.compile(r"[vV]?0*([0-9]+)(?:\.0*([0-9]+))?(?:\.0*([0-9]+))?(.*)", re.DOTALL)
_MAX_LENGTH = 256

Order = tuple[int, int, int, bool, list[tuple[bool, int, str]]]


def _normalized(text: str) -> str:
    """A version as people write it: ``v1.2`` is ``1.2.0``, leading zeros go."""
    found = _PARTS.fullmatch(text.strip())
    if not found:
        return text
    major, minor, patch, rest = found.groups()
    return f"{int(major)}.{int(minor or 0)}.{int(patch or 0)}{rest}"


def _parse(text: str, normalize: bool = False) -> dict[str, Any]:
    if len(text) > _MAX_LENGTH:
        raise ValueError("Semver is too long")
    version = _normalized(text) if normalize else text
    if not _VERSION.fullmatch(version):
        raise ValueError(f"Invalid semver: {text!r}")
    return wrap(SEMVER, version.partition("+")[0])


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _parse(text, normalize)
    except ValueError:
        return False
    return True


def _order(carried: Any) -> Order:
    """What versions are sorted by: a release comes after all that was released before it."""
    found = _VERSION.fullmatch(unwrap(SEMVER, carried))
    assert found is not None
    major, minor, patch, before = found.groups()
    words = [
        (not each.isdigit(), int(each) if each.isdigit() else 0, each)
        for each in (before.split(".") if before else ())
    ]
    return int(major), int(minor), int(patch), not words, words


def _compare(one: Any, other: Any) -> int:
    left, right = _order(one), _order(other)
    return (left > right) - (left < right)


FUNCTIONS: tuple[Function, ...] = (
    function("semver", STRING, SEMVER, call=_parse),
    function("semver", STRING, BOOL, SEMVER, call=_parse),
    function("isSemver", STRING, BOOL, call=_is_semver),
    function("isSemver", STRING, BOOL, BOOL, call=_is_semver),
    method("major", SEMVER, INT, call=lambda one: _order(one)[0]),
    method("minor", SEMVER, INT, call=lambda one: _order(one)[1]),
    method("patch", SEMVER, INT, call=lambda one: _order(one)[2]),
    method("isGreaterThan", SEMVER, SEMVER, BOOL, call=lambda *two: _compare(*two) > 0),
    method("isLessThan", SEMVER, SEMVER, BOOL, call=lambda *two: _compare(*two) < 0),
    method("compareTo", SEMVER, SEMVER, INT, call=_compare),
)
