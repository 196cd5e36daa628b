"""What a call gives for arguments of given types, and whether there is such a call.

Kubernetes' own functions are looked up; for all others the runtime's type checker is asked about
the call alone, with variables of these types as arguments.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from cel_expr_python import cel

from llmos.apimachinery.cel.functions import Function
from llmos.apimachinery.cel.library import native
from llmos.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    IP,
    NULL,
    NUMBERS,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    UNBOUND,
    CelType,
    comparable,
)

EXTENSIONS = ("sets", "strings", "optional", "two-var-comprehensions")
_OPERATORS = {
    "!_": "!a0",
    "-_": "-a0",
    "@in": "a0 in a1",
    "_[?_]": "a0[?a1]",
    "_?_:_": "a0 ? a1 : a2",
    **{f"_{sign}_": f"a0 {sign} a1" for sign in ("&&", "||", "+", "-", "*", "/", "%")},
    **{f"_{sign}_": f"a0 {sign} a1" for sign in ("<", "<=", ">", ">=", "==", "!=")},
}
_COMPARISONS = ("_<_", "_<=_", "_>_", "_>=_")
_FOR_ALL = frozenset(("_==_", "_!=_", "@in", "type", "dyn", "optional.of"))
"""What may be asked about values of any type."""
_TYPES: Mapping[str, CelType] = {
    "BOOL": BOOL,
    "INT": INT,
    "UINT": UINT,
    "DOUBLE": DOUBLE,
    "STRING": STRING,
    "BYTES": BYTES,
    "TIMESTAMP": TIMESTAMP,
    "DURATION": DURATION,
    "NULL": NULL,
}


def config(extensions: Iterable[str]) -> cel.EnvConfig:
    """A configuration of the runtime with some of its own extensions."""
    names = ", ".join(f'{{name: "{each}"}}' for each in extensions)
    return cel.NewEnvConfigFromYaml(f"extensions: [{names}]")


class Signatures:
    """Knows every function."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._own: dict[tuple[str, bool], list[Function]] = {}
        for each in functions:
            self._own.setdefault((each.name, each.method), []).append(each)

    def result(self, name: str, is_method: bool, types: tuple[CelType, ...]) -> CelType | None:
        """The type of a call; None: there is no such function for these arguments."""
        found = [
            each.result
            for each in self._own.get((name, is_method), ())
            if len(each.parameters) == len(types) and all(map(_accepts, each.parameters, types))
        ]
        if found:
            return found[0] if len(set(found)) == 1 else DYN
        if name in ("_==_", "_!=_"):
            return BOOL if comparable(*types) else None
        if name in _COMPARISONS and NUMBERS.issuperset(types):
            return BOOL
        if any(_is_opaque(each) for each in types) and name not in _FOR_ALL:
            return STRING if name == "string" and types == (IP,) else None
        return _standard(name, is_method, types)


def _accepts(parameter: CelType, argument: CelType) -> bool:
    if DYN in (parameter, argument) or argument in (parameter, UNBOUND):
        return True
    if not parameter.parameters or parameter.name != argument.name:
        return False
    return all(map(_accepts, parameter.parameters, argument.parameters))


def _is_opaque(kind: CelType) -> bool:
    """Whether values may only be handed on: objects, and Kubernetes' own types."""
    return kind.find_fields is not None or "." in kind.name


@lru_cache(maxsize=4096)
def _standard(name: str, is_method: bool, types: tuple[CelType, ...]) -> CelType | None:
    """Ask the runtime's type checker."""
    arguments = [f"a{index}" for index in range(len(types))]
    call = _OPERATORS.get(name)
    if call is None:
        if "@" in name or not name.replace(".", "").replace("_", "").isalnum():
            return DYN
        rest = ", ".join(arguments[is_method:])
        call = f"a0.{name}({rest})" if is_method else f"{name}({rest})"
    variables = {argument: native(kind) for argument, kind in zip(arguments, types, strict=True)}
    environment = cel.NewEnv(config=config(EXTENSIONS), variables=variables)
    try:
        kind = environment.compile(call).return_type()
    except RuntimeError:
        return None
    return _read(str(kind))


def _read(text: str) -> CelType:
    """A type from the runtime's text, e.g. ``MAP<STRING, LIST<INT>>``."""
    name, _, rest = text.partition("<")
    if name == "TYPE":
        return TYPE
    if not rest:
        return _TYPES.get(name, DYN)
    parts, depth, start = [], 0, 0
    inner = rest.removesuffix(">")
    for at, char in enumerate(f"{inner},"):
        depth += (char == "<") - (char == ">")
        if char == "," and not depth:
            parts.append(inner[start:at].strip())
            start = at + 1
    return CelType(name.lower(), tuple(_read(each) for each in parts))
