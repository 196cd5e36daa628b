"""Where in an object a check stands: cheap to extend, spelled only when something is wrong."""

Path = tuple["Path", "str | int | tuple[str]"] | tuple[()]
"""A chain of steps, the last one outermost; the empty one is the object itself.

A step is a field's name, an index, or the key of a map (a tuple of one).
"""

ROOT: Path = ()


def render(path: Path) -> str:
    """The path in Kubernetes' spelling: ``spec.vols[0].labels[app]``; ``<nil>`` for the object."""
    steps = []
    while path:
        path, step = path
        if isinstance(step, str):
            steps.append(f".{step}")
        else:
            steps.append(f"[{step[0] if isinstance(step, tuple) else step}]")
    return "".join(reversed(steps)).removeprefix(".") or "<nil>"
