"""What a new process makes of what an earlier one left: see `crashed` for how one dies here."""

import logging
import os
import random
import sqlite3
import time
from pathlib import Path

import pytest

from engine import Engine, JobState
from engine.errors import (
    BadOutput,
    DataFolderInUse,
    DeadlinePassed,
    Interrupted,
    JobCancelled,
    JournalUnusable,
    ModelUnavailable,
    ResultGone,
    ShuttingDown,
)
from engine.jobs import Job
from engine.journal import NAME, Journal
from engine.recovery import heal
from engine.store import Store
from engine.worker import HandOff
from tests.conftest import EngineFactory
from tests.house import Table
from tests.stage import Stage, busy, crashed, done
from tests.work import image, story, until

DAY_S = 24 * 3600


def facts(job: Job) -> tuple[object, ...]:
    """What must be the same in every process."""
    return job.id, job.request, job.seed, job.terms, job.snapshot().created_at


def test_queued_jobs_go_on_in_their_order(
    make_engine: EngineFactory, stage: Stage, tmp_path: Path
) -> None:
    first = make_engine()
    running = busy(first, stage, image("running"))
    waiting = [first.submit(image(str(n)), owner="me") for n in range(5)]
    waiting[2].cancel()
    engine = make_engine(data_dir=crashed(first, tmp_path / "copy"), max_queue=1)
    expected = [running, *waiting[:2], *waiting[3:]]
    until(lambda: stage.drawing[-1] not in expected)  # the copy in the second process
    again = [engine.job(job.id, owner=job.owner) for job in expected]
    assert [facts(job) for job in again] == [facts(job) for job in expected]
    assert [job.state for job in again] == [JobState.RUNNING] + [JobState.QUEUED] * 4
    assert [job.snapshot().queue_position for job in again] == [None, 0, 1, 2, 3]
    first.close()
    stage.go.release(5)
    assert all(job.wait(30) for job in again)
    assert [job.id for job in stage.drawing if job in again] == [job.id for job in expected]
    assert {job.state for job in again} == {JobState.SUCCEEDED}


def test_a_running_job_is_queued_again_once(
    make_engine: EngineFactory, stage: Stage, tmp_path: Path
) -> None:
    engine = make_engine()
    job = busy(engine, stage)
    for copy in ("one", "two"):
        drawn = len(stage.drawing)
        folder = crashed(engine, tmp_path / copy)
        engine.close()
        engine = make_engine(data_dir=folder)
        if copy == "one":
            until(lambda drawn=drawn: len(stage.drawing) > drawn)
    ended = engine.job(job.id)
    assert ended.state is JobState.FAILED and isinstance(ended.error, Interrupted)
    assert ended.error.code == "interrupted" and ended.wait(0)
    assert len(stage.drawing) == 2 and engine.status().waiting_tasks == 0


@pytest.fixture
def makers(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three jobs be made at a time."""

    def open_shared(self: Engine, hand_off: HandOff) -> Stage:
        self._worker.share(Table())
        return stage.open(self, hand_off)

    monkeypatch.setattr(Engine, "_open_drawer", open_shared)


@pytest.mark.usefixtures("makers")
def test_a_job_that_kills_the_process_takes_no_other_with_it(
    make_engine: EngineFactory, stage: Stage, tmp_path: Path
) -> None:
    first = make_engine()
    poison, innocent = busy(first, stage), busy(first, stage)
    second = make_engine(data_dir=crashed(first, tmp_path / "one"))
    first.close()
    late = second.submit(image())
    until(lambda: len(stage.drawing) == 3)
    time.sleep(0.05)
    states = [second.job(job.id).state for job in (poison, innocent, late)]
    assert states == [JobState.RUNNING, JobState.QUEUED, JobState.QUEUED]
    third = make_engine(data_dir=crashed(second, tmp_path / "two"))
    second.close()
    assert isinstance(third.job(poison.id).error, Interrupted)
    stage.go.release(2)
    for job in (innocent, late):
        again = third.job(job.id)
        assert again.wait(30) and again.state is JobState.SUCCEEDED


@pytest.mark.usefixtures("makers")
def test_jobs_are_made_together_once_those_under_suspicion_have_ended(
    make_engine: EngineFactory, stage: Stage, tmp_path: Path
) -> None:
    first = make_engine()
    suspects = [busy(first, stage), busy(first, stage)]
    second = make_engine(data_dir=crashed(first, tmp_path / "one"))
    first.close()
    until(lambda: len(stage.drawing) == 3)
    for job in suspects:
        second.job(job.id).cancel()
    others = [busy(second, stage) for _ in range(3)]
    assert {job.state for job in others} == {JobState.RUNNING}


def test_closing_does_not_count_as_an_interruption(
    make_engine: EngineFactory, stage: Stage
) -> None:
    engine = make_engine()
    job = busy(engine, stage)
    for round_number in range(2, 6):
        engine.close()
        assert isinstance(engine.job(job.id).error, ShuttingDown | None)
        engine = make_engine()
        until(lambda n=round_number: len(stage.drawing) == n)
    stage.go.release()
    again = engine.job(job.id)
    assert again.wait(30) and again.state is JobState.SUCCEEDED
    assert engine.result(again).path.is_file()


@pytest.mark.parametrize("how", ["closed", "crashed"])
def test_a_job_whose_caller_waited_is_not_made_again(
    make_engine: EngineFactory, stage: Stage, tmp_path: Path, how: str
) -> None:
    first = make_engine()
    running, waiting = busy(first, stage, attended=True), first.submit(image(), attended=True)
    folder = crashed(first, tmp_path / "copy")
    if how == "closed":
        first.close()
        folder = first.settings.data_dir
        assert {type(job.error) for job in (running, waiting)} == {ShuttingDown}
    engine = make_engine(data_dir=folder)
    for job in (running, waiting):
        ended = engine.job(job.id)
        assert ended.state is JobState.CANCELLED and isinstance(ended.error, JobCancelled)
        assert "caller" in ended.error.message
    assert len(stage.drawing) == 1


def test_a_deadline_that_passed_meanwhile_ends_the_job(
    make_engine: EngineFactory, stage: Stage
) -> None:
    first = make_engine()
    busy(first, stage)
    late, other = (first.submit(image(), deadline_s=limit) for limit in (0.5, 60))
    first.close()
    time.sleep(0.5)
    engine = make_engine()
    assert isinstance(engine.job(late.id).error, DeadlinePassed)
    assert engine.job(other.id).state is JobState.QUEUED


def test_a_deadline_goes_on_counting(make_engine: EngineFactory, stage: Stage) -> None:
    first = make_engine()
    job = busy(first, stage, deadline_s=1.0)
    first.close()
    again = make_engine().job(job.id)
    assert not again.state.is_terminal
    assert again.wait(30) and isinstance(again.error, DeadlinePassed)
    assert again.snapshot().finished_at - job.snapshot().created_at < 5  # type: ignore[operator]


def test_ended_jobs_are_as_they_were(make_engine: EngineFactory, stage: Stage) -> None:
    first = make_engine()
    good = done(first, stage)
    gone = done(first, stage)
    bad = busy(first, stage)
    stage.faults[bad.id] = BadOutput("NaN")
    stage.go.release()
    assert bad.wait(30)
    busy(first, stage)
    cancelled = first.submit(image())
    cancelled.cancel()
    first.result(gone).path.unlink()
    first.close()
    engine = make_engine()
    for job in (good, gone, bad, cancelled):
        again = engine.job(job.id)
        before, after = job.snapshot(), again.snapshot()
        assert (after.state, after.started_at, after.finished_at) == (
            (before.state, before.started_at, before.finished_at)
        )
        assert (
            again.wait(0) and again.cancel() is job.state and type(again.error) is type(job.error)
        )
        assert facts(again) == facts(job)
    assert engine.result(engine.job(good.id)) == good.result()
    with pytest.raises(ResultGone):
        engine.result(engine.job(gone.id))
    with pytest.raises(BadOutput, match="NaN"):
        engine.result(engine.job(bad.id))


def test_without_a_model_inherited_jobs_wait_for_one(
    make_engine: EngineFactory, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_engine()
    job = busy(first, stage)
    first.close()

    def fail(self: Engine, hand_off: object) -> Stage:
        raise ModelUnavailable("gone", advice="find it")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "_open_drawer", fail)
        second = make_engine()
        until(lambda: second.status().model_state == "unavailable")
        assert second.job(job.id).state is JobState.QUEUED
        second.close()
    third = make_engine()
    stage.go.release()
    again = third.job(job.id)
    assert again.wait(30) and again.state is JobState.SUCCEEDED


def age(path: Path, days: float) -> None:
    """Let a file or folder have last changed so long ago."""
    at = time.time() - days * DAY_S
    os.utime(path, (at, at))


def test_files_and_rows_are_brought_in_line(
    make_engine: EngineFactory, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    first = make_engine()
    kept, lost, gone = (done(first, stage) for _ in range(3))
    busy(first, stage)
    waiting, cancelled = first.submit(story()), first.submit(image())
    cancelled.cancel()
    first._archive.journal.mark_gone([gone.id])
    first.result(lost).path.unlink()
    first.close()
    jobs = first.settings.data_dir / "jobs"
    for job in (waiting, cancelled):
        (jobs / job.id).mkdir()
        (jobs / job.id / "scene-01.png").write_bytes(b"x")
    (jobs / "x-image.png.part").write_bytes(b"half")
    with caplog.at_level(logging.INFO):
        make_engine()
    assert {path.name for path in jobs.iterdir()} == {kept.id, waiting.id}
    for told in (lost.id, cancelled.id, "1 half-written"):
        assert told in caplog.text


@pytest.mark.parametrize(
    ("journal_days", "left"), [(100, {"young"}), (0, {"young", "two days"})], ids=["old", "new"]
)
def test_folders_without_a_row_go_in_the_end(
    tmp_path: Path, journal_days: float, left: set[str]
) -> None:
    journal, store = Journal(tmp_path), Store(tmp_path)
    journal.born_at = time.time() - journal_days * DAY_S
    for name, days in (("young", 0.9), ("two days", 2), ("ancient", 31)):
        (tmp_path / "jobs" / name).mkdir()
        age(tmp_path / "jobs" / name, days)
    heal(journal, store, keep_s=30 * DAY_S)
    journal.close()
    assert set(store.folders()) == left


def test_two_engines_on_one_folder(make_engine: EngineFactory, stage: Stage) -> None:
    first = make_engine()
    with pytest.raises(DataFolderInUse) as caught:
        make_engine()
    assert str(first.settings.data_dir) in caught.value.message and caught.value.advice
    assert done(first, stage).state is JobState.SUCCEEDED
    first.close()
    make_engine()


def test_a_refused_journal_gives_the_folder_back(make_engine: EngineFactory, stage: Stage) -> None:
    first = make_engine()
    first.close()
    path = first.settings.data_dir / NAME
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(JournalUnusable):
        make_engine()
    path.write_bytes(good)
    make_engine()


def test_a_folder_without_a_journal_yet_is_taken_over(
    make_engine: EngineFactory, stage: Stage, tmp_path: Path
) -> None:
    picture = tmp_path / "data" / "jobs" / "1234" / "image.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"made before there was a journal")
    engine = make_engine()
    assert engine.jobs() == [] and picture.is_file()


def test_a_journal_with_an_unreadable_job_is_refused(
    make_engine: EngineFactory, stage: Stage
) -> None:
    first = make_engine()
    busy(first, stage)
    first.close()
    journal = sqlite3.connect(first.settings.data_dir / NAME)
    journal.execute("UPDATE jobs SET request = '{'")
    journal.commit()
    journal.close()
    with pytest.raises(JournalUnusable, match="cannot be read"):
        make_engine()


def test_a_journal_with_flipped_bits_is_read_or_refused(
    make_engine: EngineFactory, stage: Stage
) -> None:
    first = make_engine()
    for _ in range(20):
        first.submit(image("a cat " * 20)).cancel()
    waiting = [busy(first, stage), first.submit(story())]
    first.close()
    path = first.settings.data_dir / NAME
    good, chance = path.read_bytes(), random.Random(1)
    refused = 0
    for _ in range(40):
        bad = bytearray(good)
        for _ in range(20):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        try:
            make_engine().close()
        except JournalUnusable as err:
            refused += 1
            assert err.advice
        for suffix in ("-wal", "-shm"):
            path.with_name(NAME + suffix).unlink(missing_ok=True)
    assert refused > 0
    path.write_bytes(good)
    engine = make_engine()
    assert [engine.job(job.id).state.is_terminal for job in waiting] == [False, False]
