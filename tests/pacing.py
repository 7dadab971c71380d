"""Denoising steps that take a known time, and never two at once."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.solver import Solver

Step = Callable[..., Any]


def slowed(step: Step, seconds: float, ended: Callable[[float], None]) -> Step:
    """Make a solver's step take `seconds` more; `ended` hears the time at which each ended."""
    one_at_a_time = threading.Lock()

    def slow_step(*args: Any, **kwargs: Any) -> Any:
        assert one_at_a_time.acquire(blocking=False), "two denoising loops at once"
        try:
            time.sleep(seconds)
            return step(*args, **kwargs)
        finally:
            ended(time.monotonic())
            one_at_a_time.release()

    return slow_step


def pace_steps(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[float]:
    """Make every step take `seconds` more; returns the times at which steps ended."""
    ended: list[float] = []
    slow_step = slowed(Solver.step, seconds, ended.append)
    monkeypatch.setattr(Solver, "step", staticmethod(slow_step))
    return ended
