"""When jobs will be done, where a device draws them one by one and where they share passes."""

from typing import Any

import pytest

from engine.estimate import Estimator
from engine.forecast import Forecast
from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest
from engine.snapshots import Terms
from engine.story import plan_scenes
from tests.work import image, story

PIXELS = 64 * 64


class Desk:
    """A forecast of jobs that nobody makes, on a device whose times are known.

    A pass takes a second for two rows of the U-Net, and half a second for every further two.
    """

    def __init__(self, most_rows: int = 1, *, beside: bool | None = None) -> None:
        self.under_way: list[Job] = []
        self.queue = JobQueue(1000)
        self.estimator = Estimator()
        for pictures in (1, 2, 4):
            self.estimator.observe("step", 2 * pictures * PIXELS, 1 + (pictures - 1) / 2)
        self.estimator.observe("step", PIXELS, 0.6)
        self.estimator.observe("decode", PIXELS, 0.5)
        self.forecast = Forecast(self.estimator, self.queue, lambda: self.under_way)
        self.forecast.learn(
            3.0,
            lambda width, height: PIXELS,
            lambda request, seed, owner: plan_scenes(request, seed),
            most_rows=most_rows,
            beside=most_rows > 1 if beside is None else beside,
        )

    def begin(self, request: Any, **progress: Any) -> Job:
        """A job under way, as far as `progress` tells."""
        job = Job(request, seed=1)
        job.start()
        job.report(stage="denoising", **progress)
        self.under_way.append(job)
        return job

    def wait(self, request: Any) -> Job:
        job = Job(request, seed=1)
        assert self.queue.put(job)
        return job

    def etas(self, *jobs: Job) -> list[float | None]:
        self.forecast.tell_places()
        return [job.snapshot().progress.eta_s for job in jobs]


def test_one_by_one_times_add_up() -> None:
    desk = Desk()
    desk.begin(image(), eta_s=4.0)
    first, second = desk.wait(image()), desk.wait(image(guidance_scale=1.0))
    assert desk.etas(first, second) == pytest.approx([14.5, 21.0])
    assert desk.forecast.until_s(image()) == pytest.approx(31.5)


def test_alone_on_a_device_for_many_a_picture_takes_what_it_took_alone() -> None:
    desk = Desk(most_rows=4)
    for _ in range(100):
        desk.estimator.observe("step", 8 * PIXELS, 2.5)
    assert desk.forecast.until_s(image()) == pytest.approx(10.5)


def test_pictures_together_take_what_their_passes_take() -> None:
    desk = Desk(most_rows=4)
    jobs = [desk.wait(image()) for _ in range(4)]
    assert desk.etas(*jobs) == pytest.approx([10 * 2.5 + 4 * 0.5] * 4)


def test_the_queue_ahead_is_drawn_as_many_at_a_time_as_share_a_pass() -> None:
    desk = Desk(most_rows=4)
    jobs = [desk.wait(image()) for _ in range(40)]
    assert desk.etas(jobs[-1]) == pytest.approx([10 * (10 * 2.5 + 4 * 0.5)])


def test_who_comes_to_a_picture_under_way_joins_it() -> None:
    desk = Desk(most_rows=4)
    desk.begin(image(), eta_s=8.0)
    assert desk.forecast.until_s(image()) < 8 + 10.5
    desk = Desk()
    desk.begin(image(), eta_s=8.0)
    assert desk.forecast.until_s(image()) == 8 + 10.5


def test_what_is_only_written_any_more_leaves_its_place_where_the_device_goes_on() -> None:
    for most_rows, expected_s in ((1, 70.5), (4, 10.5)):
        desk = Desk(most_rows)
        desk.begin(story(3), eta_s=60.0).report(stage="encoding")
        assert desk.forecast.until_s(image()) == pytest.approx(expected_s)


def test_where_nothing_is_drawn_beside_them_files_take_the_device() -> None:
    desk = Desk(most_rows=4, beside=False)
    desk.estimator.observe("png", 64 * 64, 2.0)
    assert desk.forecast.until_s(image()) == pytest.approx(10.5 + 2.0)
    alone_s = Desk(most_rows=4).forecast.until_s(story(4))
    assert desk.forecast.until_s(story(4)) == pytest.approx(alone_s + 4 * 2.0)
    desk.begin(story(3), eta_s=60.0).report(stage="encoding")
    assert desk.forecast.until_s(image()) == pytest.approx(60 + 10.5 + 2.0)
    desk.wait(image())
    assert desk.forecast.room_s(1, 1) == pytest.approx(60.0)


def test_a_story_ahead_shares_the_device() -> None:
    desk = Desk(most_rows=4)
    desk.begin(story(12), scene=1, eta_s=100.0)
    picture_s = desk.forecast.until_s(image())
    assert 10.5 < picture_s < 40
    assert desk.forecast.until_s(story(12)) > 100


def test_there_is_room_when_enough_have_begun() -> None:
    desk = Desk()
    desk.begin(image(), eta_s=4.0)
    for _ in range(3):
        desk.wait(image())
    assert desk.forecast.room_s(1, 4) == 0
    assert desk.forecast.room_s(1, 3) == pytest.approx(4.0)
    assert desk.forecast.room_s(2, 3) == pytest.approx(14.5)
    assert desk.forecast.room_s(50, 3) == pytest.approx(25.0)  # once nothing waits


def test_work_is_what_is_drawn_not_what_was_asked_for() -> None:
    desk = Desk()
    small, large = (Job(image(width=side), seed=1) for side in (64, 1024))
    assert desk.forecast.work(small) == desk.forecast.work(large) == 10 * 2 * PIXELS
    half = Job(image(guidance_scale=1.0), seed=1)
    assert desk.forecast.work(half) == desk.forecast.work(small) / 2
    assert desk.forecast.work(Job(story(5), seed=1)) == 5 * desk.forecast.work(small)


def test_who_asks_for_larger_pictures_than_are_drawn_has_as_many_turns() -> None:
    def order(work: Any) -> list[str | None]:
        queue = JobQueue(100, work)
        for side, client in ((64, "small"), (128, "large")):
            for _ in range(4):
                request = ImageRequest(prompt="a cat", width=side, height=side)
                queue.put(Job(request, seed=1, terms=Terms(client=client)))
        return [job.terms.client for job in queue.waiting()]

    assert order(Desk().forecast.work) == ["small", "large"] * 4
    unlearned = Forecast(Estimator(), JobQueue(1), list)
    assert order(unlearned.work)[:5] == ["small", "large", "small", "small", "small"]
