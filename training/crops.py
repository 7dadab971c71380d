"""What the autoencoder learns from: random crops of drawings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from functools import partial
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.ahead import work_ahead
from training.presets import Preset
from training.stream import CHUNK, Stream, draw_chunk
from training.world import draw_scene, training_scene

CROPS_PER_PICTURE = 2
KEPT_PICTURES = 32_768
"""As uint8 on the device: 6 GiB of 256x256."""


def draw_crops(preset: Preset, step: int) -> NDArray[np.uint8]:
    """Return that step's random crops of fresh pictures, (batch, crop, crop, 3)."""
    rng = Random(f"crops:{preset.seed}:{step}")
    crop, batch = preset.autoencoder.crop, preset.autoencoder_budget.batch
    crops: list[np.ndarray] = []
    index = step * batch
    while len(crops) < batch:
        picture = draw_scene(training_scene(preset.seed, index, preset.things), preset.size)
        index += 1
        for _ in range(CROPS_PER_PICTURE):
            x, y = (rng.randint(0, preset.size - crop) for _ in range(2))
            piece = picture[y : y + crop, x : x + crop]
            crops.append(piece[:, ::-1] if rng.random() < 0.5 else piece)
    return np.stack(crops[:batch])


def draw_pictures(preset: Preset, first: int) -> tuple[Tensor]:
    """Draw a chunk of pictures for a stream, uint8 (n, size, size, 3)."""
    return (torch.from_numpy(draw_chunk(preset, first, first + CHUNK)),)


class StreamedCrops:
    """Random crops of pictures that are drawn while the network learns."""

    def __init__(self, preset: Preset, first_step: int = 0) -> None:
        self._preset = preset
        draw = partial(draw_pictures, preset)
        self._stream = Stream(preset, draw, KEPT_PICTURES, first=first_step * CHUNK)

    def take(self, step: int) -> Tensor:
        """Return crops (batch, crop, crop, 3), uint8 on the preset's device."""
        self._stream.refresh()
        crop, batch = self._preset.autoencoder.crop, self._preset.autoencoder_budget.batch
        device = self._preset.device
        generator = torch.Generator(device).manual_seed(step)
        (pictures,) = self._stream.pick(batch, generator)
        room = self._preset.size - crop + 1
        corners = torch.randint(room, (2, batch, 1), generator=generator, device=device)
        down, right = corners + torch.arange(crop, device=device)
        mirrored = torch.rand((batch, 1), generator=generator, device=device) < 0.5
        right = torch.where(mirrored, right.flip(1), right)
        pick = torch.arange(batch, device=device)[:, None, None]
        return pictures[pick, down[:, :, None], right[:, None, :]]

    def close(self) -> None:
        """Draw no more."""
        self._stream.close()


def iterate_crops(preset: Preset, first_step: int) -> Generator[NDArray[np.uint8] | Tensor]:
    """Yield the crops of every step from that one on."""
    steps = range(first_step, preset.autoencoder_budget.steps)
    if not preset.streamed:
        yield from work_ahead(partial(draw_crops, preset), steps, preset.workers)
        return
    with closing(StreamedCrops(preset, first_step)) as crops:
        yield from map(crops.take, steps)
