"""Jobs on models of other families: nothing about them is different."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from engine import Engine, JobState
from engine.errors import BadOutput, JobCancelled
from engine.metadata import read_recipe
from tests.conftest import EngineFactory
from tests.loaded import rewrite
from tests.movies import read_comment
from tests.tiny_families import save_tiny_sd3, save_tiny_xl
from tests.work import image, ready, story, until


@pytest.fixture(scope="module", params=[save_tiny_xl, save_tiny_sd3])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    save: Callable[[Path], Path] = request.param
    return save(tmp_path_factory.mktemp("families") / "other")


@pytest.fixture
def engine(make_engine: EngineFactory, folder: Path) -> Engine:
    return make_engine(model=str(folder))


def test_a_picture_has_its_recipe_and_its_seed_gives_it_again(engine: Engine) -> None:
    jobs = [engine.submit(image(seed=5, width=72)) for _ in range(2)]
    assert all(job.wait(60) for job in jobs)
    first, second = (engine.result(job).path for job in jobs)
    assert first.read_bytes() == second.read_bytes()
    facts = ready(engine).status().facts
    assert facts is not None and facts.name == "other"
    with Image.open(first) as picture:
        recipe = read_recipe(picture)
        assert picture.size == (72, 64) and recipe is not None
        assert f"Sampler: {facts.scheduler}," in picture.info["parameters"]
    assert (recipe.seed, recipe.num_inference_steps, recipe.model) == (5, 10, "other")
    assert (recipe.guidance_scale, recipe.scheduler) == (facts.guidance_scale, facts.scheduler)
    assert facts.scheduler.endswith("EulerDiscreteScheduler") and facts.guidance_scale in (5, 7)


def test_a_job_is_cancelled_midway_and_the_next_one_succeeds(engine: Engine) -> None:
    job = engine.submit(image(num_inference_steps=50))
    until(lambda: (job.snapshot().progress.step or 0) >= 3)
    job.cancel()
    assert job.wait(60) and job.state is JobState.CANCELLED
    assert isinstance(job.error, JobCancelled) and (job.snapshot().progress.step or 0) < 50
    good = engine.submit(image())
    assert good.wait(60) and good.state is JobState.SUCCEEDED


def test_a_story_is_told_drawn_and_its_scenes_used_again(engine: Engine) -> None:
    request = story(2, hero_description="a fox", seed=3)
    job = ready(engine).submit(request)
    job.watch()
    assert job.wait(60) and job.state is JobState.SUCCEEDED
    manifest = json.loads(read_comment(engine.result(job).path))
    assert [scene["seed"] for scene in manifest["scenes"]] == [3, 4]
    assert engine.plan(request, reuse=True).scenes_to_draw == 0
    assert engine.status().measured_s.keys() >= {"step", "decode"}


def test_a_plan_tells_that_long_prompts_are_cut(engine: Engine) -> None:
    plan = ready(engine).plan(story(2, hero_description="abc"))
    assert (plan.scene_tokens, plan.token_window, plan.cuts_prompts) == ([10, 10], 75, True)
    length = engine.prompt_length("x " * 80)
    assert length is not None and length.cuts and length.tokens == 80


def test_a_picture_of_nan_fails_the_job(
    make_engine: EngineFactory, folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    path = copy / "vae" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights["decoder.conv_out.bias"].fill_(float("nan"))
    save_file(weights, path, metadata={"format": "pt"})
    job = make_engine(model=str(copy)).submit(image())
    assert job.wait(60) and isinstance(job.error, BadOutput)


def test_an_unknown_family_is_told_and_the_service_lives(
    make_engine: EngineFactory, folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    rewrite(copy / "model_index.json", _class_name="AudioLDM2Pipeline")
    engine = make_engine(model=str(copy))
    until(lambda: engine.status().model_state == "unavailable")
    problem = engine.status().problem
    assert problem is not None and "family" in problem.message and problem.advice
