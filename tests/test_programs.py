"""Programs for shapes: when they are made, and that they compute what the function does."""

import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from engine.programs import Programs, Run
from engine.status import Readiness


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
        for _ in range(20):
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

    def wait(self) -> None:
        """Wait until it is told that something was compiled."""
        assert self._told.wait(30)
        self._told.clear()


@pytest.fixture
def stage() -> Stage:
    return Stage()


def inputs(rows: int, width: int = 3) -> tuple[Tensor, Tensor]:
    return torch.randn(rows, width), torch.randn(rows, 2)


def check(stage: Stage, rows: int, width: int = 3) -> None:
    given = inputs(rows, width)
    torch.testing.assert_close(stage.run(*given), double(*given))


def test_a_shape_in_use_is_made(stage: Stage) -> None:
    check(stage, 2)
    stage.programs.build()
    assert stage.recorder.compiled == []  # once is not enough
    check(stage, 2)
    stage.build()
    assert stage.recorder.compiled == [(2, 3)]
    for _ in range(3):
        check(stage, 2)
    assert stage.recorder.captured == ["plain", "compiled"]
    assert stage.recorder.threads == {threading.current_thread().name}


def test_a_shape_is_recorded_as_it_is_before_it_is_compiled(stage: Stage) -> None:
    stage.recorder.may_compile.clear()
    check(stage, 2)
    check(stage, 2)
    stage.programs.build()
    assert stage.recorder.captured == ["plain"]
    before = stage.recorder.replays
    check(stage, 2)
    assert stage.recorder.replays == before + 1
    stage.recorder.may_compile.set()


@pytest.mark.parametrize(("rows", "made_for"), [(1, 1), (3, 4), (5, 6), (7, 8), (16, 16), (17, 24)])
def test_rows_are_filled_up_to_the_next_program(stage: Stage, rows: int, made_for: int) -> None:
    check(stage, rows)
    check(stage, rows)
    stage.build()
    assert stage.recorder.compiled == [(made_for, 3)]
    check(stage, rows)
    assert len(stage.run(*inputs(rows))) == rows


def test_what_it_gave_does_not_change_with_the_next_call(stage: Stage) -> None:
    check(stage, 2)
    check(stage, 2)
    stage.build()
    given = inputs(2)
    first = stage.run(*given)
    check(stage, 2)
    torch.testing.assert_close(first, double(*given))


def test_calls_go_on_while_the_compiler_works(stage: Stage) -> None:
    stage.recorder.may_compile.clear()
    check(stage, 2)
    check(stage, 2)
    for _ in range(4):
        stage.programs.build()
        check(stage, 2)
        check(stage, 4)  # a new one must wait until the compiler is done
    assert stage.recorder.captured == ["plain"]
    stage.recorder.may_compile.set()
    stage.wait()
    stage.programs.build()
    assert stage.recorder.captured == ["plain", "compiled", "plain"]
    check(stage, 2)


def test_the_shape_most_in_use_comes_first_and_one_at_a_time(stage: Stage) -> None:
    for rows, calls in ((1, 3), (2, 5), (4, 2)):
        for _ in range(calls):
            check(stage, rows)
    for _ in range(3):
        assert stage.recorder.compiled == []
        stage.programs.build()
    for compiled in ([(2, 3)], [(2, 3), (1, 3)], [(2, 3), (1, 3), (4, 3)]):
        stage.programs.build()
        stage.wait()
        assert stage.recorder.compiled == compiled
    assert stage.recorder.captured == ["plain"] * 3 + ["compiled"] * 2


def test_without_a_compiler_the_function_itself_is_recorded(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.recorder.compiler_fails = True
    check(stage, 2)
    check(stage, 2)
    stage.build()
    assert stage.recorder.captured == ["plain"] and "cannot be compiled" in caplog.text
    check(stage, 2)
    assert stage.programs.readiness == Readiness(ready=1, pending=0)


def test_a_compiler_that_failed_is_not_tried_again(stage: Stage) -> None:
    stage.recorder.compiler_fails = True
    for rows in (2, 4):
        check(stage, rows)
        check(stage, rows)
        stage.build()
    assert stage.recorder.compiled == [(2, 3)] and stage.recorder.captured == ["plain"] * 2


def test_after_a_failed_recording_all_is_called_plainly(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    check(stage, 4)
    check(stage, 4)
    stage.build()
    stage.recorder.capture_fails = True
    check(stage, 2)
    check(stage, 2)
    stage.build()
    assert "no more programs" in caplog.text and stage.recorder.forgotten == 1
    for rows in (2, 4, 8, 8):
        check(stage, rows)
        stage.programs.build()
    assert stage.recorder.compiled == [(4, 3)]
    assert stage.recorder.captured == ["plain", "compiled", "plain"]


def test_a_thread_that_cannot_be_started_ends_nobodys_work(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    check(stage, 2)
    check(stage, 2)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    stage.programs.build()
    stage.programs.build()
    check(stage, 2)
    assert stage.recorder.forgotten == 1


def test_memory_that_is_needed_is_given_back_for_a_while(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("engine.programs.time", SimpleNamespace(monotonic=lambda: now[0]))
    assert stage.programs.clear() is False  # there were none
    check(stage, 2)
    check(stage, 2)
    now[0] += 61
    stage.build()
    assert stage.programs.clear() is True
    check(stage, 2)
    check(stage, 2)
    stage.programs.build()
    assert stage.recorder.compiled == [(2, 3)]  # not so soon
    now[0] += 61
    stage.build()
    assert stage.recorder.compiled == [(2, 3)] * 2
    check(stage, 2)


def test_where_there_are_too_many_all_are_let_go(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.programs.MOST", 2)
    for width in (3, 4, 5):
        assert stage.recorder.forgotten == 0
        check(stage, 2, width)
        check(stage, 2, width)
        stage.build()
    assert stage.recorder.forgotten == 1
    check(stage, 2, 3)
    check(stage, 2, 3)
    stage.build()
    assert stage.recorder.compiled == [(2, 3), (2, 4), (2, 5), (2, 3)]


def test_two_functions_of_one_shape_have_programs_of_their_own(stage: Stage) -> None:
    def add(numbers: Tensor, more: Tensor) -> Tensor:
        return numbers + more[:, :1]

    adding = stage.programs.speed_up(add)
    for _ in range(2):
        check(stage, 2)
        adding(*inputs(2))
    stage.build()
    given = inputs(2)
    torch.testing.assert_close(adding(*given), add(*given))
    check(stage, 2)
    assert sorted(stage.recorder.captured) == ["compiled", "compiled", "plain", "plain"]


def test_pictures_lie_as_convolutions_take_them_best(stage: Stage) -> None:
    run = stage.programs.speed_up(lambda pictures: pictures + 1)
    for _ in range(2):
        run(torch.zeros(2, 4, 8, 8))
    stage.build()
    assert stage.recorder.places[0].is_contiguous(memory_format=torch.channels_last)


def test_a_shape_in_use_is_pending_until_it_is_made(stage: Stage) -> None:
    stage.recorder.may_compile.clear()
    check(stage, 2)
    assert stage.programs.readiness == Readiness(ready=0, pending=0)  # once is not in use
    check(stage, 2)
    assert stage.programs.readiness == Readiness(ready=0, pending=1)
    for _ in range(2):
        stage.programs.build()
        assert stage.programs.readiness == Readiness(ready=0, pending=1)
    for _ in range(3):
        check(stage, 2)
        check(stage, 4)
    assert stage.programs.readiness == Readiness(ready=0, pending=2)
    stage.recorder.may_compile.set()
    stage.wait()
    assert stage.programs.readiness == Readiness(ready=0, pending=2)  # compiled, not recorded
    stage.build()
    assert stage.programs.readiness == Readiness(ready=2, pending=0)
    check(stage, 2)
    assert stage.programs.readiness == Readiness(ready=2, pending=0)


def test_others_see_no_shape_vanish_while_it_is_recorded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.programs.MOST", 1)
    seen: list[Readiness] = []
    stage.recorder.at_capture = lambda: seen.append(stage.programs.readiness)
    for width in (3, 4):  # the second takes the place of the first
        check(stage, 2, width)
        check(stage, 2, width)
        stage.build()
    first = [Readiness(ready=0, pending=1)] * 2
    second = [Readiness(ready=1, pending=1), Readiness(ready=0, pending=1)]
    assert seen == first + second
    assert stage.programs.readiness == Readiness(ready=1, pending=0)


def test_nothing_is_pending_where_no_more_can_be_made(stage: Stage) -> None:
    stage.recorder.capture_fails = True
    for rows in (2, 4):
        check(stage, rows)
        check(stage, rows)
    assert stage.programs.readiness == Readiness(ready=0, pending=2)
    stage.build()
    assert stage.programs.readiness == Readiness(ready=0, pending=0)
    check(stage, 8)
    check(stage, 8)
    assert stage.programs.readiness == Readiness(ready=0, pending=0)


def test_programs_whose_memory_was_needed_are_not_ready(stage: Stage) -> None:
    check(stage, 2)
    check(stage, 2)
    stage.build()
    assert stage.programs.readiness.ready == 1
    stage.programs.clear()
    assert stage.programs.readiness == Readiness(ready=0, pending=0)
    check(stage, 2)
    check(stage, 2)
    assert stage.programs.readiness == Readiness(ready=0, pending=1)  # in a while


def test_others_have_the_interpreter_soon_while_one_compiles(stage: Stage) -> None:
    usual = sys.getswitchinterval()
    stage.recorder.may_compile.clear()
    check(stage, 2)
    check(stage, 2)
    stage.programs.build()
    stage.programs.build()
    assert stage.recorder.has_begun.wait(30)
    assert sys.getswitchinterval() < usual / 10
    stage.recorder.may_compile.set()
    stage.wait()
    assert sys.getswitchinterval() == pytest.approx(usual)
