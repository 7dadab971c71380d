"""A device on which pictures share a pass: jobs are made together, and each as if it were alone."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from engine import Engine, ImageRequest, JobState
from engine.errors import BadOutput, InternalError, JobCancelled, ShuttingDown
from engine.estimate import Estimator
from engine.jobs import CancelToken, Job
from engine.metadata import encode_image
from engine.production import Production
from engine.rows import Order, Row
from engine.sampler import Sampler
from engine.snapshots import Progress, Terms
from engine.store import Store
from tests.conftest import EngineFactory
from tests.stub_sampler import StubSampler, hand_off
from tests.work import files, image, ready, story, until

ROWS = 4


@pytest.fixture
def engine(make_engine: EngineFactory) -> Engine:
    """An engine on the tiny model, four of whose pictures share a pass."""
    made = ready(make_engine(max_queue=1000, pictures_at_once=None))
    assert made._forecast._most_rows == ROWS
    return made


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The thread and the rows of prompts of every pass of the U-Net from here on."""
    from diffusers import UNet2DConditionModel

    noted: list[tuple[str, int]] = []
    forward = UNet2DConditionModel.forward

    def watched(self: Any, *arguments: Any, **more: Any) -> Any:
        noted.append((threading.current_thread().name, len(more["encoder_hidden_states"])))
        return forward(self, *arguments, **more)

    monkeypatch.setattr(UNet2DConditionModel, "forward", watched)
    return noted


def pixels(engine: Engine, job: Job) -> NDArray[np.int64]:
    assert job.wait(60)
    with Image.open(engine.result(job).path) as picture:
        return np.asarray(picture).astype(int)


def test_jobs_share_passes_and_each_picture_is_what_it_is_alone(
    engine: Engine, passes: list[tuple[str, int]]
) -> None:
    requests = [image(seed=seed, num_inference_steps=10 + 3 * seed) for seed in range(6)]
    jobs = [engine.submit(request) for request in requests]
    together = [pixels(engine, job) for job in jobs]
    assert {thread for thread, _ in passes} == {"device"}
    assert max(rows for _, rows in passes) == 2 * ROWS
    for request, picture in zip(requests, together, strict=True):
        assert np.abs(pixels(engine, engine.submit(request)) - picture).max() <= 2


def test_the_scenes_of_a_story_share_passes_and_are_told_of_in_order(
    engine: Engine, passes: list[tuple[str, int]]
) -> None:
    told: dict[str, list[Progress]] = {}
    engine.listen(lambda job: told.setdefault(job.id, []).append(job.snapshot().progress))
    job = engine.submit(story(6, seed=1))
    assert job.wait(60) and job.state is JobState.SUCCEEDED
    assert [rows for _, rows in passes[:10]] == [2 * ROWS] * 10 and len(passes) <= 40
    drawing = [(p.scene, p.step) for p in told[job.id] if p.stage in ("denoising", "decoding")]
    assert drawing == sorted(drawing) and drawing[-1] == (6, 10)
    assert {scene for scene, _ in drawing} == {1, 2, 3, 4, 5, 6}
    alone = [engine.submit(image("a scene", seed=seed)) for seed in range(1, 7)]
    for scene, single in zip(engine.scenes(job.id), alone, strict=True):
        with Image.open(scene.path) as still:
            assert np.abs(np.asarray(still) - pixels(engine, single)).max() <= 2


def test_an_image_does_not_wait_for_the_story_before_it(engine: Engine) -> None:
    long = engine.submit(story(50, num_inference_steps=50))
    until(lambda: long.snapshot().progress.step >= 1)
    assert engine.submit(image()).wait(60)
    assert long.state is JobState.RUNNING
    long.cancel()
    assert long.wait(60)


def test_a_picture_does_not_wait_for_as_many_stories_as_there_are_makers(engine: Engine) -> None:
    films = [engine.submit(story(50, num_inference_steps=50), client="a") for _ in range(ROWS + 1)]
    until(lambda: films[0].snapshot().progress.step >= 1)
    assert engine.submit(image(), client="b").wait(60)
    states = [film.state for film in films]
    assert states == [JobState.RUNNING] * (ROWS // 2) + [JobState.QUEUED] * (ROWS // 2 + 1)
    for film in films:
        film.cancel()
    assert all(film.wait(60) for film in films)


def test_cancelling_one_leaves_the_others(engine: Engine) -> None:
    jobs = [engine.submit(image(seed=seed, num_inference_steps=50)) for seed in range(3)]
    film = engine.submit(story(5))
    until(lambda: all(job.snapshot().progress.step >= 1 for job in jobs))
    jobs[1].cancel()
    film.cancel()
    assert all(job.wait(60) for job in (*jobs, film))
    states = [job.state for job in (*jobs, film)]
    done, gone = JobState.SUCCEEDED, JobState.CANCELLED
    assert states == [done, gone, done, gone]
    assert isinstance(jobs[1].error, JobCancelled)
    until(lambda: not engine.status().running)


class Desk:
    """Holds every picture back that is written, until it is told to let them go."""

    def __init__(self) -> None:
        self.reached, self.let_go = threading.Event(), threading.Event()

    def encode(self, *arguments: Any) -> bytes:
        self.reached.set()
        assert self.let_go.wait(60)
        return encode_image(*arguments)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    monkeypatch.setattr("engine.production.encode_image", made.encode)
    return made


def test_on_a_cpu_nothing_is_drawn_while_a_file_is_written(
    engine: Engine, passes: list[tuple[str, int]], desk: Desk
) -> None:
    long = engine.submit(image(seed=1, num_inference_steps=50))
    short = engine.submit(image(seed=2))
    assert desk.reached.wait(60)
    drawn = len(passes)
    time.sleep(0.1)
    assert len(passes) == drawn < 50 and long.state is JobState.RUNNING
    desk.let_go.set()
    assert short.wait(60) and long.wait(60) and long.state is JobState.SUCCEEDED


def test_who_is_cancelled_does_not_wait_for_anothers_file(engine: Engine, desk: Desk) -> None:
    drawn = engine.submit(image(seed=1))
    begun = [engine.submit(image(seed=seed, num_inference_steps=50)) for seed in (2, 3)]
    assert desk.reached.wait(60)
    come_later = engine.submit(image(seed=4))
    for job in (begun[0], come_later):
        job.cancel()
        assert job.wait(5) and job.state is JobState.CANCELLED
    assert not desk.let_go.is_set() and drawn.state is JobState.RUNNING
    desk.let_go.set()
    assert drawn.wait(60) and begun[1].wait(60) and begun[1].state is JobState.SUCCEEDED


def test_a_story_is_the_same_to_the_byte_however_its_scenes_come_together(
    engine: Engine,
) -> None:
    """Scenes begin in groups, and no member of one takes a pass without the others."""
    films = []
    for _ in range(3):
        films.append(engine.submit(story(6, seed=1)))
        assert films[-1].wait(60)
    made = [[scene.path.read_bytes() for scene in engine.scenes(film.id)] for film in films]
    assert made[0] == made[1] == made[2]


def test_a_scene_that_fails_ends_its_story_and_no_other_job(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, passes: list[tuple[str, int]]
) -> None:
    from engine import sampler

    draw_noise = sampler.draw_noise

    def noise(model: Any, seed: int, width: int, height: int) -> torch.Tensor:
        return draw_noise(model, seed, width, height) * (float("nan") if seed == 667 else 1)

    monkeypatch.setattr(sampler, "draw_noise", noise)
    film = engine.submit(story(40, seed=666))
    other = engine.submit(image(num_inference_steps=20))
    assert film.wait(60) and isinstance(film.error, BadOutput)
    assert other.wait(60) and other.state is JobState.SUCCEEDED
    until(lambda: not engine.status().running)
    drawn = len(passes)
    time.sleep(0.1)
    assert len(passes) == drawn < 60  # nobody goes on with what is not wanted any more


def test_a_defect_ends_the_jobs_of_one_pass_and_not_the_next(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.denoiser import Denoiser

    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret words")

    with monkeypatch.context() as patch:
        patch.setattr(Denoiser, "step", fail)
        jobs = [engine.submit(image(seed=seed)) for seed in range(3)]
        assert all(job.wait(60) for job in jobs)
    assert all(isinstance(job.error, InternalError) for job in jobs)
    good = engine.submit(image())
    assert good.wait(60) and good.state is JobState.SUCCEEDED


def test_a_defect_of_the_sampler_itself_keeps_nobody_waiting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SystemExit("secret words")

    with monkeypatch.context() as patch:
        patch.setattr(Sampler, "_advance", fail)
        jobs = [engine.submit(image(seed=seed)) for seed in range(3)]
        assert all(job.wait(60) for job in jobs)
    assert all(isinstance(job.error, InternalError) for job in jobs)
    good = engine.submit(image())
    assert good.wait(60) and good.state is JobState.SUCCEEDED


def test_closing_ends_all_that_is_under_way(
    engine: Engine, threads_before: set[threading.Thread]
) -> None:
    jobs = [engine.submit(image(seed=seed, num_inference_steps=50)) for seed in range(3)]
    film, waiting = engine.submit(story(50)), engine.submit(story(50))
    until(lambda: any(job.snapshot().progress.step >= 1 for job in jobs))
    start = time.monotonic()
    engine.close()
    assert time.monotonic() - start < 5
    assert all(job.wait(0) for job in (*jobs, film, waiting))
    assert isinstance(film.error, ShuttingDown) and isinstance(waiting.error, ShuttingDown)
    names = {thread.name for thread in threading.enumerate()}
    assert not {"device", *(f"maker-{n}" for n in range(ROWS))} & names


def test_many_jobs_of_all_kinds_end_whole(engine: Engine) -> None:
    jobs: list[Job] = []
    for number in range(12):
        jobs.append(engine.submit(image(seed=number, width=(64, 72)[number % 2])))
        if number % 4 == 0:
            jobs.append(engine.submit(story(3, num_inference_steps=10 + number)))
        if number % 3 == 0:
            jobs[-1].cancel()
    assert all(job.wait(60) for job in jobs)
    for job in jobs:
        assert job.state in {JobState.SUCCEEDED, JobState.CANCELLED}
        if job.state is JobState.SUCCEEDED and isinstance(job.request, ImageRequest):
            assert pixels(engine, job).shape[0] == 64
    assert sum(job.state is JobState.SUCCEEDED for job in jobs) >= 10
    assert not [path for path in files(engine) if path.name.endswith(".part")]
    assert not engine.status().running


def test_the_time_left_of_jobs_drawn_together_does_not_add_up(engine: Engine) -> None:
    jobs = [engine.submit(image(seed=seed, num_inference_steps=50)) for seed in range(3)]
    until(lambda: all(job.snapshot().progress.step >= 2 for job in jobs))
    etas = [job.snapshot().progress.eta_s or 0.0 for job in jobs]
    assert min(etas) > 0
    until_s = engine.estimate_s(image(num_inference_steps=50))
    assert until_s < sum(etas) + min(etas)
    for job in jobs:
        job.cancel()


def test_a_picture_under_way_is_not_yet_there_for_a_story(engine: Engine) -> None:
    request = story(2, scene_seeds=[1, 2])
    same = image("a scene", seed=1)
    assert engine.submit(same).wait(60)
    assert engine.plan(request, reuse=True).scenes_to_draw == 1
    slow = {"num_inference_steps": 50}
    under_way = engine.submit(image("a scene", seed=1, **slow))
    request = story(2, scene_seeds=[1, 2], **slow)
    assert engine.plan(request, reuse=True).scenes_to_draw == 2
    film = engine.submit(request, reuse=True)
    assert film.image_tasks == 2
    film.cancel()
    under_way.cancel()


def test_the_part_of_a_job_is_stopped_with_the_whole_and_not_the_other_way() -> None:
    whole = CancelToken()
    part, other = CancelToken(whole), CancelToken(whole)
    part.set(BadOutput("NaN"))
    assert part.is_set and not whole.is_set and not other.is_set
    whole.check()
    with pytest.raises(BadOutput):
        part.check()
    whole.set(JobCancelled("stop"))
    assert other.is_set
    with pytest.raises(JobCancelled):
        other.check()


def test_stories_share_what_may_be_begun(tmp_path: Path) -> None:
    begun: dict[object, list[Row]] = {}

    class Still(StubSampler):
        most_rows = 16

        def begin_all(self, orders: Sequence[Order]) -> list[Row]:
            rows = [Row(order, 7.5) for order in orders]
            begun.setdefault(orders[0].turn, []).extend(rows)
            return rows

    drawing: Any = Still()
    production = Production(drawing, Store(tmp_path), Estimator(), hand_off)

    def draw(job: Job) -> None:
        with suppress(BadOutput):
            production.draw(job)

    shares, threads = [16, 16, 10, 8, 6, 5, 4, 4], []  # of two passes, with so many stories
    for client, share in enumerate(shares):
        job = Job(story(50), seed=1, terms=Terms(client=str(client)))
        job.start()
        threads.append(threading.Thread(target=draw, args=[job]))
        threads[-1].start()
        until(lambda one=str(client), share=share: len(begun.get(one, ())) >= share)
    time.sleep(0.05)
    assert [len(rows) for rows in begun.values()] == shares
    for rows in begun.values():
        rows[0].fail(BadOutput("NaN"))
    for thread in threads:
        thread.join(10)
    assert production._most_begun() == 16


@pytest.mark.parametrize(("asked", "most"), [(None, ROWS), (1, 1), (2, 2), (64, ROWS)])
def test_how_many_share_a_pass_can_be_bounded(
    make_engine: EngineFactory, asked: int | None, most: int
) -> None:
    engine = ready(make_engine(pictures_at_once=asked))
    assert engine._forecast._most_rows == most
