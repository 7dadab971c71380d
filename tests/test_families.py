"""What is read off the signatures of pipeline classes, and loading folders of other families."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    AnimateDiffPipeline,
    FluxControlPipeline,
    FluxPipeline,
    QwenImagePipeline,
    StableDiffusion3ControlNetPipeline,
    StableDiffusion3Pipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
)

from engine.errors import ModelUnavailable
from engine.families import read_family
from engine.models import LoadedModel
from tests.loaded import load, rewrite
from tests.tiny_families import save_tiny_pixart, save_tiny_sd3, save_tiny_xl


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    folder = tmp_path_factory.mktemp("families")
    saves = {"xl": save_tiny_xl, "sd3": save_tiny_sd3, "pixart": save_tiny_pixart}
    return {name: load(save(folder / name)) for name, save in saves.items()}


@pytest.mark.parametrize(
    ("kind", "guidance", "scale", "longest"),
    [
        (StableDiffusionXLPipeline, "guidance_scale", 5.0, float("inf")),
        (StableDiffusion3Pipeline, "guidance_scale", 7.0, 256),
        (FluxPipeline, "guidance_scale", 3.5, 512),
        (QwenImagePipeline, "true_cfg_scale", 4.0, 512),
    ],
)
def test_a_family_is_told_by_the_call_of_its_class(
    kind: type, guidance: str, scale: float, longest: float
) -> None:
    family = read_family(kind)
    assert family is not None and family.teller == "callback_on_step_end"
    assert (family.guidance, family.guidance_scale) == (guidance, scale)
    assert family.longest_prompt == longest and "prompt" in family.takes


class Without:
    """No pipeline at all."""

    def __call__(self, prompt: str) -> None: ...


@pytest.mark.parametrize(
    "kind",
    [
        AnimateDiffPipeline,
        FluxControlPipeline,
        StableDiffusion3ControlNetPipeline,
        Without,
    ],
)
def test_what_needs_more_than_a_prompt_is_no_family(kind: type) -> None:
    assert read_family(kind) is None


@pytest.mark.parametrize(
    ("name", "native", "step", "window", "guidance", "scheduler"),
    [
        ("xl", 64, 8, 75, 5.0, "EulerDiscreteScheduler"),
        ("sd3", 64, 16, 75, 7.0, "FlowMatchEulerDiscreteScheduler"),
        ("pixart", 256, 16, 119, 4.5, "DPMSolverMultistepScheduler"),
    ],
)
def test_a_model_of_another_family_knows_its_shape(
    models: dict[str, LoadedModel],
    name: str,
    native: int,
    step: int,
    window: int,
    guidance: float,
    scheduler: str,
) -> None:
    model = models[name]
    assert (model.native_side, model.size_step, model.scale_factor) == (native, step, 8)
    assert (model.defaults.guidance_scale, model.scheduler_name) == (guidance, scheduler)
    assert model.defaults.near_native_area
    assert model.reading is not None and (model.reading.window, model.reading.cuts) == (
        window,
        True,
    )


def test_what_a_model_says_of_itself_comes_first(tmp_path: Path) -> None:
    folder = save_tiny_xl(tmp_path / "xl")
    (folder / "storyreel.json").write_text('{"near_native_area": false}')
    defaults = load(folder).defaults
    assert (defaults.near_native_area, defaults.guidance_scale) == (False, 5.0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_part_has_the_dtype_asked_for(models: dict[str, LoadedModel], dtype: str) -> None:
    folder = models["sd3"].choice.folder
    parts = load(folder, dtype=dtype).pipeline.components.values()
    found = {p.dtype for part in parts if hasattr(part, "parameters") for p in part.parameters()}
    assert found == {getattr(torch, dtype)}


def test_tokenizers_that_lost_their_window_get_the_encoders(tmp_path: Path) -> None:
    folder = save_tiny_xl(tmp_path / "xl")
    for place in ("tokenizer", "tokenizer_2"):
        rewrite(folder / place / "tokenizer_config.json", model_max_length=10**30)
    pipeline = load(folder).pipeline
    assert pipeline.tokenizer.model_max_length == pipeline.tokenizer_2.model_max_length == 77


@pytest.mark.parametrize(
    "name",
    [
        StableDiffusionXLImg2ImgPipeline.__name__,
        FluxControlPipeline.__name__,
        *("AudioLDM2Pipeline", "DiffusionPipeline", "NoSuchPipeline", None, 7),
        *([["own_pipeline", "Pipeline"]]),
    ],
)
def test_families_that_cannot_draw_from_a_prompt_are_refused(tmp_path: Path, name: Any) -> None:
    folder = save_tiny_xl(tmp_path / "xl")
    ran = tmp_path / "ran"
    (folder / "own_pipeline.py").write_text(f"import os\nos.mkdir({str(ran)!r})\n")
    rewrite(folder / "model_index.json", _class_name=name)
    with pytest.raises(ModelUnavailable, match="family") as caught:
        load(folder)
    assert "prompt" in caught.value.advice and not ran.exists()


def test_a_tokenizer_that_needs_a_library_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_tiny_pixart(tmp_path / "pixart")
    (folder / "tokenizer" / "tokenizer.json").rename(folder / "tokenizer" / "spiece.model")
    monkeypatch.setattr("engine.models.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match="sentencepiece") as caught:
        load(folder)
    assert "pip install" in caught.value.advice


@pytest.mark.parametrize("lost", ["text_encoder_2", "tokenizer_2", "unet", "scheduler"])
def test_what_is_incomplete_is_told(tmp_path: Path, lost: str) -> None:
    folder = save_tiny_xl(tmp_path / "xl")
    (folder / lost).rename(folder / "elsewhere")
    with pytest.raises(ModelUnavailable, match=lost):
        load(folder)
