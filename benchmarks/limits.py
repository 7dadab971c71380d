"""What arithmetic alone would take: tiny-sd's operations at the rate of the device."""

import statistics
import time
from collections.abc import Sequence

import torch

_STEP_FLOP, _DECODE_FLOP = 485e9, 2.5e12
"""Of one sample at 512×512: a pass of the U-Net, and a decode."""
RATES = {"cuda, float16": 790e12, "cpu, bfloat16": 26.8e12 / 60}
"""Operations a second in half precision: an H200; two Zen4 cores."""


def picture_flop(steps: int) -> float:
    """Operations of one guided picture of 512×512."""
    return steps * 2 * _STEP_FLOP + _DECODE_FLOP


def pictures_per_s(steps: Sequence[int], rate: float) -> float:
    """Pictures a second, guided, of 512×512 and of so many steps each, at operations a second."""
    return len(steps) * rate / sum(map(picture_flop, steps))


def measured_rate(device: str, dtype: torch.dtype, *, side: int, rounds: int = 5) -> float:
    """Operations a second of a large matrix product here and now."""
    first, second = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        float((first @ second)[0, 0])  # the device has to finish before this is known
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / statistics.median(seconds[1:])
