"""Convolutions of a picture made twice as large, computed from the picture as it is.

Enlarged, every number stands in four places, and a convolution of three by three reads each of
them with several of its weights. These are added up beforehand: it becomes four convolutions of
two by two of the small picture, one for each place that an outcome can have among four, with four
ninths of the products.
"""

import torch
from torch import Size, Tensor, nn
from torch.nn import functional

from engine.packing import PackedConvolution

_PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))
_BY_PLACE = (((1.0, 0.0, 0.0), (0.0, 1.0, 1.0)), ((1.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
"""Of an outcome at an even and at an odd place along a line: which of three weights read the number
before and the one there, and the one there and the next."""
_PAIR_BY_PLACE = (
    ((1.0, 1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 0.0, 1.0)),
    ((1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 1.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 1.0)),
)
"""The same of five weights, and the number before, the one there and the next."""


class EnlargingConvolution(nn.Module):
    """Takes a picture twice as large by repeating its numbers, and convolves it."""

    def __init__(self, convolution: nn.Conv2d, expected: Size) -> None:
        """Add up the weights, of what `is_three_by_three`.

        Args:
            expected: size of inputs (rows, channels, height, width), before they are enlarged.
        """
        super().__init__()
        self._out = convolution.out_channels
        weights = _summed(convolution.weight, _BY_PLACE)
        self._places = PackedConvolution(_convolution(weights, convolution.bias), expected)

    def forward(self, inputs: Tensor) -> Tensor:
        """Convolve (rows, channels, height, width) to twice the height and width."""
        rows, _, height, width = inputs.shape
        made = self._places(inputs).unflatten(1, (4, self._out))
        out = torch.empty(
            (rows, self._out, 2 * height, 2 * width),
            dtype=inputs.dtype,
            memory_format=torch.channels_last,
        )
        for place, (down, across) in enumerate(_PLACES):
            there = made[:, place, :, down : down + height, across : across + width]
            out[:, :, down::2, across::2] = there
        return out


class EnlargingPair(nn.Module):
    """Takes a picture twice as large, and convolves it twice with nothing in between.

    Both together are one convolution of five by five, and that is four of three by three of the
    small picture.
    """

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d, expected: Size) -> None:
        """Multiply the weights, of what `is_three_by_three`; the first without a bias.

        Args:
            expected: size of inputs (rows, channels, height, width), before they are enlarged.
        """
        super().__init__()
        edge = Size((*expected[:2], 4, 2 * expected[3]))
        self._first = PackedConvolution(first, edge)
        self._second = PackedConvolution(second, Size((edge[0], first.out_channels, *edge[2:])))
        turned = first.weight.double().flip(2, 3).transpose(0, 1)
        both = functional.conv2d(second.weight.double(), turned, padding=2)
        weights = _summed(both.to(first.weight.dtype), _PAIR_BY_PLACE)
        self._places = PackedConvolution(_convolution(weights, second.bias), expected)

    def forward(self, inputs: Tensor) -> Tensor:
        """Convolve (rows, channels, height, width) to twice the height and width."""
        places = self._places(inputs).unflatten(1, (4, -1)).transpose(1, 2).flatten(1, 2)
        out = functional.pixel_shuffle(places, 2)
        # Beyond the edge the first one gives nothing, where both together would give something.
        out[:, :, :1] = self._one_by_one(inputs[:, :, :2])[:, :, :1]
        out[:, :, -1:] = self._one_by_one(inputs[:, :, -2:])[:, :, -1:]
        out[:, :, :, :1] = self._one_by_one(inputs[:, :, :, :2])[:, :, :, :1]
        out[:, :, :, -1:] = self._one_by_one(inputs[:, :, :, -2:])[:, :, :, -1:]
        return out

    def _one_by_one(self, inputs: Tensor) -> Tensor:
        out: Tensor = self._second(self._first(functional.interpolate(inputs, scale_factor=2.0)))
        return out


def added_bytes(part: nn.Conv2d) -> int:
    """How much memory the weights of an `EnlargingConvolution` take."""
    return part.weight.numel() * part.weight.element_size() * 16 // 9


def _summed(weights: Tensor, by_place: tuple[tuple[tuple[float, ...], ...], ...]) -> Tensor:
    """Weights (out, in, n, n) for an enlarged picture as (4 × out, in, m, m) for a small one."""
    sums = torch.tensor(by_place, dtype=torch.float64)
    each = [
        torch.einsum("oiyx,ty,ux->oitu", weights.detach().double(), sums[down], sums[across])
        for down, across in _PLACES
    ]
    return torch.cat(each).to(weights.dtype)


def _convolution(weights: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """A convolution with these weights, a bias for each place, and an edge of zeros."""
    made = nn.Conv2d(weights.shape[1], weights.shape[0], weights.shape[2], padding=1, device="meta")
    made.weight = nn.Parameter(weights)
    made.bias = None if bias is None else nn.Parameter(bias.detach().repeat(4))
    return made
