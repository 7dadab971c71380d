"""Blocks that are packed: the numbers of diffusers' own, and all others left alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.models.attention import FeedForward
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from torch import Size, Tensor, nn

from engine import blocks
from engine.blocks import PackedFeedForward, PackedResidual, pack_blocks
from engine.packing import PackedConvolution, can_pack

pytestmark = pytest.mark.skipif(
    not can_pack(torch.float32), reason="weights are packed on x86 processors only"
)
PICTURE, TOKENS = Size((2, 16, 6, 4)), Size((2, 30, 16))


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def residual(**changes: Any) -> ResnetBlock2D:
    torch.manual_seed(0)
    shape = {"in_channels": 16, "out_channels": 16, "temb_channels": 8, "groups": 4}
    return ResnetBlock2D(**{**shape, **changes}).eval()


def packed(block: nn.Module, *inputs: Any, spare_bytes: int = 0) -> nn.Module:
    """The block in a model, packed for inputs of these sizes."""
    model, sizes = nn.Sequential(block), dict[str, Size]()
    for name, part in model.named_modules():
        part.register_forward_pre_hook(
            lambda part, given, name=name: sizes.update({name: given[0].shape})
        )
    block(*inputs)
    pack_blocks(model, sizes, spare_bytes)
    return model[0]


@pytest.mark.parametrize(
    ("changes", "temb"),
    [
        ({}, draw(2, 8)),
        ({"out_channels": 24}, draw(2, 8)),
        ({"eps": 1e-3}, draw(1, 8)),
        ({"temb_channels": None}, None),
    ],
    ids=["plain", "more channels", "one timestep for all", "of a decoder"],
)
@torch.inference_mode()
def test_a_residual_block_gives_the_same_numbers(
    changes: dict[str, Any], temb: Tensor | None
) -> None:
    block, inputs = residual(**changes), draw(*PICTURE).to(memory_format=torch.channels_last)
    expected, kept = block(inputs, temb), inputs.clone()
    one = packed(block, inputs, temb)
    assert isinstance(one, PackedResidual)
    torch.testing.assert_close(one(inputs, temb), expected)
    assert torch.equal(inputs, kept)


@pytest.mark.parametrize("tokens", [30, 8, 33])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_a_feed_forward_block_gives_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch, tokens: int, bias: bool
) -> None:
    monkeypatch.setattr(blocks, "_TOKENS", 7)
    block, inputs = FeedForward(16, bias=bias).eval(), draw(2, tokens, 16)
    expected = block(inputs)
    one = packed(block, inputs)
    assert isinstance(one, PackedFeedForward)
    torch.testing.assert_close(one(inputs), expected)


@pytest.mark.skipif(not can_pack(torch.bfloat16), reason="the kernels take no bfloat16 here")
@pytest.mark.parametrize("kind", [ResnetBlock2D, FeedForward])
@torch.inference_mode()
def test_in_bfloat16_blocks_are_no_further_from_the_truth(kind: type) -> None:
    block = residual() if kind is ResnetBlock2D else FeedForward(16).eval()
    inputs = (draw(*PICTURE), draw(2, 8)) if kind is ResnetBlock2D else (draw(*TOKENS),)
    truth = block(*inputs)
    rounded = [one.bfloat16() for one in inputs]
    plain = block.bfloat16()(*rounded)
    found = packed(block, *rounded)(*rounded)
    assert found.dtype == torch.bfloat16
    errors = [(one.float() - truth).square().mean().sqrt() for one in (found, plain)]
    assert errors[0] < 1.2 * errors[1]


def test_what_is_not_named_is_left_alone() -> None:
    model = nn.Sequential(residual(), nn.Conv2d(16, 16, 1))
    pack_blocks(model, {"1": PICTURE})
    assert type(model[0]) is ResnetBlock2D and isinstance(model[1], PackedConvolution)


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "another activation": lambda: residual(non_linearity="mish"),
    "a scale": lambda: residual(output_scale_factor=2.0),
    "a shift by the timestep": lambda: residual(time_embedding_norm="scale_shift"),
    "one that halves": lambda: residual(down=True),
    "a timestep without activation": lambda: residual(skip_time_act=True),
    "another gate": lambda: FeedForward(16, activation_fn="swiglu"),
    "another feed-forward": lambda: FeedForward(16, activation_fn="gelu"),
    "a padding by name": lambda: nn.Conv2d(16, 16, 3, padding="same"),
    "a mirrored edge": lambda: nn.Conv2d(16, 16, 3, padding=1, padding_mode="reflect"),
}


@pytest.mark.parametrize("kind", OTHERS)
@torch.inference_mode()
def test_blocks_of_another_kind_keep_their_own_way(kind: str) -> None:
    block = OTHERS[kind]().eval()
    inputs: tuple[Tensor, ...] = (draw(*PICTURE),)
    if isinstance(block, FeedForward):
        inputs = (draw(*TOKENS),)
    elif isinstance(block, ResnetBlock2D):
        inputs = (*inputs, draw(2, 8))
    expected = block(*inputs)
    one = packed(block, *inputs)
    assert type(one) is type(block)
    torch.testing.assert_close(one(*inputs), expected)


@torch.inference_mode()
def test_parts_within_parts_are_packed() -> None:
    block, inputs = Downsample2D(16, use_conv=True), draw(*PICTURE)
    expected = block(inputs)
    one = packed(block, inputs)
    assert isinstance(one.conv, PackedConvolution)
    torch.testing.assert_close(one(inputs), expected)
    assert not any(isinstance(part, nn.Conv2d) for part in one.modules())
