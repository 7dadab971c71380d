"""Two rows from one: a guided picture's are the same until its prompt is read."""

from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor

from engine.pairs import share_pairs

KINDS: dict[str, dict[str, Any]] = {
    "that reads at once": {
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    },
    "that reads late": {
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    },
    "that reads in the middle": {
        "down_block_types": ("DownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "UpBlock2D"),
    },
    "without a middle": {
        "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        "mid_block_type": None,
    },
    "with linear projections": {
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "use_linear_projection": True,
    },
}


def make(**kind: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"block_out_channels": (16, 32), "layers_per_block": 2, "cross_attention_dim": 24}
    return UNet2DConditionModel(**sizes, attention_head_dim=4, norm_num_groups=4, **kind).eval()


def draw(rows: int = 2, pictures: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(pictures, 4, 8, 12, generator=generator)
    timesteps = torch.tensor([700, 3, 950][:pictures])
    return latents, timesteps, torch.randn(rows, 7, 24, generator=generator)


def run(unet: Any, latents: Tensor, timesteps: Tensor, texts: Tensor) -> Tensor:
    with torch.inference_mode():
        found: Tensor = unet(latents, timesteps, encoder_hidden_states=texts).sample
    return found


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", KINDS)
def test_one_row_gives_what_each_would_by_itself(kind: str, order: torch.memory_format) -> None:
    unet = make(**KINDS[kind]).to(memory_format=order)
    latents, timesteps, texts = draw()
    expected = run(unet, latents.expand(2, -1, -1, -1), timesteps.expand(2), texts)
    assert share_pairs(unet)
    found = run(unet, latents.contiguous(memory_format=order), timesteps, texts)
    assert (expected[0] - expected[1]).abs().max() > 0.01, "the prompts make no difference"
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_several_pictures_give_what_each_would_by_itself(
    kind: str, order: torch.memory_format
) -> None:
    unet = make(**KINDS[kind]).to(memory_format=order)
    latents, timesteps, texts = draw(rows=6, pictures=3)
    expected = run(unet, latents.repeat_interleave(2, 0), timesteps.repeat_interleave(2), texts)
    share_pairs(unet)
    found = run(unet, latents.contiguous(memory_format=order), timesteps, texts)
    assert min((one - expected[0]).abs().max() for one in expected[1:]) > 0.01
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("pictures", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_keep_their_layout_on_the_way(
    kind: str, pictures: int, order: torch.memory_format
) -> None:
    unet, kept = make(**KINDS[kind]).to(memory_format=order), list[bool]()
    share_pairs(unet)
    for part in unet.modules():
        if isinstance(part, ResnetBlock2D | Transformer2DModel):
            part.register_forward_pre_hook(
                lambda part, given: kept.append(given[0].is_contiguous(memory_format=order))
            )
    latents, timesteps, texts = draw(2 * pictures, pictures)
    run(unet, latents.contiguous(memory_format=order), timesteps, texts)
    assert len(kept) > 8 and all(kept)


@pytest.mark.parametrize("pictures", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_before_the_prompt_is_read_is_computed_once(kind: str, pictures: int) -> None:
    unet, rows = make(**KINDS[kind]), list[int]()
    share_pairs(unet)
    for part in (unet.conv_in, unet.down_blocks[0].resnets[0], unet.conv_out):
        part.register_forward_hook(lambda part, inputs, output: rows.append(len(output)))
    run(unet, *draw(2 * pictures, pictures))
    assert rows == [pictures, pictures, 2 * pictures]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_many_pictures_are_taken_as_before(kind: str) -> None:
    unet = make(**KINDS[kind])
    latents = torch.randn(3, 4, 8, 12, generator=torch.Generator().manual_seed(1))
    given = (latents, torch.tensor([1, 500, 999]), draw(3)[2])
    expected = run(unet, *given)
    share_pairs(unet)
    torch.testing.assert_close(run(unet, *given), expected)


def test_sharing_twice_is_sharing_once() -> None:
    unet = make(**KINDS["that reads late"])
    assert share_pairs(unet) and share_pairs(unet)
    assert max(len(part._forward_pre_hooks) for part in unet.modules()) == 1


@pytest.mark.parametrize(
    "kind",
    [
        {"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"},
        {
            "down_block_types": ("CrossAttnDownBlock2D", "AttnDownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        },
        {
            "down_block_types": ("DownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "UpBlock2D"),
            "mid_block_type": "UNetMidBlock2D",
        },
        {
            "down_block_types": ("DownBlock2D", "DownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "mid_block_type": None,
        },
        {"dual_cross_attention": True},
        {"addition_embed_type": "text"},
        {"num_class_embeds": 3},
    ],
    ids=[
        *("another middle", "another block", "no prompt is read", "one that reads too late"),
        *("two prompts", "prompts beside the timestep", "classes beside the timestep"),
    ],
)
def test_a_unet_that_is_not_known_is_left_alone(kind: dict[str, Any]) -> None:
    blocks = {**KINDS["that reads late"], **kind}
    unet = make(**blocks)
    assert not share_pairs(unet)
    assert not any(part._forward_pre_hooks for part in unet.modules())
