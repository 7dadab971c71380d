"""How many pictures share a pass on a CPU: by what the model is, whatever the machine does."""

import json

import pytest
import torch
from diffusers import UNet2DConditionModel

from engine.choice import BUNDLED
from engine.sharing import room_on_cpu

STABLE_DIFFUSION = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}


def shape_of(config: dict[str, object]) -> UNet2DConditionModel:
    with torch.device("meta"):
        return UNet2DConditionModel.from_config(config)


@pytest.mark.parametrize(("side", "pictures"), [(16, 4), (24, 4), (32, 4), (48, 2), (64, 1)])
def test_pictures_of_the_bundled_model_share_passes_up_to_a_size(side: int, pictures: int) -> None:
    unet = shape_of(json.loads((BUNDLED / "unet" / "config.json").read_text()))
    room = room_on_cpu(unet, 32 * 32)
    assert room.most == 4
    assert room.pictures(side * side) == pictures


def test_pictures_of_stable_diffusion_go_one_at_a_time() -> None:
    room = room_on_cpu(shape_of(STABLE_DIFFUSION), 64 * 64)
    assert (room.most, room.pictures(64), room.pictures(64 * 64)) == (1, 1, 1)


def test_the_rows_of_one_picture_are_never_parted() -> None:
    unet = shape_of(json.loads((BUNDLED / "unet" / "config.json").read_text()))
    for room in (room_on_cpu(unet, 32 * 32), room_on_cpu(shape_of(STABLE_DIFFUSION), 64 * 64)):
        assert room.rows(256 * 256) >= 2
