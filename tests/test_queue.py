import threading

import pytest

from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest, VideoRequest


def image() -> Job:
    return Job(ImageRequest(prompt="a cat"), seed=1)


def story(scenes: int) -> Job:
    return Job(VideoRequest(scenes=["a scene"] * scenes), seed=1)


def test_first_come_first_served() -> None:
    queue, jobs = JobQueue(10), [image() for _ in range(3)]
    assert all(queue.put(job) for job in jobs)
    assert queue.waiting() == jobs
    assert [queue.take() for _ in jobs] == jobs
    assert queue.waiting() == []


def test_the_bound_counts_image_tasks() -> None:
    queue = JobQueue(5)
    assert queue.put(story(3))
    assert not queue.put(story(3))
    assert queue.put(story(2))
    assert not queue.put(image())


def test_room_comes_back_when_a_job_is_taken_or_discarded() -> None:
    queue, first, second = JobQueue(2), image(), image()
    assert queue.put(first) and queue.put(second) and not queue.put(image())
    queue.take()
    assert queue.put(image()) and not queue.put(image())
    queue.discard(second)
    assert queue.put(image())


def test_a_story_larger_than_the_queue_is_taken_when_nothing_waits() -> None:
    queue = JobQueue(4)
    assert queue.put(story(50))
    assert not queue.put(image())


def test_a_story_larger_than_the_queue_is_refused_behind_others() -> None:
    queue = JobQueue(4)
    queue.put(image())
    assert not queue.put(story(50))


def test_a_refused_job_is_not_kept() -> None:
    queue, first = JobQueue(1), image()
    queue.put(first)
    assert not queue.put(image())
    assert queue.waiting() == [first]


def test_discarding_keeps_the_order_of_the_rest() -> None:
    queue, jobs = JobQueue(10), [image() for _ in range(3)]
    for job in jobs:
        queue.put(job)
    queue.discard(jobs[1])
    queue.discard(jobs[1])
    queue.discard(image())
    assert queue.waiting() == [jobs[0], jobs[2]]


def test_taking_waits_for_a_job() -> None:
    queue, job, taken = JobQueue(10), image(), []
    taker = threading.Thread(target=lambda: taken.append(queue.take()))
    taker.start()
    queue.put(job)
    taker.join(10)
    assert taken == [job]


def test_closing_hands_back_what_waits_and_wakes_the_taker() -> None:
    queue = JobQueue(10)
    taken: list[Job | None] = []
    takers = [threading.Thread(target=lambda: taken.append(queue.take())) for _ in range(2)]
    for taker in takers:
        taker.start()
    assert queue.close() == []
    for taker in takers:
        taker.join(10)
    assert taken == [None, None]


def test_a_closed_queue_takes_and_gives_nothing() -> None:
    queue, job = JobQueue(10), image()
    queue.put(job)
    assert queue.close() == [job]
    assert queue.close() == []
    assert not queue.put(image())
    assert queue.take() is None
    assert queue.waiting() == []


@pytest.mark.parametrize("bound", [1, 7])
def test_the_bound_holds_under_many_threads(bound: int) -> None:
    queue = JobQueue(bound)
    accepted: list[bool] = []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        accepted.extend(queue.put(image()) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accepted.count(True) == bound == len(queue.waiting())
