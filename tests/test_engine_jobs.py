"""Jobs as callers find them: keys, deadlines, turns, lists."""

import threading
from typing import Any

import pytest

from engine import Engine, JobState
from engine.errors import (
    DeadlinePassed,
    InvalidRequest,
    JobNotFound,
    KeyReused,
    ModelUnavailable,
    QueueFull,
)
from engine.jobs import Job
from tests.conftest import EngineFactory
from tests.stage import Stage, busy, done
from tests.work import image, story, until


def test_a_key_gives_the_same_job_in_every_state(engine_on_stage: Engine, stage: Stage) -> None:
    def submit() -> Job:
        return engine_on_stage.submit(image(), idempotency_key="k")

    busy(engine_on_stage, stage)
    job = submit()
    assert submit() is job and job.state is JobState.QUEUED
    stage.go.release()
    until(lambda: job in stage.drawing)
    assert submit() is job and job.state is JobState.RUNNING
    stage.go.release()
    assert job.wait(30)
    assert submit() is job and job.state is JobState.SUCCEEDED
    assert len(engine_on_stage.jobs()) == 2


def test_a_key_gives_the_same_job_after_a_restart(make_engine: EngineFactory, stage: Stage) -> None:
    first = make_engine()
    jobs = [done(first, stage, idempotency_key="1"), busy(first, stage, idempotency_key="2")]
    first.close()
    engine = make_engine()
    again = [engine.submit(image(), idempotency_key=key) for key in ("1", "2")]
    assert [job.id for job in again] == [job.id for job in jobs]
    with pytest.raises(KeyReused):
        engine.submit(image("a dog"), idempotency_key="1")


def test_a_key_with_another_request_is_refused(engine_on_stage: Engine) -> None:
    engine_on_stage.submit(image(seed=1), idempotency_key="k")
    for other in (image(seed=2), image(), story()):
        with pytest.raises(KeyReused) as caught:
            engine_on_stage.submit(other, idempotency_key="k")
    assert caught.value.code == "key_reused" and caught.value.advice
    assert len(engine_on_stage.jobs()) == 1


def test_keys_belong_to_their_owner(engine_on_stage: Engine) -> None:
    jobs = [
        engine_on_stage.submit(image(str(owner)), owner=owner, idempotency_key="k")
        for owner in (None, "me", "you")
    ]
    assert len({job.id for job in jobs}) == 3


def test_a_refused_request_leaves_its_key_free(make_engine: EngineFactory, stage: Stage) -> None:
    engine = make_engine(max_queue=1)
    running, waiting = busy(engine, stage), engine.submit(image())
    with pytest.raises(QueueFull):
        engine.submit(image(), idempotency_key="k")
    waiting.cancel()
    assert engine.submit(image(), idempotency_key="k").state is JobState.QUEUED
    assert running.state is JobState.RUNNING


def test_a_caller_that_left_and_comes_back_gets_a_new_job(
    engine_on_stage: Engine, stage: Stage
) -> None:
    terms: dict[str, Any] = {"attended": True, "idempotency_key": "k"}
    first = busy(engine_on_stage, stage, **terms)
    first.cancel()
    assert first.wait(30)
    second = engine_on_stage.submit(image(), **terms)
    assert second is not first
    assert engine_on_stage.submit(image(), **terms) is second


def test_a_known_key_is_answered_without_a_model(engine_on_stage: Engine, stage: Stage) -> None:
    job = done(engine_on_stage, stage, idempotency_key="k")
    engine_on_stage._set_unavailable(ModelUnavailable("gone"))
    assert engine_on_stage.submit(image(), idempotency_key="k") is job
    with pytest.raises(ModelUnavailable):
        engine_on_stage.submit(image(), idempotency_key="other")


def test_one_key_from_many_threads_is_one_job(engine_on_stage: Engine) -> None:
    jobs: list[Job] = []
    gate = threading.Barrier(12)

    def work() -> None:
        gate.wait()
        jobs.append(engine_on_stage.submit(image(), idempotency_key="k"))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) == 12 and len({job.id for job in jobs}) == 1


def test_a_deadline_ends_waiting_and_running_jobs(engine_on_stage: Engine, stage: Stage) -> None:
    engine = engine_on_stage
    running = busy(engine, stage, deadline_s=0.3)
    waiting, patient = engine.submit(image(), deadline_s=0.1), engine.submit(image(), deadline_s=60)
    assert waiting.wait(30) and running.wait(30)
    for job in (running, waiting):
        assert job.state is JobState.FAILED and isinstance(job.error, DeadlinePassed)
        snapshot = job.snapshot()
        assert snapshot.finished_at is not None
        assert snapshot.finished_at - snapshot.created_at >= 0.1
    assert waiting not in stage.drawing
    stage.go.release()
    assert patient.wait(30) and patient.state is JobState.SUCCEEDED


@pytest.mark.parametrize("deadline_s", [0.0, -1.0, float("nan")])
def test_a_deadline_must_lie_ahead(engine_on_stage: Engine, deadline_s: float) -> None:
    with pytest.raises(InvalidRequest):
        engine_on_stage.submit(image(), deadline_s=deadline_s)
    assert engine_on_stage.jobs() == []


def test_an_endless_deadline_is_none(engine_on_stage: Engine, stage: Stage) -> None:
    assert done(engine_on_stage, stage, deadline_s=float("inf")).state is JobState.SUCCEEDED


def test_a_script_does_not_starve_a_person(engine_on_stage: Engine, stage: Stage) -> None:
    engine = engine_on_stage
    busy(engine, stage, client="script")
    script = [engine.submit(image(), client="script") for _ in range(10)]
    person = engine.submit(image(), client="person")
    assert [job.snapshot().queue_position for job in (script[0], person, script[1])] == [0, 1, 2]
    assert person.snapshot().progress.eta_s
    stage.go.release(3)
    assert person.wait(30)
    assert [job.state.is_terminal for job in script] == [True] + [False] * 9


def test_jobs_are_listed_newest_first_with_their_progress(
    engine_on_stage: Engine, stage: Stage
) -> None:
    engine = engine_on_stage
    ended, running = done(engine, stage), busy(engine, stage, story())
    waiting = engine.submit(image())
    engine.submit(image(), owner="you")
    assert engine.jobs() == [job.snapshot() for job in (waiting, running, ended)]
    assert engine.jobs()[1].progress.stage == "denoising"
    assert engine.jobs()[0].queue_position == 0
    assert [s.id for s in engine.jobs(state=JobState.SUCCEEDED)] == [ended.id]
    assert [s.id for s in engine.jobs(kind="video")] == [running.id]
    assert [s.id for s in engine.jobs(limit=1, after=waiting.id)] == [running.id]


def test_pages_cannot_begin_at_somebody_elses_job(engine_on_stage: Engine) -> None:
    other = engine_on_stage.submit(image(), owner="you")
    for after in (other.id, "unknown", "\ud800"):
        with pytest.raises(JobNotFound):
            engine_on_stage.jobs(after=after)


def test_a_job_tells_whether_it_may_take_pictures_that_are_there(
    make_engine: EngineFactory, stage: Stage
) -> None:
    first = make_engine()
    plain, frugal = done(first, stage), done(first, stage, reuse=True)
    first.close()
    again = make_engine()
    assert [again.job(job.id).terms.reuse for job in (plain, frugal)] == [False, True]


def test_live_jobs_are_found_without_the_journal(
    engine_on_stage: Engine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = busy(engine_on_stage, stage, owner="alice")
    monkeypatch.delattr(type(engine_on_stage._archive.journal), "get")
    assert engine_on_stage.live_job(job.id, owner="alice") is job
    assert engine_on_stage.live_job(job.id, owner="bob") is None
    assert engine_on_stage.live_job("0" * 32, owner="alice") is None
