"""Pictures by a model's own pipeline: the same semantics as those of our own loop."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import BadOutput, DeviceOutOfMemory, InvalidRequest, JobCancelled
from engine.jobs import CancelToken
from engine.models import LoadedModel, ModelDefaults
from engine.requests import ImageTask
from engine.rows import Order, Picture
from engine.stock import StockSampler
from tests.loaded import load, make_task
from tests.tiny_families import POSITIONS, save_tiny_pixart, save_tiny_sd3, save_tiny_xl

SAVES: dict[str, Callable[[Path], Path]] = {
    "xl": save_tiny_xl,
    "sd3": save_tiny_sd3,
    "pixart": save_tiny_pixart,
}
NAMES = list(SAVES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("families")
    return {name: save(folder / name) for name, save in SAVES.items()}


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, LoadedModel]:
    own = ModelDefaults(guidance_scale=3.0)  # at the asked size: faster
    return {name: replace(load(folder), defaults=own) for name, folder in folders.items()}


def generate(model: LoadedModel, task: ImageTask) -> Picture:
    return StockSampler(model).generate(Order(task, CancelToken(), lambda step: None))


def cancel(token: CancelToken) -> None:
    token.set(JobCancelled("stop"))


def part_of(model: LoadedModel, name: str) -> Any:
    part: Any = model.pipeline
    for attribute in name.split("."):
        part = getattr(part, attribute)
    return part


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_what_the_pipeline_makes_of_the_same_seed(
    models: dict[str, LoadedModel], name: str
) -> None:
    task, model = make_task(negative_prompt="rain"), models[name]
    expected = model.pipeline(
        task.prompt,
        negative_prompt=task.negative_prompt,
        num_inference_steps=task.num_inference_steps,
        guidance_scale=task.guidance_scale,
        width=task.width,
        height=task.height,
        generator=torch.Generator("cpu").manual_seed(task.seed),
        output_type="np",
        **({"use_resolution_binning": False} if name == "pixart" else {}),
    ).images[0]  # fmt: skip
    pixels = generate(model, task).pixels
    assert pixels.std() > 2 and pixels.dtype == np.uint8
    assert np.array_equal(pixels, (expected * 255).round().astype(np.uint8))


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_pixels_whatever_came_between(
    models: dict[str, LoadedModel], name: str
) -> None:
    sampler = StockSampler(models[name])

    def draw(task: ImageTask) -> Any:
        return sampler.generate(Order(task, CancelToken(), lambda step: None)).pixels

    first = draw(make_task())
    other = draw(make_task(seed=9, num_inference_steps=13))
    token = CancelToken()
    with pytest.raises(JobCancelled):
        sampler.generate(Order(make_task(seed=8), token, lambda step: cancel(token)))
    torch.manual_seed(77)
    assert np.array_equal(draw(make_task()), first) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    "changes", [{"prompt": "a dog"}, {"negative_prompt": "rain"}, {"guidance_scale": 3.0}]
)
@pytest.mark.parametrize("name", NAMES)
def test_every_part_of_a_task_matters(
    models: dict[str, LoadedModel], name: str, changes: dict[str, Any]
) -> None:
    pixels = generate(models[name], make_task()).pixels
    assert not np.array_equal(generate(models[name], make_task(**changes)).pixels, pixels)


def test_guidance_left_open_is_the_models_own_and_told(models: dict[str, LoadedModel]) -> None:
    picture = generate(models["xl"], make_task(guidance_scale=None))
    asked = generate(models["xl"], make_task(guidance_scale=3.0))
    assert picture.guidance_scale == asked.guidance_scale == 3.0
    assert np.array_equal(picture.pixels, asked.pixels)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_gives_nearly_the_same_picture(
    models: dict[str, LoadedModel], name: str
) -> None:
    half = load(models[name].choice.folder, dtype="bfloat16")
    task = make_task(guidance_scale=1.0)
    pixels = generate(replace(half, defaults=models[name].defaults), task).pixels.astype(int)
    assert np.abs(pixels - generate(models[name], task).pixels).mean() < 5


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_told_and_shown(models: dict[str, LoadedModel], name: str) -> None:
    steps: list[int] = []
    previews: list[Any] = []
    sampler = StockSampler(models[name])
    sampler.prepare_previews()
    picture = sampler.generate(
        Order(make_task(), CancelToken(), steps.append, lambda render: previews.append(render()))
    )
    assert steps == list(range(1, 11))
    assert {preview.shape for preview in previews} == {(8, 8, 3)} and len(previews) == 10
    assert picture.step_s > 0 and picture.decode_s > 0 and picture.steps == 10


def test_a_scheduler_of_more_steps_is_told_in_those_asked_for(folders: dict[str, Path]) -> None:
    from diffusers import HeunDiscreteScheduler

    model, steps = load(folders["xl"]), list[int]()
    model.pipeline.scheduler = HeunDiscreteScheduler()
    StockSampler(model).generate(Order(make_task(), CancelToken(), steps.append))
    assert steps == list(range(1, 11))


@pytest.mark.parametrize(
    ("name", "drawn"), [("xl", (72, 120)), ("sd3", (80, 128)), ("pixart", (80, 128))]
)
def test_an_odd_size_is_drawn_larger_and_brought_down(
    models: dict[str, LoadedModel], name: str, drawn: tuple[int, int]
) -> None:
    picture = generate(models[name], make_task(width=72, height=120))
    assert picture.pixels.shape == (120, 72, 3)
    assert (picture.drawn_width, picture.drawn_height) == drawn


def test_a_size_that_the_pipeline_refuses_is_no_defect(models: dict[str, LoadedModel]) -> None:
    side = 16 * (POSITIONS + 1)
    with pytest.raises(InvalidRequest) as caught:
        generate(models["sd3"], make_task(width=side, height=64))
    assert "size" in caught.value.advice
    assert generate(models["sd3"], make_task()).pixels.shape == (64, 64, 3)


def test_a_cancel_stops_within_one_step(folders: dict[str, Path]) -> None:
    model, token, calls = load(folders["sd3"]), CancelToken(), []
    model.pipeline.transformer.register_forward_hook(lambda *_: calls.append("step"))
    with pytest.raises(JobCancelled):
        StockSampler(model).generate(
            Order(make_task(), token, lambda step: cancel(token) if step == 4 else None)
        )
    assert len(calls) == 4


@pytest.mark.parametrize(
    ("name", "cancelled_in", "never_reached"),
    [
        ("xl", "text_encoder", "unet"),
        ("xl", "unet.conv_in", "unet.conv_out"),
        ("xl", "vae.decoder.conv_in", "vae.decoder.conv_out"),
        ("sd3", "transformer.transformer_blocks.0", "transformer.norm_out"),
        ("pixart", "text_encoder", "transformer"),
    ],
)
def test_a_cancel_stops_inside_a_step(
    folders: dict[str, Path], name: str, cancelled_in: str, never_reached: str
) -> None:
    model, token, reached = load(folders[name]), CancelToken(), []
    sampler = StockSampler(model)
    part_of(model, cancelled_in).register_forward_hook(lambda *_: cancel(token))
    part_of(model, never_reached).register_forward_hook(lambda *_: reached.append(1))
    with pytest.raises(JobCancelled):
        sampler.generate(Order(make_task(), token, lambda step: None))
    assert reached == []


@pytest.mark.filterwarnings("ignore:.*upcast_vae.*:FutureWarning")  # diffusers' own call
def test_a_cancel_while_the_decoder_is_in_float32_leaves_it_as_it_was(
    folders: dict[str, Path],
) -> None:
    loaded = load(folders["xl"])
    loaded.pipeline.to(torch.float16)
    sampler = StockSampler(replace(loaded, dtype=torch.float16))
    decoder, dtypes = loaded.pipeline.vae.decoder, list[torch.dtype]()

    def stop(module: Any, inputs: Any) -> None:
        dtypes.append(next(module.parameters()).dtype)
        cancel(token)

    token = CancelToken()
    hook = decoder.register_forward_pre_hook(stop)
    with pytest.raises(JobCancelled):
        sampler.generate(Order(make_task(), token, lambda step: None))
    hook.remove()
    assert dtypes == [torch.float32] and loaded.pipeline.vae.dtype == torch.float16
    sampler.prepare_previews()
    assert loaded.pipeline.vae.dtype == torch.float16
    assert sampler.generate(Order(make_task(), CancelToken(), lambda step: None)).pixels.std() > 2


@pytest.mark.parametrize("part", ["transformer.proj_out", "vae.decoder.conv_out"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_invalid_numbers_are_told_and_not_painted(
    folders: dict[str, Path], part: str, value: float
) -> None:
    model = load(folders["sd3"])
    with torch.no_grad():
        next(part_of(model, part).parameters()).fill_(value)
    with pytest.raises(BadOutput):
        generate(model, make_task())


@pytest.mark.parametrize("part", ["transformer", "vae.decoder"])
def test_out_of_memory_is_told_and_the_next_picture_succeeds(
    models: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    with monkeypatch.context() as patch:
        patch.setattr(part_of(models["sd3"], part), "forward", fail)
        with pytest.raises(DeviceOutOfMemory):
            generate(models["sd3"], make_task())
    assert generate(models["sd3"], make_task()).pixels.shape == (64, 64, 3)


def test_offloaded_parts_leave_the_device_where_it_is_stopped(
    models: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    freed, token = list[str](), CancelToken()
    monkeypatch.setattr(
        models["xl"].pipeline, "maybe_free_model_hooks", lambda: freed.append("freed")
    )
    with pytest.raises(JobCancelled):
        StockSampler(models["xl"]).generate(Order(make_task(), token, lambda step: cancel(token)))
    assert freed == ["freed"]


def test_a_model_of_our_own_loop_has_no_stock_path(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="family"):
        StockSampler(load(tiny_model))
