"""Denoising steps that take a known time, and never two at once."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from diffusers import DPMSolverMultistepScheduler


def pace_steps(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[float]:
    """Make every step take `seconds` more; returns the times at which steps ended."""
    ended: list[float] = []
    original: Callable[..., Any] = DPMSolverMultistepScheduler.step
    one_at_a_time = threading.Lock()

    def slow_step(*args: Any, **kwargs: Any) -> Any:
        assert one_at_a_time.acquire(blocking=False), "two denoising loops at once"
        try:
            time.sleep(seconds)
            return original(*args, **kwargs)
        finally:
            ended.append(time.monotonic())
            one_at_a_time.release()

    monkeypatch.setattr(DPMSolverMultistepScheduler, "step", slow_step)
    return ended
