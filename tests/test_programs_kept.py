"""Programs for shapes: how many are kept, what is told of them, and where memory is short."""

from types import SimpleNamespace

import pytest
import torch

from engine.status import Readiness
from tests.recorder import Stage, check, use


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("engine.programs._CALM", 1)
    return Stage()


def test_memory_that_is_needed_is_given_back_for_a_while(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("engine.programs.time", SimpleNamespace(monotonic=lambda: now[0]))
    assert stage.programs.clear() is False  # there were none
    use(stage, 2)
    now[0] += 61
    stage.build()
    assert stage.programs.clear() is True
    use(stage, 2)
    before = list(stage.recorder.captured)
    stage.programs.build()
    assert stage.recorder.captured == before  # not so soon
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
        use(stage, 2, width)
        stage.build()
    assert stage.recorder.forgotten == 1
    use(stage, 2, 3)
    stage.build()
    assert stage.recorder.compiled == [(2, 3), (2, 4), (2, 5), (2, 3)]


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
    stage.join()
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
        use(stage, 2, width)
        stage.build()
    first = [Readiness(ready=0, pending=1)] * 2
    assert seen == [*first, Readiness(ready=1, pending=1)]
    assert stage.programs.readiness == Readiness(ready=1, pending=0)


def test_nothing_is_pending_where_no_more_can_be_made(stage: Stage) -> None:
    stage.recorder.capture_fails = True
    for rows in (2, 4):
        use(stage, rows)
    assert stage.programs.readiness == Readiness(ready=0, pending=2)
    stage.build()
    assert stage.programs.readiness == Readiness(ready=0, pending=0)
    use(stage, 8)
    assert stage.programs.readiness == Readiness(ready=0, pending=0)


def test_programs_whose_memory_was_needed_are_not_ready(stage: Stage) -> None:
    use(stage, 2)
    stage.build()
    assert stage.programs.readiness.ready == 1
    stage.programs.clear()
    assert stage.programs.readiness == Readiness(ready=0, pending=0)
    use(stage, 2)
    assert stage.programs.readiness == Readiness(ready=0, pending=1)  # in a while


def test_memory_is_given_back_while_one_compiles(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("engine.programs.time", SimpleNamespace(monotonic=lambda: now[0]))
    stage.recorder.may_compile.clear()
    use(stage, 2)
    stage.programs.build()
    stage.programs.build()
    assert stage.programs.clear() is True
    stage.recorder.may_compile.set()
    stage.join()
    stage.programs.build()
    assert stage.recorder.captured == ["plain"]  # not so soon
    now[0] += 61
    stage.programs.build()
    assert stage.recorder.captured == ["plain", "compiled"]
    assert stage.recorder.compiled == [(2, 3)]
    check(stage, 2)


@pytest.mark.parametrize("where", ["compile", "capture"])
def test_too_little_memory_for_a_program_is_no_reason_to_make_none_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def run_out(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    now = [1000.0]
    monkeypatch.setattr("engine.programs.time", SimpleNamespace(monotonic=lambda: now[0]))
    with monkeypatch.context() as patch:
        patch.setattr(stage.recorder, where, run_out)
        use(stage, 2)
        stage.build_when_told()
    use(stage, 2)
    now[0] += 61
    stage.build()
    assert stage.programs.readiness == Readiness(ready=1, pending=0)
    assert stage.recorder.captured[-1] == "compiled"


def test_what_may_be_rare_does_not_drive_out_the_rest_before_it_is_compiled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.programs.MOST", 1)
    use(stage, 2, 3)
    stage.build()
    use(stage, 2, 4)
    stage.programs.build()
    assert stage.recorder.forgotten == 0
    stage.build()
    assert stage.recorder.captured == ["plain", "compiled", "compiled"]
    assert stage.recorder.forgotten == 1
