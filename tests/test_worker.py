import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from engine.errors import BadOutput, InternalError, ModelUnavailable
from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest, VideoRequest
from engine.snapshots import JobState, Result
from tests.house import REASON, RESULT, House, MakeHouse, at_once, failing_worker, make_job


def test_jobs_are_made_in_order(house: MakeHouse) -> None:
    order: list[Job] = []
    made = house(lambda job: (order.append(job), at_once(job))[1])
    jobs = [made.submit() for _ in range(20)]
    assert all(job.wait(10) and job.state is JobState.SUCCEEDED for job in jobs)
    assert order == jobs and jobs[0].result() is RESULT


@pytest.mark.parametrize("overlap", [False, True])
def test_the_device_is_never_used_twice_at_once(house: MakeHouse, overlap: bool) -> None:
    using, most = threading.Semaphore(1), []

    def draw(job: Job) -> Callable[[], Result]:
        free = using.acquire(blocking=False)
        most.append(free)
        threading.Event().wait(0.001)
        using.release()
        return at_once(job)

    made = house(draw, overlap=overlap)
    assert all(job.wait(10) for job in [made.submit() for _ in range(30)])
    assert most == [True] * 30


def test_a_second_use_of_the_device_is_a_defect_that_is_caught(house: MakeHouse) -> None:
    def draw_within_drawing(job: Job) -> Callable[[], Result]:
        return made.worker._use_device(made, job)

    made = house(draw_within_drawing)
    job = made.submit()
    assert job.wait(10) and isinstance(job.error, InternalError)


def test_a_defect_while_drawing_fails_the_job_and_not_the_next(
    house: MakeHouse, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[Exception] = [ZeroDivisionError("secret words"), MemoryError(), KeyError("x")]

    def draw(job: Job) -> Callable[[], Result]:
        if faults:
            raise faults.pop()
        return at_once(job)

    made = house(draw)
    *bad, good = [made.submit() for _ in range(4)]
    assert good.wait(10) and good.state is JobState.SUCCEEDED
    for job in bad:
        assert job.state is JobState.FAILED and isinstance(job.error, InternalError)
        assert "secret" not in job.error.message
    assert "secret words" in caplog.text and bad[2].id in caplog.text


def test_an_engine_error_while_drawing_is_the_jobs_own(house: MakeHouse) -> None:
    def draw(job: Job) -> Callable[[], Result]:
        raise BadOutput("NaN")

    job = house(draw).submit()
    assert job.wait(10) and isinstance(job.error, BadOutput)


@pytest.mark.parametrize("overlap", [False, True])
def test_a_fault_while_finishing_fails_the_job_and_not_the_next(
    house: MakeHouse, overlap: bool
) -> None:
    faults = [BadOutput("NaN"), OSError("disk")]

    def draw(job: Job) -> Callable[[], Result]:
        fault = faults.pop(0) if faults else None

        def finish() -> Result:
            if fault is not None:
                raise fault
            return RESULT

        return finish

    made = house(draw, overlap=overlap)
    first, second, good = (made.submit() for _ in range(3))
    assert all(job.wait(10) for job in (first, second, good))
    assert isinstance(first.error, BadOutput) and isinstance(second.error, InternalError)
    assert good.state is JobState.SUCCEEDED and made.worker.unfinished() == []


def test_a_job_cancelled_while_it_waited_is_not_drawn(house: MakeHouse) -> None:
    drawn: list[Job] = []
    job, other = make_job(), make_job()
    queue = JobQueue(10)
    queue.put(job), queue.put(other)
    job.cancel()
    house(lambda job: (drawn.append(job), at_once(job))[1], queue=queue)
    assert other.wait(10) and drawn == [other]


def test_a_cancelled_job_makes_room_for_the_next(house: MakeHouse) -> None:
    drawing = threading.Event()

    def draw(job: Job) -> Callable[[], Result]:
        drawing.set()
        while job is first:
            job.token.check()
        return at_once(job)

    made = house(draw)
    first = made.submit()
    second = made.submit()
    assert drawing.wait(10)
    first.cancel()
    assert second.wait(10) and second.state is JobState.SUCCEEDED
    assert first.state is JobState.CANCELLED


def test_without_overlap_the_next_drawing_waits_for_the_file(house: MakeHouse) -> None:
    events: list[str] = []

    def draw(job: Job) -> Callable[[], Result]:
        events.append("draw")

        def finish() -> Result:
            events.append("begin")
            threading.Event().wait(0.02)
            events.append("end")
            return RESULT

        return finish

    made = house(draw)
    assert all(job.wait(10) for job in [made.submit() for _ in range(3)])
    assert events == ["draw", "begin", "end"] * 3


def test_with_overlap_the_next_drawing_runs_beside_the_file(house: MakeHouse) -> None:
    drawn_twice = threading.Barrier(2)

    def draw(job: Job) -> Callable[[], Result]:
        if job is not first:
            drawn_twice.wait(10)
            return at_once(job)

        def finish() -> Result:
            drawn_twice.wait(10)  # ends only if the second drawing runs now
            return RESULT

        return finish

    queue = JobQueue(10)
    first, second = make_job(), make_job()
    queue.put(first), queue.put(second)
    house(draw, overlap=True, queue=queue)
    assert first.wait(10) and first.state is JobState.SUCCEEDED
    assert second.wait(10) and second.state is JobState.SUCCEEDED


def test_work_handed_off_runs_on_another_thread(house: MakeHouse) -> None:
    names: list[str] = []

    def draw(job: Job) -> Callable[[], Result]:
        names.append(threading.current_thread().name)
        assert made.hand_off is not None
        future: Future[None] = made.hand_off(
            lambda: names.append(threading.current_thread().name), job.token
        )
        assert future.done()
        return at_once(job)

    made = house(draw)
    assert made.submit().wait(10)
    assert names[0] == "device" and names[1].startswith("encoder")


def test_pictures_do_not_wait_for_the_assembly_of_films(house: MakeHouse) -> None:
    release = threading.Event()

    def draw(job: Job) -> Callable[[], Result]:
        if isinstance(job.request, ImageRequest):
            return at_once(job)
        return lambda: (release.wait(30), RESULT)[1]

    made = house(draw, overlap=True)
    films = [Job(VideoRequest(scenes=["a scene"] * 2), seed=1) for _ in range(4)]
    assert all(made.queue.put(film) for film in films)
    assert made.submit().wait(10)
    release.set()
    assert all(film.wait(10) and film.state is JobState.SUCCEEDED for film in films)


def test_a_job_that_waits_to_be_written_can_be_cancelled(house: MakeHouse) -> None:
    release = threading.Event()
    made = house(lambda job: lambda: (release.wait(30), RESULT)[1], overlap=True)
    *others, job = [made.submit() for _ in range(9)]
    while job.state is not JobState.RUNNING:
        threading.Event().wait(0.001)
    job.cancel()
    assert job.wait(10) and job.state is JobState.CANCELLED
    release.set()
    assert all(other.wait(10) and other.state is JobState.SUCCEEDED for other in others)


def test_a_rest_that_is_under_way_ends_its_job(house: MakeHouse) -> None:
    rests: list[Future[Any]] = [Future(), Future(), Future()]
    done, failed, never_begun = rests
    waiting: Any = iter(rests)
    made = house(lambda job: next(waiting))
    jobs = [made.submit() for _ in rests]
    done.set_result(RESULT)
    failed.set_exception(ZeroDivisionError())
    assert jobs[0].wait(10) and jobs[0].result() is RESULT
    assert jobs[1].wait(10) and isinstance(jobs[1].error, InternalError)
    never_begun.cancel()
    made.close()
    assert jobs[2].wait(0) and jobs[2].error in (None, REASON)
    assert made.worker.unfinished() == []


def test_an_unavailable_model_is_told_once() -> None:
    problem = ModelUnavailable("not there")
    assert failing_worker(problem) == [problem]


def test_a_defect_while_loading_is_told_as_unavailable(caplog: pytest.LogCaptureFixture) -> None:
    (problem,) = failing_worker(ZeroDivisionError("secret words"))
    assert "ZeroDivisionError" in problem.message and problem.advice
    assert "secret" not in problem.message and "secret words" in caplog.text


def spin(job: Job) -> Callable[[], Result]:
    while True:
        job.token.check()


def test_stopping_ends_the_running_job_with_the_reason(house: MakeHouse) -> None:
    drawing = threading.Event()
    made = house(lambda job: (drawing.set(), spin(job))[1])
    job, waiting = made.submit(), made.submit()
    assert drawing.wait(10)
    made.close()
    assert job.wait(0) and job.error is REASON
    assert waiting.wait(0) and waiting.error is REASON


def test_stopping_leaves_no_threads(house: MakeHouse) -> None:
    before = set(threading.enumerate())
    made = house(overlap=True)
    assert all(job.wait(10) for job in [made.submit() for _ in range(5)])
    made.close()
    assert set(threading.enumerate()) - before == set()


def test_stopping_twice_is_fine(house: MakeHouse) -> None:
    made = house()
    made.close()
    made.close()


class LateQueue(JobQueue):
    """Closes the house at the worst moment: a job is taken, the worker does not hold it yet."""

    house: House

    def take(self) -> Job | None:
        job = super().take()
        if job is not None:
            self.close()
            self.house.worker.end_jobs(REASON)
        return job


def test_a_job_taken_at_the_moment_of_closing_ends_too(house: MakeHouse) -> None:
    queue = LateQueue(10)
    drawn: list[Job] = []

    def draw(job: Job) -> Callable[[], Result]:
        job.token.check()
        drawn.append(job)
        return at_once(job)

    job = make_job()
    made = House(draw, queue)
    queue.house = made
    queue.put(job)
    made.worker.start()
    assert job.wait(10)
    made.close()
    assert drawn == [] and job.error is REASON


def test_jobs_drawn_but_not_yet_encoded_end_when_stopping(house: MakeHouse) -> None:
    encoding, release = threading.Semaphore(0), threading.Event()

    def draw(job: Job) -> Callable[[], Result]:
        def finish() -> Result:
            encoding.release()
            release.wait(10)
            job.token.check()
            return RESULT

        return finish

    made = house(draw, overlap=True)
    jobs = [made.submit() for _ in range(6)]
    assert all(encoding.acquire(timeout=10) for _ in range(2))  # both encoder threads are taken
    while len(made.worker.unfinished()) < 6:
        threading.Event().wait(0.001)
    closing = threading.Thread(target=made.close)
    closing.start()
    while not all(job.token.is_set for job in jobs):
        threading.Event().wait(0.001)
    release.set()
    closing.join(10)
    assert [job.error for job in jobs if job.wait(0)] == [REASON] * 6


def test_a_device_that_does_not_come_free_does_not_keep_anybody_waiting(
    house: MakeHouse, caplog: pytest.LogCaptureFixture
) -> None:
    release, drawing = threading.Event(), threading.Event()

    def stuck(job: Job) -> Callable[[], Result]:
        drawing.set()
        release.wait(30)
        return at_once(job)

    made = house(stuck)
    job = made.submit()
    assert drawing.wait(10)
    with caplog.at_level(logging.ERROR):
        made.close(timeout_s=0.05)
    assert job.wait(0) and job.error is REASON
    assert "did not come free" in caplog.text
    release.set()
    made.close()
    assert job.state is JobState.FAILED
