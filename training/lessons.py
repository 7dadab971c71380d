"""What the U-Net learns from: latents of drawings, each with a caption as token ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

import torch
from torch import Tensor, nn

from training.autoencoder import to_tensor, train_autoencoder
from training.captioned import CAPTIONS_PER_PICTURE, draw_captioned, write_tokens
from training.latents import load_latents, scale_of
from training.presets import Preset
from training.stream import CHUNK, Stream

SCALED_BY = 4096


@dataclass(frozen=True)
class Lesson:
    """One batch of pictures and what is said of them.

    Attributes:
        latents: float32 (batch, channels, size, size), scaled to deviation 1.
        tokens: int64 (batch, WINDOW).
    """

    latents: Tensor
    tokens: Tensor


class Lessons(Protocol):
    """Where lessons come from; `scaling_factor` brings raw latents to deviation 1."""

    scaling_factor: float

    def take(self, step: int) -> Lesson:
        """Return the lesson of that step, on the preset's device."""

    def close(self) -> None:
        """End what prepares lessons."""


class KeptLessons:
    """Latents that were encoded once; the same step always gets the same lesson."""

    def __init__(self, preset: Preset, run_dir: Path) -> None:
        self._preset, self._folder = preset, run_dir / "tokenizer"
        kept = load_latents(preset, run_dir)
        self._latents, self.scaling_factor = kept.latents, kept.scaling_factor

    def take(self, step: int) -> Lesson:
        """Return the lesson of that step."""
        preset = self._preset
        rng = Random(f"lesson:{preset.seed}:{step}")
        rows = [rng.randrange(preset.pictures) for _ in range(preset.diffusion_budget.batch)]
        latents = torch.from_numpy(self._latents[rows]).float() * self.scaling_factor
        tokens = write_tokens(preset, self._folder, rows, rng)
        return Lesson(latents.to(preset.device), tokens.to(preset.device))

    def close(self) -> None:
        """Nothing to end."""


class StreamedLessons:
    """Latents of pictures that are drawn while the U-Net learns, each seen several times."""

    def __init__(self, preset: Preset, run_dir: Path, first_step: int = 0) -> None:
        self._preset = preset
        draw = partial(draw_captioned, preset, run_dir / "tokenizer")
        encode = partial(_encode, preset, train_autoencoder(preset, run_dir).encoder)
        self._stream = Stream(preset, draw, preset.pictures, encode, first_step * CHUNK)
        self._stream.refresh()
        latents, _ = self._stream.pick(SCALED_BY, torch.Generator(preset.device).manual_seed(0))
        self.scaling_factor = scale_of(latents.float().cpu())

    def take(self, step: int) -> Lesson:
        """Return a lesson, from what has been drawn so far."""
        self._stream.refresh()
        generator = torch.Generator(self._preset.device).manual_seed(step)
        batch = self._preset.diffusion_budget.batch
        latents, tokens = self._stream.pick(batch, generator)
        device = tokens.device
        numbers = torch.randint(CAPTIONS_PER_PICTURE, (batch,), generator=generator, device=device)
        chosen = tokens[torch.arange(batch, device=device), numbers]
        return Lesson(latents.float() * self.scaling_factor, chosen.long())

    def close(self) -> None:
        """Draw no more."""
        self._stream.close()


def _encode(preset: Preset, encoder: nn.Module, pictures: Tensor) -> Tensor:
    with torch.autocast(preset.device, torch.bfloat16):
        latents: Tensor = encoder(to_tensor(pictures))
    return latents.half()


def open_lessons(preset: Preset, run_dir: Path, first_step: int = 0) -> Lessons:
    """Return the preset's source of lessons."""
    if preset.streamed:
        return StreamedLessons(preset, run_dir, first_step)
    return KeptLessons(preset, run_dir)
