"""Blocks of a U-Net or a decoder as a CPU computes them best.

The sums are those of diffusers' blocks, whose place they take, with fewer passes over memory.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import torch
from diffusers.models.activations import GEGLU
from diffusers.models.attention import FeedForward
from diffusers.models.autoencoders.vae import DecoderTiny
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_blocks import AutoencoderTinyBlock
from diffusers.models.upsampling import Upsample2D
from torch import Size, Tensor, nn
from torch.nn import functional

from engine import enlarging, winograd
from engine.enlarging import EnlargingConvolution, EnlargingPair
from engine.packing import PackedConvolution, PackedLinear, is_three_by_three
from engine.winograd import WinogradConvolution

_TOKENS = 512
"""Of a slice: what is between its products stays in the processor's cache."""


class PackedResidual(nn.Module):
    """A residual block: norm, SiLU and convolution, twice, and the input added."""

    def __init__(self, block: Any) -> None:
        """Take the parts of a diffusers block, its convolutions packed already."""
        super().__init__()
        self.norm1, self.conv1 = block.norm1, block.conv1
        self.norm2, self.conv2 = block.norm2, block.conv2
        self.time_emb_proj, self.conv_shortcut = block.time_emb_proj, block.conv_shortcut

    def forward(self, hidden_states: Tensor, temb: Tensor | None) -> Tensor:
        """Transform (rows, channels, height, width); `temb` (rows, width) tells the timestep."""
        inner = self.conv1(functional.silu(self.norm1(hidden_states), inplace=True))
        if self.time_emb_proj is not None and temb is not None:
            inner += self.time_emb_proj(functional.silu(temb))[:, :, None, None]
        inner = functional.silu(self.norm2(inner), inplace=True)
        if self.conv_shortcut is not None:
            hidden_states = self.conv_shortcut(hidden_states)
        out: Tensor = self.conv2.plus(inner, hidden_states)
        return out


class PackedTinyBlock(nn.Module):
    """A block of a tiny autoencoder: three convolutions, and the input added."""

    def __init__(self, block: Any) -> None:
        """Take the parts of a diffusers block, its convolutions packed already."""
        super().__init__()
        self.conv, self.skip = block.conv, block.skip

    def forward(self, inputs: Tensor) -> Tensor:
        """Transform (rows, channels, height, width)."""
        first, _, second, _, third = self.conv
        out: Tensor = third.plus_relu(second.relu(first.relu(inputs)), self.skip(inputs))
        return out


class PackedUpsampling(nn.Module):
    """Takes a picture twice as large, or nearly, and convolves it."""

    def __init__(self, block: Any, expected: Size) -> None:
        """Pack a diffusers block for inputs of a size (rows, channels, height, width)."""
        super().__init__()
        self.conv = block.conv
        self._twice = EnlargingConvolution(block.conv, expected)

    def forward(self, hidden_states: Tensor, output_size: Size | None = None) -> Tensor:
        """Transform (rows, channels, height, width), to another height and width if told so."""
        _, _, height, width = hidden_states.shape
        out: Tensor
        if output_size is None or tuple(output_size) == (2 * height, 2 * width):
            out = self._twice(hidden_states)
        else:
            out = self.conv(functional.interpolate(hidden_states, size=output_size))
        return out


class PackedFeedForward(nn.Module):
    """The gated feed-forward block of a transformer (Shazeer 2020, arXiv:2002.05202), in slices."""

    def __init__(self, block: Any, expected: Size) -> None:
        """Pack the weights of a diffusers block for inputs of a size (rows, tokens, channels)."""
        super().__init__()
        self._tokens = min(_TOKENS, expected[:-1].numel())
        inwards, outwards = block.net[0].proj, block.net[2]
        weights = inwards.weight.chunk(2)
        biases = (None, None) if inwards.bias is None else inwards.bias.chunk(2)
        self._value, self._gate = (
            PackedLinear(weight, bias, self._tokens)
            for weight, bias in zip(weights, biases, strict=True)
        )
        self._outwards = PackedLinear(outwards.weight, outwards.bias, self._tokens)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Transform (rows, tokens, channels)."""
        slices = torch.split(hidden_states.flatten(0, -2), self._tokens)
        done = [self._outwards(self._value.times(some, self._gate.gelu(some))) for some in slices]
        return torch.cat(done).view(*hidden_states.shape[:-1], -1)


def pack_blocks(module: nn.Module, sizes: Mapping[str, Size], spare_bytes: int = 0) -> None:
    """Put packed parts in the place of a module's; one by one, for their weights are large.

    Args:
        sizes: of the inputs that parts are expected to have, by their names in the module;
            a part that is not named keeps as it is.
        spare_bytes: how much more memory its weights may take where that makes it faster.
    """
    for names in _places(module, _is_plain_upsampling):
        part: Any = module.get_submodule(names[0])
        taken = enlarging.added_bytes(part.conv)
        if names[0] in sizes and taken <= spare_bytes:
            spare_bytes -= taken
            _put(module, names, PackedUpsampling(part, sizes[names[0]]))
    for names in _places(module, lambda part: type(part) is DecoderTiny):
        _enlarge(module.get_submodule(names[0]), names[0], sizes)
    by_tiles = _choose_winograd(module, sizes, spare_bytes)
    for names in _places(module, _can_be_packed):
        if names[0] in sizes:
            part = module.get_submodule(names[0])
            _put(module, names, _packed(part, sizes[names[0]], names[0] in by_tiles))
    for names in _places(module, _is_plain_residual):
        _put(module, names, PackedResidual(module.get_submodule(names[0])))
    for names in _places(module, _is_packed_tiny_block):
        _put(module, names, PackedTinyBlock(module.get_submodule(names[0])))


def _enlarge(decoder: Any, name: str, sizes: Mapping[str, Size]) -> None:
    """Have a tiny decoder convolve before it takes pictures twice as large."""
    layers = decoder.layers
    for at, (part, first) in enumerate(pairwise(layers)):
        size = sizes.get(f"{name}.layers.{at}")
        if size is None or not (_is_doubling(part) and is_three_by_three(first)):
            continue
        after = layers[at + 2 :]
        layers[at + 1] = nn.Identity()  # the other layers keep their names
        if len(after) == 1 and is_three_by_three(after[0]) and first.bias is None:
            layers[at], layers[at + 2] = EnlargingPair(first, after[0], size), nn.Identity()
        else:
            layers[at] = EnlargingConvolution(first, size)


def _choose_winograd(module: nn.Module, sizes: Mapping[str, Size], spare_bytes: int) -> set[str]:
    """The names of convolutions to be computed by tiles; large pictures gain most for a byte."""
    parts = dict(module.named_modules())
    seldom = {f"{name}.conv" for name, part in parts.items() if isinstance(part, PackedUpsampling)}
    found: list[tuple[str, Any]] = [
        (name, part)
        for name, part in parts.items()
        if name in sizes and name not in seldom and winograd.pays_off(part, sizes[name])
    ]
    chosen = set[str]()
    for name, part in sorted(found, key=lambda one: sizes[one[0]][2:].numel(), reverse=True):
        if winograd.added_bytes(part) <= spare_bytes:
            spare_bytes -= winograd.added_bytes(part)
            chosen.add(name)
    return chosen


def _places(module: nn.Module, wanted: Callable[[Any], bool]) -> list[list[str]]:
    """The names of each part that is wanted: some blocks know one of theirs by two."""
    names: dict[nn.Module, list[str]] = {}
    for name, part in module.named_modules(remove_duplicate=False):
        if wanted(part):
            names.setdefault(part, []).append(name)
    return list(names.values())


def _put(module: nn.Module, names: list[str], part: nn.Module) -> None:
    for name in names:
        module.set_submodule(name, part)


def _is_plain_upsampling(block: Any) -> bool:
    """Whether a block does what `PackedUpsampling` does, and nothing else."""
    return (
        type(block) is Upsample2D
        and block.use_conv
        and block.interpolate
        and block.norm is None
        and block.name == "conv"
        and is_three_by_three(block.conv)
    )


def _is_doubling(part: Any) -> bool:
    return type(part) is nn.Upsample and (part.scale_factor, part.mode) == (2.0, "nearest")


def _is_packed_tiny_block(block: Any) -> bool:
    """Whether a block does what `PackedTinyBlock` does, its convolutions packed."""
    return type(block) is AutoencoderTinyBlock and all(
        isinstance(part, PackedConvolution | nn.ReLU) for part in block.conv
    )


def _can_be_packed(part: Any) -> bool:
    if type(part) is FeedForward:
        return type(part.net[0]) is GEGLU
    padded = type(part) is nn.Conv2d and part.padding_mode == "zeros"
    return padded and not isinstance(part.padding, str)


def _packed(part: nn.Module, expected: Size, by_tiles: bool) -> nn.Module:
    if isinstance(part, nn.Conv2d):
        return WinogradConvolution(part) if by_tiles else PackedConvolution(part, expected)
    return PackedFeedForward(part, expected)


def _is_plain_residual(block: Any) -> bool:
    """Whether a block does what `PackedResidual` does, and nothing else."""
    return (
        type(block) is ResnetBlock2D
        and isinstance(block.nonlinearity, nn.SiLU)
        and isinstance(block.conv2, PackedConvolution | WinogradConvolution)
        and block.time_embedding_norm == "default"
        and block.output_scale_factor == 1
        and not (block.upsample or block.downsample or block.skip_time_act)
    )
