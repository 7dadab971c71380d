"""What the judge learns from: fresh drawings, spoilt as lossy models spoil them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from training.autoencoder import to_tensor
from training.labels import ATTRIBUTES, Classes, list_classes, read_labels
from training.world import HELD_OUT_SHARE, Scene, draw_scene, held_out_scene, training_scene

JUDGE_SIZE = 128
DOES_NOT_APPLY = -100
WORST_LATENT_NOISE = 0.35
PARTS = 4
SHIFT = 5


@dataclass(frozen=True)
class JudgeWorld:
    """Which scenes are drawn, how large, and the classes that they are sorted into.

    Attributes:
        things: How many of THINGS there are; None: all.
    """

    seed: int
    size: int
    things: int | None

    @property
    def classes(self) -> Classes:
        """Every attribute's classes."""
        return list_classes(self.things)


def judge_scene(seed: int, index: int, things: int | None) -> Scene:
    """Return scene `index` of a series with all combinations, as often as they would be drawn."""
    series = held_out_scene if index % HELD_OUT_SHARE == 0 else training_scene
    return series(seed, index, things)


def shrink(pictures: Tensor) -> Tensor:
    """Bring pictures (n, 3, height, width) of any size to what the judge reads."""
    if pictures.shape[-2:] == (JUDGE_SIZE, JUDGE_SIZE):
        return pictures
    return functional.interpolate(pictures, (JUDGE_SIZE, JUDGE_SIZE), mode="area")


def encode_labels(scenes: Sequence[Scene], classes: Classes) -> Tensor:
    """Return the index of each attribute's class, DOES_NOT_APPLY where there is none.

    Returns:
        int64 of shape (scenes, attributes).
    """
    rows = [read_labels(scene) for scene in scenes]
    return torch.tensor(
        [
            [classes[name].index(label) if label else DOES_NOT_APPLY for name, label in row.items()]
            for row in rows
        ]
    )


@torch.inference_mode()
def spoil(model: AutoencoderTiny, pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Send pictures in -1 to 1 through the autoencoder, with some noise on their latents."""
    with torch.autocast(model.device.type, torch.bfloat16):
        latents = model.encoder(pictures.to(model.device)).float()
        strength = torch.rand(len(pictures), 1, 1, 1, generator=generator).square()
        noise = torch.randn(latents.shape, generator=generator) * strength * WORST_LATENT_NOISE
        rebuilt = model.decoder(latents + noise.to(latents.device) * latents.std())
    return rebuilt.float().clamp(-1, 1).to(pictures.device)


def draw_small(scenes: Sequence[Scene], size: int) -> Tensor:
    """Draw scenes; uint8 (n, 3, JUDGE_SIZE, JUDGE_SIZE)."""
    return _to_bytes(to_tensor([draw_scene(scene, size) for scene in scenes]))


def _to_bytes(pictures: Tensor) -> Tensor:
    return shrink(pictures).add(1).mul(127.5).round().to(torch.uint8)


class ScenePool:
    """A few thousand drawings in memory, the oldest of them replaced by fresh ones.

    Drawing costs as much as learning, and a round trip far more: so each picture is seen several
    times, never augmented twice in the same way.

    Args:
        autoencoder: Where given, every drawing makes a round trip through it.
        first: Index of the series' first scene; a resumed run goes on behind what it has seen.
    """

    def __init__(
        self, world: JudgeWorld, capacity: int, autoencoder: AutoencoderTiny | None, first: int = 0
    ) -> None:
        self._world = world
        self._autoencoder = autoencoder
        self._first = self._next = first
        self._generator = torch.Generator().manual_seed(world.seed + first)
        self._pictures = torch.empty(capacity, 3, JUDGE_SIZE, JUDGE_SIZE, dtype=torch.uint8)
        self._targets = torch.empty(capacity, len(ATTRIBUTES), dtype=torch.int64)

    def __len__(self) -> int:
        return min(len(self._pictures), self._next - self._first)

    def add(self, count: int) -> None:
        """Draw that many scenes more, in the place of the oldest where the pool is full."""
        world = self._world
        indices = torch.arange(self._next, self._next + count)
        scenes = [judge_scene(world.seed, int(index), world.things) for index in indices]
        self._next += count
        if self._autoencoder is None:
            pictures = draw_small(scenes, world.size)
        else:
            large = to_tensor([draw_scene(scene, world.size) for scene in scenes])
            pictures = _to_bytes(spoil(self._autoencoder, large, self._generator))
        places = (indices - self._first) % len(self._pictures)
        self._pictures[places] = pictures
        self._targets[places] = encode_labels(scenes, world.classes)

    def sample(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return pictures in -1 to 1, augmented, and their targets (batch, attributes)."""
        rows = torch.randint(len(self), (batch,), generator=self._generator)
        pictures = self._pictures[rows].float().div_(127.5).sub_(1)
        return augment(pictures, self._generator), self._targets[rows]


def augment(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Shift, soften, tint and grain pictures by amounts that change no class.

    Nothing is mirrored: the sun's side tells sunrise from sunset. Quarters of the batch share
    what is slow to vary.

    Args:
        pictures: float32 (n, 3, JUDGE_SIZE, JUDGE_SIZE) in -1 to 1.
    """
    parts = [_augment_part(part, generator) for part in pictures.chunk(PARTS)]
    return torch.cat(parts).contiguous(memory_format=torch.channels_last)


def _augment_part(pictures: Tensor, generator: torch.Generator) -> Tensor:
    def chance(channels: int) -> Tensor:
        return torch.rand(len(pictures), channels, 1, 1, generator=generator)

    x, y, how = torch.randint(0, 2 * SHIFT + 1, (3,), generator=generator).tolist()
    padded = functional.pad(pictures, (SHIFT,) * 4, "replicate")
    pictures = padded[..., y : y + JUDGE_SIZE, x : x + JUDGE_SIZE]
    if how < 3:
        blurred = functional.avg_pool2d(functional.pad(pictures, (1, 1, 1, 1), "replicate"), 3, 1)
        pictures = torch.lerp(pictures, blurred, chance(1))
    elif how < 5:
        side = int(torch.randint(JUDGE_SIZE // 3, JUDGE_SIZE, (1,), generator=generator))
        coarse = functional.interpolate(pictures, (side, side), mode="area")
        pictures = functional.interpolate(coarse, (JUDGE_SIZE, JUDGE_SIZE), mode="bilinear")
    elif how < 9:
        grain = 0.12 * chance(1).square()
        pictures = pictures + grain * torch.randn(pictures.shape, generator=generator)
    gain = (0.92 + 0.16 * chance(1)) * (0.96 + 0.08 * chance(3))
    return (pictures * gain + (0.08 * chance(3) - 0.04)).clamp_(-1, 1)
