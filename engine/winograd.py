"""Convolutions of three by three with a quarter of the products: Winograd's F(4×4, 3×3).

Sixteen neighbours in the outcome are made from a tile of six by six, which is transformed,
multiplied by the transformed weights place by place, and transformed back (Lavin & Gray 2015,
arXiv:1509.09308). In float32 the outcome is right to about 1e-4 of its size. The transforms are
matrix products themselves, so that nearly all of the work runs at the speed of those.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Size, Tensor, nn

from engine.packing import is_three_by_three

_OUT, _IN = 4, 6
"""Sides of a tile of the outcome, and of what it is made from."""
_LEAST_TILES = 32
"""With fewer, reading the weights, which are four times as many, takes longer than is gained."""
_LEAST_CHANNEL_PRODUCT = 128 * 256
"""Inwards times outwards. With fewer, the transforms take longer than is gained."""
_TILES = 64
"""Of a slice at least: products of fewer rows are slow."""
_SLICE = 2**19
"""Numbers of a slice's transformed tiles, where that is enough of them: 2 MB, so that they are
still in the processor's cache when they are multiplied."""

# The paper's Bᵀ, G and Aᵀ, for tiles from the points 0, 1, -1, 2, -2 and infinity.
_INPUT_TRANSFORM = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_WEIGHT_TRANSFORM = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OUTPUT_TRANSFORM = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
_BIAS_PLACE = _IN + 1
"""The place in a transformed tile whose number is added to each outcome of it, as it is."""


@dataclass(frozen=True)
class _Slice:
    """Rows of tiles that are worked on at once: of which pictures, and from where to where."""

    pictures: slice
    top: int
    bottom: int


class WinogradConvolution(nn.Module):
    """A convolution of three by three; gives the numbers of the one it is made from, nearly.

    Inputs of any size are taken; those that tiles do not fill are computed a little further.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        """Transform the weights; see `pays_off` for what is taken."""
        super().__init__()
        places = convolution.weight.detach().permute(2, 3, 1, 0)
        transformed = torch.mm(_two_dimensional(_WEIGHT_TRANSFORM), places.reshape(9, -1))
        self._weight = transformed.view(_IN**2, *places.shape[2:])
        self._to_tiles = _two_dimensional(_INPUT_TRANSFORM)
        self._from_tiles = _two_dimensional(_OUTPUT_TRANSFORM)
        self.bias = convolution.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """Convolve (rows, channels, height, width)."""
        return self._convolve(inputs, None)

    def plus(self, inputs: Tensor, other: Tensor) -> Tensor:
        """Convolve, and add what has the shape of the outcome."""
        return self._convolve(inputs, other)

    def _convolve(self, inputs: Tensor, other: Tensor | None) -> Tensor:
        given = inputs.permute(0, 2, 3, 1)
        rows, height, width, _ = given.shape
        down, across = -(-height // _OUT), -(-width // _OUT)
        out = torch.empty(rows, down * _OUT, across * _OUT, self._weight.shape[2])
        cut = (rows, down, _OUT, across, _OUT, -1)
        tiled, fits = out.view(cut), out.shape[1:3] == (height, width)
        added = other.permute(0, 2, 3, 1).reshape(cut) if other is not None and fits else None
        for some in self._slices(rows, down, across):
            made = self._tiles(given, some, across)
            where = (some.pictures, slice(some.top, some.bottom))
            if added is None:
                tiled[where] = made
            else:
                torch.add(made, added[where], out=tiled[where])
        outcome = out[:, :height, :width].permute(0, 3, 1, 2)
        return outcome if other is None or fits else outcome + other

    def _slices(self, rows: int, down: int, across: int) -> Iterator[_Slice]:
        """Parts as small as is fast; where a whole picture is one, all pictures together are."""
        numbers = across * _IN**2 * max(self._weight.shape[1:])
        high = max(-(-_TILES // across), _SLICE // numbers)
        if high >= down:
            yield _Slice(slice(0, rows), 0, down)
            return
        for row in range(rows):
            for top in range(0, down, high):
                yield _Slice(slice(row, row + 1), top, min(down, top + high))

    def _tiles(self, given: Tensor, some: _Slice, across: int) -> Tensor:
        """The outcome for a slice.

        Args:
            given: (rows, height, width, channels).

        Returns:
            (rows, tiles down, 4, tiles across, 4, channels).
        """
        padded = _padded(given[some.pictures], some, across)
        channels = padded.shape[3]
        picture, line, place, _ = padded.stride()
        sizes = (_IN, _IN, len(padded), some.bottom - some.top, across)
        steps = (line, place, picture, _OUT * line, _OUT * place, 1)
        tiles = padded.as_strided((*sizes, channels), steps).reshape(_IN**2, -1)
        transformed = torch.mm(self._to_tiles, tiles).view(_IN**2, -1, channels)
        products = torch.bmm(transformed, self._weight)
        if self.bias is not None:
            products[_BIAS_PLACE] += self.bias
        made = torch.mm(self._from_tiles, products.flatten(1))
        return made.view(_OUT, _OUT, *sizes[2:], -1).permute(2, 3, 0, 4, 1, 5)


def pays_off(part: Any, expected: Size) -> bool:
    """Whether a convolution can be computed so, and is faster for inputs of a size.

    Args:
        expected: (rows, channels, height, width).
    """
    return (
        is_three_by_three(part)
        and part.weight.dtype == torch.float32
        and part.in_channels * part.out_channels >= _LEAST_CHANNEL_PRODUCT
        and expected[0] * (expected[2] // _OUT) * (expected[3] // _OUT) >= _LEAST_TILES
    )


def added_bytes(part: nn.Conv2d) -> int:
    """How much more memory the weights of a convolution take."""
    return (_IN**2 - 9) * part.in_channels * part.out_channels * 4


def _padded(given: Tensor, some: _Slice, across: int) -> Tensor:
    """What the tiles of a slice read, with zeros where that is beyond the edge.

    Args:
        given: (rows, height, width, channels).
    """
    rows, height, width, channels = given.shape
    first, last = _OUT * some.top - 1, _OUT * some.bottom + 1
    top, bottom = max(first, 0), min(last, height)
    padded = torch.empty(rows, last - first, _OUT * across + 2, channels)
    padded[:, : top - first] = 0
    padded[:, bottom - first :] = 0
    padded[:, :, :1] = 0
    padded[:, :, width + 1 :] = 0
    padded[:, top - first : bottom - first, 1 : width + 1] = given[:, top:bottom]
    return padded


def _two_dimensional(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    """A transform of the lines and the columns of a tile as one matrix."""
    transform = torch.tensor(rows, dtype=torch.float32)
    return torch.kron(transform, transform)
