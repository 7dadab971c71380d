"""What a program is made for: a function of tensors, and the sizes of its inputs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Run = Callable[..., Tensor]
"""Takes tensors whose first dimension is rows, none of which sees another; gives such a tensor."""
_LEAST_BETWEEN = 6


@dataclass(frozen=True)
class Input:
    """What a program's input is: the size, rows first, and what else it must be."""

    size: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def make(self) -> Tensor:
        """A tensor of that kind, zeros; pictures in the order that convolutions take best."""
        order = torch.channels_last if len(self.size) == 4 else torch.contiguous_format
        empty = torch.empty(self.size, dtype=self.dtype, device=self.device, memory_format=order)
        return empty.zero_()


@dataclass(frozen=True)
class Shape:
    """What a program is made for: a function, and the shapes of its inputs."""

    run: Run
    inputs: tuple[Input, ...]

    @property
    def rows(self) -> int:
        return self.inputs[0].size[0]

    def make(self) -> tuple[Tensor, ...]:
        """Inputs of this shape, zeros."""
        return tuple(one.make() for one in self.inputs)

    def of_rows(self, rows: int) -> "Shape":
        """The same of another number of rows."""
        inputs = (replace(one, size=(rows, *one.size[1:])) for one in self.inputs)
        return replace(self, inputs=tuple(inputs))

    @classmethod
    def of(cls, run: Run, inputs: tuple[Tensor, ...]) -> "Shape":
        """That of the program for these inputs, which may have more rows; see `filled_rows`."""
        rows = filled_rows(len(inputs[0]))
        return cls(
            run, tuple(Input((rows, *one.shape[1:]), one.dtype, one.device) for one in inputs)
        )


def filled_rows(rows: int) -> int:
    """Rows of the program for so many: 1, 2, 4, 6, 8, 12, 16, 24 and so on.

    Powers of two, and what lies between them where the rows that nobody needs would cost more
    than another program is worth.
    """
    power = 1 << (rows - 1).bit_length()
    between = power * 3 // 4
    return between if between >= _LEAST_BETWEEN and rows <= between else power
