"""Compiles expressions over a set of variables.

An expression is parsed and checked where every variable is ``dyn``, then again by ``check`` with
the types that the caller knows. It runs in an environment of its own, whose functions have
implementations.
"""

import ctypes
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from cel_expr_python import cel

from llmos.apimachinery.cel.authorizer import Authorize
from llmos.apimachinery.cel.authorizer import functions as authorizer_functions
from llmos.apimachinery.cel.check import check_types
from llmos.apimachinery.cel.errors import CompileError, compile_error
from llmos.apimachinery.cel.expression import Budget, Expression, Inputs
from llmos.apimachinery.cel.library import (
    KUBERNETES,
    RUNTIME_ONLY,
    declarations,
    implementations,
)
from llmos.apimachinery.cel.reads import Reads, reads, take
from llmos.apimachinery.cel.signatures import EXTENSIONS, Signatures, config
from llmos.apimachinery.cel.sizes import cleaned, measure, rounded
from llmos.apimachinery.cel.syntax import Ident, Node, Tree, children, parse_tree
from llmos.apimachinery.cel.types import DYN, CelType
from llmos.apimachinery.cel.wrapping import wrap_calls

MAX_SOURCE = 20_000
"""Characters of one expression."""
_NODE, _BYTE = 4.0, 0.02
"""Units of cost to hand a value, and a byte of it, to the runtime."""
_RUNNING = ("sets", "strings", "optional")
"""Without the two-variable macros: these are gone by then, and what they turn into is ours."""

if sys.version_info < (3, 12):
    # The runtime gives away a reference to None with each null that it hands to Python. From 3.12
    # on None is immortal and nothing comes of it; before, a busy server would lose its None.
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40


def _deny(_: object) -> tuple[bool, str]:
    """Nobody is asked."""
    return False, ""


class Environment:
    """The variables that expressions may use, and who answers ``authorizer``."""

    def __init__(self, names: Iterable[str], authorize: Authorize | None = None) -> None:
        """Make one.

        Args:
            names: of the variables.
            authorize: answers authorization checks; None: there are none.
        """
        self.names = frozenset(names)
        functions = (*KUBERNETES, *authorizer_functions(authorize or _deny))
        self._signatures = Signatures(functions)
        self._own = frozenset(each.name for each in (*functions, *RUNTIME_ONLY))
        self._checking = self._new(EXTENSIONS, declarations(functions))
        running = implementations((*functions, *RUNTIME_ONLY))
        self._running = self._new(_RUNNING, running)
        self._parse = lru_cache(maxsize=1024)(self._parse_new)

    def _new(self, extensions: Iterable[str], functions: list[cel.FunctionDecl]) -> cel.Env:
        return cel.NewEnv(
            config=config(extensions),
            variables=dict.fromkeys(self.names, cel.Type.DYN),
            extensions=[cel.CelExtension("kubernetes", functions)],
        )

    def compile(
        self,
        source: str,
        types: Mapping[str, CelType] | None = None,
        results: Sequence[CelType] = (),
    ) -> Expression:
        """Compile an expression.

        Args:
            source: its text.
            types: what is known of the variables' types; the others are ``dyn``.
            results: the types that its value may have; none: any.

        Raises:
            CompileError: it is malformed, or its types do not fit.
        """
        serialized, tree = self._parse(source)
        known = {**dict.fromkeys(self.names, DYN), **(types or {})}
        result, calls = check_types(tree, source, known, self._signatures)
        if results and result not in results:
            raise CompileError(_must_be(results))
        program = self._running.deserialize(wrap_calls(serialized, calls) if calls else serialized)
        return Expression(
            source, program, tree, self.names & set(_names_in(tree.root)), result, self._own
        )

    def reads(self, expressions: Iterable[Expression]) -> Reads:
        """What expressions read together."""
        return reads([each.tree.root for each in expressions], self.names)

    def inputs(self, values: Mapping[str, object], wanted: Reads, budget: Budget) -> Inputs:
        """Make values ready, no more of them than is wanted.

        Raises:
            CostError: there is too much of it.
        """
        data = {name: take(values.get(name), below) for name, below in wanted.items()}
        measured = measure(data)
        budget.spend(measured.nodes * _NODE + measured.size.weight * _BYTE)
        if not measured.clean:
            data = cleaned(data)
        return Inputs(self._running.Activation(data), rounded(measured.size))

    def _parse_new(self, source: str) -> tuple[bytes, Tree]:
        if len(source) > MAX_SOURCE:
            raise CompileError(f"expression is longer than {MAX_SOURCE} characters")
        if "\0" in source:
            raise CompileError("expression contains a NUL character")
        try:
            serialized = self._checking.compile(source).serialize()
        except RuntimeError as error:
            raise compile_error(str(error)) from None
        return serialized, parse_tree(serialized)


def _names_in(node: Node) -> Iterator[str]:
    if isinstance(node, Ident):
        yield node.name
    for each in children(node):
        yield from _names_in(each)


def _must_be(results: Sequence[CelType]) -> str:
    if len(results) == 1:
        return f"must evaluate to {results[0]}"
    return f"must evaluate to one of [{' '.join(str(each) for each in results)}]"
