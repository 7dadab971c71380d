"""A function of tensors made ready for the shapes it is called with.

A shape that is in use is compiled on a thread of its own, which takes a minute, while calls go on
as they are; then it is captured between two passes, which takes moments. One shape at a time.
"""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from engine.status import Readiness

logger = logging.getLogger(__name__)

Run = Callable[..., Tensor]
"""Takes tensors whose first dimension is rows, none of which sees another; gives such a tensor."""
MOST = 24
"""Programs kept, and shapes whose use is counted."""
_IN_USE = 2
"""Calls from which on a shape is worth a program."""
_PAUSE_S = 60.0
"""How long none are made after they were let go because their memory was needed."""


class Backend(Protocol):
    """What makes programs; see `graphs.CudaGraphs`."""

    def compile(self, run: Run, inputs: tuple[Tensor, ...]) -> Run:
        """Compile for these inputs; called on a thread of its own, which may take its time."""
        ...

    def capture(
        self, name: Run, run: Run, inputs: tuple[Tensor, ...]
    ) -> tuple[Callable[[], None], Tensor]:
        """Record a call with these inputs: what does it again, and where it leaves its output.

        Args:
            name: the function that `run` was compiled from, or is.
        """
        ...

    def forget(self) -> None:
        """Make ready for all programs to be let go, which they are right after."""
        ...


@dataclass(frozen=True)
class Input:
    """What a program's input is: the size, rows first, and what else it must be."""

    size: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def make(self) -> Tensor:
        """A tensor of that kind, zeros; pictures in the order that convolutions take best."""
        order = torch.channels_last if len(self.size) == 4 else torch.contiguous_format
        empty = torch.empty(self.size, dtype=self.dtype, device=self.device, memory_format=order)
        return empty.zero_()


@dataclass(frozen=True)
class Shape:
    """What a program is made for: a function, and the shapes of its inputs."""

    run: Run
    inputs: tuple[Input, ...]

    @classmethod
    def of(cls, run: Run, inputs: tuple[Tensor, ...]) -> "Shape":
        """That of the program for these inputs: with rows up to the next power of two."""
        rows = 1 << (len(inputs[0]) - 1).bit_length()
        return cls(
            run, tuple(Input((rows, *one.shape[1:]), one.dtype, one.device) for one in inputs)
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
    """The programs of all functions that were sped up. For the thread that owns the device.

    They share working memory, so none is let go by itself: all are, or none.
    """

    def __init__(self, backend: Backend, on_compiled: Callable[[], None]) -> None:
        """Begin without any.

        Args:
            on_compiled: called on another thread when `build` has something to do.
        """
        self._backend = backend
        self._on_compiled = on_compiled
        self._made: dict[Shape, Program] = {}
        self._calls: OrderedDict[Shape, int] = OrderedDict()
        self._compiling: tuple[Shape, tuple[Tensor, ...], Future[Run]] | None = None
        self._can_compile = self._can_capture = True
        self._not_before = -math.inf
        self._readiness = Readiness()

    @property
    def readiness(self) -> Readiness:
        """How far it is, for any thread. A shape is pending until its program can be called."""
        return self._readiness

    def speed_up(self, run: Run) -> Run:
        """The same function, by programs where there are some."""
        return partial(self._call, run)

    def build(self) -> None:
        """Capture what has been compiled, and have the shape most in use compiled next.

        Whatever goes wrong with that must not end anybody's work, which goes on without.
        """
        try:
            self._build()
        except Exception:
            logger.warning("no more programs are made", exc_info=True)
            self._can_capture = False
            self._let_go()
        self._count()

    def clear(self) -> bool:
        """Let go of all programs, for their memory is needed; false if there were none."""
        self._not_before = time.monotonic() + _PAUSE_S
        had = self._let_go()
        self._count()
        return had

    def _let_go(self) -> bool:
        had = bool(self._made)
        self._backend.forget()
        self._made.clear()
        return had

    def _count(self) -> None:
        """Tell how far it is: not while a shape is on its way from one place to the next."""
        pending = sum(calls >= _IN_USE for calls in self._calls.values())
        pending += self._compiling is not None
        self._readiness = Readiness(len(self._made), pending if self._can_capture else 0)

    def _build(self) -> None:
        if not self._can_capture or time.monotonic() < self._not_before:
            return
        if self._compiling is not None:
            shape, places, compiled = self._compiling
            if not compiled.done():
                return
            self._compiling = None
            self._capture(shape, places, compiled)
        wanted = max(self._calls, key=self._calls.__getitem__, default=None)
        if wanted is not None and self._calls[wanted] >= _IN_USE:
            del self._calls[wanted]
            self._begin(wanted)

    def _call(self, run: Run, *inputs: Tensor) -> Tensor:
        shape = Shape.of(run, inputs)
        program = self._made.get(shape)
        if program is not None:
            return program(*inputs)
        if self._compiling is None or self._compiling[0] != shape:
            self._calls[shape] = self._calls.pop(shape, 0) + 1
            if len(self._calls) > MOST:
                self._calls.popitem(last=False)
            self._count()
        return run(*inputs)

    def _begin(self, shape: Shape) -> None:
        """Compile on another thread; a daemon, for nobody waits for it at the end."""
        places = tuple(one.make() for one in shape.inputs)
        compiled: Future[Run] = Future()
        thread = threading.Thread(
            target=self._compile, args=[shape.run, places, compiled], name="compiler", daemon=True
        )
        thread.start()
        self._compiling = shape, places, compiled

    @torch.inference_mode()
    def _compile(self, run: Run, places: tuple[Tensor, ...], compiled: Future[Run]) -> None:
        try:
            compiled.set_result(self._backend.compile(run, places) if self._can_compile else run)
        except BaseException as err:  # a library's SystemExit, too, is told where it is waited for
            compiled.set_exception(err)
        self._on_compiled()

    def _capture(self, shape: Shape, places: tuple[Tensor, ...], compiled: Future[Run]) -> None:
        """Record the compiled function; where there is no compiler, the plain one."""
        failure = compiled.exception()
        if failure is not None:
            self._can_compile = False
            logger.warning("the model cannot be compiled and is recorded as it is: %r", failure)
        if len(self._made) == MOST:
            self._let_go()
        run = shape.run if failure is not None else compiled.result()
        self._made[shape] = Program(places, *self._backend.capture(shape.run, run, places))
        logger.info("a program for %s is ready", shape.inputs[0].size)
