"""The engine's queue, on a stage where drawing waits for a word."""

import asyncio
import signal
import threading

import pytest

from engine import Engine, JobState, VideoRequest, register
from engine.errors import (
    InternalError,
    JobCancelled,
    JobNotFound,
    QueueFull,
    ShuttingDown,
)
from engine.jobs import Job
from engine.requests import Request
from tests.conftest import EngineFactory
from tests.stage import Stage, busy
from tests.work import image, story, until


def test_the_queue_is_bounded_in_pictures(make_engine: EngineFactory, stage: Stage) -> None:
    engine = make_engine(max_queue=3)
    busy(engine, stage)
    engine.submit(story(2))
    engine.submit(image())
    for request in (image(), story(2)):
        with pytest.raises(QueueFull, match="at most 3 pictures"):
            engine.submit(request)
    assert engine.status().waiting_tasks == 3


def test_a_story_larger_than_the_queue_waits_alone(
    make_engine: EngineFactory, stage: Stage
) -> None:
    engine = make_engine(max_queue=3)
    busy(engine, stage)
    engine.submit(story(50))
    with pytest.raises(QueueFull):
        engine.submit(image())


def test_a_refused_request_leaves_no_job(make_engine: EngineFactory, stage: Stage) -> None:
    engine = make_engine(max_queue=1)
    running, waiting = busy(engine, stage), engine.submit(image())
    with pytest.raises(QueueFull):
        engine.submit(image())
    assert list(engine._jobs.values()) == [running, waiting]


def test_retry_after_is_when_there_will_be_room(make_engine: EngineFactory, stage: Stage) -> None:
    engine = make_engine(max_queue=4)
    busy(engine, stage)  # says 10 s are left
    large = {"width": 512, "height": 512, "num_inference_steps": 25}  # 5 s a picture
    for _ in range(4):
        engine.submit(image(**large))

    def retry_after_s(request: Request) -> int:
        with pytest.raises(QueueFull) as caught:
            engine.submit(request)
        return caught.value.retry_after_s

    assert retry_after_s(image()) == 10  # when the running one ends, the next leaves the queue
    assert retry_after_s(story(3)) == 20  # three must leave: two more pictures of 5 s


def test_a_cancelled_job_gives_its_place_back(make_engine: EngineFactory, stage: Stage) -> None:
    engine = make_engine(max_queue=1)
    busy(engine, stage)
    waiting = engine.submit(image())
    waiting.cancel()
    assert engine.status().waiting_tasks == 0
    assert engine.submit(image()).state is JobState.QUEUED


def places(*jobs: Job) -> list[int | None]:
    return [job.snapshot().queue_position for job in jobs]


def test_waiting_jobs_know_their_place_and_time(engine_on_stage: Engine, stage: Stage) -> None:
    engine = engine_on_stage
    running = busy(engine, stage)
    large = {"width": 512, "height": 512, "num_inference_steps": 25}
    first, second = engine.submit(image(**large)), engine.submit(story(2, **large))
    assert places(running, first, second) == [None, 0, 1]
    etas = [job.snapshot().progress.eta_s for job in (first, second)]
    assert etas == [pytest.approx(15.0), pytest.approx(25.0)]


def test_places_move_up_when_a_job_ends_or_starts(engine_on_stage: Engine, stage: Stage) -> None:
    engine = engine_on_stage
    running = busy(engine, stage)
    first, second, third = (engine.submit(image()) for _ in range(3))
    first.cancel()
    assert places(second, third) == [0, 1]
    stage.go.release()
    assert running.wait(30)
    until(lambda: second in stage.drawing)
    assert places(second, third) == [None, 0]


def test_the_estimate_counts_the_queue_ahead(engine_on_stage: Engine, stage: Stage) -> None:
    engine = engine_on_stage
    documented = VideoRequest(scenes=["a", "b", "c"])
    assert engine.plan(documented).estimated_generation_time_seconds == 15
    busy(engine, stage)
    assert engine.plan(documented).estimated_generation_time_seconds == 25
    engine.submit(documented)
    assert engine.estimate_s(documented) == pytest.approx(40.0)


def test_the_documented_plan(engine_on_stage: Engine) -> None:
    plan = engine_on_stage.plan(
        VideoRequest(
            hero_description="a brave knight in silver armor",
            scenes=["Scene 1", "Scene 2", "Scene 3"],
        )
    )
    assert (plan.scenes_count, plan.frames_per_scene, plan.transition_frames) == (3, 72, 12)
    assert (plan.total_frames, plan.total_duration_seconds, plan.fps) == (240, 10.0, 24)
    assert plan.resolution == "512x512"
    assert plan.scene_prompts[2] == "a brave knight in silver armor, Scene 3"


@pytest.mark.parametrize("when", ["queued", "running", "finished"])
def test_a_job_may_be_cancelled_at_any_time_and_twice(
    engine_on_stage: Engine, stage: Stage, when: str
) -> None:
    engine = engine_on_stage
    first = busy(engine, stage)
    job = {"queued": engine.submit(image()), "running": first, "finished": first}[when]
    if when == "finished":
        stage.go.release()
        assert first.wait(30)
    states = [job.cancel(), job.cancel()]
    assert job.wait(30)
    assert job.cancel() is job.state
    if when == "finished":
        assert states == [JobState.SUCCEEDED] * 2
    else:
        assert job.state is JobState.CANCELLED and isinstance(job.error, JobCancelled)


def test_a_failing_job_leaves_the_next_one_alone(engine_on_stage: Engine, stage: Stage) -> None:
    engine = engine_on_stage
    bad, good = busy(engine, stage), engine.submit(image())
    stage.faults[bad.id] = ZeroDivisionError("secret")
    stage.go.release(2)
    assert bad.wait(30) and good.wait(30)
    assert isinstance(bad.error, InternalError) and good.state is JobState.SUCCEEDED


def test_following_from_two_readers_ends_with_the_end(
    engine_on_stage: Engine, stage: Stage
) -> None:
    job = busy(engine_on_stage, stage)

    async def states() -> list[JobState]:
        return [snapshot.state async for snapshot in job.follow(interval_s=0.005)]

    async def run() -> list[list[JobState]]:
        readers = [asyncio.create_task(states()) for _ in range(2)]
        await asyncio.sleep(0.02)
        stage.go.release()
        return await asyncio.gather(*readers)

    for seen in asyncio.run(run()):
        assert seen[0] is JobState.RUNNING and seen[-1] is JobState.SUCCEEDED


def test_jobs_belong_to_their_owner(engine_on_stage: Engine) -> None:
    mine = engine_on_stage.submit(image(), owner="me")
    local = engine_on_stage.submit(image())
    assert engine_on_stage.job(mine.id, owner="me") is mine
    assert engine_on_stage.job(local.id) is local
    for job_id, owner in [(mine.id, None), (mine.id, "you"), (local.id, "me"), ("x", None)]:
        with pytest.raises(JobNotFound):
            engine_on_stage.job(job_id, owner=owner)


def test_only_so_many_ended_jobs_stay_in_memory(
    engine_on_stage: Engine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "_JOBS_KEPT", 5)
    engine = engine_on_stage
    running = busy(engine, stage)
    ended = [engine.submit(image()) for _ in range(20)]
    for job in ended:
        job.cancel()
    last = [engine.submit(image()) for _ in range(20)]
    assert len(engine._jobs) <= 22 and running.id in engine._jobs
    assert all(engine.job(job.id) is job for job in last), "a waiting job was forgotten"
    assert engine.job(ended[0].id) is not ended[0]
    assert engine.job(ended[0].id).state is JobState.CANCELLED  # the journal knows it


def test_every_job_ends_once_however_threads_submit_and_cancel(
    make_engine: EngineFactory, stage: Stage
) -> None:
    engine = make_engine(max_queue=40)
    stage.go.release(10_000)
    jobs: list[Job] = []
    refused: list[QueueFull] = []
    gate = threading.Barrier(16)

    def work(number: int) -> None:
        gate.wait()
        for attempt in range(15):
            try:
                job = engine.submit(story(3) if attempt % 5 == 4 else image())
            except QueueFull as err:
                refused.append(err)
                continue
            jobs.append(job)
            if (number + attempt) % 3 == 0:
                job.cancel()
            engine.status(), engine.plan(story())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) + len(refused) == 16 * 15
    assert all(job.wait(30) for job in jobs)
    assert {job.state for job in jobs} <= {JobState.SUCCEEDED, JobState.CANCELLED}
    assert all((job.error is None) == (job.state is JobState.SUCCEEDED) for job in jobs)
    until(lambda: not engine.status().running)
    assert engine.status().waiting_tasks == 0
    assert len(stage.drawing) == len(set(stage.drawing))


def test_closing_ends_running_and_waiting_jobs_and_all_threads(
    threads_before: set[threading.Thread], make_engine: EngineFactory, stage: Stage
) -> None:
    engine = make_engine()
    running, waiting = busy(engine, stage), engine.submit(image())
    engine.close()
    assert running.wait(0) and waiting.wait(0)
    assert [type(job.error) for job in (running, waiting)] == [ShuttingDown] * 2
    assert [job.state for job in (running, waiting)] == [JobState.FAILED] * 2
    assert set(threading.enumerate()) - threads_before == set()
    engine.close()


def test_a_closed_engine_refuses_work(engine_on_stage: Engine) -> None:
    engine_on_stage.close()
    with pytest.raises(ShuttingDown):
        engine_on_stage.submit(image())


def test_stopping_refuses_work_at_once_and_ends_what_runs(
    engine_on_stage: Engine, stage: Stage
) -> None:
    running, waiting = busy(engine_on_stage, stage), engine_on_stage.submit(image())
    engine_on_stage.stop_accepting()
    with pytest.raises(ShuttingDown):
        engine_on_stage.submit(image())
    assert running.wait(30) and waiting.wait(30)
    assert {type(job.error) for job in (running, waiting)} == {ShuttingDown}


def test_a_signal_may_come_while_any_lock_is_held(engine_on_stage: Engine, stage: Stage) -> None:
    engine = engine_on_stage
    running, waiting = busy(engine, stage), engine.submit(image())
    locks = [
        engine._lock,
        engine._forecast._places_lock,
        waiting._lock,
        engine._worker._unfinished_lock,
    ]
    locks += [engine._archive.journal._write_lock, engine._archive.journal._read_lock]
    previous = signal.signal(signal.SIGUSR1, lambda *_: engine.stop_accepting())
    try:
        for lock in locks:
            with lock:
                signal.raise_signal(signal.SIGUSR1)  # returns only if the handler does
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert running.wait(30) and waiting.wait(30)
