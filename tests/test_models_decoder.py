"""An AutoencoderTiny in the place of a model's own decoder: it draws, it fits, or it is refused."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from PIL import Image
from safetensors.torch import load_file, save_file

from api.answers import health_of
from engine.decoding import Decoder
from engine.errors import ModelUnavailable
from engine.metadata import read_recipe
from engine.models import open_model
from engine.preview import encode, fit_projection
from tests.conftest import EngineFactory
from tests.hub_server import COMMIT, Hub, lay_out_cache, serve_hub, use_cache, use_hub
from tests.loaded import generate, load, make_settings, make_task, rewrite
from tests.tiny_pipeline import save_tiny_decoder
from tests.work import image, until
from ui.engine_facts import engine_rows

REPO = "somebody/tiny-decoder"
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def copy(tiny_decoder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny decoder, to be damaged."""
    return Path(shutil.copytree(tiny_decoder, tmp_path / "copy"))


def test_finished_pictures_are_decoded_by_it_from_latents_as_the_unet_gives_them(
    tiny_model: Path, tiny_decoder: Path
) -> None:
    model = load(tiny_model, decoder=str(tiny_decoder))
    latents = torch.randn(1, 4, 8, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        tiny = AutoencoderTiny.from_pretrained(tiny_decoder)
        expected = tiny.decode(latents).sample[0].permute(1, 2, 0) * 127.5 + 127.5
        pixels, _ = Decoder(model).begin(latents[0])()
    assert pixels.shape == (64, 48, 3)
    assert torch.equal(torch.from_numpy(pixels.copy()), expected.round().clamp(0, 255).byte())


def test_previews_are_fitted_to_it(tiny_model: Path, tiny_decoder: Path) -> None:
    model = load(tiny_model, decoder=str(tiny_decoder))
    pictures = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        tiny = AutoencoderTiny.from_pretrained(tiny_decoder)
        assert torch.equal(encode(model, pictures), tiny.encode(pictures * 2 - 1).latents)
    weights = fit_projection(model)
    assert weights.shape == (5, 3) and torch.isfinite(weights).all()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_has_the_dtype_asked_for_and_the_model_stays_as_it_is(
    tiny_model: Path, tiny_decoder: Path, dtype: str
) -> None:
    own = load(tiny_model, dtype=dtype)
    model = load(tiny_model, dtype=dtype, decoder=str(tiny_decoder))
    assert {p.dtype for p in model.pipeline.vae.parameters()} == {getattr(torch, dtype)}
    assert (model.scale_factor, model.native_side) == (own.scale_factor, own.native_side)
    assert model.decoder is not None and own.decoder is None


def test_a_picture_drawn_with_it_is_another(tiny_model: Path, tiny_decoder: Path) -> None:
    own, other = load(tiny_model), load(tiny_model, decoder=str(tiny_decoder))
    pictures = [generate(model, make_task()).pixels for model in (own, other, other)]
    assert pictures[0].shape == pictures[1].shape
    assert (pictures[0] != pictures[1]).any() and (pictures[1] == pictures[2]).all()


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"channels": 8}, "8 and 8, but the model's are 4 and 8"),
        ({"up_blocks": 3, "down_blocks": 3}, "4 and 4, but the model's are 4 and 8"),
        ({"up_blocks": 5, "down_blocks": 5}, "4 and 16, but the model's are 4 and 8"),
        ({"down_blocks": 3}, "does not decode to the same size"),
    ],
)
def test_one_for_other_latents_is_refused(
    tiny_model: Path, tmp_path: Path, shape: dict[str, int], said: str
) -> None:
    folder = save_tiny_decoder(tmp_path / "unfit", **shape)
    with pytest.raises(ModelUnavailable, match=said) as caught:
        load(tiny_model, decoder=str(folder))
    assert "-decoder" in caught.value.advice


def lost(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def damaged(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def lose_a_weight(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights.pop("decoder.layers.0.weight")
    save_file(weights, folder / WEIGHTS)


def turn_into_another_class(folder: Path) -> None:
    shutil.rmtree(folder)
    AutoencoderKL(block_out_channels=(8,), norm_num_groups=8).save_pretrained(folder)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no config": lost("config.json"),
    "no weights": lost(WEIGHTS),
    "config is no JSON": damaged("config.json", b"{"),
    "config is a list": damaged("config.json", b"[]"),
    "config without a class": lambda folder: rewrite(folder / "config.json", _class_name=None),
    "config of other weights": lambda folder: rewrite(folder / "config.json", latent_channels=16),
    "another class": turn_into_another_class,
    "weights are cut": lambda folder: os.truncate(folder / WEIGHTS, 5000),
    "weights are empty": damaged(WEIGHTS, b""),
    "weights are noise": damaged(WEIGHTS, b"\x10" * 1000),
    "a weight is missing": lose_a_weight,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_one_is_told_with_a_remedy_and_never_left_out(
    tiny_model: Path, copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(copy)
    with pytest.raises(ModelUnavailable, match=r"^The decoder") as caught:
        load(tiny_model, decoder=str(copy))
    assert "--decoder" in caught.value.advice and "\n" not in caught.value.message


@pytest.mark.usefixtures("unpacked")
def test_bin_weights_load(tiny_model: Path, tiny_decoder: Path, copy: Path) -> None:
    expected = load_file(copy / WEIGHTS)
    torch.save(expected, copy / "diffusion_pytorch_model.bin")
    (copy / WEIGHTS).unlink()
    loaded = load(tiny_model, decoder=str(copy)).pipeline.vae.state_dict()
    assert all(torch.equal(loaded[name], weight) for name, weight in expected.items())


class Evil:
    """Pickles into a call of `os.mkdir`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def test_weights_that_would_run_code_are_refused(
    tiny_model: Path, copy: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    (copy / WEIGHTS).unlink()
    evil = pickle.dumps({"decoder.layers.0.weight": Evil(str(ran))}, 2)
    (copy / "diffusion_pytorch_model.bin").write_bytes(evil)
    with pytest.raises(ModelUnavailable):
        load(tiny_model, decoder=str(copy))
    assert not ran.exists()


def test_with_one_named_auto_does_not_fall_back_to_another_model(
    tiny_model: Path, tiny_decoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cache(monkeypatch, tmp_path / "cache")
    snapshot = lay_out_cache(tmp_path / "cache", "segmind/tiny-sd", tiny_model)
    (snapshot / "unet" / WEIGHTS).write_bytes(b"")
    with pytest.raises(ModelUnavailable, match=r"^The model's files"):
        open_model(make_settings(decoder=str(tiny_decoder)), lambda name: lambda done, of: None)


def test_the_bytes_fetched_are_told_under_its_own_name(
    tiny_model: Path, tiny_decoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cache(monkeypatch, tmp_path / "cache")
    told: dict[str, list[int]] = {}

    def fetching(name: str) -> Callable[[int, int], None]:
        return lambda done, total: told.setdefault(name, []).append(total - done)

    settings = make_settings(model=str(tiny_model), decoder=REPO)
    with serve_hub(Hub(REPO, tiny_decoder)) as hub:
        use_hub(monkeypatch, hub.url)
        model = open_model(settings, fetching)
    assert list(told) == [REPO] and told[REPO][-1] == 0
    assert model.decoder is not None and model.decoder.revision == COMMIT


def test_pictures_and_status_name_it(make_engine: EngineFactory, tiny_decoder: Path) -> None:
    engine = make_engine(decoder=str(tiny_decoder))
    job = engine.submit(image())
    assert job.wait(60)
    with Image.open(job.result().path) as picture:
        recipe = read_recipe(picture)
        assert "Decoder: tiny-decoder" in picture.info["parameters"]
    assert recipe is not None
    assert (recipe.decoder, recipe.decoder_revision) == ("tiny-decoder", "local")
    assert health_of(engine).decoder == "tiny-decoder"
    assert ("Decoder", "tiny-decoder, revision local") in engine_rows(engine, engine.status())


def test_without_one_nothing_names_it(make_engine: EngineFactory) -> None:
    engine = make_engine()
    job = engine.submit(image())
    assert job.wait(60)
    with Image.open(job.result().path) as picture:
        assert "ecoder" not in str(picture.info)
    assert health_of(engine).decoder is None
    assert "Decoder" not in dict(engine_rows(engine, engine.status()))


def test_one_that_does_not_fit_leaves_the_service_alive_and_says_why(
    make_engine: EngineFactory, tmp_path: Path
) -> None:
    engine = make_engine(decoder=str(save_tiny_decoder(tmp_path / "unfit", channels=8)))
    until(lambda: engine.status().model_state == "unavailable")
    problem = engine.status().problem
    assert problem is not None and "does not fit the model" in problem.message
