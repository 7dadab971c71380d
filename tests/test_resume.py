"""A story that is drawn again: only what is missing or would be other is diffused."""

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine import Engine, JobState
from engine.choice import ModelChoice
from engine.errors import BadOutput, JobCancelled, JobNotFound, ResultGone
from engine.jobs import Job
from engine.rows import Order, Picture
from engine.sampler import Sampler
from tests.conftest import EngineFactory
from tests.stub_sampler import StubSampler, open_production
from tests.work import image, story, until


class Fragile(StubSampler):
    """Waits before the picture `stop_at`, so that the engine can be closed there."""

    def __init__(self, stop_at: int) -> None:
        super().__init__()
        self.stop_at = stop_at
        self.told: list[Any] = []

    def generate(self, order: Order) -> Picture:
        while len(self.drawn) + 1 == self.stop_at:
            order.token.check()
        return super().generate(order)


@pytest.fixture
def closed_after_three(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> tuple[Engine, Job]:
    sampler = Fragile(stop_at=4)
    monkeypatch.setattr(Engine, "_open_drawer", open_production(sampler))
    engine = make_engine()
    job = engine.submit(story(5, seed=1))
    until(lambda: len(engine.scenes(job.id)) == 3)
    engine.close()
    return engine, job


def drawn_again(
    make_engine: EngineFactory,
    monkeypatch: pytest.MonkeyPatch,
    job: Job,
    sampler: StubSampler | None = None,
) -> list[int]:
    """Seeds of the pictures that another engine draws to end the job."""
    sampler = sampler or StubSampler()
    monkeypatch.setattr(Engine, "_open_drawer", open_production(sampler))
    engine = make_engine()
    again = engine.job(job.id)
    assert again.wait(60) and again.state is JobState.SUCCEEDED, again.error
    assert [scene.seed for scene in engine.scenes(job.id)] == [1, 2, 3, 4, 5]
    assert all(scene.path.is_file() for scene in engine.scenes(job.id))
    return [task.seed for task in sampler.drawn]


def scene_file(engine: Engine, job: Job, number: int) -> Path:
    return engine.settings.data_dir / "jobs" / job.id / f"scene-{number:02}.png"


def test_a_stopped_story_draws_what_is_missing(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch, closed_after_three: Any
) -> None:
    _, job = closed_after_three
    assert drawn_again(make_engine, monkeypatch, job) == [4, 5]


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "another"])
def test_a_damaged_scene_is_drawn_again(
    make_engine: EngineFactory,
    monkeypatch: pytest.MonkeyPatch,
    closed_after_three: tuple[Engine, Job],
    damage: str,
) -> None:
    engine, job = closed_after_three
    path = scene_file(engine, job, 2)
    data = path.read_bytes()
    path.unlink()
    if damage == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "another":
        path.write_bytes(scene_file(engine, job, 1).read_bytes())
    assert drawn_again(make_engine, monkeypatch, job) == [2, 4, 5]
    with Image.open(path) as picture:
        picture.load()


@pytest.mark.parametrize("changed", ["model", "revision", "dtype", "guidance", "decoder"])
def test_scenes_of_another_model_are_drawn_again(
    make_engine: EngineFactory,
    monkeypatch: pytest.MonkeyPatch,
    closed_after_three: tuple[Engine, Job],
    changed: str,
) -> None:
    sampler = StubSampler()
    if changed == "dtype":
        sampler.model.dtype_name = "float16"
    elif changed == "decoder":
        sampler.model.decoder = ModelChoice(Path(), "other", "r1", "a test")
    elif changed == "guidance":
        sampler.model.defaults = type(sampler.model.defaults)(guidance_scale=4.0)
    else:
        name, revision = ("other", "r1") if changed == "model" else ("stub", "r2")
        sampler.model.choice = ModelChoice(Path(), name, revision, "a test")
    again = drawn_again(make_engine, monkeypatch, closed_after_three[1], sampler)
    assert again == [1, 2, 3, 4, 5]


def test_progress_begins_where_the_story_goes_on(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch, closed_after_three: Any
) -> None:
    _, job = closed_after_three
    sampler = Fragile(stop_at=1)
    monkeypatch.setattr(Engine, "_open_drawer", open_production(sampler))
    engine = make_engine()
    again = engine.job(job.id)
    until(lambda: again.snapshot().progress.scene == 4)
    progress = again.snapshot().progress
    assert (progress.scenes, progress.step, progress.steps) == (5, 0, 10)


def test_scenes_are_of_the_owner_and_may_be_gone(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "_open_drawer", open_production())
    engine = make_engine()
    job, picture = engine.submit(story(2), owner="me"), engine.submit(image())
    assert job.wait(60) and picture.wait(60)
    scenes = engine.scenes(job.id, owner="me")
    assert [scene.number for scene in scenes] == [1, 2] and engine.scenes(picture.id) == []
    with pytest.raises(JobNotFound):
        engine.scenes(job.id)
    scenes[1].path.unlink()
    with pytest.raises(ResultGone):
        engine.scenes(job.id, owner="me")


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_what_an_ended_story_has_drawn_is_kept_for_another_version(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    sampler = Fragile(stop_at=3)
    monkeypatch.setattr(Engine, "_open_drawer", open_production(sampler))
    first = make_engine()
    job = first.submit(story(3, seed=5))
    until(lambda: len(first.scenes(job.id)) == 2)
    job.token.set(JobCancelled("stop") if end == "cancelled" else BadOutput("NaN"))
    assert job.wait(30) and job.state == end
    first.close()
    sampler.stop_at = 0
    engine = make_engine()
    assert [scene.seed for scene in engine.scenes(job.id)] == [5, 6]
    version = engine.submit(story(3, scene_seeds=[5, 6, 7]), reuse=True)
    assert version.wait(30) and version.state is JobState.SUCCEEDED
    assert [task.seed for task in sampler.drawn] == [5, 6, 7]


def test_a_cancelled_story_that_somebody_waited_for_leaves_nothing(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "_open_drawer", open_production(Fragile(stop_at=3)))
    engine = make_engine()
    job = engine.submit(story(3), attended=True)
    until(lambda: len(engine.scenes(job.id)) == 2)
    job.cancel()
    assert job.wait(30) and engine.scenes(job.id) == []
    until(lambda: not engine.status().running)
    assert not scene_file(engine, job, 1).exists()


def test_the_real_sampler_goes_on_where_it_stopped(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate, drawn, gate = Sampler.generate, [], threading.Event()

    def watched(self: Sampler, order: Order) -> Picture:
        while len(drawn) == 2 and not gate.is_set():
            order.token.check()
        drawn.append(order.task.seed)
        return generate(self, order)

    monkeypatch.setattr(Sampler, "generate", watched)
    request = story(4, seed=1, width=72)
    first = make_engine()
    job = first.submit(request)
    until(lambda: len(first.scenes(job.id)) == 2, 60)
    first.close()
    gate.set()
    engine = make_engine()
    again = engine.job(job.id)
    assert again.wait(60) and again.state is JobState.SUCCEEDED
    assert drawn == [1, 2, 3, 4]
    whole = engine.submit(request)
    assert whole.wait(60) and len(drawn) == 8
    pairs = zip(engine.scenes(job.id), engine.scenes(whole.id), strict=True)
    assert all(one.path.read_bytes() == other.path.read_bytes() for one, other in pairs)
