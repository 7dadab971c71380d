"""Packed weights: the numbers of torch's own layers, whatever the input."""

from typing import Any

import pytest
import torch
from torch import Size, nn
from torch.nn import functional

from engine.packing import PackedConvolution, PackedLinear, can_pack

PACKED = [dtype for dtype in (torch.float32, torch.bfloat16) if can_pack(dtype)]
pytestmark = pytest.mark.skipif(not PACKED, reason="weights are packed on x86 processors only")
EXPECTED = Size((2, 16, 12, 8))
CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "three by three": {"kernel_size": 3, "padding": 1},
    "one by one": {"kernel_size": 1},
    "halving": {"kernel_size": 3, "padding": 1, "stride": 2},
    "without a bias": {"kernel_size": 3, "bias": False},
    "in groups": {"kernel_size": 3, "padding": 1, "groups": 4},
    "with holes": {"kernel_size": 3, "padding": 2, "dilation": 2},
    "oblong": {"kernel_size": (3, 5), "padding": (1, 2)},
}


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [EXPECTED, (1, 16, 12, 8), (2, 16, 7, 21), (5, 16, 3, 5)])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
@torch.inference_mode()
def test_a_convolution_gives_the_same_numbers(
    kind: str, size: tuple[int, ...], order: torch.memory_format
) -> None:
    plain = nn.Conv2d(16, 24, **CONVOLUTIONS[kind])
    inputs = draw(*size).contiguous(memory_format=order)
    expected = plain(inputs)
    packed = PackedConvolution(plain, EXPECTED)
    torch.testing.assert_close(packed(inputs), expected)
    other = draw(*expected.shape, seed=1).contiguous(memory_format=order)
    kept = other.clone()
    torch.testing.assert_close(packed.plus(inputs, other), expected + other)
    assert torch.equal(other, kept)


@torch.inference_mode()
def test_of_a_single_cell_it_gives_the_same_numbers() -> None:
    plain = nn.Conv2d(16, 16, 3, padding=1)
    inputs = draw(2, 16, 1, 1)
    packed = PackedConvolution(plain, EXPECTED)
    torch.testing.assert_close(packed(inputs), plain(inputs))
    torch.testing.assert_close(packed.plus(inputs, inputs), plain(inputs) + inputs)


@torch.inference_mode()
def test_a_bias_that_changes_later_counts() -> None:
    plain = nn.Conv2d(16, 24, 3)
    packed = PackedConvolution(plain, EXPECTED)
    plain.bias.data.fill_(float("nan"))  # type: ignore[union-attr]
    assert packed(draw(*EXPECTED)).isnan().all()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [12, 5, 40])
@torch.inference_mode()
def test_a_linear_map_gives_the_same_numbers(rows: int, bias: bool) -> None:
    plain = nn.Linear(16, 24, bias=bias)
    packed, inputs = PackedLinear(plain.weight, plain.bias, 12), draw(rows, 16)
    expected, other = plain(inputs), draw(rows, 24, seed=1)
    torch.testing.assert_close(packed(inputs), expected)
    torch.testing.assert_close(packed.gelu(inputs), functional.gelu(expected))
    torch.testing.assert_close(packed.times(inputs, other), expected * other)


@pytest.mark.parametrize("dtype", PACKED)
@torch.inference_mode()
def test_it_computes_in_the_dtype_and_stays_near_the_truth(dtype: torch.dtype) -> None:
    convolution, linear = nn.Conv2d(16, 24, 3, padding=1), nn.Linear(16, 24)
    picture, rows = draw(*EXPECTED), draw(12, 16)
    truths = convolution(picture), functional.gelu(linear(rows))
    packed = PackedConvolution(convolution.to(dtype), EXPECTED)
    mapped = PackedLinear(linear.to(dtype).weight, linear.bias, 12)
    results = packed(picture.to(dtype)), mapped.gelu(rows.to(dtype))
    for found, truth in zip(results, truths, strict=True):
        assert found.dtype == dtype
        assert (found.float() - truth).square().mean().sqrt() < 0.01 * truth.std()


@pytest.mark.parametrize(
    ("machine", "dtype", "able"),
    [
        ("x86_64", torch.float32, True),
        ("AMD64", torch.float32, True),
        ("arm64", torch.float32, False),
        ("x86_64", torch.float16, False),
    ],
)
def test_it_is_tried_only_where_it_is_known(
    monkeypatch: pytest.MonkeyPatch, machine: str, dtype: torch.dtype, able: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert can_pack(dtype) == (able and torch.backends.mkldnn.is_available())
