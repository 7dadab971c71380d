"""What the U-Net learns from: latents of drawings, each with a caption as token ids."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Protocol

import torch
from torch import Tensor

from training.ahead import work_ahead
from training.autoencoder import to_tensor, train_autoencoder
from training.captions import write_caption
from training.latents import CHUNK, draw_chunk, load_latents, scale_of
from training.presets import Preset
from training.tokenizer import WINDOW, load_tokenizer
from training.world import training_scene

CAPTION_DROPOUT = 0.1
USES = 4
FIRST_CHUNKS = 16


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


@lru_cache(maxsize=1)
def _tokenizer(folder: Path):  # type: ignore[no-untyped-def]
    return load_tokenizer(folder)


def write_tokens(preset: Preset, folder: Path, numbers: list[int], rng: Random) -> Tensor:
    """Caption those training pictures anew, a part of them with nothing; (n, WINDOW)."""
    captions = [
        ""
        if rng.random() < CAPTION_DROPOUT
        else write_caption(training_scene(preset.seed, number, preset.things), rng)
        for number in numbers
    ]
    encoded = _tokenizer(folder)(
        captions, padding="max_length", truncation=True, max_length=WINDOW, return_tensors="pt"
    )
    tokens: Tensor = encoded.input_ids
    return tokens


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


def draw_captioned(preset: Preset, folder: Path, first: int) -> tuple[Tensor, Tensor]:
    """Draw a chunk of pictures, each with USES captions: uint8 pictures and (n, USES, WINDOW)."""
    pictures = torch.from_numpy(draw_chunk(preset, first, first + CHUNK))
    rng = Random(f"captions:{preset.seed}:{first}")
    numbers = list(range(first, first + CHUNK))
    tokens = [write_tokens(preset, folder, numbers, rng) for _ in range(USES)]
    return pictures, torch.stack(tokens, dim=1).short()


class StreamedLessons:
    """Pictures drawn by worker processes while the U-Net learns, each used about USES times.

    Fresh latents take the places of the oldest in a ring on the device; `preset.pictures` is the
    ring's size. Which lesson a step gets depends on `step` alone.
    """

    def __init__(self, preset: Preset, run_dir: Path, first_step: int = 0) -> None:
        self._preset = preset
        self._encoder = train_autoencoder(preset, run_dir).encoder
        batch = preset.diffusion_budget.batch
        first = first_step * batch // USES // CHUNK * CHUNK
        work = partial(draw_captioned, preset, run_dir / "tokenizer")
        self._fresh: Generator[tuple[Tensor, Tensor]] = work_ahead(
            work, count(first, CHUNK), preset.workers
        )
        side = preset.latent_size
        shape = (preset.pictures, preset.autoencoder.latent_channels, side, side)
        self._latents = torch.zeros(shape, dtype=torch.float16, device=preset.device)
        self._tokens = torch.zeros(
            (preset.pictures, USES, WINDOW), dtype=torch.int16, device=preset.device
        )
        self._written, self._owed = 0, 0.0
        for _ in range(min(FIRST_CHUNKS, preset.pictures // CHUNK)):
            self._add_chunk()
        self.scaling_factor = scale_of(self._latents[: self._written].float().cpu())

    @torch.inference_mode()
    def _add_chunk(self) -> None:
        pictures, tokens = next(self._fresh)
        device = self._preset.device
        with torch.autocast(device, torch.bfloat16):
            latents = self._encoder(to_tensor(pictures.to(device)))
        at = self._written % (self._preset.pictures // CHUNK * CHUNK)
        self._latents[at : at + CHUNK] = latents
        self._tokens[at : at + CHUNK] = tokens.to(device)
        self._written += CHUNK

    def take(self, step: int) -> Lesson:
        """Return the lesson of that step, after adding the fresh pictures it is owed."""
        batch = self._preset.diffusion_budget.batch
        self._owed += batch / USES
        while self._owed >= CHUNK:
            self._add_chunk()
            self._owed -= CHUNK
        generator = torch.Generator().manual_seed(step)
        filled = min(self._written, len(self._latents) // CHUNK * CHUNK)
        rows = torch.randint(filled, (batch,), generator=generator).to(self._preset.device)
        uses = torch.randint(USES, (batch,), generator=generator).to(self._preset.device)
        latents = self._latents[rows].float() * self.scaling_factor
        return Lesson(latents, self._tokens[rows, uses].long())


def open_lessons(preset: Preset, run_dir: Path, first_step: int = 0) -> Lessons:
    """Return the preset's source of lessons."""
    if preset.streamed:
        return StreamedLessons(preset, run_dir, first_step)
    return KeptLessons(preset, run_dir)
