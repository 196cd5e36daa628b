"""A compiled expression: what it reads, what it may cost, and its value for given inputs."""

from dataclasses import dataclass, field
from typing import Any

from cel_expr_python import cel

from llmos.apimachinery.cel.cost import EVALUATION_LIMIT, OBJECT_LIMIT, bound
from llmos.apimachinery.cel.errors import CostError, evaluation_error
from llmos.apimachinery.cel.sizes import Size
from llmos.apimachinery.cel.syntax import Tree
from llmos.apimachinery.cel.types import CelType


@dataclass(slots=True)
class Budget:
    """What evaluations for one object may still cost."""

    left: float = OBJECT_LIMIT

    def spend(self, units: float) -> None:
        """Take some of it.

        Raises:
            CostError: there is not so much left.
        """
        self.left -= units
        if self.left < 0:
            raise CostError


@dataclass(frozen=True, slots=True)
class Inputs:
    """Values of the variables, ready for any number of expressions."""

    activation: cel.Activation
    size: Size
    """Rounded up, so that few sizes have to be known."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Compiled once, evaluated often."""

    source: str
    program: cel.Expression = field(repr=False)
    tree: Tree = field(repr=False)
    names: frozenset[str]
    """The variables that it reads."""
    result: CelType
    own: frozenset[str] = field(repr=False)
    """Functions that are written in Python, for the cost."""
    _costs: dict[Size, float] = field(default_factory=dict, repr=False)

    def evaluate(self, inputs: Inputs, budget: Budget) -> Any:
        """Its value, as plain Python values.

        Raises:
            CostError: it may take too long; it is not begun then.
            EvaluationError: it has no value.
        """
        cost = self.cost(inputs.size)
        if cost > EVALUATION_LIMIT:
            raise CostError
        budget.spend(cost)
        try:
            found = self.program.eval(activation=inputs.activation)
            value = found.plain_value()
        except (RuntimeError, TypeError) as error:
            raise evaluation_error(str(error)) from None
        if isinstance(value, str) and found.type() == cel.Type.ERROR:
            raise evaluation_error(value)
        return value

    def cost(self, size: Size) -> float:
        """The most that it may cost for inputs of such a size."""
        known = self._costs.get(size)
        if known is None:
            known = self._costs[size] = bound(self.tree, size, self.own)
        return known
