"""Weights laid out once as oneDNN's kernels read them, and what those kernels do besides.

torch lays the weights of a convolution out anew at every call, and leaves what follows one, an
activation or a sum, to a pass over memory of its own.
"""

import platform
from typing import Any

import torch
from torch import Size, Tensor, nn

_X86 = ("x86_64", "AMD64")


def can_pack(dtype: torch.dtype) -> bool:
    """Whether this machine's kernels take packed weights of a dtype; only tried where they do."""
    if platform.machine() not in _X86 or not torch._C._has_mkldnn:
        return False
    takes_bfloat16: Any = torch.ops.mkldnn._is_mkldnn_bf16_supported
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(takes_bfloat16()))


def is_three_by_three(part: Any) -> bool:
    """Whether a part is a plain convolution of three by three that keeps the size."""
    return (
        type(part) is nn.Conv2d
        and (part.kernel_size, part.stride, part.dilation) == ((3, 3), (1, 1), (1, 1))
        and (part.padding, part.padding_mode, part.groups) == ((1, 1), "zeros", 1)
    )


class PackedConvolution(nn.Module):
    """A convolution in two dimensions; gives the numbers of the one it is made from.

    Inputs of any size are taken; those of the expected one are not copied on their way.
    """

    def __init__(self, convolution: nn.Conv2d, expected: Size) -> None:
        """Pack the weights for inputs of a size (rows, channels, height, width)."""
        super().__init__()
        plain: Any = convolution
        how = plain.padding, plain.stride, plain.dilation, plain.groups
        reorder: Any = torch.ops.aten.mkldnn_reorder_conv2d_weight
        self.bias = convolution.bias
        self._weight = reorder(convolution.weight.detach().to_mkldnn(), *how, expected)
        self._how = how

    def forward(self, inputs: Tensor) -> Tensor:
        """Convolve (rows, channels, height, width)."""
        return self._run(inputs, "none")

    def relu(self, inputs: Tensor) -> Tensor:
        """Convolve, and take zero for what is less."""
        return self._run(inputs, "relu")

    def plus(self, inputs: Tensor, other: Tensor) -> Tensor:
        """Convolve, and add what has the shape of the outcome."""
        return self._run_with(inputs, other, None)

    def plus_relu(self, inputs: Tensor, other: Tensor) -> Tensor:
        """Convolve, add what has the shape of the outcome, and take zero for what is less."""
        return self._run_with(inputs, other, "relu")

    def _run(self, inputs: Tensor, activation: str) -> Tensor:
        run: Any = torch.ops.mkldnn._convolution_pointwise
        out: Tensor = run(inputs, self._weight, self.bias, *self._how, activation, [], "")
        return out

    def _run_with(self, inputs: Tensor, other: Tensor, activation: str | None) -> Tensor:
        run: Any = torch.ops.mkldnn._convolution_pointwise.binary
        how: tuple[Any, ...] = (*self._how, "add", 1.0, activation, [], None)
        out: Tensor = run(inputs, other, self._weight, self.bias, *how)
        return out


class PackedLinear:
    """A linear map of the last dimension, with what may follow it."""

    def __init__(self, weight: Tensor, bias: Tensor | None, rows: int) -> None:
        """Pack weights (out, in) for inputs of so many rows."""
        reorder: Any = torch.ops.mkldnn._reorder_linear_weight
        self._weight = reorder(weight.detach().contiguous(), rows)
        self._bias = None if bias is None else bias.detach().clone()

    def __call__(self, inputs: Tensor) -> Tensor:
        """Map (rows, in) to (rows, out)."""
        return self._run(inputs, "none")

    def gelu(self, inputs: Tensor) -> Tensor:
        """Map, and take the GELU of the outcome, without approximation."""
        return self._run(inputs, "gelu")

    def times(self, inputs: Tensor, other: Tensor) -> Tensor:
        """Map, and multiply by what has the shape of the outcome."""
        run: Any = torch.ops.mkldnn._linear_pointwise.binary
        out: Tensor = run(inputs, other, self._weight, self._bias, "mul")
        return out

    def _run(self, inputs: Tensor, activation: str) -> Tensor:
        run: Any = torch.ops.mkldnn._linear_pointwise
        out: Tensor = run(inputs, self._weight, self._bias, activation, [], "none")
        return out
