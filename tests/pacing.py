"""Denoising steps that take a known time, and never two at once."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from diffusers import DPMSolverMultistepScheduler

Step = Callable[..., Any]


def slowed(step: Step, seconds: float, ended: Callable[[float], None]) -> Step:
    """Make a scheduler's step take `seconds` more; `ended` hears the time at which each ended."""
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
    original: Step = DPMSolverMultistepScheduler.step
    slow_step = slowed(original, seconds, ended.append)
    monkeypatch.setattr(DPMSolverMultistepScheduler, "step", slow_step)
    return ended
