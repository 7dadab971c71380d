"""Streamed crops: windows of drawings, some mirrored; and the autoencoder learns from them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from training import crops
from training.autoencoder import CHECKPOINT, train_autoencoder
from training.crops import StreamedCrops
from training.presets import PRESETS
from training.stream import CHUNK

STREAMED = dataclasses.replace(PRESETS["smoke"], streamed=True)
SIDE, CROP = STREAMED.size, STREAMED.autoencoder.crop


def numbered_pictures(preset: object, first: int) -> tuple[torch.Tensor]:
    """Pictures whose red is the column, green the row, and blue the number."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    one = torch.stack([columns, rows, torch.zeros_like(rows)], dim=-1).expand(CHUNK, -1, -1, -1)
    numbered = one.clone()
    numbered[..., 2] = torch.arange(first, first + CHUNK)[:, None, None] % 251
    return (numbered.to(torch.uint8),)


def test_crops_are_windows_of_one_picture_and_some_are_mirrored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crops, "KEPT_PICTURES", CHUNK)
    monkeypatch.setattr(crops, "draw_pictures", numbered_pictures)
    source = StreamedCrops(STREAMED)
    mirrored = []
    for step in range(8):
        for crop in source.take(step).numpy().astype(int):
            assert crop.shape == (CROP, CROP, 3)
            across, down = np.diff(crop[..., 0], axis=1), np.diff(crop[..., 1], axis=0)
            assert (down == 1).all() and len(np.unique(across)) == 1
            assert len(np.unique(crop[..., 2])) == 1
            mirrored.append(int(across[0, 0]))
    source.close()
    assert set(mirrored) == {1, -1}


def test_the_autoencoder_learns_from_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crops, "KEPT_PICTURES", CHUNK)
    taken: list[int] = []
    take = StreamedCrops.take
    monkeypatch.setattr(
        StreamedCrops, "take", lambda self, step: (taken.append(step), take(self, step))[1]
    )
    train_autoencoder(STREAMED, tmp_path)
    assert (tmp_path / CHECKPOINT).exists()
    assert taken[: STREAMED.autoencoder_budget.steps] == [0, 1, 2, 3]
