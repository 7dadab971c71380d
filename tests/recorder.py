"""A backend for programs on this machine, and programs that it makes."""

import threading
from collections.abc import Callable

import torch
from torch import Tensor

from engine.programs import Programs
from engine.shapes import Run


def double(numbers: Tensor, more: Tensor) -> Tensor:
    return numbers * 2 + more[:, :1]


class Recorder:
    """A backend of this machine: a recorded call is the function, called again."""

    def __init__(self) -> None:
        self.compiled: list[tuple[int, ...]] = []
        self.captured: list[str] = []
        self.threads: set[str] = set()
        self.has_begun, self.may_compile = threading.Event(), threading.Event()
        self.may_compile.set()
        self.compiler_fails = self.capture_fails = False
        self.at_capture: Callable[[], object] = lambda: None
        self.places: tuple[Tensor, ...] = ()
        self.forgotten = self.replays = 0

    def compile(self, run: Run, places: tuple[Tensor, ...]) -> Run:
        self.has_begun.set()
        assert self.may_compile.wait(30)
        self.compiled.append(tuple(places[0].shape))
        if self.compiler_fails:
            raise RuntimeError("no C compiler")

        def compiled(*inputs: Tensor) -> Tensor:
            return run(*inputs)

        return compiled

    def capture(
        self, name: Run, run: Run, places: tuple[Tensor, ...]
    ) -> tuple[Callable[[], None], Tensor]:
        self.captured.append("plain" if run is name else "compiled")
        self.threads.add(threading.current_thread().name)
        self.at_capture()
        if self.capture_fails:
            raise RuntimeError("cannot be recorded")
        self.places = places
        output = run(*places)

        def replay() -> None:
            self.replays += 1
            output.copy_(run(*places))

        return replay, output

    def forget(self) -> None:
        self.forgotten += 1


class Stage:
    """Programs with their recorder, and an end to waiting for the compiler."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self._told = threading.Event()
        self.programs = Programs(self.recorder, self._told.set)
        self.run = self.programs.speed_up(double)

    def build(self) -> None:
        """Have the shapes in use made, from the first recording to the last."""
        for _ in range(200):
            self.programs.build()
            self.join()
            if not self.programs.readiness.pending:
                return
        raise AssertionError("there is no end to it")

    def join(self) -> None:
        """Wait until nothing is being compiled."""
        for thread in threading.enumerate():
            if thread.name == "compiler":
                thread.join(30)

    def build_when_told(self) -> None:
        """Have more made as long as it is told that there is more to do, and no longer."""
        self.programs.build()
        self.join()
        while self._told.is_set():
            self._told.clear()
            self.programs.build()
            self.join()


def inputs(rows: int, width: int = 3) -> tuple[Tensor, Tensor]:
    return torch.randn(rows, width), torch.randn(rows, 2)


def check(stage: Stage, rows: int, width: int = 3) -> None:
    given = inputs(rows, width)
    torch.testing.assert_close(stage.run(*given), double(*given))


def use(stage: Stage, rows: int, width: int = 3) -> None:
    """Call with a shape often enough for it to be in use."""
    for _ in range(2):
        check(stage, rows, width)
