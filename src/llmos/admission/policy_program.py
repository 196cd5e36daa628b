"""A ValidatingAdmissionPolicy, compiled, and what it says about one change.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating (validator.go, message.go) and
plugin/cel/composition.go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmos.apimachinery.cel.authorizer import Authorize
from llmos.apimachinery.cel.environment import Environment
from llmos.apimachinery.cel.errors import CelError, CompileError
from llmos.apimachinery.cel.expression import Budget, Expression, Inputs
from llmos.apimachinery.cel.reads import Reads
from llmos.apimachinery.cel.times import as_texts
from llmos.apimachinery.object import Object, get_path
from llmos.apis.admissionregistration_v1_expressions import NAMES, Compiler, Named, Validation

_MAX_MESSAGE = 5 * 1024
_MAX_ANNOTATION = 10 * 1024
_VARIABLES = "variables"


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a policy does not like a change."""

    message: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says, for one binding and one parameter object."""

    denials: tuple[Denial, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """Variables of a policy that use none of one another, only those of earlier stages."""

    variables: tuple[Named, ...]
    reads: Reads


@dataclass(frozen=True, slots=True)
class Policy:
    """Compiled once; which changes it concerns is not its business."""

    environment: Environment
    fails_closed: bool
    param_kind: tuple[str, str] | None
    """apiVersion and kind."""
    conditions: tuple[Named, ...]
    stages: tuple[Stage, ...]
    validations: tuple[Validation, ...]
    annotations: tuple[Named, ...]
    condition_reads: Reads
    reads: Reads
    """What validations, messages and annotations read together."""

    def judge(self, values: Mapping[str, Any], budget: Budget) -> Verdict:
        """Evaluate it.

        Args:
            values: the variables of every expression but ``variables``.
            budget: of the whole change.
        """
        try:
            if not self._applies(values, budget):
                return Verdict()
            inputs, failed = self._inputs(values, budget)
        except CelError as error:
            return self._error(str(error))
        run = _Run(inputs, failed, budget)
        denials = []
        for each in self.validations:
            try:
                denial = run.judge(each)
            except CelError as error:
                if not self.fails_closed:
                    continue
                denial = Denial(_resulted(each.condition, error, failed))
            if denial is not None:
                denials.append(denial)
        try:
            annotations = tuple(run.annotations(self.annotations))
        except CelError as error:
            return Verdict((*denials, *self._error(str(error)).denials))
        return Verdict(tuple(denials), annotations)

    def _error(self, message: str) -> Verdict:
        return Verdict((Denial(message),)) if self.fails_closed else Verdict()

    def _applies(self, values: Mapping[str, Any], budget: Budget) -> bool:
        """Whether all ``matchConditions`` hold; one that does not outweighs one that fails.

        Raises:
            EvaluationError: none is false, and one fails.
        """
        if not self.conditions:
            return True
        inputs = self.environment.inputs(values, self.condition_reads, budget)
        failed: CelError | None = None
        for each in self.conditions:
            try:
                if each.expression.evaluate(inputs, budget) is not True:
                    return False
            except CelError as error:
                failed = failed or CelError(_resulted(each.expression, error, {}))
        if failed is not None:
            raise failed
        return True

    def _inputs(
        self, values: Mapping[str, Any], budget: Budget
    ) -> tuple[Inputs, Mapping[str, str]]:
        """The variables of the validations, and why some of the policy's own have no value."""
        found: dict[str, Any] = {}
        failed: dict[str, str] = {}
        complete = {**values, _VARIABLES: found}
        for stage in self.stages:
            inputs = self.environment.inputs(complete, stage.reads, budget)
            for each in stage.variables:
                try:
                    found[each.name] = as_texts(each.expression.evaluate(inputs, budget))
                except CelError as error:
                    why = _reason(error, failed)
                    failed[each.name] = (
                        f'composited variable "{each.name}" fails to evaluate: {why}'
                    )
        return self.environment.inputs(complete, self.reads, budget), failed


@dataclass(frozen=True, slots=True)
class Broken:
    """A policy that cannot be used; it refuses what it concerns, unless it is to be ignored."""

    fails_closed: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Run:
    """One change, with everything ready."""

    inputs: Inputs
    failed: Mapping[str, str]
    budget: Budget

    def judge(self, validation: Validation) -> Denial | None:
        """What is wrong by one validation.

        Raises:
            EvaluationError: its condition has no value.
        """
        if validation.condition.evaluate(self.inputs, self.budget) is True:
            return None
        text = self._message(validation.message_expression) or validation.message
        text = text or f"failed expression: {validation.condition.source.strip()}"
        return Denial(text, validation.reason)

    def _message(self, expression: Expression | None) -> str:
        """What ``messageExpression`` says; empty where it says nothing usable."""
        if expression is None:
            return ""
        try:
            text = expression.evaluate(self.inputs, self.budget)
        except CelError:
            return ""
        text = text.strip() if isinstance(text, str) else ""
        return "" if "\n" in text or len(text) > _MAX_MESSAGE else text

    def annotations(self, wanted: Iterable[Named]) -> Iterator[tuple[str, str]]:
        """The audit annotations that have a text.

        Raises:
            EvaluationError: one has no value.
        """
        for each in wanted:
            text = each.expression.evaluate(self.inputs, self.budget)
            if isinstance(text, str) and text.strip():
                yield each.name, text.strip()[:_MAX_ANNOTATION]


def _reason(error: CelError, failed: Mapping[str, str]) -> str:
    """Why an evaluation failed; a variable that is missing since it failed says why itself."""
    text = str(error)
    return failed.get(text.removeprefix("no such key: "), text)


def _resulted(expression: Expression, error: CelError, failed: Mapping[str, str]) -> str:
    why = _reason(error, failed)
    return f"expression '{expression.source}' resulted in error: {why}"


def environment(authorize: Authorize) -> Environment:
    """Where policies are compiled and run; ``authorize`` answers their checks."""
    return Environment(NAMES, authorize)


def program_of(policy: Object, where: Environment, flaw: str) -> Policy | Broken:
    """Compile a policy.

    Args:
        policy: the object.
        where: its environment.
        flaw: what is wrong with it already.
    """
    try:
        if not flaw:
            return compile_policy(policy, where)
    except CelError as error:
        flaw = str(error)
    return Broken(get_path(policy, "spec", "failurePolicy") != "Ignore", flaw)


def compile_policy(policy: Object, environment: Environment) -> Policy:
    """Compile a policy.

    Raises:
        CompileError: an expression is wrong.
    """
    spec = policy.get("spec") or {}
    compiler = Compiler(environment)
    conditions = tuple(compiler.conditions(spec))
    variables = compiler.declare(spec)
    validations = tuple(compiler.validations(spec))
    annotations = tuple(compiler.annotations(spec))
    if compiler.errors:
        raise CompileError("; ".join(str(each) for each in compiler.errors))
    messages = (each.message_expression for each in validations)
    kind = spec.get("paramKind")
    reads = environment.reads(
        [
            *(each.condition for each in validations),
            *(each for each in messages if each is not None),
            *(each.expression for each in annotations),
        ]
    )
    return Policy(
        environment=environment,
        fails_closed=get_path(spec, "failurePolicy") != "Ignore",
        param_kind=(kind.get("apiVersion") or "", kind.get("kind") or "") if kind else None,
        conditions=conditions,
        stages=tuple(_stages(variables, reads, environment)),
        validations=validations,
        annotations=annotations,
        condition_reads=environment.reads(each.expression for each in conditions),
        reads=reads,
    )


def _stages(variables: Sequence[Named], wanted: Reads, environment: Environment) -> Iterator[Stage]:
    """The variables that are used, in the order in which they can be worked out."""
    names = [each.name for each in variables]
    uses = {each.name: _used(environment.reads([each.expression]), names) for each in variables}
    used = _used(wanted, names)
    for name in reversed(names):
        if name in used:
            used |= uses[name]
    done: set[str] = set()
    while done < used:
        ready = [each for each in variables if each.name in used - done and uses[each.name] <= done]
        done |= {each.name for each in ready}
        yield Stage(tuple(ready), environment.reads(each.expression for each in ready))


def _used(reads: Reads, names: Sequence[str]) -> set[str]:
    """The policy's variables that are read; one that is read as a whole reads them all."""
    found = reads.get(_VARIABLES, {})
    return set(names) if found is None else set(found) & set(names)
