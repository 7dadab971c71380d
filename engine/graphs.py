"""Programs on CUDA: compiled by torch, and recorded as CUDA graphs.

A graph is launched as one, so that a step costs the device's time and not that of the calls.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.programs import MOST
from engine.settings import Settings
from engine.shapes import Run

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
        self._streams: dict[Run, Any] = {}
        self._pools: dict[Run, Any] = {}

    def compile(self, run: Run, inputs: tuple[Tensor, ...]) -> Run:
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
        compiled(*inputs)
        torch.cuda.synchronize(self._device)
        return compiled

    def capture(
        self, name: Run, run: Run, inputs: tuple[Tensor, ...]
    ) -> tuple[Callable[[], None], Tensor]:
        """Record one call.

        Graphs of one function share their memory: they never run at the same time, and what they
        give is copied before the next one does. Those of two functions may run side by side; so
        each function has a stream of its own, for the libraries keep their working memory by the
        stream on which a graph was recorded.
        """
        if name not in self._streams:
            self._streams[name] = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        pool = self._pools.setdefault(name, torch.cuda.graph_pool_handle())
        stream = self._streams[name]
        torch.cuda.synchronize(self._device)
        # The outer context brings this thread back to its own stream whatever goes wrong within.
        # A shape that after all has to be compiled here is rather recorded as it is.
        with torch.cuda.stream(stream), torch.compiler.set_stance("eager_on_recompile"):
            for _ in range(_WARM_UPS):
                run(*inputs)
            torch.cuda.synchronize(self._device)
            graph = torch.cuda.CUDAGraph()
            # Other threads may wait for what they were given; that must not spoil the recording.
            with torch.cuda.graph(
                graph, pool=pool, stream=stream, capture_error_mode="thread_local"
            ):
                output = run(*inputs)
        return graph.replay, output

    def forget(self) -> None:
        """Make ready for all programs to be let go: nothing may be using one."""
        torch.cuda.synchronize(self._device)
        self._pools.clear()
