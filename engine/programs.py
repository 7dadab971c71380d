"""A function of tensors made ready for the shapes it is called with.

A shape that is in use is recorded as it is between two passes, which takes moments, and so are
others of as few and as many rows as may come. Then it is compiled on a thread of its own, which
takes a minute, while calls go on, and recorded anew. One shape at a time.
"""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from engine.compiling import aside
from engine.memory import is_out_of_memory
from engine.shapes import Run, Shape, filled_rows
from engine.status import Readiness

logger = logging.getLogger(__name__)

MOST = 48
"""Programs kept, and shapes whose use is counted."""
_IN_USE = 2
"""Calls from which on a shape is worth a program."""
_CALM = 50
"""Looks without a new shape before one is compiled, for what comes up meanwhile must wait for
that; and, while there is work, before one is recorded that is expected only."""
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
class Program:
    """A recorded call. It reads its inputs from `places`, always the same.

    `is_final` tells that no faster one is to be made.
    """

    places: tuple[Tensor, ...]
    replay: Callable[[], None]
    output: Tensor
    is_final: bool

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

    def __init__(self, backend: Backend, on_more: Callable[[], None]) -> None:
        """Begin without any.

        Args:
            on_more: called, on whichever thread, when `build` has something to do.
        """
        self._backend = backend
        self._on_more = on_more
        self._made: dict[Shape, Program] = {}
        self._calls: OrderedDict[Shape, int] = OrderedDict()
        self._expected: dict[Shape, None] = {}
        self._has_room = True
        self._compiling: tuple[Shape, tuple[Tensor, ...], Future[Run]] | None = None
        self._can_compile = self._can_capture = True
        self._not_before = -math.inf
        self._calm = 0
        self._readiness = Readiness()

    @property
    def readiness(self) -> Readiness:
        """How far it is, for any thread."""
        return self._readiness

    def speed_up(self, run: Run, most_rows: Callable[[Tensor], int] = lambda first: 1) -> Run:
        """The same function, by programs where there are some.

        Args:
            most_rows: how many rows a call may have whose first input is like that one; a size
                that is in use is expected with fewer and with more rows, too.
        """
        return partial(self._call, run, most_rows)

    def build(self, *, idle: bool = False) -> None:
        """Record what is in use or has been compiled, and have the next shape compiled.

        Whatever goes wrong with that must not end anybody's work, which goes on without.

        Args:
            idle: whether nobody waits for what is done next.
        """
        try:
            self._build(idle)
        except Exception as err:
            if is_out_of_memory(err):
                logger.warning("too little memory for another program")
                self.clear()
                return
            logger.warning("no more programs are made", exc_info=True)
            self._can_capture = False
            self._let_go()
        self._count()
        if self._readiness.pending and self._compiling is None and not self._is_pausing:
            self._on_more()

    def clear(self) -> bool:
        """Let go of all programs, for their memory is needed; false if there were none."""
        self._not_before = time.monotonic() + _PAUSE_S
        self._has_room = False
        had = self._let_go()
        self._count()
        return had

    @property
    def _is_pausing(self) -> bool:
        return time.monotonic() < self._not_before

    def _let_go(self) -> bool:
        had = bool(self._made)
        self._backend.forget()
        self._made.clear()
        self._expected.clear()
        return had

    def _count(self) -> None:
        """Tell how far it is: not while a shape is on its way from one place to the next."""
        pending = sum(calls >= _IN_USE for calls in self._calls.values())
        pending += len(self._expected) + (self._compiling is not None)
        ready = sum(program.is_final for program in self._made.values())
        self._readiness = Readiness(ready, pending if self._can_capture else 0)

    def _build(self, idle: bool) -> None:
        if not self._can_capture or self._is_pausing:
            return
        if self._compiling is not None:
            shape, places, compiled = self._compiling
            if not compiled.done():  # nothing may be recorded while another thread compiles
                return
            self._compiling = None
            self._take_over(shape, places, compiled)
        in_use = [shape for shape, calls in self._calls.items() if calls >= _IN_USE]
        new = [shape for shape in in_use if shape not in self._made]
        if len(self._made) >= MOST:
            self._expected.clear()
            new = [] if self._can_compile else new  # all would be let go for what may be rare
        if not (in_use or self._expected):
            return
        self._calm = 0 if new else self._calm + 1
        if new:
            self._record_as_it_is(max(new, key=self._calls.__getitem__))
        elif self._expected and (idle or self._calm >= _CALM):
            self._calm = 0
            self._record_expected(next(iter(self._expected)))
        elif not self._expected and self._calm >= _CALM:
            self._begin(max(in_use, key=self._calls.__getitem__))

    def _call(self, run: Run, most_rows: Callable[[Tensor], int], *inputs: Tensor) -> Tensor:
        shape = Shape.of(run, inputs)
        program = self._made.get(shape)
        is_final = program is not None and program.is_final
        if not is_final and (self._compiling is None or self._compiling[0] != shape):
            self._calls[shape] = calls = self._calls.pop(shape, 0) + 1
            if calls == _IN_USE:
                self._expect(shape, most_rows(inputs[0]))
            if len(self._calls) > MOST:
                self._calls.popitem(last=False)
            self._count()
        program = program or self._next_larger(shape)
        return run(*inputs) if program is None else program(*inputs)

    def _expect(self, shape: Shape, most_rows: int) -> None:
        """Have others of its size recorded before they are in use, where there is room for many.

        The largest first: the memory that it takes does for the others.
        """
        for power in reversed(range(1, most_rows.bit_length())):
            other = shape.of_rows(1 << power)
            few = len(self._made) + len(self._expected) < MOST // 2
            if few and self._has_room and other not in self._made:
                self._expected[other] = None

    def _next_larger(self, shape: Shape) -> Program | None:
        """A program of at most twice its rows, for a shape that has none of its own."""
        rows = filled_rows(shape.rows + 1)
        while rows <= 2 * shape.rows:
            if (program := self._made.get(shape.of_rows(rows))) is not None:
                return program
            rows = filled_rows(rows + 1)
        return None

    def _begin(self, shape: Shape) -> None:
        """Compile on another thread; a daemon, for nobody waits for it at the end."""
        places = shape.make()
        compiled: Future[Run] = Future()
        thread = threading.Thread(
            target=self._compile, args=[shape.run, places, compiled], name="compiler", daemon=True
        )
        thread.start()
        self._compiling = shape, places, compiled
        del self._calls[shape]

    @torch.inference_mode()
    def _compile(self, run: Run, places: tuple[Tensor, ...], compiled: Future[Run]) -> None:
        try:
            with aside():
                made = self._backend.compile(run, places)
            compiled.set_result(made)
        except BaseException as err:  # a library's SystemExit, too, is told where it is waited for
            compiled.set_exception(err)
        self._on_more()

    def _take_over(self, shape: Shape, places: tuple[Tensor, ...], compiled: Future[Run]) -> None:
        """Record the compiled function; where there is no compiler, all stay as they are."""
        failure = compiled.exception()
        if failure is None:
            self._record(shape, compiled.result(), places, is_final=True)
            return
        if isinstance(failure, Exception) and is_out_of_memory(failure):
            raise failure
        logger.warning("the model cannot be compiled and is recorded as it is: %r", failure)
        self._can_compile = False
        for made, program in self._made.items():
            self._made[made] = replace(program, is_final=True)
            self._calls.pop(made, None)

    def _record_as_it_is(self, shape: Shape) -> None:
        self._record(shape, shape.run, shape.make(), is_final=not self._can_compile)

    def _record_expected(self, shape: Shape) -> None:
        """Record what nobody has called yet; without it all goes on as before."""
        try:
            self._record_as_it_is(shape)
        except Exception as err:
            if is_out_of_memory(err):
                raise
            logger.warning("no more programs are made before they are in use", exc_info=True)
            self._has_room = False
            self._let_go()

    def _record(
        self, shape: Shape, run: Run, places: tuple[Tensor, ...], *, is_final: bool
    ) -> None:
        if shape not in self._made and len(self._made) == MOST:
            self._let_go()
        replay, output = self._backend.capture(shape.run, run, places)
        self._expected.pop(shape, None)
        self._made[shape] = Program(places, replay, output, is_final)
        if is_final:
            self._calls.pop(shape, None)
        how = "compiled" if is_final and self._can_compile else "recorded"
        logger.info("a program for %s is %s", shape.inputs[0].size, how)
