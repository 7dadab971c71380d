"""Programs on CUDA: compiled by torch, and recorded as CUDA graphs.

A graph is launched as one, so that a step costs the device's time and not that of the calls.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.programs import MOST, Run
from engine.settings import Settings

_WARM_UPS = 2
"""Calls before one is recorded: libraries choose their kernels and take their working memory."""
_FOR_LONG = 10
"""Times as many shapes may be compiled, one after the other, as are kept."""


def choose_backend(device: torch.device, settings: Settings) -> "CudaGraphs | None":
    """What makes programs on a device; None where nothing does, or they are not wanted."""
    if device.type != "cuda" or settings.offload or not settings.compile:
        return None
    return CudaGraphs(device)


class CudaGraphs:
    """The `programs.Backend` of one CUDA device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._compiled: dict[Run, Run] = {}
        self._pools: dict[Run, Any] = {}

    def compile(self, run: Run, places: tuple[Tensor, ...]) -> Run:
        """Compile, whole, for exactly these shapes.

        Raises:
            Exception: whatever torch's compiler raises, where there is no C compiler for one.
        """
        if run not in self._compiled:
            compiler: Any = torch.compile  # its types do not know the limit of shapes
            self._compiled[run] = compiler(
                run, fullgraph=True, dynamic=False, recompile_limit=_FOR_LONG * MOST
            )
        compiled = self._compiled[run]
        compiled(*places)
        torch.cuda.synchronize(self._device)
        return compiled

    def capture(self, run: Run, places: tuple[Tensor, ...]) -> tuple[Callable[[], None], Tensor]:
        """Record one call.

        Graphs of one function share their memory: they never run at the same time, and what they
        give is copied before the next one does. Those of two functions may run side by side.
        """
        pool = self._pools.setdefault(run, torch.cuda.graph_pool_handle())
        aside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                run(*places)
        torch.cuda.current_stream(self._device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        # Other threads may wait for what they were given before; that must not spoil the recording.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            output = run(*places)
        return graph.replay, output
