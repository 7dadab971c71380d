"""Drawings that come while a network learns from them: the latest ones, on its device."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.ahead import Ahead
from training.presets import Preset
from training.world import draw_scene, training_scene

CHUNK = 64
FIRST_CHUNKS = 16
MOST_AT_ONCE = 4
Drawn = tuple[Tensor, ...]
"""Tensors of CHUNK rows each, the first of them uint8 pictures (n, size, size, 3)."""


def draw_chunk(preset: Preset, first: int, stop: int) -> NDArray[np.uint8]:
    """Draw training pictures `first` to `stop` - 1, (n, size, size, 3)."""
    scenes = (training_scene(preset.seed, number, preset.things) for number in range(first, stop))
    return np.stack([draw_scene(scene, preset.size) for scene in scenes])


class Stream:
    """A ring of what worker processes draw; fresh pictures take the places of the oldest.

    Nothing waits for them but the first ones: a network that is faster sees each more often.
    """

    def __init__(
        self,
        preset: Preset,
        draw: Callable[[int], Drawn],
        places: int,
        keep: Callable[[Tensor], Tensor] = lambda pictures: pictures,
        first: int = 0,
    ) -> None:
        """Begin to draw.

        Args:
            draw: Draws the chunk that begins with that picture, in another process.
            places: How many pictures are kept at one time.
            keep: From pictures on the device to what the ring holds of them.
            first: The number of the first picture.
        """
        self._device, self._keep = preset.device, keep
        self._places = max(1, places // CHUNK) * CHUNK
        self._fresh = Ahead(draw, count(first, CHUNK), preset.workers)
        self._ring: Drawn = ()
        self._written = 0

    def refresh(self) -> None:
        """Take in what has been drawn meanwhile, not much at a time; at first wait for some."""
        while self._written < min(FIRST_CHUNKS * CHUNK, self._places):
            self._take_in(next(self._fresh))
        for _ in range(MOST_AT_ONCE):
            if not self._fresh.is_ready:
                break
            self._take_in(next(self._fresh))

    def pick(self, number: int, generator: torch.Generator) -> Drawn:
        """Return so many rows of everything, by chance; `generator` is the device's."""
        filled = min(self._written, self._places)
        rows = torch.randint(filled, (number,), generator=generator, device=self._device)
        return tuple(part[rows] for part in self._ring)

    def close(self) -> None:
        """Draw no more."""
        self._fresh.close()

    @torch.inference_mode()
    def _take_in(self, drawn: Drawn) -> None:
        pictures, *rest = (part.to(self._device) for part in drawn)
        chunk = (self._keep(pictures), *rest)
        if not self._ring:
            self._ring = tuple(
                torch.zeros((self._places, *part.shape[1:]), dtype=part.dtype, device=self._device)
                for part in chunk
            )
        at = self._written % self._places
        for part, fresh in zip(self._ring, chunk, strict=True):
            part[at : at + CHUNK] = fresh
        self._written += CHUNK
