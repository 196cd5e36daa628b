"""Waiting for what happens soon, in another process."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float, every: float = 0.02) -> T:
    """Ask until the answer is true, and give it back; a test fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not so within {seconds} s: {answer!r}"
        time.sleep(every)


def stays(condition: Callable[[], object], seconds: float, every: float = 0.1) -> bool:
    """Whether something is true for all of some time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            return False
        time.sleep(every)
    return True
