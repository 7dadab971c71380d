"""Stage 4: draw the training pictures and keep their latents on disk."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor

from training.ahead import work_ahead
from training.autoencoder import to_tensor
from training.presets import Preset
from training.stream import CHUNK, draw_chunk

logger = logging.getLogger(__name__)
LATENTS, PROGRESS = "latents.npy", "latents.json"
CHUNKS_PER_NOTE = 16


@dataclass(frozen=True)
class LatentSet:
    """Latents of the training pictures.

    Attributes:
        latents: float16 of shape (pictures, channels, size, size), not yet scaled.
        scaling_factor: What multiplies them to deviation 1.
    """

    latents: NDArray[np.float16]
    scaling_factor: float


def _note_progress(run_dir: Path, done: int) -> None:
    fresh = run_dir / (PROGRESS + ".partial")
    fresh.write_text(json.dumps({"done": done}))
    fresh.replace(run_dir / PROGRESS)


def _open(preset: Preset, run_dir: Path) -> tuple[NDArray[np.float16], int]:
    """Return the array on disk and how many of its rows are written."""
    side, channels = preset.latent_size, preset.autoencoder.latent_channels
    shape = (preset.pictures, channels, side, side)
    path, note = run_dir / LATENTS, run_dir / PROGRESS
    if path.exists() and note.exists():
        array = np.lib.format.open_memmap(path, mode="r+")
        if array.shape[1:] == shape[1:] and len(array) >= preset.pictures:
            return array, int(json.loads(note.read_text())["done"])
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape), 0


def _draw_kept_chunk(preset: Preset, first: int) -> NDArray[np.uint8]:
    return draw_chunk(preset, first, min(first + CHUNK, preset.pictures))


def scale_of(latents: Tensor) -> float:
    """Return what multiplies such latents to deviation 1."""
    return round(float(1 / latents.std()), 4)


@torch.inference_mode()
def encode_pictures(preset: Preset, run_dir: Path, model: AutoencoderTiny) -> None:
    """Encode pictures up to the preset's number, going on from where it stopped."""
    array, done = _open(preset, run_dir)
    work = partial(_draw_kept_chunk, preset)
    for pictures in work_ahead(work, range(done, preset.pictures, CHUNK), preset.workers):
        with torch.autocast(preset.device, torch.bfloat16):
            latents = model.encoder(to_tensor(pictures).to(preset.device))
        array[done : done + len(pictures)] = latents.float().cpu().numpy()
        done += len(pictures)
        if done // CHUNK % CHUNKS_PER_NOTE == 0 or done == preset.pictures:
            array.flush()
            _note_progress(run_dir, done)
            logger.info("encoded %d of %d", done, preset.pictures)


def load_latents(preset: Preset, run_dir: Path) -> LatentSet:
    """Read the latents back.

    Raises:
        ValueError: Fewer pictures are encoded than the preset asks for.
    """
    array, done = _open(preset, run_dir)
    if done < preset.pictures:
        raise ValueError(f"{done} of {preset.pictures} pictures are encoded")
    sample = torch.from_numpy(np.asarray(array[: min(4096, len(array))], dtype=np.float32))
    return LatentSet(array, scale_of(sample))
