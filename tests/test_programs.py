"""Programs for shapes: when they are made, and that they compute what the function does."""

import sys
import threading

import pytest
import torch
from torch import Tensor

from engine.status import Readiness
from tests.recorder import Stage, check, double, inputs, use


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("engine.programs._CALM", 1)
    return Stage()


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
    use(stage, 2)
    stage.programs.build()
    assert stage.recorder.captured == ["plain"]
    before = stage.recorder.replays
    check(stage, 2)
    assert stage.recorder.replays == before + 1
    stage.recorder.may_compile.set()


@pytest.mark.parametrize(("rows", "made_for"), [(1, 1), (3, 4), (5, 6), (7, 8), (16, 16), (17, 24)])
def test_rows_are_filled_up_to_the_next_program(stage: Stage, rows: int, made_for: int) -> None:
    use(stage, rows)
    stage.build()
    assert stage.recorder.compiled == [(made_for, 3)]
    check(stage, rows)
    assert len(stage.run(*inputs(rows))) == rows


def test_what_it_gave_does_not_change_with_the_next_call(stage: Stage) -> None:
    use(stage, 2)
    stage.build()
    given = inputs(2)
    first = stage.run(*given)
    check(stage, 2)
    torch.testing.assert_close(first, double(*given))


def test_calls_go_on_while_the_compiler_works(stage: Stage) -> None:
    stage.recorder.may_compile.clear()
    use(stage, 2)
    for _ in range(4):
        stage.programs.build()
        check(stage, 2)
        check(stage, 4)  # a new one must wait until the compiler is done
    assert stage.recorder.captured == ["plain"]
    stage.recorder.may_compile.set()
    stage.join()
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
        stage.join()
        assert stage.recorder.compiled == compiled
    assert stage.recorder.captured == ["plain"] * 3 + ["compiled"] * 2


def test_without_a_compiler_the_function_itself_is_recorded(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.recorder.compiler_fails = True
    use(stage, 2)
    stage.build()
    assert stage.recorder.captured == ["plain"] and "cannot be compiled" in caplog.text
    check(stage, 2)
    assert stage.programs.readiness == Readiness(ready=1, pending=0)


def test_a_compiler_that_failed_is_not_tried_again(stage: Stage) -> None:
    stage.recorder.compiler_fails = True
    for rows in (2, 4):
        use(stage, rows)
        stage.build()
    assert stage.recorder.compiled == [(2, 3)] and stage.recorder.captured == ["plain"] * 2


def test_after_a_failed_recording_all_is_called_plainly(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    use(stage, 4)
    stage.build()
    stage.recorder.capture_fails = True
    use(stage, 2)
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

    use(stage, 2)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    stage.programs.build()
    stage.programs.build()
    check(stage, 2)
    assert stage.recorder.forgotten == 1


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


def test_others_have_the_interpreter_soon_while_one_compiles(stage: Stage) -> None:
    usual = sys.getswitchinterval()
    stage.recorder.may_compile.clear()
    use(stage, 2)
    stage.programs.build()
    stage.programs.build()
    assert stage.recorder.has_begun.wait(30)
    assert sys.getswitchinterval() < usual / 10
    stage.recorder.may_compile.set()
    stage.join()
    assert sys.getswitchinterval() == pytest.approx(usual)


def test_whoever_calls_when_told_gets_all(stage: Stage) -> None:
    for rows in (1, 2):
        use(stage, rows)
    stage.build_when_told()
    assert stage.programs.readiness == Readiness(ready=2, pending=0)


def test_no_compiler_begins_while_new_shapes_come_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.programs._CALM", 3)
    for rows in (1, 2, 4):
        use(stage, rows)
        for _ in range(3):  # the first records it
            stage.programs.build()
        stage.join()
        assert stage.recorder.compiled == []
    stage.programs.build()
    stage.join()
    assert len(stage.recorder.compiled) == 1
    stage.build_when_told()
    assert stage.programs.readiness == Readiness(ready=3, pending=0)
