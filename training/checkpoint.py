"""Checkpoints that survive being killed at any moment, and the clock that times them."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from training.presets import Budget

logger = logging.getLogger(__name__)
LONGEST_STEP_S = 30.0
METRICS = "metrics.jsonl"


def write_atomically(path: Path, state: Mapping[str, Any]) -> None:
    """Save beside the final name, sync, rename: readers never see half a file."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """Return what was last saved there, or None."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


class StageClock:
    """Counts a stage's steps and its own training time across restarts.

    Args:
        warm_from: The step at which the optimizer began empty; it warms up from there.
    """

    def __init__(
        self, budget: Budget, step: int = 0, spent_s: float = 0.0, warm_from: int = 0
    ) -> None:
        self.budget = budget
        self.warm_from = warm_from
        self.step = step
        self.spent_s = spent_s
        self._last = time.monotonic()

    @property
    def progress(self) -> float:
        """How much of the budget is used, 0 to 1."""
        by_time = self.spent_s / (self.budget.minutes * 60)
        return min(1.0, max(self.step / self.budget.steps, by_time))

    @property
    def done(self) -> bool:
        """Whether the budget is used up."""
        return self.progress >= 1.0

    def tick(self) -> None:
        """Count one finished step; a pause of the process counts as one slow step."""
        now = time.monotonic()
        self.spent_s += min(now - self._last, LONGEST_STEP_S)
        self._last = now
        self.step += 1

    def learning_rate(self) -> float:
        """Return the rate for the next step: warm-up, flat, then the last 40% down to zero."""
        warm = min(1.0, (self.step - self.warm_from + 1) / self.budget.warmup)
        decay = min(1.0, (1.0 - self.progress) / 0.4)
        return self.budget.learning_rate * warm * max(decay, 0.002)


def note(run_dir: Path, stage: str, clock: StageClock, **figures: Any) -> None:
    """Log figures of a stage and add them to the run's metrics, one JSON object a line."""
    minutes = round(clock.spent_s / 60, 2)
    record = {"stage": stage, "step": clock.step, "minutes": minutes, **figures}
    logger.info("%s", record)
    with (run_dir / METRICS).open("a") as file:
        file.write(json.dumps(record) + "\n")
