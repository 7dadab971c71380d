import logging
import shutil
import socket
import time
from pathlib import Path

import pytest
import torch

from engine import models
from engine.errors import ModelUnavailable
from engine.models import (
    ModelChoice,
    choose_model,
    load_model,
)
from tests.hub_server import COMMIT, Hub, lay_out_cache, serve_hub, use_cache, use_hub
from tests.loaded import load, make_settings, rewrite

REPO = models.DEFAULT_HUB_MODEL
CPU = torch.device("cpu")


def choose(name: str) -> ModelChoice:
    return choose_model(make_settings(model=name), lambda done, total: None)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache in use; the hub stays offline."""
    use_cache(monkeypatch, tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def bundled(tiny_flow_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(models, "BUNDLED", tiny_flow_model)
    return tiny_flow_model


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def test_auto_without_a_cache_takes_the_bundled_model_and_says_why(
    cache: Path, bundled: Path
) -> None:
    choice = choose("auto")
    assert (choice.folder, choice.name, choice.revision) == (bundled, "bundled", "local")
    assert REPO in choice.reason and "not in the local hub cache" in choice.reason


def test_auto_takes_the_default_model_from_the_cache(
    cache: Path, bundled: Path, tiny_model: Path
) -> None:
    snapshot = lay_out_cache(cache, REPO, tiny_model)
    choice = choose("auto")
    assert (choice.folder, choice.name, choice.revision) == (snapshot, REPO, COMMIT)
    assert load_model(choice, make_settings()).choice is choice


@pytest.mark.parametrize(
    "lost", ["unet/diffusion_pytorch_model.safetensors", "model_index.json", "vae/config.json"]
)
def test_auto_does_not_take_an_incomplete_cache(
    cache: Path, bundled: Path, tiny_model: Path, lost: str
) -> None:
    (lay_out_cache(cache, REPO, tiny_model) / lost).unlink()
    assert choose("auto").folder == bundled


def test_auto_does_not_take_a_broken_cache(cache: Path, bundled: Path, tiny_model: Path) -> None:
    (lay_out_cache(cache, REPO, tiny_model) / "model_index.json").write_text("{")
    assert choose("auto").folder == bundled


def test_bundled_is_taken_even_if_the_cache_has_more(
    cache: Path, bundled: Path, tiny_model: Path
) -> None:
    lay_out_cache(cache, REPO, tiny_model)
    assert choose("bundled").folder == bundled


def test_a_folder_is_taken_as_it_is(cache: Path, tiny_model: Path) -> None:
    choice = choose(str(tiny_model))
    assert (choice.folder, choice.name) == (tiny_model, tiny_model.name)


def test_a_hub_id_is_found_in_the_cache(cache: Path, tiny_model: Path) -> None:
    snapshot = lay_out_cache(cache, "somebody/else", tiny_model)
    choice = choose("somebody/else")
    assert (choice.folder, choice.name, choice.revision) == (snapshot, "somebody/else", COMMIT)


@pytest.mark.parametrize(
    "name",
    ["/nowhere/at/all", "./nowhere", "../nowhere", "~/nowhere", "nowhere", "a/b/c", "a\0b/c", "/"],
)
def test_a_folder_that_is_not_there_is_told_with_a_remedy(cache: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        load_model(choose(name), make_settings())
    assert caught.value.advice
    assert "nowhere" not in caught.value.message


def test_a_named_model_never_falls_back(cache: Path, bundled: Path) -> None:
    with pytest.raises(ModelUnavailable, match="HF_HUB_OFFLINE") as caught:
        choose("somebody/else")
    assert "while online" in caught.value.advice


def test_a_silent_hub_is_given_up_soon(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.hub.PROBE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(ModelUnavailable, match="did not answer"):
            choose(REPO)
    assert time.monotonic() - start < 10 * 0.2


def test_auto_asks_no_hub(
    cache: Path, bundled: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_hub(Hub(REPO, tiny_model)) as hub:
        use_hub(monkeypatch, hub.url)
        assert choose("auto").folder == bundled
    assert hub.asked == []


def test_a_named_model_is_fetched_from_the_hub_and_loads(
    cache: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    with serve_hub(Hub("somebody/else", tiny_model)) as hub:
        use_hub(monkeypatch, hub.url)
        wanted = make_settings(model="somebody/else")
        choice = choose_model(wanted, lambda done, total: told.append((done, total)))
    assert (choice.name, choice.revision) == ("somebody/else", COMMIT)
    assert "fetched from the hub" in choice.reason and told[-1][0] == told[-1][1]
    assert load_model(choice, wanted).native_side == 64
    assert choose("somebody/else").folder == choice.folder  # and offline from now on


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
