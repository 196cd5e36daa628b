r"""JSON values of two servers made comparable: paths, the random left out, differences.

A path is ``a.b[0].c``; ``\.`` is a dot in a key, ``[key=value]`` the first item that has it,
``[*]`` every item, ``#`` how many there are.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ABSENT = "<absent>"
"""Stands for what is not there."""
_PART = re.compile(r"(?:\\.|[^.\[\]])+|\[[^\]]*\]")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}(?:Z|[+-]\d\d:\d\d)")
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_REVISION = re.compile(r'(resourceVersion\\*"?: ?\\*")\d+')
_AGE = re.compile(r"(\d+(\.\d+)?(ms|[smhdy]))+|<invalid>|<unknown>")
_AGE_COLUMN = re.compile(r"Age|Last Seen|First Seen")
_COLUMN_FIELDS = ("name", "type", "format", "priority")


def at(value: Any, path: str) -> Any:
    """What is at a path; ``ABSENT`` where there is nothing."""
    if "[*]" in path:
        before, _, after = path.partition("[*]")
        items = at(value, before) if before else value
        if not isinstance(items, list):
            return ABSENT
        rest = after.lstrip(".")
        return [at(each, rest) if rest else each for each in items]
    for part in _PART.findall(path):
        value = _item(value, part[1:-1]) if part[0] == "[" else _field(value, part)
        if part == "#" or value == ABSENT:
            break
    return value


def _item(value: Any, which: str) -> Any:
    if not isinstance(value, list):
        return ABSENT
    if "=" in which:
        key, _, wanted = which.partition("=")
        having = (each for each in value if isinstance(each, dict) and str(at(each, key)) == wanted)
        return next(having, ABSENT)
    index = int(which)
    return value[index] if -len(value) <= index < len(value) else ABSENT


def _field(value: Any, part: str) -> Any:
    key = re.sub(r"\\(.)", r"\1", part)
    if key == "#":
        return value if value in (ABSENT, None) else len(value)
    return value.get(key, ABSENT) if isinstance(value, dict) else ABSENT


@dataclass(frozen=True)
class Normaliser:
    """Replaces what differs from run to run by words."""

    managed_fields: bool = False
    """Whether field ownership is compared too."""
    replacements: Sequence[tuple[str, str]] = ()
    """Patterns of one step, and their words."""

    def text(self, text: str) -> str:
        """A text without uids, times, revisions and tokens."""
        for pattern, word in self.replacements:
            text = re.sub(pattern, word, text)
        text = _TOKEN.sub("<jwt>", text)
        text = _REVISION.sub(r"\1<rv>", text)
        text = _UID.sub("<uid>", text)
        return _TIME.sub("<time>", _MICRO_TIME.sub("<microtime>", text))

    def value(self, value: Any) -> Any:
        """A JSON value, all the way down."""
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        return self.text(value) if isinstance(value, str) else value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("kind") == "Table" and "columnDefinitions" in value:
            value = _plain_table(value)
        left_out = {"storageVersionHash"} | (set() if self.managed_fields else {"managedFields"})
        prefix = value.get("generateName")
        found = {
            _UID.sub("<uid>", key): self._member(key, each, prefix)
            for key, each in value.items()
            if key not in left_out
        }
        for key in ("resourceRules", "nonResourceRules"):  # in no order
            if isinstance(found.get(key), list):
                found[key] = _ordered(found[key])
        return _plain_causes(found)

    def _member(self, key: str, value: Any, prefix: Any) -> Any:
        if not isinstance(value, str) or not value:
            return self.value(value)
        if key == "resourceVersion" and value.isdigit() and value != "0":
            return "<rv>"
        if key == "continue":
            return "<continue>"
        generated = prefix and value.startswith(prefix) and len(value) == len(prefix) + 5
        return f"{prefix}<5>" if key == "name" and generated else self.text(value)


def _ordered(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda each: json.dumps(each, sort_keys=True))


def _plain_table(table: dict[str, Any]) -> dict[str, Any]:
    """A Table without descriptions of its columns, and without ages."""
    columns = [
        {key: each[key] for key in _COLUMN_FIELDS if each.get(key) not in ("", None)}
        for each in table["columnDefinitions"] or []
    ]
    rows = [
        {**row, "cells": [_cell(columns, *each) for each in enumerate(row.get("cells") or [])]}
        for row in table.get("rows") or []
    ]
    return {**table, "columnDefinitions": columns, "rows": rows}


def _cell(columns: list[dict[str, Any]], index: int, cell: Any) -> Any:
    if not isinstance(cell, str) or not _AGE.fullmatch(cell):
        return cell
    column = columns[index] if index < len(columns) else {"type": "date"}
    is_age = column.get("type") == "date" or _AGE_COLUMN.fullmatch(column["name"])
    return "<age>" if is_age else cell


def _plain_causes(value: dict[str, Any]) -> dict[str, Any]:
    """A Status with the causes in one order: kube-apiserver's is random."""
    details = value.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    if value.get("kind") != "Status" or not isinstance(causes, list) or len(causes) < 2:
        return value
    found = {**value, "details": {**details, "causes": _ordered(causes)}}
    before, several, _ = str(value.get("message", "")).partition(" is invalid: [")
    if several:
        found["message"] = f"{before} is invalid: [<{len(causes)} causes>]"
    return found


def differences(wanted: Any, got: Any, path: str = "") -> list[str]:
    """What of an answer is not as recorded, a line each."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [
            line
            for key in {**wanted, **got}
            for line in differences(wanted.get(key, ABSENT), got.get(key, ABSENT), f"{path}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        pairs = enumerate(zip(wanted, got, strict=True))
        return [line for i, (w, g) in pairs for line in differences(w, g, f"{path}[{i}]")]
    if wanted == got and (type(wanted) is bool) == (type(got) is bool):
        return []
    return [f"{path}: {_short(got)}, recorded: {_short(wanted)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 400 else text[:400] + "…"
