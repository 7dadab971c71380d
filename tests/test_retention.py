from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import JobState, archive
from engine.errors import BadOutput, JobNotFound, ResultGone
from engine.jobs import Job
from engine.journal import Journal
from engine.retention import Limits, retain
from engine.snapshots import ImageResult
from engine.store import Store
from tests.conftest import EngineFactory
from tests.stage import BYTES, Stage, busy, done
from tests.work import image, until

HOUR = 3600.0
NOW = 1000 * HOUR


class Shelf:
    """Results of known ages and sizes."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.store = Journal(folder), Store(folder)

    def put(
        self,
        age_s: float,
        size: int = 100,
        state: JobState = JobState.SUCCEEDED,
        *,
        keep: bool = False,
    ) -> Job:
        job = Job(image(), seed=1)
        self.journal.accept(job)
        self.journal.start(job.id, NOW - age_s)
        path = self.store.write(
            job.id, "image.png", lambda part: part.write_bytes(bytes(size)) and None
        )
        if state is JobState.SUCCEEDED:
            result = ImageResult(path, "image/png", 1, 7.5, "")
            self.journal.succeed(job.id, NOW - age_s, result, size)
        elif state.is_terminal:
            self.journal.end(job.id, state, NOW - age_s, BadOutput("x"), size if keep else 0)
            if not keep:
                self.store.discard(job.id)
        return job

    def retain(self, keep_s: float = 1000 * HOUR, keep_bytes: float = 1e9) -> None:
        retain(self.journal, self.store, Limits(keep_s, keep_bytes), NOW)

    def kept(self, *jobs: Job) -> list[bool]:
        kept = {result.id for result in self.journal.results()}
        assert all((job.id in kept) == bool(self.store.size(job.id)) for job in jobs)
        return [job.id in kept for job in jobs]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.journal.close()


def test_what_is_too_old_goes_and_its_row_stays(shelf: Shelf) -> None:
    jobs = [shelf.put(age * HOUR) for age in (9, 11, 12)]
    shelf.retain(keep_s=10 * HOUR)
    assert shelf.kept(*jobs) == [True, False, False]
    record = shelf.journal.get(jobs[1].id)
    assert record and record.result and not record.result.path.exists()


def test_what_is_too_much_goes_oldest_first(shelf: Shelf) -> None:
    jobs = [shelf.put(age * HOUR, size) for age, size in ((1, 50), (5, 30), (3, 40))]
    shelf.retain(keep_bytes=95)
    assert shelf.kept(*jobs) == [True, False, True]
    shelf.retain(keep_bytes=49)
    assert shelf.kept(*jobs) == [False, False, False]


def test_what_just_ended_is_spared_by_the_limit_of_size(shelf: Shelf) -> None:
    fresh, older = shelf.put(60, 500), shelf.put(HOUR, 500)
    shelf.retain(keep_bytes=100)
    assert shelf.kept(fresh, older) == [True, False]


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_what_has_not_ended_is_never_touched(shelf: Shelf, state: JobState) -> None:
    job = shelf.put(900 * HOUR, state=state)
    shelf.retain(keep_s=1.0, keep_bytes=1)
    assert shelf.store.size(job.id) == 100 and shelf.journal.get(job.id) is not None


def test_scenes_of_a_failed_story_go_like_results(shelf: Shelf) -> None:
    jobs = [shelf.put(age * HOUR, state=JobState.FAILED, keep=True) for age in (9, 11)]
    shelf.retain(keep_s=10 * HOUR)
    assert shelf.kept(*jobs) == [True, False]


def test_rows_are_forgotten_in_the_end(shelf: Shelf) -> None:
    ends = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
    old = [shelf.put(41 * HOUR, state=state) for state in ends]
    young = [shelf.put(39 * HOUR, state=state) for state in ends]
    shelf.retain(keep_s=10 * HOUR)
    assert [shelf.journal.get(job.id) for job in old] == [None] * 3
    assert all(shelf.journal.get(job.id) for job in young)
    assert shelf.store.folders() == {}


def test_nothing_is_done_where_there_is_room(shelf: Shelf) -> None:
    jobs = [shelf.put(age * HOUR) for age in range(1, 6)]
    shelf.retain(keep_bytes=500)
    assert shelf.kept(*jobs) == [True] * 5


def test_an_engine_keeps_to_its_settings(
    make_engine: EngineFactory, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.retention._GRACE_S", -1)
    first = make_engine(keep_gb=2.5 * BYTES / 1e9)
    jobs = [done(first, stage) for _ in range(4)]
    running, waiting = busy(first, stage), first.submit(image())
    first.close()
    engine = make_engine(keep_gb=2.5 * BYTES / 1e9)

    def is_gone(job: Job) -> bool:
        try:
            return not engine.result(engine.job(job.id)).path.is_file()
        except ResultGone:
            return True

    assert [is_gone(job) for job in jobs] == [True, True, False, False]
    assert engine.job(jobs[0].id).state is JobState.SUCCEEDED
    assert {running.id, waiting.id} == {s.id for s in engine.jobs() if not s.state.is_terminal}


def test_ends_are_followed_by_retention_but_not_each_one(
    make_engine: EngineFactory, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[float] = []
    wait_s = 0.2

    def count(journal: Journal, store: Store, limits: Limits, now: float) -> None:
        calls.append(now)

    monkeypatch.setattr(archive, "retain", count)
    monkeypatch.setattr(archive, "_RETAIN_AFTER_S", wait_s)
    engine = make_engine()
    for _ in range(10):
        engine.submit(image()).cancel()
    assert len(calls) <= 2
    until(lambda: len(calls) >= 2)
    engine.submit(image()).cancel()
    until(lambda: len(calls) >= 3)
    assert len(calls) <= 4


def test_a_forgotten_job_is_unknown(
    make_engine: EngineFactory, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_engine()
    job = done(first, stage)
    first.close()
    monkeypatch.setattr(archive, "_DAY_S", 1e-9)
    with pytest.raises(JobNotFound):
        make_engine().job(job.id)
