"""Pictures that are there already: a story on such terms takes them as they are."""

from typing import Any

import pytest

from engine import Engine, JobState, VideoRequest
from engine.jobs import Job
from tests.conftest import EngineFactory
from tests.stub_sampler import StubSampler, open_production
from tests.work import image, story


@pytest.fixture
def sampler() -> StubSampler:
    return StubSampler()


@pytest.fixture
def engine(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch, sampler: StubSampler
) -> Engine:
    monkeypatch.setattr(Engine, "_open_drawer", open_production(sampler))
    return make_engine()


def told(**changes: Any) -> VideoRequest:
    """A story with its hero; scene k is the picture that `still(k)` asks for."""
    told = {**story(3).model_dump(), "hero_description": "a hero", "scene_seeds": [1, 2, 3]}
    return VideoRequest(**{**told, **changes})


def still(number: int, **changes: Any) -> Any:
    request = told()
    prompt = f"a hero, {request.scenes[number - 1]}"
    return image(**{"prompt": prompt, "seed": number, **changes})


def made(engine: Engine, request: Any, **terms: Any) -> Job:
    job = engine.submit(request, **terms)
    assert job.wait(30) and job.state is JobState.SUCCEEDED, job.error
    return job


def seeds(sampler: StubSampler) -> list[int]:
    drawn = [task.seed for task in sampler.drawn]
    sampler.drawn.clear()
    return drawn


def test_pictures_become_scenes_without_being_drawn_again(
    engine: Engine, sampler: StubSampler
) -> None:
    picture = made(engine, still(2))
    seeds(sampler)
    job = made(engine, told(), reuse=True)
    assert seeds(sampler) == [1, 3]
    scene = engine.scenes(job.id)[1]
    assert scene.path.read_bytes() == picture.result().path.read_bytes()
    assert scene.path.parent.name == job.id  # its own copy


@pytest.mark.parametrize(
    ("changes", "drawn"),
    [
        ({"duration_per_scene": 1.0, "transition": "wipe", "motion": "zoom_in"}, []),
        ({"scenes": [f"another {k}" for k in range(3)]}, [1, 2, 3]),
        ({"scene_seeds": [1, 9, 3]}, [9]),
        ({"hero_description": "another"}, [1, 2, 3]),
        ({"num_inference_steps": 11}, [1, 2, 3]),
        ({"width": 72}, [1, 2, 3]),
    ],
)
def test_only_what_would_be_another_picture_is_drawn(
    engine: Engine, sampler: StubSampler, changes: dict[str, Any], drawn: list[int]
) -> None:
    made(engine, told())
    seeds(sampler)
    assert engine.plan(told(**changes), reuse=True).scenes_to_draw == len(drawn)
    made(engine, told(**changes), reuse=True)
    assert seeds(sampler) == drawn


def test_without_that_term_everything_is_drawn(engine: Engine, sampler: StubSampler) -> None:
    made(engine, told())
    assert engine.plan(told()).scenes_to_draw == 3
    made(engine, told())
    assert seeds(sampler) == [1, 2, 3, 1, 2, 3]


def test_nobody_gets_pictures_of_others(engine: Engine, sampler: StubSampler) -> None:
    made(engine, told(), owner="alice")
    seeds(sampler)
    assert engine.plan(told(), owner="bob", reuse=True).scenes_to_draw == 3
    made(engine, told(), owner="bob", reuse=True)
    made(engine, told(), reuse=True)
    assert seeds(sampler) == [1, 2, 3, 1, 2, 3]
    made(engine, told(), owner="alice", reuse=True)
    assert seeds(sampler) == []


def test_an_older_file_stands_in_for_a_damaged_one(engine: Engine, sampler: StubSampler) -> None:
    older, newer = made(engine, still(1)), made(engine, still(1))
    newer.result().path.write_bytes(b"damaged")
    seeds(sampler)
    made(engine, told(), reuse=True)
    assert seeds(sampler) == [2, 3]
    older.result().path.unlink()
    made(engine, told(), reuse=True)
    assert seeds(sampler) == []  # the story has its own copy


def test_only_png_is_a_scene(engine: Engine, sampler: StubSampler) -> None:
    made(engine, still(1, format="jpeg"))
    assert engine.plan(told(), reuse=True).scenes_to_draw == 3


def test_a_story_without_seeds_finds_nothing(engine: Engine) -> None:
    made(engine, told())
    assert engine.plan(told(scene_seeds=None), reuse=True).scenes_to_draw == 3


def test_the_estimate_counts_what_will_be_drawn(engine: Engine) -> None:
    made(engine, told(width=512, height=512))

    def estimate_s(**terms: Any) -> int:
        request = told(width=512, height=512)
        return engine.plan(request, **terms).estimated_generation_time_seconds

    assert estimate_s(reuse=True) == 1  # the least that is told
    assert estimate_s() > 3
