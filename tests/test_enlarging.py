"""Convolutions of enlarged pictures: the numbers of enlarging first, whatever the input."""

from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.vae import DecoderTiny
from diffusers.models.unets.unet_2d_blocks import AutoencoderTinyBlock
from diffusers.models.upsampling import Upsample2D
from torch import Size, Tensor, nn
from torch.nn import functional

from engine.blocks import PackedTinyBlock, PackedUpsampling
from engine.enlarging import EnlargingConvolution, EnlargingPair
from engine.packing import can_pack, is_three_by_three
from engine.winograd import WinogradConvolution
from tests.test_blocks import draw, packed

pytestmark = pytest.mark.skipif(
    not can_pack(torch.float32), reason="weights are packed on x86 processors only"
)
EXPECTED = Size((1, 8, 6, 4))
SIZES = [(1, 8, 6, 4), (3, 8, 5, 7), (2, 8, 2, 3), (1, 8, 1, 2), (1, 8, 1, 1)]


def convolution(outwards: int = 6, **changes: Any) -> nn.Conv2d:
    torch.manual_seed(outwards)
    return nn.Conv2d(8, outwards, **{"kernel_size": 3, "padding": 1, **changes})


def enlarged(inputs: Tensor) -> Tensor:
    return functional.interpolate(inputs, scale_factor=2.0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", SIZES)
@torch.inference_mode()
def test_a_convolution_gives_the_same_numbers(
    size: tuple[int, ...], order: torch.memory_format, bias: bool
) -> None:
    plain, inputs = convolution(bias=bias), draw(*size).contiguous(memory_format=order)
    kept = inputs.clone()
    found = EnlargingConvolution(plain, EXPECTED)(inputs)
    torch.testing.assert_close(found, plain(enlarged(inputs)))
    assert torch.equal(inputs, kept)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", SIZES)
@torch.inference_mode()
def test_two_convolutions_give_the_same_numbers_up_to_the_edge(
    size: tuple[int, ...], order: torch.memory_format, bias: bool
) -> None:
    first, second = convolution(8, bias=False), convolution(3, bias=bias)
    inputs = draw(*size).contiguous(memory_format=order)
    found = EnlargingPair(first, second, EXPECTED)(inputs)
    torch.testing.assert_close(found, second(first(enlarged(inputs))))


@pytest.mark.skipif(not can_pack(torch.bfloat16), reason="the kernels take no bfloat16 here")
@torch.inference_mode()
def test_in_bfloat16_it_is_no_further_from_the_truth() -> None:
    plain, inputs = convolution(64), draw(2, 8, 12, 12)
    truth = plain(enlarged(inputs))
    plain, rounded = plain.bfloat16(), inputs.bfloat16()
    found = EnlargingConvolution(plain, EXPECTED)(rounded), plain(enlarged(rounded))
    assert found[0].dtype == torch.bfloat16
    errors = [(one.float() - truth).square().mean().sqrt() for one in found]
    assert errors[0] < 1.2 * errors[1]


@pytest.mark.parametrize(
    "changes",
    [{"kernel_size": 5}, {"padding": 0}, {"stride": 2}, {"groups": 2}, {"padding_mode": "reflect"}],
)
def test_other_convolutions_are_not_taken(changes: dict[str, Any]) -> None:
    assert is_three_by_three(convolution()) and not is_three_by_three(convolution(**changes))
    assert not is_three_by_three(nn.Identity())


@pytest.mark.parametrize("size", [None, (12, 8), (11, 7), (12, 7)])
@torch.inference_mode()
def test_a_block_gives_the_same_numbers_at_any_size(size: tuple[int, int] | None) -> None:
    torch.manual_seed(0)
    block, inputs = Upsample2D(8, use_conv=True).eval(), draw(2, 8, 6, 4)
    expected = block(inputs, size)
    one = packed(block, inputs, spare_bytes=10**6)
    assert isinstance(one, PackedUpsampling)
    torch.testing.assert_close(one(inputs, size), expected)


@pytest.mark.parametrize(
    "changes",
    [{"use_conv": False}, {"use_conv_transpose": True}, {"name": "Conv2d_0"},
     {"norm_type": "ln_norm", "elementwise_affine": True, "eps": 1e-5}, {"interpolate": False}],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
@torch.inference_mode()
def test_blocks_of_another_kind_keep_their_own_way(changes: dict[str, Any]) -> None:
    torch.manual_seed(0)
    block, inputs = Upsample2D(8, **{"use_conv": True, **changes}).eval(), draw(2, 8, 6, 4)
    expected = block(inputs)
    one = packed(block, inputs, spare_bytes=10**6)
    assert type(one) is Upsample2D
    torch.testing.assert_close(one(inputs), expected)


def test_without_memory_to_spare_a_block_enlarges_first() -> None:
    block, inputs = Upsample2D(8, use_conv=True).eval(), draw(2, 8, 6, 4)
    assert type(packed(block, inputs)) is Upsample2D


def test_what_is_seldom_used_gets_no_more_memory() -> None:
    block = Upsample2D(256, use_conv=True).eval()
    one = packed(block, draw(2, 256, 16, 16), spare_bytes=10**9)
    assert not any(isinstance(part, WinogradConvolution) for part in one.modules())


@pytest.mark.parametrize("blocks", [(2, 1, 0), (1, 1, 1), (0, 0, 0)])
@torch.inference_mode()
def test_a_tiny_decoder_gives_the_same_numbers(blocks: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    decoder = DecoderTiny(4, 3, blocks, (8, 8, 8), 2, "relu", "nearest").eval()
    inputs = draw(2, 4, 5, 6)
    expected = decoder(inputs)
    packed(decoder, inputs)
    found = {type(part) for part in decoder.layers}
    assert {EnlargingPair if not blocks[-1] else EnlargingConvolution} <= found
    assert nn.Upsample not in found and AutoencoderTinyBlock not in found
    torch.testing.assert_close(decoder(inputs), expected)


@pytest.mark.parametrize("changes", [{"act_fn": "silu"}, {"upsample_fn": "bilinear"}])
@torch.inference_mode()
def test_a_tiny_decoder_of_another_kind_keeps_its_own_way(changes: dict[str, str]) -> None:
    torch.manual_seed(0)
    kind = {"act_fn": "relu", "upsample_fn": "nearest", **changes}
    decoder = DecoderTiny(4, 3, (1, 1), (8, 8), 2, **kind).eval()
    inputs = draw(2, 4, 5, 6)
    expected = decoder(inputs)
    packed(decoder, inputs)
    kept = {type(part) for part in decoder.layers}
    assert (PackedTinyBlock in kept) == ("upsample_fn" in changes)
    assert (nn.Upsample in kept) == ("upsample_fn" in changes)
    torch.testing.assert_close(decoder(inputs), expected)
