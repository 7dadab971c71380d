"""Sides that are compared take turns, A B A B, so that a machine that slows down slows all.

Times are told as medians with their spread, and ratios are taken round by round.
"""

import logging
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Made = TypeVar("Made")
Seconds = Mapping[str, Sequence[float]]


def take_turns(
    sides: Mapping[str, Callable[[], Made]],
    rounds: int,
    check: Callable[[Made], object],
) -> dict[str, list[float]]:
    """Let each side work once a round; returns the seconds of each round by side.

    Args:
        check: raises where a side did not make what was asked; its time does not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, work in sides.items():
            start = time.perf_counter()
            made = work()
            seconds[name].append(time.perf_counter() - start)
            check(made)
            logger.info("round %d of %d, %s: %.3f s", number, rounds, name, seconds[name][-1])
    return seconds


def told(values: Sequence[float]) -> dict[str, Any]:
    """The median of some measurements, and from where to where they go."""
    return {
        "median": figure(statistics.median(values)),
        "spread": [figure(min(values)), figure(max(values))],
    }


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Ours over theirs, round by round; and of the least, which a busy machine disturbs less."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {**told(ratios), "of_least": figure(min(ours) / min(theirs))}


def compared(seconds: Seconds, ours: str = "ours") -> dict[str, Any]:
    """Every side's seconds, and the ratio of ours to each other side."""
    sides = {name: told(values) for name, values in seconds.items()}
    ratios = {
        name: ratio(seconds[ours], values) for name, values in seconds.items() if name != ours
    }
    return {"rounds": len(seconds[ours]), "seconds": sides, "ratio_of_ours_to": ratios}


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that at least `share` (0 to 1) of all values do not exceed.

    Raises:
        ValueError: there are none, or `share` is out of range.
    """
    if not values or not 0 <= share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def figure(value: float) -> float:
    """A number to four significant figures: more than a measurement can tell."""
    return float(f"{value:.4g}")
