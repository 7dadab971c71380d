import logging
import shutil
from pathlib import Path

import pytest
import torch
from diffusers.models.attention_processor import SlicedAttnProcessor

from engine import models
from tests.loaded import generate, load, make_task, rewrite
from tests.pictures import psnr

CPU = torch.device("cpu")


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def test_a_loaded_model_knows_its_shape(tiny_model: Path) -> None:
    model = load(tiny_model)
    assert (model.scale_factor, model.native_side, model.dtype_name) == (8, 64, "float32")
    assert (model.device, model.defaults.guidance_scale) == (CPU, 7.5)
    assert not model.defaults.near_native_area


def test_a_model_may_state_its_own_defaults(copy: Path) -> None:
    text = '{"guidance_scale": 3.0, "near_native_area": true, "description": "d", "later": 1}'
    (copy / "storyreel.json").write_text(text)
    defaults = load(copy).defaults
    assert (defaults.guidance_scale, defaults.near_native_area) == (3.0, True)
    assert defaults.description == "d"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_part_has_the_dtype_asked_for(tiny_model: Path, dtype: str) -> None:
    pipeline = load(tiny_model, dtype=dtype).pipeline
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert {p.dtype for part in parts for p in part.parameters()} == {getattr(torch, dtype)}


def test_offload_is_ignored_on_the_cpu_and_told(
    tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(tiny_model, offload=True)
    assert "--offload has no effect" in caplog.text


def test_what_is_loaded_is_logged(tiny_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        load(tiny_model)
    assert str(tiny_model) in caplog.text and "cpu as torch.float32" in caplog.text


def test_a_tokenizer_that_lost_its_window_gets_the_encoders(copy: Path) -> None:
    rewrite(copy / "tokenizer" / "tokenizer_config.json", model_max_length=10**30)
    assert load(copy).pipeline.tokenizer.model_max_length == 77


EXTRAS = {
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
}


@pytest.mark.parametrize("present", [False, True], ids=["absent", "present"])
def test_a_model_with_a_safety_checker_loads_without_it(copy: Path, present: bool) -> None:
    rewrite(copy / "model_index.json", requires_safety_checker=True, **EXTRAS)
    for name in EXTRAS if present else ():
        (copy / name).mkdir()
        (copy / name / "config.json").write_text("{}")
    pipeline = load(copy).pipeline
    assert [getattr(pipeline, name) for name in EXTRAS] == [None, None, None]


def test_where_attention_is_to_be_sliced_the_pictures_stay_the_same(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load(tiny_model)
    monkeypatch.setattr(models, "needs_slicing", lambda device, memory_bytes: True)
    sliced = load(tiny_model)
    for model, expected in ((whole, False), (sliced, True)):
        kinds = {type(one) for one in model.pipeline.unet.attn_processors.values()}
        assert (kinds == {SlicedAttnProcessor}) is expected
    task = make_task(num_inference_steps=10)
    assert psnr(generate(whole, task).pixels, generate(sliced, task).pixels) > 50
