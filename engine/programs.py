"""A function of tensors made ready for the shapes it is called with.

A shape that is in use is compiled on a thread of its own, which takes a minute, while calls go on
as they are; then it is captured between two passes, which takes moments. One shape at a time.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

Run = Callable[..., Tensor]
"""Takes tensors whose first dimension is rows, none of which sees another; gives such a tensor."""
MOST = 24
"""Programs kept, and shapes whose use is counted; those used last."""
_WORTH = 2
"""Calls from which on a shape is in use."""


class Backend(Protocol):
    """What makes programs; see `graphs.CudaGraphs`."""

    def compile(self, run: Run, places: tuple[Tensor, ...]) -> Run:
        """Compile for these inputs; called on a thread of its own, which may take its time."""
        ...

    def capture(self, run: Run, places: tuple[Tensor, ...]) -> tuple[Callable[[], None], Tensor]:
        """Record a call with these inputs: what does it again, and where it leaves its output."""
        ...


@dataclass(frozen=True)
class Place:
    """Where a program reads one of its inputs: the size, rows first, and what else it must be."""

    size: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def make(self) -> Tensor:
        """Room for it, zeros; pictures in the order of memory that convolutions take best."""
        order = torch.channels_last if len(self.size) == 4 else torch.contiguous_format
        room = torch.empty(self.size, dtype=self.dtype, device=self.device, memory_format=order)
        return room.zero_()


@dataclass(frozen=True)
class Shape:
    """What a program is made for: a function, and the shapes of its inputs."""

    run: Run
    places: tuple[Place, ...]

    @classmethod
    def of(cls, run: Run, inputs: tuple[Tensor, ...]) -> "Shape":
        """That of the program for these inputs: with rows up to the next power of two."""
        rows = 1 << (len(inputs[0]) - 1).bit_length()
        return cls(
            run, tuple(Place((rows, *one.shape[1:]), one.dtype, one.device) for one in inputs)
        )


@dataclass(frozen=True)
class Program:
    """A recorded call. It reads its inputs from `places`, always the same."""

    places: tuple[Tensor, ...]
    replay: Callable[[], None]
    output: Tensor

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Compute as many rows as were given; what the others hold is of no account."""
        rows = len(inputs[0])
        for place, given in zip(self.places, inputs, strict=True):
            place[:rows].copy_(given)
        self.replay()
        return self.output[:rows].clone()


class Programs:
    """The programs of all functions that were sped up. For the thread that owns the device."""

    def __init__(self, backend: Backend, on_compiled: Callable[[], None]) -> None:
        """Begin without any.

        Args:
            on_compiled: called on another thread when `build` has something to do.
        """
        self._backend = backend
        self._on_compiled = on_compiled
        self._made: OrderedDict[Shape, Run] = OrderedDict()
        self._calls: OrderedDict[Shape, int] = OrderedDict()
        self._compiling: tuple[Shape, tuple[Tensor, ...], Future[Run]] | None = None

    def speed_up(self, run: Run) -> Run:
        """The same function, by programs where there are some."""
        return partial(self._call, run)

    def build(self) -> None:
        """Capture what has been compiled, and have the shape most in use compiled next."""
        if self._compiling is not None:
            shape, places, compiled = self._compiling
            if not compiled.done():
                return
            self._compiling = None
            self._made[shape] = self._capture(shape, places, compiled)
            _drop_oldest(self._made)
        wanted = max(self._calls, key=self._calls.__getitem__, default=None)
        if wanted is not None and self._calls[wanted] >= _WORTH:
            del self._calls[wanted]
            self._begin(wanted)

    def clear(self) -> None:
        """Let go of all programs: the memory is needed."""
        self._made.clear()

    def _call(self, run: Run, *inputs: Tensor) -> Tensor:
        shape = Shape.of(run, inputs)
        made = self._made.get(shape)
        if made is not None:
            self._made.move_to_end(shape)
            return made(*inputs)
        if self._compiling is None or self._compiling[0] != shape:
            self._calls[shape] = self._calls.pop(shape, 0) + 1
            _drop_oldest(self._calls)
        return run(*inputs)

    def _begin(self, shape: Shape) -> None:
        """Compile on another thread; a daemon, for nobody waits for it at the end."""
        places = tuple(place.make() for place in shape.places)
        compiled: Future[Run] = Future()
        self._compiling = shape, places, compiled
        threading.Thread(
            target=self._compile, args=[shape.run, places, compiled], name="compiler", daemon=True
        ).start()

    @torch.inference_mode()
    def _compile(self, run: Run, places: tuple[Tensor, ...], compiled: Future[Run]) -> None:
        try:
            compiled.set_result(self._backend.compile(run, places))
        except Exception as err:
            compiled.set_exception(err)
        self._on_compiled()

    def _capture(self, shape: Shape, places: tuple[Tensor, ...], compiled: Future[Run]) -> Run:
        """Record the compiled function, or the plain one; where neither can be, call it plainly.

        A compiler that is missing, or memory that is full, must not end anybody's work.
        """
        failure = compiled.exception()
        if failure is not None:
            logger.warning("%s could not be compiled; it is captured as it is", shape.places[0])
            logger.info("the compiler's error", exc_info=failure)
        try:
            run = shape.run if failure is not None else compiled.result()
            program = Program(places, *self._backend.capture(run, places))
        except Exception:
            logger.warning("%s could not be captured", shape.places[0], exc_info=True)
            return shape.run
        logger.info("a program for %s is ready", shape.places[0].size)
        return program


def _drop_oldest(kept: "OrderedDict[Shape, Any]") -> None:
    while len(kept) > MOST:
        kept.popitem(last=False)
