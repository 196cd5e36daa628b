"""An environment for the tests of expressions, and a short way to a value."""

from typing import Any

from llmos.apimachinery.cel.authorizer import authorizer_of
from llmos.apimachinery.cel.environment import Environment
from llmos.apimachinery.cel.errors import CelError
from llmos.apimachinery.cel.expression import Budget
from llmos.apimachinery.cel.types import CelType

POD = {
    "metadata": {"name": "x", "labels": {"app": "web", "tier": "front"}},
    "spec": {
        "replicas": 3,
        "ratio": 0.5,
        "containers": [
            {"name": "a", "image": "good/a", "env": [{"name": "E"}]},
            {"name": "b", "image": "bad/b"},
        ],
    },
}
USER = {"username": "bob", "groups": ["devs"]}


def authorize(asked: dict[str, Any]) -> tuple[bool, str]:
    """Everybody may ``get``; the reason is the question."""
    words = [str(asked[key]) for key in sorted(asked) if key != "user"]
    return asked["verb"] == "get", " ".join([asked["user"]["username"], *words])


ENVIRONMENT = Environment(("object", "other", "authorizer"), authorize)
VALUES = {
    "object": POD,
    "other": None,
    "authorizer": authorizer_of(USER, {"group": "apps", "resource": "deployments"}),
}


def evaluate(source: str, values: dict[str, Any] | None = None) -> Any:
    """The value of an expression, or the text of what is wrong with it."""
    try:
        expression = ENVIRONMENT.compile(source)
        budget = Budget()
        wanted = ENVIRONMENT.reads([expression])
        inputs = ENVIRONMENT.inputs({**VALUES, **(values or {})}, wanted, budget)
        return expression.evaluate(inputs, budget)
    except CelError as error:
        return f"{type(error).__name__}: {error}"


def type_of(source: str, **types: CelType) -> str:
    """The type of an expression, or the text of what is wrong with it."""
    try:
        return str(ENVIRONMENT.compile(source, types).result)
    except CelError as error:
        return str(error)
