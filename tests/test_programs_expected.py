"""Programs for as few and as many rows as may come: recorded before they are called for."""

import pytest
import torch

from engine.programs import MOST
from engine.status import Readiness
from tests.recorder import Stage, check, double, inputs, use

MOST_ROWS = 8


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("engine.programs._CALM", 1)
    stage = Stage()
    stage.run = stage.programs.speed_up(double, lambda first: MOST_ROWS)
    return stage


def is_replayed(stage: Stage, rows: int, width: int = 3) -> bool:
    before = stage.recorder.replays
    check(stage, rows, width)
    return stage.recorder.replays > before


def test_a_size_in_use_is_recorded_for_other_numbers_of_rows(stage: Stage) -> None:
    use(stage, 2)
    assert stage.programs.readiness.pending > 1
    stage.build()
    assert stage.recorder.captured == ["plain"] * 3 + ["compiled"]
    assert all(is_replayed(stage, rows) for rows in range(1, MOST_ROWS + 1))
    assert not is_replayed(stage, MOST_ROWS + 1)


def test_only_what_is_in_use_is_compiled(stage: Stage) -> None:
    use(stage, 2)
    stage.build()
    assert stage.recorder.compiled == [(2, 3)]
    assert stage.programs.readiness == Readiness(ready=1, pending=0)
    use(stage, 5)
    stage.build()
    assert stage.recorder.compiled == [(2, 3), (6, 3)]


def test_all_are_recorded_before_one_is_compiled(stage: Stage) -> None:
    stage.recorder.may_compile.clear()
    use(stage, 4)
    for _ in range(10):
        stage.programs.build()
    assert stage.recorder.has_begun.wait(30)
    assert all(is_replayed(stage, rows) for rows in (1, 2, 4, 8))
    stage.recorder.may_compile.set()
    stage.join()


def test_no_program_of_more_than_twice_the_rows_is_called(stage: Stage) -> None:
    stage.run = stage.programs.speed_up(double)
    use(stage, 8)
    stage.build()
    assert is_replayed(stage, 4)
    assert not is_replayed(stage, 3, width=5)
    assert not is_replayed(stage, 2)


def test_rows_of_another_function_are_its_own(stage: Stage) -> None:
    use(stage, 2)
    stage.build()
    adding = stage.programs.speed_up(lambda numbers, more: numbers + more[:, :1])
    numbers, more = inputs(4)
    torch.testing.assert_close(adding(numbers, more), numbers + more[:, :1])


def test_many_sizes_leave_room_for_those_in_use(stage: Stage) -> None:
    for width in range(3, 3 + MOST // 2):
        use(stage, 2, width)
        stage.build()
    assert stage.recorder.forgotten == 0


def test_none_is_let_go_for_what_is_expected_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.programs.MOST", 4)
    for width in (3, 4, 5, 6):
        use(stage, 2, width)
    stage.build()
    assert stage.recorder.forgotten == 0
    assert stage.recorder.captured.count("plain") == 4


def test_work_goes_before_what_is_expected_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.programs._CALM", 5)
    use(stage, 2)
    for _ in range(5):
        stage.programs.build()
    assert stage.recorder.captured == ["plain"]
    stage.programs.build()
    assert stage.recorder.captured == ["plain"] * 2
    stage.programs.build(idle=True)
    assert stage.recorder.captured == ["plain"] * 3


def test_what_is_expected_only_may_fail(stage: Stage) -> None:
    use(stage, 2)
    stage.programs.build()
    stage.recorder.capture_fails = True
    stage.programs.build()
    stage.recorder.capture_fails = False
    stage.build()
    assert stage.recorder.compiled == [(2, 3)]
    assert is_replayed(stage, 2) and not is_replayed(stage, 8)


def test_where_memory_is_short_only_what_is_in_use_is_made(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.programs._PAUSE_S", 0)
    use(stage, 2)
    stage.programs.build()

    def refuse() -> None:
        stage.recorder.at_capture = lambda: None
        raise torch.OutOfMemoryError("CUDA out of memory")

    stage.recorder.at_capture = refuse
    stage.programs.build()
    assert stage.recorder.forgotten == 1
    use(stage, 8)
    stage.build()
    assert sorted(stage.recorder.compiled) == [(2, 3), (8, 3)]
    assert not is_replayed(stage, 3, width=4)
    assert stage.recorder.captured.count("plain") == 2 + 2
