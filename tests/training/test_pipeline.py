"""The whole way at the smallest size: train, resume, export, load, generate."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from training.__main__ import main
from training.autoencoder import build_autoencoder, train_autoencoder
from training.checkpoint import read_checkpoint
from training.export import GUIDANCE
from training.presets import PRESETS, Budget
from training.tokenizer import WINDOW, load_tokenizer

LARGEST_FILE = 15 * 2**20
NUMPY_2_IN_DIFFUSERS = "ignore:__array__ implementation:DeprecationWarning"


@dataclasses.dataclass(frozen=True)
class Run:
    run_dir: Path
    bundle: Path


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    run = Run(tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("target") / "bundled")
    threads = torch.get_num_threads()
    stages = ["autoencoder", "tokenizer", "reading", "latents", "diffusion", "export"]
    arguments = ["--preset", "smoke", "--run-dir", str(run.run_dir), "--target", str(run.bundle)]
    main([*arguments, *stages])
    yield run
    torch.set_num_threads(threads)


def test_the_layout_is_that_of_diffusers(smoke: Run) -> None:
    index = json.loads((smoke.bundle / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert index["safety_checker"] == [None, None]
    assert index["feature_extractor"] == [None, None]
    assert index["requires_safety_checker"] is False
    files = [path for path in smoke.bundle.rglob("*") if path.is_file()]
    assert all(path.stat().st_size <= LARGEST_FILE for path in files)
    assert not [path for path in files if path.suffix in (".bin", ".pt", ".ckpt")]
    facts = json.loads((smoke.bundle / "storyreel.json").read_text())
    assert facts["guidance_scale"] == GUIDANCE
    assert facts["near_native_area"] is True
    assert "Open Font License" in (smoke.bundle / "README.md").read_text()


@pytest.mark.filterwarnings(NUMPY_2_IN_DIFFUSERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_export_loads_and_draws(smoke: Run, dtype: torch.dtype) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(smoke.bundle, dtype=dtype)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.unet.dtype == dtype
    assert pipeline.scheduler.config.prediction_type == "flow_prediction"
    picture = pipeline(
        "a red sports car",
        num_inference_steps=3,
        generator=torch.Generator().manual_seed(1),
        output_type="np",
    ).images[0]
    assert picture.shape == (64, 64, 3)
    assert np.isfinite(picture).all()


def test_any_text_encodes_into_the_window(smoke: Run) -> None:
    tokenizer = load_tokenizer(smoke.bundle / "tokenizer")
    assert tokenizer.model_max_length == WINDOW
    for text in ("", "a red sports car", "Zürich 日本 \U0001f409 xylophone", "word " * 300):
        encoded = tokenizer(text, padding="max_length", truncation=True).input_ids
        assert len(encoded) == WINDOW
        assert encoded[0] == tokenizer.bos_token_id
        assert tokenizer.eos_token_id in encoded
    ids = tokenizer("xylophone 日本").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "xylophone 日本"


def test_a_finished_stage_does_nothing_when_run_again(smoke: Run) -> None:
    before = {path: path.stat().st_mtime_ns for path in smoke.run_dir.glob("*.pt")}
    arguments = ["--preset", "smoke", "--run-dir", str(smoke.run_dir)]
    main([*arguments, "autoencoder", "tokenizer", "reading", "latents", "diffusion"])
    assert before == {path: path.stat().st_mtime_ns for path in smoke.run_dir.glob("*.pt")}


def test_a_cut_run_ends_where_an_uncut_one_does(tmp_path: Path) -> None:
    whole = dataclasses.replace(PRESETS["smoke"], autoencoder_budget=Budget(6, 60, 2, 1e-3, 2))
    saving_always = dataclasses.replace(whole, checkpoint_s=0)
    uncut, cut = tmp_path / "uncut", tmp_path / "cut"
    uncut.mkdir()
    cut.mkdir()
    train_autoencoder(whole, uncut)

    class Cut(Exception):
        pass

    def die(step: int) -> None:
        if step == 3:
            raise Cut

    with pytest.raises(Cut):
        train_autoencoder(saving_always, cut, after_checkpoint=die)
    assert read_checkpoint(cut / "autoencoder.pt")["step"] == 3
    train_autoencoder(saving_always, cut)
    first, second = (read_checkpoint(folder / "autoencoder.pt") for folder in (uncut, cut))
    assert first["step"] == second["step"] == 6
    for name, weight in first["model"].items():
        torch.testing.assert_close(second["model"][name], weight, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_knows_how_far_its_autoencoder_shrinks(name: str) -> None:
    preset = PRESETS[name]
    with torch.inference_mode():
        latents = build_autoencoder(preset.autoencoder).encoder(torch.zeros(1, 3, 64, 64))
    side = 64 * preset.latent_size // preset.size
    assert latents.shape == (1, preset.autoencoder.latent_channels, side, side)
