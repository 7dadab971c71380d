"""Stage 6: write the trained model as a StableDiffusionPipeline that ships with the project."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

from training.autoencoder import CHECKPOINT as AUTOENCODER
from training.autoencoder import build_autoencoder
from training.checkpoint import read_checkpoint
from training.diffusion import CHECKPOINT as DIFFUSION
from training.diffusion import build_story_model
from training.presets import Preset
from training.tokenizer import load_tokenizer

SHARD = "14MB"
GUIDANCE = 4.0


def build_pipeline(preset: Preset, run_dir: Path) -> StableDiffusionPipeline:
    """Assemble the pipeline from a run's checkpoints, with averaged weights.

    Raises:
        FileNotFoundError: A stage has not written its checkpoint yet.
    """
    first, second = (read_checkpoint(run_dir / name) for name in (AUTOENCODER, DIFFUSION))
    if first is None or second is None:
        raise FileNotFoundError(f"no {AUTOENCODER} or no {DIFFUSION} in {run_dir}")
    vae = build_autoencoder(preset.autoencoder, second["scaling_factor"])
    vae.load_state_dict(first["model"])
    tokenizer = load_tokenizer(run_dir / "tokenizer")
    model = build_story_model(preset, run_dir)
    model.unet.load_state_dict(second["average"])
    scheduler = DPMSolverMultistepScheduler(
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        flow_shift=1.0,
        steps_offset=1,  # without effect here, but the pipeline warns about any other value
    )
    model = model.cpu()
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=model.text_encoder,
        tokenizer=tokenizer,
        unet=model.unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _to_half(module: torch.nn.Module) -> None:
    """Store the parameters in fp16; `to()` of diffusers would warn about layers it lacks."""
    for parameter in module.parameters():
        parameter.data = parameter.data.half()


def model_facts(preset: Preset) -> dict[str, object]:
    """Return what the engine should know about the model, as storyreel.json says it."""
    return {
        "name": f"storybook-{preset.name}-1",
        "guidance_scale": GUIDANCE,
        "near_native_area": True,
        "description": (
            "A small storybook illustrator, trained from scratch on pictures that the project "
            f"draws; native {preset.size}x{preset.size}."
        ),
    }


def _tidy(folder: Path) -> None:
    """Let everybody read the files, and drop a key that the autoencoder adds itself at load."""
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)
    config = folder / "vae" / "config.json"
    facts = json.loads(config.read_text())
    facts.pop("block_out_channels", None)
    config.write_text(json.dumps(facts, indent=2) + "\n")


def export_model(preset: Preset, run_dir: Path, target: Path) -> None:
    """Write weights in fp16, storyreel.json and the model card into `target`."""
    pipeline = build_pipeline(preset, run_dir)
    for module in (pipeline.vae, pipeline.text_encoder, pipeline.unet):
        _to_half(module)
    fresh = run_dir / "export"
    shutil.rmtree(fresh, ignore_errors=True)
    pipeline.save_pretrained(fresh, safe_serialization=True, max_shard_size=SHARD)
    _tidy(fresh)
    (fresh / "storyreel.json").write_text(json.dumps(model_facts(preset), indent=2) + "\n")
    card = files("training").joinpath("model_card.md").read_text()
    (fresh / "README.md").write_text(card)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(fresh, target)
