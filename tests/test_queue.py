import threading

import pytest

from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest, VideoRequest
from engine.snapshots import Terms


def image(client: str | None = None, steps: int = 25) -> Job:
    request = ImageRequest(prompt="a cat", num_inference_steps=steps)
    return Job(request, seed=1, terms=Terms(client=client))


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
    assert queue.image_tasks == 5
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


def test_clients_take_turns() -> None:
    queue = JobQueue(100)
    script = [image("script") for _ in range(4)]
    person, other = [image("person") for _ in range(2)], [image("other")]
    for job in [*script, *person, *other]:
        queue.put(job)
    order = [
        script[0], person[0], other[0],
        script[1], person[1],
        script[2],
        script[3],
    ]  # fmt: skip
    assert queue.waiting() == order
    assert [queue.take() for _ in order] == order


def test_a_client_that_comes_later_waits_for_one_job_only() -> None:
    queue = JobQueue(100)
    script = [image("script") for _ in range(50)]
    for job in script:
        queue.put(job)
    assert [queue.take() for _ in range(3)] == script[:3]
    late = image("person")
    queue.put(late)
    assert queue.waiting()[:3] == [script[3], late, script[4]]
    assert [queue.take() for _ in range(2)] == [script[3], late]


def test_who_asks_for_short_work_is_not_held_up_by_who_asks_for_long() -> None:
    queue = JobQueue(100)
    long, short = [image("long", 40) for _ in range(4)], [image("short", 10) for _ in range(8)]
    for job in [*long, *short]:
        queue.put(job)
    assert queue.waiting() == [long[0], *short[:4], long[1], *short[4:], *long[2:]]


def test_what_is_cancelled_while_it_waits_has_cost_its_client_nothing() -> None:
    queue = JobQueue(100)
    hasty = [image("hasty", 50) for _ in range(5)]
    queue.put(image("patient"))
    for job in hasty:
        queue.put(job)
    for job in hasty[1:]:
        queue.discard(job)
    others = [image("patient") for _ in range(2)]
    late = image("hasty", 50)
    for job in (*others, late):
        queue.put(job)
    assert queue.take().terms.client == "patient"  # type: ignore[union-attr]
    assert queue.waiting() == [hasty[0], others[0], late, others[1]]


def test_a_story_counts_all_its_scenes() -> None:
    queue = JobQueue(100)
    first, second = (
        Job(VideoRequest(scenes=["a"] * 3), seed=1, terms=Terms(client="teller")) for _ in range(2)
    )
    pictures = [image("person") for _ in range(5)]
    for job in (first, second, *pictures):
        queue.put(job)
    assert queue.waiting() == [first, *pictures[:3], second, *pictures[3:]]


def test_nobody_has_a_claim_from_the_time_when_they_asked_for_nothing() -> None:
    queue = JobQueue(100)
    script = [image("script") for _ in range(20)]
    for job in script:
        queue.put(job)
    queue.put(image("person"))
    for _ in range(11):
        queue.take()
    back = [image("person") for _ in range(3)]
    for job in back:
        queue.put(job)
    following = queue.waiting()[:6]
    assert {following.index(job) for job in back} <= {0, 1, 2, 3, 4, 5}
    assert [job for job in following if job not in back] == script[10:13]


def test_what_was_had_is_forgotten_once_nobody_waits() -> None:
    queue = JobQueue(100)
    queue.put(image("busy", 50))
    queue.take()
    busy, other = [image("busy", 10) for _ in range(2)], [image("other", 10) for _ in range(2)]
    for job in (*busy, *other):
        queue.put(job)
    assert queue.waiting() == [busy[0], other[0], busy[1], other[1]]


def test_strangers_that_come_one_by_one_hold_nobody_up_and_are_forgotten() -> None:
    queue = JobQueue(100)
    patient = [image("patient") for _ in range(2)]
    for job in patient:
        queue.put(job)
    taken = []
    for number in range(10):
        queue.put(image(f"stranger {number}"))
        taken.append(queue.take())
    assert patient[1] in taken
    while queue.waiting():
        queue.take()
    assert len(queue._turns._had) <= 2


def test_the_order_told_is_the_order_taken_whatever_leaves() -> None:
    queue = JobQueue(1000)
    jobs = [image(f"{number % 7}-{number % 3}") for number in range(60)]
    for number, job in enumerate(jobs):
        queue.put(job)
        if number % 4 == 3:
            told = queue.waiting()
            assert queue.take() is told[0]
            assert queue.waiting()[-1] in told
        if number % 5 == 4:
            queue.discard(jobs[number - 2])
    told = queue.waiting()
    assert [queue.take() for _ in told] == told


def test_a_place_is_promised_while_a_job_is_accepted() -> None:
    queue, job = JobQueue(1), image()

    def accept() -> None:
        assert queue.waiting() == [] and not queue.put(image())

    assert queue.put(job, accept)
    assert queue.waiting() == [job]


def test_a_job_that_cannot_be_accepted_gives_its_place_back() -> None:
    queue = JobQueue(1)

    def refuse() -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        queue.put(image(), refuse)
    assert queue.waiting() == [] and queue.put(image())


def test_a_job_accepted_while_the_queue_closes_is_not_taken() -> None:
    queue = JobQueue(1)
    assert queue.put(image(), lambda: queue.close() and None)
    assert queue.waiting() == [] and queue.take() is None


def test_what_was_accepted_before_is_put_back_past_the_bound() -> None:
    queue, jobs = JobQueue(1), [image() for _ in range(3)]
    for job in jobs:
        queue.put_back(job)
    assert queue.waiting() == jobs and not queue.put(image())


def test_who_takes_no_stories_passes_them_over_in_fair_turns() -> None:
    queue = JobQueue(100)
    film, *mine = story(5), image(), image()
    theirs = image("them")
    for job in (film, *mine, theirs):
        queue.put(job)
    assert [queue.take(stories=False) for _ in range(3)] == [mine[0], theirs, mine[1]]
    assert queue.waiting() == [film] and queue.take() is film


def test_a_taker_of_pictures_waits_while_there_are_only_stories() -> None:
    queue, picture, film, taken = JobQueue(100), image(), story(2), []
    threads = [
        threading.Thread(target=lambda: taken.append(queue.take(stories=False))),
        threading.Thread(target=lambda: taken.append(queue.take())),
    ]
    threads[0].start()
    queue.put(film)
    threads[1].start()
    threads[1].join(10)
    assert taken == [film] and threads[0].is_alive()
    queue.put(picture)
    threads[0].join(10)
    assert taken == [film, picture]
