"""Begins a run where a finished model ended: its weights, without its optimizers."""

from __future__ import annotations

import shutil
from pathlib import Path

from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from training.autoencoder import CHECKPOINT as AUTOENCODER
from training.checkpoint import write_atomically
from training.diffusion import CHECKPOINT as DIFFUSION
from training.presets import Budget, Preset
from training.reading import CHECKPOINT as READING


def adopt_model(model: Path, preset: Preset, run_dir: Path) -> None:
    """Write the checkpoints of a run whose first stages are done by that model.

    The autoencoder and the text encoder stay as they are, so latents keep their meaning; the
    U-Net learns on for its whole budget.

    Args:
        model: A folder that `export` wrote, of the same preset.

    Raises:
        FileExistsError: The run has begun already.
    """
    if any((run_dir / name).exists() for name in (AUTOENCODER, READING, DIFFUSION)):
        raise FileExistsError(f"a run has begun in {run_dir}; take another folder")
    vae = AutoencoderTiny.from_pretrained(model / "vae")
    text_encoder = CLIPTextModel.from_pretrained(model / "text_encoder")
    unet = _weights(UNet2DConditionModel.from_pretrained(model / "unet"))
    shutil.copytree(model / "tokenizer", run_dir / "tokenizer", dirs_exist_ok=True)
    done = _finished(preset.autoencoder_budget)
    write_atomically(run_dir / AUTOENCODER, {"model": _weights(vae), **done})
    reader = {f"text_encoder.{name}": weight for name, weight in _weights(text_encoder).items()}
    write_atomically(run_dir / READING, {"model": reader, **_finished(preset.reading_budget)})
    fresh = {"step": 0, "spent_s": 0.0, "scaling_factor": float(vae.config.scaling_factor)}
    write_atomically(run_dir / DIFFUSION, {"unet": unet, "average": unet, **fresh})


def _weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: weight.float() for name, weight in module.state_dict().items()}


def _finished(budget: Budget) -> dict[str, float]:
    return {"step": budget.steps, "spent_s": 60 * budget.minutes}
