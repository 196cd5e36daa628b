"""What can go wrong with an expression, in the words of Kubernetes' own implementation.

The runtime's texts are its C++ ones (``NOT_FOUND: Key not found in map : "x"``); users know those
of cel-go (``no such key: x``).
"""

import re

_STATUS = re.compile(r"\A[A-Z][A-Z_]+: (.*?)(?: \[[A-Z_]+\])?\Z", re.DOTALL)
_TEXTS = (
    (re.compile(r'Key not found in map : "(.*)"', re.DOTALL), r"no such key: \1"),
    (re.compile(r"Key not found in map : (.*)", re.DOTALL), r"no such key: \1"),
    (re.compile(r"divide by zero"), "division by zero"),
    (re.compile(r"modul\w+ by zero"), "modulus by zero"),
    (re.compile(r"No matching overloads found.*", re.DOTALL), "no such overload"),
    (re.compile(r"Applying SELECT to non-message type"), "no such overload"),
    (re.compile(r"Index error: index=(-?\d+) size=\d+"), r"index out of bounds: \1"),
)


class CelError(ValueError):
    """An expression is wrong, or its evaluation failed."""


class CompileError(CelError):
    """It does not compile; the text shows where, as ``ERROR: <input>:1:5: …`` with the line."""


class EvaluationError(CelError):
    """It has no value for these inputs (a missing key, a division by zero, …)."""


class CostError(EvaluationError):
    """It would take, or took, more than one evaluation may."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


def compile_error(text: str) -> CompileError:
    """The error of a compilation from the runtime's text."""
    return CompileError(_without_status(text))


def evaluation_error(text: str) -> EvaluationError:
    """The error of an evaluation from the runtime's text."""
    plain = _without_status(text)
    if "Iteration budget exceeded" in plain:
        return CostError()
    for pattern, replacement in _TEXTS:
        found = pattern.fullmatch(plain)
        if found:
            return EvaluationError(found.expand(replacement))
    return EvaluationError(plain)


def _without_status(text: str) -> str:
    found = _STATUS.match(text)
    return found[1] if found else text
