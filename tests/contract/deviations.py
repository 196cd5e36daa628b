"""What is answered knowingly otherwise than kube-apiserver does, and why."""

from pathlib import Path

import yaml

DEVIATIONS = Path(__file__).parent / "deviations.yaml"


def deviations() -> dict[str, str]:
    """The reason by step, ``scenario/step``.

    Raises:
        ValueError: a step stands there twice.
    """
    found: dict[str, str] = {}
    for group in yaml.safe_load(DEVIATIONS.read_text()):
        for step in group["steps"]:
            if step in found:
                raise ValueError(f"{step} stands there twice")
            found[step] = " ".join(group["reason"].split())
    return found
