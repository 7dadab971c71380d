from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from numpy.typing import NDArray

from engine.encoding import Encoder
from engine.jobs import CancelToken
from engine.latents import draw_noise, drawn_size, resample
from engine.models import LoadedModel, ModelDefaults
from engine.requests import ImageTask
from engine.rows import Flight, Order, Row
from engine.sampler import Sampler
from tests.loaded import generate, load, make_task

V_PREDICTION = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction", "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "steps_offset": 1,
}  # fmt: skip
KINDS = ["epsilon", "flow_prediction", "v_prediction"]


@cache
def untouched(folder: Path) -> Any:
    """The pipeline as diffusers loads it: none of its parts is ours."""
    return StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32)


def with_scheduler(model: LoadedModel, scheduler: Any, parts: Any = None) -> LoadedModel:
    """A model with another scheduler; `parts`: another pipeline that it takes its parts from."""
    parts = parts or model.pipeline
    pipeline = StableDiffusionPipeline(
        parts.vae, parts.text_encoder, parts.tokenizer, parts.unet, scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    return replace(model, pipeline=pipeline)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> LoadedModel:
    return load(tiny_model)


@pytest.fixture(scope="module")
def models(tiny_flow_model: Path, model: LoadedModel) -> dict[str, LoadedModel]:
    v_prediction = with_scheduler(model, DPMSolverMultistepScheduler(**V_PREDICTION))
    return dict(zip(KINDS, (model, load(tiny_flow_model), v_prediction), strict=True))


def reference(model: LoadedModel, task: ImageTask, output_type: str = "np") -> Any:
    """What diffusers' own pipeline makes of the same task and seed: pixels or latents."""
    scheduler = DPMSolverMultistepScheduler.from_config(model.pipeline.scheduler.config)
    image = with_scheduler(model, scheduler, untouched(model.choice.folder)).pipeline(
        task.prompt,
        negative_prompt=task.negative_prompt,
        num_inference_steps=task.num_inference_steps,
        guidance_scale=task.guidance_scale,
        width=task.width,
        height=task.height,
        generator=torch.Generator("cpu").manual_seed(task.seed),
        output_type=output_type,
    ).images[0]  # fmt: skip
    return image if output_type == "latent" else (image * 255).round().astype(np.uint8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"guidance_scale": 1.0},
        {"guidance_scale": 1.5, "negative_prompt": "rain", "seed": 2**32 - 1},
        {"num_inference_steps": 20, "width": 72, "height": 128, "seed": 0},
        {"prompt": "héros 猫, (odd:1.2)", "num_inference_steps": 25},
    ],
    ids=["guided", "unguided", "negative", "oblong", "25 steps"],
)
def test_pictures_are_those_of_diffusers_own_pipeline(
    models: dict[str, LoadedModel], kind: str, changes: dict[str, Any]
) -> None:
    task = make_task(**changes)
    expected = reference(models[kind], task)
    pixels = generate(models[kind], task).pixels
    assert pixels.shape == expected.shape == (task.height, task.width, 3)
    assert expected.std() > 2, "the reference is too plain to compare with"
    assert np.abs(pixels.astype(int) - expected.astype(int)).max() <= 1


def last_latents(model: LoadedModel, task: ImageTask) -> torch.Tensor:
    """What the decoder is given for a task, before it is scaled."""
    found: list[torch.Tensor] = []
    sampler = Sampler(model)
    finish = sampler._finish

    def watched(row: Row, flight: Flight) -> None:
        found.append(flight.latents.clone())
        finish(row, flight)

    sampler._finish = watched  # type: ignore[method-assign]
    sampler.generate(Order(task, CancelToken(), lambda step: None))
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("guidance", [1.0, 1.1, 7.5, 30.0])
def test_latents_are_those_of_diffusers_own_pipeline(
    models: dict[str, LoadedModel], kind: str, guidance: float
) -> None:
    task = make_task(guidance_scale=guidance, num_inference_steps=14)
    expected = reference(models[kind], task, "latent")
    latents = last_latents(models[kind], task)
    assert float((latents - expected).abs().max()) < 1e-4 * float(expected.abs().max())


@pytest.mark.parametrize(("guidance", "rows"), [(1.0, 1), (1.01, 2)])
def test_only_guidance_costs_a_second_row(model: LoadedModel, guidance: float, rows: int) -> None:
    batches: set[int] = set()
    note = model.pipeline.unet.conv_out.register_forward_hook(
        lambda module, inputs, output: batches.add(len(output))
    )
    generate(model, make_task(guidance_scale=guidance))
    note.remove()
    assert batches == {rows}


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_pixels_whatever_came_between(
    models: dict[str, LoadedModel], kind: str
) -> None:
    sampler = Sampler(models[kind])

    def draw(task: ImageTask) -> NDArray[np.uint8]:
        return sampler.generate(Order(task, CancelToken(), lambda step: None)).pixels

    first = draw(make_task())
    draw(make_task(prompt="something else", width=128, num_inference_steps=13, seed=9))
    torch.manual_seed(77)
    assert np.array_equal(draw(make_task()), first)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4},
        {"prompt": "a dog"},
        {"negative_prompt": "rain"},
        {"guidance_scale": 3.0},
        {"num_inference_steps": 11},
    ],
)
def test_every_part_of_a_task_matters(model: LoadedModel, changes: dict[str, Any]) -> None:
    pixels = generate(model, make_task()).pixels
    assert not np.array_equal(generate(model, make_task(**changes)).pixels, pixels)


def test_without_guidance_the_negative_prompt_is_not_read(model: LoadedModel) -> None:
    plain = generate(model, make_task(guidance_scale=1.0)).pixels
    task = make_task(guidance_scale=1.0, negative_prompt="rain")
    assert np.array_equal(generate(model, task).pixels, plain)


def test_the_tail_of_a_long_prompt_changes_the_picture(model: LoadedModel) -> None:
    hero = "a young woman with long red hair, " * 6
    one, two = (generate(model, make_task(prompt=hero + end)) for end in ("at sea", "on a hill"))
    assert not np.array_equal(one.pixels, two.pixels)


def test_a_long_prompt_is_encoded_in_whole_windows(model: LoadedModel) -> None:
    task = make_task(prompt="x " * 160, negative_prompt="rain")
    assert Encoder(model).encode(task, guided=True).shape == (2, 3 * 77, 32)
    assert Encoder(model).encode(task, guided=False).shape == (1, 3 * 77, 32)


def test_a_negative_prompt_may_be_the_longer_one(model: LoadedModel) -> None:
    task = make_task(negative_prompt="rain " * 60)
    assert Encoder(model).encode(task, guided=True).shape[1] == 4 * 77
    assert generate(model, task).pixels.shape == (64, 64, 3)


def test_a_scheduler_that_draws_noise_of_its_own_is_made_deterministic(model: LoadedModel) -> None:
    noisy = DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++", **V_PREDICTION)
    drawn = with_scheduler(model, noisy)
    first, second = (generate(drawn, make_task()).pixels for _ in range(2))
    assert np.array_equal(first, second)


def test_guidance_left_open_is_the_models_own_and_told(model: LoadedModel) -> None:
    own = replace(model, defaults=ModelDefaults(guidance_scale=2.0))
    picture = generate(own, make_task(guidance_scale=None))
    assert picture.guidance_scale == 2.0
    asked = generate(own, make_task(guidance_scale=2.0))
    assert np.array_equal(picture.pixels, asked.pixels)


def test_every_step_is_told(model: LoadedModel) -> None:
    steps: list[int] = []
    Sampler(model).generate(Order(make_task(num_inference_steps=12), CancelToken(), steps.append))
    assert steps == list(range(1, 13))


def test_times_are_measured(model: LoadedModel) -> None:
    picture = generate(model, make_task())
    assert picture.step_s > 0 and picture.decode_s > 0


def test_latents_stay_in_float32_whatever_the_models_dtype(tiny_model: Path) -> None:
    half = load(tiny_model, dtype="bfloat16")
    task = make_task()
    with torch.inference_mode():
        assert Encoder(half).encode(task, guided=True).dtype == torch.bfloat16
    latents = last_latents(half, task)
    assert draw_noise(half, task.seed, 64, 64).dtype == latents.dtype == torch.float32
    fraction = (latents - latents.to(torch.bfloat16).float()).abs()
    assert (fraction > 0).float().mean() > 0.5


def shaped(near_native_area: bool, *, cell: int = 8, native: int = 512) -> Any:
    defaults = ModelDefaults(near_native_area=near_native_area)
    return SimpleNamespace(size_step=cell, native_side=native, defaults=defaults)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (512, 512), (2048, 72)])
def test_a_model_draws_at_the_asked_size(width: int, height: int) -> None:
    assert drawn_size(width, height, shaped(False)) == (width, height)


def test_a_size_between_cells_is_drawn_larger() -> None:
    assert drawn_size(72, 120, shaped(False, cell=16)) == (80, 128)
    assert drawn_size(72, 120, shaped(False, cell=64)) == (128, 128)


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ((512, 512), (128, 128)),
        ((64, 64), (128, 128)),
        ((1024, 512), (184, 88)),
        ((512, 1024), (88, 184)),
        ((2048, 64), (728, 24)),
        ((128, 128), (128, 128)),
    ],
)
def test_a_model_that_asks_for_it_draws_near_its_native_area(
    asked: tuple[int, int], drawn: tuple[int, int]
) -> None:
    assert drawn_size(*asked, shaped(True, native=128)) == drawn


def test_the_thinnest_picture_still_has_a_cell() -> None:
    assert drawn_size(2048, 64, shaped(True, cell=64, native=64)) == (384, 64)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (200, 120), (72, 512), (256, 64)])
def test_a_picture_drawn_near_native_has_the_asked_size(
    model: LoadedModel, width: int, height: int
) -> None:
    native = replace(model, defaults=ModelDefaults(near_native_area=True))
    picture = generate(native, make_task(width=width, height=height))
    assert picture.pixels.shape == (height, width, 3) and picture.pixels.dtype == np.uint8
    assert (picture.drawn_width, picture.drawn_height) == drawn_size(width, height, native)


def test_resampling_keeps_a_plain_colour() -> None:
    plain = np.full((64, 48, 3), (10, 200, 30), np.uint8)
    larger = resample(plain, 200, 72)
    assert larger.shape == (72, 200, 3)
    assert np.array_equal(np.unique(larger.reshape(-1, 3), axis=0), [[10, 200, 30]])


def test_resampling_to_the_same_size_changes_nothing() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    assert resample(pixels, 48, 64) is pixels


def test_noise_is_that_of_the_seed(model: LoadedModel) -> None:
    generator = torch.Generator("cpu").manual_seed(5)
    expected = torch.randn((1, 4, 9, 8), generator=generator)
    assert torch.equal(draw_noise(model, 5, 64, 72), expected)
