"""How long work takes on a device that may run behind those who give it work."""

import time
from collections.abc import Callable
from typing import Any

import torch

Lap = Callable[[], float]
"""Tells seconds; waits for the work, where it is still under way."""


class Stopwatch:
    """Times work on one device. For one thread."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def start(self) -> Callable[[], Lap]:
        """Begin to time what is given to the device from here on.

        Returns:
            What ends that, and gives the lap. On CUDA it waits for nothing.
        """
        if self._device.type == "cuda":
            return self._start_events()
        settle(self._device)
        began = time.perf_counter()

        def stop() -> Lap:
            settle(self._device)
            seconds = time.perf_counter() - began
            return lambda: seconds

        return stop

    def _start_events(self) -> Callable[[], Lap]:
        new: Any = torch.cuda.Event  # it has no types
        began, ended = new(enable_timing=True), new(enable_timing=True)
        began.record(torch.cuda.current_stream(self._device))

        def stop() -> Lap:
            ended.record(torch.cuda.current_stream(self._device))
            return lap

        def lap() -> float:
            ended.synchronize()
            return float(began.elapsed_time(ended)) / 1000

        return stop


def settle(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
