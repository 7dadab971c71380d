"""Pictures with what is said of them, as worker processes make them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from training.captions import write_caption
from training.presets import Preset
from training.stream import CHUNK, draw_chunk
from training.tokenizer import WINDOW, load_tokenizer
from training.world import training_scene

CAPTION_DROPOUT = 0.1
CAPTIONS_PER_PICTURE = 4


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


def draw_captioned(preset: Preset, folder: Path, first: int) -> tuple[Tensor, Tensor]:
    """Draw a chunk of pictures and write captions for each.

    Returns:
        uint8 (n, size, size, 3), and int16 (n, CAPTIONS_PER_PICTURE, WINDOW).
    """
    pictures = torch.from_numpy(draw_chunk(preset, first, first + CHUNK))
    rng = Random(f"captions:{preset.seed}:{first}")
    numbers = list(range(first, first + CHUNK))
    tokens = [write_tokens(preset, folder, numbers, rng) for _ in range(CAPTIONS_PER_PICTURE)]
    return pictures, torch.stack(tokens, dim=1).short()
