"""Convolutions by tiles: the numbers of torch's own, nearly, whatever the input."""

from typing import Any

import pytest
import torch
from torch import Size, nn

from engine import winograd
from engine.blocks import PackedResidual, pack_blocks
from engine.packing import PackedConvolution, can_pack
from engine.winograd import WinogradConvolution, added_bytes, pays_off
from tests.test_blocks import draw, residual

where_blocks_are_packed = pytest.mark.skipif(
    not can_pack(torch.float32), reason="packed on x86 processors only"
)
EXPECTED = Size((2, 128, 16, 16))
SIZES = [(2, 24, 16, 8), (1, 24, 12, 12), (3, 24, 7, 21), (2, 24, 1, 1), (1, 24, 40, 36)]


def convolution(inwards: int = 24, outwards: int = 16, **changes: Any) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(inwards, outwards, **{"kernel_size": 3, "padding": 1, **changes})


@pytest.mark.parametrize("tiles", [1, 20, None], ids=["one row", "some rows", "as it is"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", SIZES)
@torch.inference_mode()
def test_a_convolution_gives_nearly_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, ...],
    order: torch.memory_format,
    bias: bool,
    tiles: int | None,
) -> None:
    if tiles is not None:
        monkeypatch.setattr(winograd, "_TILES", tiles)
        monkeypatch.setattr(winograd, "_SLICE", 1)
    plain, inputs = convolution(bias=bias), draw(*size).contiguous(memory_format=order)
    expected, kept = plain(inputs), inputs.clone()
    by_tiles = WinogradConvolution(plain)
    torch.testing.assert_close(by_tiles(inputs), expected, rtol=1e-4, atol=1e-4)
    other = draw(*expected.shape, seed=1).contiguous(memory_format=order)
    torch.testing.assert_close(by_tiles.plus(inputs, other), expected + other, rtol=1e-4, atol=1e-4)
    assert torch.equal(inputs, kept)


@torch.inference_mode()
def test_what_is_beyond_the_edge_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, inputs = convolution(), draw(1, 24, 7, 9)
    by_tiles = WinogradConvolution(plain)
    monkeypatch.setattr(torch, "empty", lambda *shape: torch.full(shape, torch.nan))
    torch.testing.assert_close(by_tiles(inputs), plain(inputs), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_a_row_is_the_same_among_others() -> None:
    by_tiles, inputs = WinogradConvolution(convolution()), draw(4, 24, 16, 16)
    torch.testing.assert_close(by_tiles(inputs)[2:3], by_tiles(inputs[2:3]), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_what_is_no_number_is_seen() -> None:
    inputs = draw(1, 24, 8, 8)
    inputs[0, 3, 5, 5] = torch.nan
    assert WinogradConvolution(convolution())(inputs).isnan().any()


def test_it_pays_off_where_there_is_much_to_multiply() -> None:
    assert pays_off(convolution(128, 256), EXPECTED)
    assert not pays_off(convolution(128, 256), Size((2, 128, 8, 8)))
    assert not pays_off(convolution(128, 128), Size((2, 128, 64, 64)))


@pytest.mark.parametrize(
    "changes",
    [
        {"stride": 2},
        {"padding": 0},
        {"padding": "same"},
        {"dilation": 2},
        {"groups": 2},
        {"kernel_size": 1, "padding": 0},
        {"kernel_size": (3, 5)},
        {"padding_mode": "reflect"},
        {"dtype": torch.bfloat16},
    ],
    ids=str,
)
def test_other_convolutions_are_not_taken(changes: dict[str, Any]) -> None:
    assert not pays_off(convolution(128, 256, **changes), EXPECTED)


@where_blocks_are_packed
@torch.inference_mode()
def test_a_residual_block_is_computed_by_tiles_where_memory_allows() -> None:
    block = residual(in_channels=128, out_channels=256, use_in_shortcut=True)
    inputs, temb = draw(*EXPECTED).to(memory_format=torch.channels_last), draw(2, 8)
    expected = block(inputs, temb)
    model, spare = nn.Sequential(block), added_bytes(block.conv2)
    pack_blocks(model, {"0.conv1": EXPECTED, "0.conv2": Size((2, 256, 16, 16))}, spare)
    assert isinstance(model[0], PackedResidual)
    assert {type(model[0].conv1), type(model[0].conv2)} == {WinogradConvolution, PackedConvolution}
    torch.testing.assert_close(model[0](inputs, temb), expected, rtol=1e-3, atol=1e-3)


@where_blocks_are_packed
def test_memory_is_spent_where_the_picture_is_large() -> None:
    model = nn.Sequential(*(convolution(256, 128) for _ in range(3)))
    small, large = Size((2, 256, 16, 16)), Size((2, 256, 32, 32))
    pack_blocks(model, {"0": small, "1": large, "2": small}, added_bytes(model[0]))
    assert [type(part) is WinogradConvolution for part in model] == [False, True, False]


@where_blocks_are_packed
def test_one_that_memory_is_short_for_takes_it_from_no_other() -> None:
    model = nn.Sequential(convolution(512, 512), convolution(256, 128))
    sizes = {"0": Size((2, 512, 32, 32)), "1": Size((2, 256, 16, 16))}
    pack_blocks(model, sizes, added_bytes(model[1]))
    assert [type(part) is WinogradConvolution for part in model] == [False, True]
