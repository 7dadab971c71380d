import asyncio
import threading
from pathlib import Path

import pytest

from engine.errors import BadOutput, DeadlinePassed, EngineError, JobCancelled
from engine.jobs import CancelToken, Job
from engine.requests import ImageRequest, VideoRequest
from engine.snapshots import ImageResult, JobSnapshot, JobState, Preview

RESULT = ImageResult(Path("a.png"), "image/png", 1, 7.5, "")
TERMINAL = [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED]


def make_job(**arguments: object) -> Job:
    return Job(ImageRequest(prompt="a cat"), seed=1, **arguments)  # type: ignore[arg-type]


def ended(state: JobState) -> Job:
    job = make_job()
    job.start()
    if state is JobState.SUCCEEDED:
        job.succeed(RESULT)
    else:
        job.fail(BadOutput("NaN") if state is JobState.FAILED else JobCancelled("stopped"))
    assert job.state is state
    return job


def test_a_new_job_waits() -> None:
    snapshot = make_job().snapshot()
    assert (snapshot.state, snapshot.kind, snapshot.version) == (JobState.QUEUED, "image", 0)
    assert (snapshot.started_at, snapshot.finished_at) == (None, None)


def test_a_story_counts_one_task_a_scene() -> None:
    job = Job(VideoRequest(scenes=["a", "b", "c"]), seed=1)
    assert (job.image_tasks, job.snapshot().kind) == (3, "video")
    assert job.snapshot().progress.scenes == 3


def test_ids_differ() -> None:
    assert len({make_job().id for _ in range(100)}) == 100


def test_a_job_runs_and_succeeds() -> None:
    job = make_job()
    assert job.start()
    assert job.state is JobState.RUNNING and job.snapshot().started_at is not None
    job.succeed(RESULT)
    snapshot = job.snapshot()
    assert snapshot.state is JobState.SUCCEEDED and snapshot.finished_at is not None
    assert (snapshot.progress.stage, snapshot.progress.eta_s) == ("done", 0.0)
    assert job.result() is RESULT and job.error is None


def test_only_running_jobs_succeed() -> None:
    job = make_job()
    job.succeed(RESULT)
    assert job.state is JobState.QUEUED
    with pytest.raises(EngineError, match="not ended"):
        job.result()


def test_a_failed_job_raises_its_error_each_time() -> None:
    job = ended(JobState.FAILED)
    for _ in range(2):
        with pytest.raises(BadOutput, match="NaN"):
            job.result()


def test_a_job_fails_while_it_waits_too() -> None:
    job = make_job()
    job.fail(DeadlinePassed("too late"))
    assert job.state is JobState.FAILED
    assert not job.start()


@pytest.mark.parametrize("state", TERMINAL)
def test_an_end_is_final(state: JobState) -> None:
    job = ended(state)
    before = job.snapshot()
    assert not job.start()
    job.report(step=3)
    job.succeed(RESULT)
    job.fail(BadOutput("again"))
    job.place(3, 9.0)
    assert job.cancel() is state
    assert job.snapshot() is before


def test_cancelling_a_waiting_job_ends_it_at_once() -> None:
    job = make_job()
    assert job.cancel() is JobState.CANCELLED
    assert job.wait(0) and not job.start()
    with pytest.raises(JobCancelled):
        job.result()


def test_cancelling_a_running_job_asks_it_to_stop() -> None:
    job = make_job()
    job.start()
    assert job.cancel() is JobState.RUNNING
    with pytest.raises(JobCancelled):
        job.token.check()


@pytest.mark.parametrize("started", [False, True])
def test_cancelling_twice_is_the_same_as_once(started: bool) -> None:
    job = make_job()
    if started:
        job.start()
    assert job.cancel() is job.cancel()


def test_cancelling_one_job_leaves_the_others() -> None:
    first, second = make_job(), make_job()
    first.cancel()
    assert second.state is JobState.QUEUED and not second.token.is_set
    second.token.check()


def test_the_first_reason_to_stop_is_kept() -> None:
    token = CancelToken()
    token.check()
    token.set(DeadlinePassed("too late"))
    token.set(JobCancelled("never mind"))
    with pytest.raises(DeadlinePassed):
        token.check()


def test_progress_is_merged() -> None:
    job = make_job()
    job.start()
    job.report(stage="denoising", step=3, steps=25)
    job.report(step=4)
    progress = job.snapshot().progress
    assert (progress.stage, progress.step, progress.steps) == ("denoising", 4, 25)


def test_progress_of_a_waiting_job_is_ignored() -> None:
    job = make_job()
    job.report(step=3)
    assert job.snapshot().progress.step == 0


def test_places_are_told_while_waiting_only() -> None:
    job = make_job()
    job.place(2, 30.0)
    assert (job.snapshot().queue_position, job.snapshot().progress.eta_s) == (2, 30.0)
    job.start()
    job.place(1, 20.0)
    assert job.snapshot().queue_position is None


def test_an_unknown_progress_field_is_a_defect() -> None:
    job = make_job()
    job.start()
    with pytest.raises(TypeError):
        job.report(stpe=1)


def test_every_change_is_told_but_places() -> None:
    told: list[tuple[JobState, int]] = []
    job = make_job(on_change=lambda job: told.append((job.state, job.snapshot().version)))
    job.place(0, 1.0)
    job.start()
    job.report(step=1)
    job.succeed(RESULT)
    job.succeed(RESULT)
    assert told == [(JobState.RUNNING, 2), (JobState.RUNNING, 3), (JobState.SUCCEEDED, 4)]


def test_versions_grow_with_every_change() -> None:
    job = make_job()
    versions = [job.snapshot().version]
    job.place(0, 1.0)
    versions.append(job.snapshot().version)
    job.start()
    versions.append(job.snapshot().version)
    assert versions == [0, 1, 2]


def test_a_listener_may_ask_and_cancel_the_job() -> None:
    asked: list[JobState] = []
    job = make_job(on_change=lambda job: asked.extend((job.snapshot().state, job.cancel())))
    job.start()
    assert asked == [JobState.RUNNING] * 2 and job.token.is_set


def test_waiting_ends_with_the_job() -> None:
    job = make_job()
    assert not job.wait(0)
    threading.Timer(0.05, job.cancel).start()
    assert job.wait(10)


async def collect(job: Job, interval_s: float = 0.005) -> list[JobSnapshot]:
    return [snapshot async for snapshot in job.follow(interval_s)]


@pytest.mark.parametrize("state", TERMINAL)
def test_following_an_ended_job_gives_its_end_once(state: JobState) -> None:
    seen = asyncio.run(collect(ended(state)))
    assert [snapshot.state for snapshot in seen] == [state]


def test_following_ends_with_the_terminal_snapshot() -> None:
    async def run() -> list[list[JobSnapshot]]:
        job = make_job()
        followers = [asyncio.create_task(collect(job)) for _ in range(3)]
        await asyncio.sleep(0.02)
        job.start()
        await asyncio.sleep(0.02)
        job.succeed(RESULT)
        return await asyncio.gather(*followers)

    for seen in asyncio.run(run()):
        states = [snapshot.state for snapshot in seen]
        assert states[0] is JobState.QUEUED and JobState.RUNNING in states
        assert states[-1] is JobState.SUCCEEDED
        assert [s.state.is_terminal for s in seen].count(True) == 1
        assert [s.version for s in seen] == sorted(s.version for s in seen)


def test_who_follows_is_woken_by_the_end() -> None:
    async def run() -> list[JobSnapshot]:
        job = make_job()
        follower = asyncio.create_task(collect(job, interval_s=600))
        await asyncio.sleep(0.02)
        await asyncio.to_thread(job.cancel)
        return await asyncio.wait_for(follower, 10)

    assert [snapshot.state for snapshot in asyncio.run(run())] == ["queued", "cancelled"]


def test_who_follows_never_waits_for_the_journal() -> None:
    writing, written = threading.Event(), threading.Event()

    def write(*_: object) -> None:
        writing.set()
        assert written.wait(30)

    async def run() -> None:
        job = make_job(recorder=write)
        ending = asyncio.create_task(asyncio.to_thread(job.cancel))
        await asyncio.to_thread(writing.wait)
        await asyncio.wait_for(job.ended(0.01), 10)
        written.set()
        await ending

    asyncio.run(run())


def test_who_follows_can_be_stopped_just_then() -> None:
    async def run() -> bool:
        job = make_job()
        follower = asyncio.create_task(job.ended(600))
        await asyncio.sleep(0.02)
        job.cancel()
        await asyncio.sleep(0)
        follower.cancel()
        await asyncio.wait([follower])
        return follower.cancelled()

    assert asyncio.run(run())


def test_a_result_is_there_when_the_end_is_seen() -> None:
    seen: list[object] = []
    job = make_job(on_change=lambda job: seen.append(job.state.is_terminal and job.result()))
    job.start()
    job.succeed(RESULT)
    assert seen == [False, RESULT]


def together(*works: object) -> None:
    """Run all at the same moment, on a thread each."""
    gate = threading.Barrier(len(works))
    failures: list[Exception] = []

    def run(work: object) -> None:
        gate.wait()
        try:
            work()  # type: ignore[operator]
        except Exception as err:
            failures.append(err)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_cancel_and_start_race_to_one_consistent_state() -> None:
    for _ in range(100):
        ends: list[JobState] = []

        def note(job: Job, ends: list[JobState] = ends) -> None:
            if job.state.is_terminal:
                ends.append(job.state)

        job = make_job(on_change=note)

        def run(job: Job = job) -> None:
            if job.start():
                try:
                    job.token.check()
                    job.succeed(RESULT)
                except EngineError as err:
                    job.fail(err)

        together(run, job.cancel, job.cancel, job.cancel)
        assert job.wait(0) and len(ends) == 1 and ends == [job.state]
        assert (job.error is None) == (job.state is JobState.SUCCEEDED)


def test_only_one_thread_starts_a_job() -> None:
    for _ in range(50):
        job = make_job()
        started: list[bool] = []
        together(*[lambda job=job, started=started: started.append(job.start())] * 6)
        assert sorted(started) == [False] * 5 + [True]


def test_asking_for_a_failed_result_does_not_pile_up_tracebacks() -> None:
    job = ended(JobState.FAILED)

    def depth() -> int:
        with pytest.raises(BadOutput) as caught:
            job.result()
        count, step = 0, caught.value.__traceback__
        while step is not None:
            count, step = count + 1, step.tb_next
        return count

    assert len({depth() for _ in range(5)}) == 1


def test_a_failed_job_keeps_no_frames() -> None:
    job = make_job()
    job.start()
    try:
        raise BadOutput("NaN") from ValueError("cause")
    except BadOutput as err:
        job.fail(err)
    assert job.error is not None
    assert (job.error.__traceback__, job.error.__cause__) == (None, None)


def test_a_preview_is_seen_while_the_job_runs() -> None:
    job, preview = make_job(), Preview(1, 3, b"jpeg")
    job.show(preview)
    assert job.preview is None  # it waits
    job.start()
    job.show(preview)
    assert job.preview == preview
    job.fail(BadOutput("NaN"))
    assert job.preview is None
    job.show(preview)
    assert job.preview is None


def test_a_job_is_watched_for_a_while_after_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("engine.jobs.time.monotonic", lambda: now)
    job = make_job()
    assert not job.is_watched
    job.watch()
    now += 2.9
    assert job.is_watched
    job.watch()
    now += 2.9
    assert job.is_watched
    now += 0.2
    assert not job.is_watched
