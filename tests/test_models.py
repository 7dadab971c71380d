import json
import logging
import os
import pickle
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from engine import models
from engine.errors import ModelUnavailable
from engine.models import (
    LoadedModel,
    ModelChoice,
    choose_device,
    choose_dtype,
    choose_model,
    load_model,
)
from engine.settings import Settings
from tests.hub_server import COMMIT, Hub, lay_out_cache, serve_hub, use_cache, use_hub

REPO = models.DEFAULT_HUB_MODEL
CPU = torch.device("cpu")


def settings(**changes: object) -> Settings:
    return Settings.model_validate({"dtype": "float32", "device": "cpu", **changes})


def choose(name: str) -> ModelChoice:
    return choose_model(settings(model=name), lambda done, total: None)


def load(folder: Path, **changes: object) -> LoadedModel:
    return load_model(ModelChoice(folder, "tiny", "local", "test"), settings(**changes))


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
    assert load_model(choice, settings()).choice is choice


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
        load_model(choose(name), settings())
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
        wanted = settings(model="somebody/else")
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


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


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


UNET = "unet/diffusion_pytorch_model.safetensors"


def damaged(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def lost(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def indexed(**changes: object) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder / "model_index.json", **changes)


def configured(name: str, **changes: object) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder / name, **changes)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no index": lost("model_index.json"),
    "index is no JSON": damaged("model_index.json", b"{"),
    "index is a list": damaged("model_index.json", b"[]"),
    "index is not text": damaged("model_index.json", b"\xff\xfe\x00"),
    "index of another family": indexed(_class_name="StableDiffusionXLPipeline"),
    "index without a class": indexed(_class_name=None),
    "index names an unknown class": indexed(unet=["diffusers", "NoSuchModel"]),
    "index names an unknown library": indexed(unet=["no_such_library", "Model"]),
    "index names a function": indexed(unet=["os", "system"]),
    "index has a short entry": indexed(unet=["diffusers"]),
    "index has an empty entry": indexed(unet=[]),
    "no U-Net": lost("unet"),
    "no weights": lost(UNET),
    "no tokenizer": lost("tokenizer"),
    "no scheduler": lost("scheduler"),
    "no text encoder config": lost("text_encoder/config.json"),
    "weights are cut": cut(UNET),
    "weights are empty": damaged(UNET, b""),
    "weights are noise": damaged(UNET, b"\x10" * 1000),
    "text encoder weights are noise": damaged("text_encoder/model.safetensors", b"\x10" * 1000),
    "text encoder weights are cut": cut("text_encoder/model.safetensors"),
    "config is no JSON": damaged("unet/config.json", b"{"),
    "config is a list": damaged("unet/config.json", b"[]"),
    "text config is no JSON": damaged("text_encoder/config.json", b"{"),
    "config of other weights": configured("unet/config.json", block_out_channels=[64, 64]),
    "scheduler config is no JSON": damaged("scheduler/scheduler_config.json", b"{"),
    "vocabulary is no JSON": damaged("tokenizer/tokenizer.json", b"{"),
    "defaults are no JSON": damaged("storyreel.json", b"{"),
    "defaults are wrong": damaged("storyreel.json", b'{"guidance_scale": "high"}'),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # diffusers', of a config that is a list
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_model_is_unavailable_and_never_a_crash(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(copy)
    with pytest.raises(ModelUnavailable) as caught:
        load(copy)
    assert caught.value.message and caught.value.advice and "\n" not in caught.value.message


def to_bin(folder: Path) -> None:
    """Turn the weights into the older `.bin` files."""
    for path in folder.glob("*/*.safetensors"):
        stem = "pytorch_model" if path.parent.name == "text_encoder" else path.stem
        torch.save(load_file(path), path.with_name(f"{stem}.bin"))
        path.unlink()


@pytest.mark.parametrize("content", [b"", b"\x80", b"PK\x03\x04", b"\x10" * 1000])
@pytest.mark.parametrize(
    "name", ["unet/diffusion_pytorch_model.bin", "text_encoder/pytorch_model.bin"]
)
def test_damaged_bin_weights_are_unavailable(copy: Path, name: str, content: bytes) -> None:
    to_bin(copy)
    (copy / name).write_bytes(content)
    with pytest.raises(ModelUnavailable):
        load(copy)


def test_bin_weights_load(copy: Path, tiny_model: Path) -> None:
    to_bin(copy)
    for part in ("unet", "vae", "text_encoder"):
        ours = getattr(load(copy).pipeline, part).state_dict()
        expected = getattr(load(tiny_model).pipeline, part).state_dict()
        assert all(torch.equal(ours[name], expected[name]) for name in expected)


class Evil:
    """Pickles into a call of `os.mkdir`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(
    "name", ["unet/diffusion_pytorch_model.bin", "text_encoder/pytorch_model.bin"]
)
@pytest.mark.parametrize("old_form", [False, True])
def test_weights_that_would_run_code_are_refused(
    copy: Path, tmp_path: Path, name: str, old_form: bool
) -> None:
    to_bin(copy)
    ran = tmp_path / "ran"
    if old_form:
        (copy / name).write_bytes(pickle.dumps({"conv_in.weight": Evil(str(ran))}, 2))
    else:
        torch.save({"conv_in.weight": Evil(str(ran))}, copy / name)
    with pytest.raises(ModelUnavailable):
        load(copy)
    assert not ran.exists()


def test_code_beside_the_weights_is_not_run(copy: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = f"import os\nos.mkdir({str(ran)!r})\nclass Model: pass\n"
    for name in ("unet/own_unet.py", "own_unet.py", "pipeline.py"):
        (copy / name).write_text(code)
    indexed(unet=["own_unet", "Model"])(copy)
    with pytest.raises(ModelUnavailable):
        load(copy)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, False, "cuda")],
)
def test_auto_takes_cuda_then_mps_then_the_cpu(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device(settings(device="auto")) == torch.device(device)
    assert choose_device(settings(device="cpu")) == CPU


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelUnavailable, match=device) as caught:
        choose_device(settings(device=device))
    assert "--device" in caught.value.advice


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx2": True}, torch.float32),
    ],
)
def test_auto_takes_bfloat16_only_where_the_cpu_computes_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_dtype(settings(dtype="auto"), CPU) == dtype


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_auto_takes_float16_on_gpus(device: str) -> None:
    assert choose_dtype(settings(dtype="auto"), torch.device(device)) == torch.float16


def test_a_dtype_asked_for_is_taken() -> None:
    assert choose_dtype(settings(dtype="bfloat16"), CPU) == torch.bfloat16
    assert choose_dtype(settings(dtype="float32"), torch.device("cuda")) == torch.float32


def test_float16_on_a_cpu_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="float16") as caught:
        choose_dtype(settings(dtype="float16"), CPU)
    assert "--dtype" in caught.value.advice
