"""The chain runs what concerns a change, in order, and nothing else."""

import pytest

from admission.world import ALICE, KINDS, World, named
from llmos.admission.chain import Chain
from llmos.admission.plugin import Mutator, Scope, Validator
from llmos.apimachinery.errors import ForbiddenError


@pytest.mark.parametrize(
    ("scope", "change", "covered"),
    [
        (Scope(("CREATE",)), ("configmaps", "", "CREATE"), True),
        (Scope(("CREATE",)), ("configmaps", "", "UPDATE"), False),
        (Scope(("CREATE",)), ("configmaps", "status", "CREATE"), False),
        (Scope(("CREATE",), subresources=None), ("configmaps", "status", "CREATE"), True),
        (Scope(("UPDATE",), subresources=("status",)), ("pods", "status", "UPDATE"), True),
        (Scope(("UPDATE",), subresources=("status",)), ("pods", "", "UPDATE"), False),
        (Scope(("CREATE",), [KINDS["pods"].group_resource]), ("pods", "", "CREATE"), True),
        (Scope(("CREATE",), [KINDS["pods"].group_resource]), ("secrets", "", "CREATE"), False),
        (Scope(("CREATE",), namespaced_only=True), ("users", "", "CREATE"), False),
        (Scope(("CREATE",), namespaced_only=True), ("pods", "", "CREATE"), True),
    ],
)
def test_scope(scope, change, covered):
    """A scope covers a change when operation, resource, subresource and namespacing all fit."""
    plural, subresource, operation = change
    assert scope.covers(KINDS[plural], subresource, operation) is covered


def test_order_and_phases(world: World):
    """Mutators run in mutate and validators in validate, each in the order of its list."""
    ran = []

    def note(text):
        return lambda _: ran.append(text)

    everything = Scope(("CREATE",))
    chain = Chain(
        [Mutator("a", everything, note("a")), Mutator("b", everything, note("b"))],
        [Validator("c", everything, note("c")), Validator("d", Scope(("DELETE",)), note("d"))],
    )
    for _ in range(2):
        attributes = world.attributes(ALICE, "CREATE", "pods", named("p", "team-a"))
        chain.mutate(attributes)
        ran.append("|")
        chain.validate(attributes)
    assert ran == ["a", "b", "|", "c"] * 2


def test_refusal_ends_it(world: World):
    """Nothing runs after a refusal."""

    def refuse(_):
        raise ForbiddenError("no")

    chain = Chain(
        [],
        [
            Validator("no", Scope(("CREATE",)), refuse),
            Validator("never", Scope(("CREATE",)), lambda _: pytest.fail("ran")),
        ],
    )
    with pytest.raises(ForbiddenError):
        chain.validate(world.attributes(ALICE, "CREATE", "pods", named("p", "team-a")))


def test_scope_of_a_kind_that_comes_back(world: World):
    """A kind that is defined again with another scope is not served the old choice."""
    ran = []
    scope = Scope(("CREATE",), namespaced_only=True)
    chain = Chain([], [Validator("x", scope, lambda _: ran.append(1))])
    attributes = world.attributes(ALICE, "CREATE", "users", named("u"))
    chain.validate(attributes)
    from dataclasses import replace

    attributes.resource = replace(attributes.resource, namespaced=True)
    chain.validate(attributes)
    assert ran == [1]
