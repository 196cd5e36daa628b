"""What is answered knowingly otherwise than kube-apiserver does, and why."""

from pathlib import Path

import yaml

DEVIATIONS = Path(__file__).parent / "deviations.yaml"


def reasons() -> list[tuple[str, list[str]]]:
    """Reasons, each with its steps (``scenario/step``)."""
    groups = yaml.safe_load(DEVIATIONS.read_text(encoding="utf-8"))
    return [(" ".join(each["reason"].split()), each["steps"]) for each in groups]


def deviations() -> list[str]:
    """Every step that differs."""
    return [step for _, steps in reasons() for step in steps]
