"""What a job is told while its pictures are drawn together."""

from itertools import pairwise

import numpy as np
import pytest

from engine import telling
from engine.estimate import Estimator
from engine.jobs import Job
from engine.preview import Pace
from engine.requests import image_task
from engine.snapshots import Progress
from engine.telling import PictureWork, Telling
from tests.work import image, story


def test_progress_of_scenes_only_ever_grows() -> None:
    told: list[Progress] = []
    job = Job(story(4), seed=1, on_change=lambda job: told.append(job.snapshot().progress))
    job.start()
    task = image_task(image(num_inference_steps=10), 1)
    work = PictureWork(task, 64 * 64, guided=True, file="png")
    telling = Telling(job, [1, 2, 4], work, Estimator(), pace=Pace(0.05), most_rows=4)
    generator = np.random.default_rng(1)
    steps = {1: 0, 2: 0, 4: 0}
    while open_ := [number for number in steps if steps[number] < 10]:
        number = int(generator.choice(open_))
        steps[number] += 1
        telling.step(number, steps[number])
    seen = [(progress.scene, progress.step) for progress in told[1:]]
    assert (seen == sorted(seen) and seen[-1] == (4, 10)) or (1, 10) in seen
    assert all(one < other for one, other in pairwise(seen))


def test_how_many_scenes_are_drawn_together_is_told() -> None:
    job = Job(story(6), seed=1)
    job.start()
    task = image_task(image(num_inference_steps=10), 1)
    work = PictureWork(task, 64 * 64, guided=True, file="png")
    telling = Telling(job, [1, 2, 3, 5, 6], work, Estimator(), pace=Pace(0.05), most_rows=4)

    def told(number: int, step: int) -> tuple[int, int, int, int]:
        telling.step(number, step)
        progress = job.snapshot().progress
        return progress.scene, progress.step, progress.at_once, progress.steps_beside

    assert [told(number, 0) for number in (1, 2, 3)] == [(1, 0, 1, 0)] * 3
    for step in range(1, 10):
        for number in (1, 2, 3):
            told(number, step)
    assert told(1, 10) == (1, 10, 3, 18)
    assert [told(number, 10) for number in (2, 3)] == [(2, 10, 2, 9), (3, 10, 1, 0)]
    assert job.snapshot().progress.begun == (1, 2, 3)
    telling.drawn(1)
    assert [told(number, 0) for number in (5, 6)] == [(5, 0, 1, 0)] * 2
    assert job.snapshot().progress.begun == (1, 2, 3, 5)


def test_where_nothing_is_drawn_beside_them_all_files_count() -> None:
    estimator, etas = Estimator(), []
    for work, seconds in (("step", 0.0), ("decode", 0.0), ("png", 1.0)):
        estimator.observe(work, 2 * 64 * 64, seconds)
    task = image_task(image(num_inference_steps=10), 1)
    for beside in (True, False):
        job = Job(story(4), seed=1)
        job.start()
        work = PictureWork(task, 64 * 64, guided=True, file="png")
        pace, numbers = Pace(0.05), [1, 2, 3, 4]
        told = Telling(job, numbers, work, estimator, pace=pace, most_rows=4, beside=beside)
        told.step(1, 0)
        etas.append(job.snapshot().progress.eta_s)
    assert etas[1] == 4 * etas[0] > 0


def test_the_wait_for_a_place_is_nobodys_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(telling.time, "perf_counter", lambda: now[0])
    job = Job(image(num_inference_steps=10), seed=1)
    job.start()
    estimator = Estimator()
    estimator.observe("step", 2 * 64 * 64, 1.0)
    estimator.observe("decode", 64 * 64, 0.0)
    task = image_task(image(num_inference_steps=10), 1)
    work = PictureWork(task, 64 * 64, guided=True, file="png")
    told = Telling(job, [1], work, estimator, pace=Pace(0.05), most_rows=4)
    etas = []
    for step in range(11):
        told.step(1, step)
        etas.append(job.snapshot().progress.eta_s)
        now[0] += 60.0 if step == 0 else 1.0
    assert etas == pytest.approx([10 - step for step in range(11)])
