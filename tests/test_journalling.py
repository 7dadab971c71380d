"""What is in the journal, and when: nothing is told that is not there, whatever the disk does."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import Engine, ImageRequest, JobState
from engine.errors import JobCancelled, StorageFull
from engine.jobs import Job
from engine.journal import Journal
from engine.snapshots import JobSnapshot
from tests.conftest import EngineFactory
from tests.stage import Stage, busy, crashed, done
from tests.work import files, image, until


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no change of the journal reach the disk."""

    def full(self: Journal) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_commit", full)
        yield


def state_on_disk(engine: Engine, job: Job) -> JobState | None:
    record = engine._archive.journal.get(job.id)
    return record and record.snapshot.state


def test_what_is_seen_is_on_the_disk(engine_on_stage: Engine, stage: Stage) -> None:
    engine, seen = engine_on_stage, []
    changed = engine._job_changed

    def look(job: Job) -> None:
        seen.append((job.state, state_on_disk(engine, job)))
        changed(job)

    engine._register._on_change = look
    done(engine, stage)
    busy(engine, stage).cancel()
    until(lambda: len({state for state, _ in seen}) == 3)
    assert all(told is written for told, written in seen)


def test_a_job_that_cannot_be_written_down_is_not_accepted(
    engine_on_stage: Engine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_on_stage
    running = busy(engine, stage)
    with full_disk(monkeypatch), pytest.raises(StorageFull) as caught:
        engine.submit(image())
    assert caught.value.advice
    assert engine.status().waiting_tasks == 0 and list(engine._jobs.values()) == [running]
    assert [job.id for job in engine.jobs()] == [running.id]
    stage.go.release()
    assert running.wait(30) and done(engine, stage).state is JobState.SUCCEEDED


def test_a_start_that_cannot_be_written_down_fails_the_job(
    engine_on_stage: Engine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_on_stage
    running, waiting = busy(engine, stage), engine.submit(image())
    with monkeypatch.context() as patch:

        def full(self: Journal, job_id: str, at: float) -> None:
            raise StorageFull("full")

        patch.setattr(Journal, "start", full)
        stage.go.release()
        assert waiting.wait(30)
    assert running.state is JobState.SUCCEEDED
    assert isinstance(waiting.error, StorageFull) and waiting not in stage.drawing
    assert state_on_disk(engine, waiting) is JobState.FAILED
    assert done(engine, stage).state is JobState.SUCCEEDED


def test_a_result_that_cannot_be_written_down_fails_the_job(
    engine_on_stage: Engine,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = engine_on_stage
    job = busy(engine, stage)
    seen: list[JobSnapshot] = []
    with full_disk(monkeypatch):
        stage.go.release()
        until(lambda: seen.append(job.snapshot()) or job.state.is_terminal)  # type: ignore[func-returns-value]
    assert isinstance(job.error, StorageFull)
    assert JobState.SUCCEEDED not in {snapshot.state for snapshot in seen}
    assert files(engine) == []
    assert "not in the journal" in caplog.text
    assert state_on_disk(engine, job) is JobState.RUNNING
    assert done(engine, stage).state is JobState.SUCCEEDED
    assert state_on_disk(engine, job) is JobState.FAILED, "its end was not written later on"


@pytest.mark.parametrize("when", ["queued", "running"])
def test_an_end_that_cannot_be_written_down_comes_all_the_same(
    make_engine: EngineFactory, stage: Stage, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    engine = make_engine()
    running = busy(engine, stage)
    job = running if when == "running" else engine.submit(image())
    with full_disk(monkeypatch):
        job.cancel()
        assert job.wait(30)
    assert isinstance(job.error, JobCancelled) and state_on_disk(engine, job) == when
    engine.close()  # there is room again, so it is written now
    again = make_engine().job(job.id)
    assert again.state is JobState.CANCELLED


def test_a_disk_that_is_full_while_closing_loses_nothing(
    make_engine: EngineFactory, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    jobs = [busy(engine, stage), engine.submit(image())]
    with full_disk(monkeypatch):
        engine.close()
    assert all(job.wait(0) for job in jobs)
    again = make_engine()
    stage.go.release(2)
    assert all(again.job(job.id).wait(30) for job in jobs)
    assert {again.job(job.id).state for job in jobs} == {JobState.SUCCEEDED}


def test_a_full_disk_at_the_start_is_told(
    make_engine: EngineFactory, stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = make_engine()
    busy(first, stage)
    folder = crashed(first, tmp_path / "copy")
    with full_disk(monkeypatch), pytest.raises(StorageFull):
        make_engine(data_dir=folder)
    make_engine(data_dir=folder)  # and the folder was given back


def test_results_of_a_restart_are_requests_of_the_same_kind(
    make_engine: EngineFactory, stage: Stage
) -> None:
    first = make_engine()
    job = done(first, stage)
    first.close()
    assert isinstance(make_engine().job(job.id).request, ImageRequest)
