"""The two rows of a guided picture, which are one until the prompt is first read.

They differ in their prompts alone. So latents of one row are taken together with embeddings of
two: what comes before the first attention to them is computed once, and each row for itself from
there on. That saves a twentieth of the work of a pass, or more. Of several pictures, it is what
comes before the first block with such an attention.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn

from engine.blocks import PackedResidual
from engine.families import trained_side

_USUAL_SIDE = 64
_DOWN = {"DownBlock2D", "CrossAttnDownBlock2D"}
_MIDDLE = {"UNetMidBlock2DCrossAttn", "NoneType"}
_UP = {"UpBlock2D", "CrossAttnUpBlock2D"}


def blank_pair(
    pipeline: Any, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Zeros of the kind that a U-Net is given for a guided picture of the size it was trained at.

    Returns:
        Latents (2, channels, side, side), timesteps (2,), embeddings (2, tokens, width).
    """
    unet, text = pipeline.unet.config, pipeline.text_encoder.config
    side = trained_side(pipeline, 1) or _USUAL_SIDE
    new = partial(torch.zeros, dtype=dtype, device=device)
    return (
        new((2, unet.in_channels, side, side)),
        new(2),
        new((2, text.max_position_embeddings, text.hidden_size)),
    )


def share_pairs(unet: Any) -> bool:
    """Have a U-Net take a row of latents and a timestep for several of embeddings; idempotent.

    As many for each row: the first ones are the first row's.

    Returns:
        Whether it does: it is left alone if it has blocks that are not known.
    """
    if not _is_known(unet):
        return False
    if getattr(unet, "shares_pairs", False):
        return True
    for part in unet.modules():
        if isinstance(part, Transformer2DModel):
            hidden: Any = part
            hidden._get_output_for_continuous_inputs = partial(_leave, part)
            part.register_forward_pre_hook(_enter_for_each, with_kwargs=True)
        elif isinstance(part, Attention) and part.is_cross_attention:
            part.register_forward_pre_hook(_ask_for_each, with_kwargs=True)
        elif isinstance(part, ResnetBlock2D | PackedResidual):
            part.register_forward_pre_hook(_time_for_each)
    for block in unet.up_blocks:
        block.register_forward_pre_hook(_skip_for_each, with_kwargs=True)
    unet.shares_pairs = True
    return True


def _is_known(unet: Any) -> bool:
    """Whether it is of Stable Diffusion's kind: prompts are read by attention only, and in time."""
    down, up = _kinds(unet.down_blocks), _kinds(unet.up_blocks)
    middle, config = _kinds([unet.mid_block]), unet.config
    others = (config.dual_cross_attention, config.addition_embed_type, config.class_embed_type)
    return (
        down <= _DOWN
        and middle <= _MIDDLE
        and up <= _UP
        and any("CrossAttn" in name for name in down | middle)  # the way up expects all rows
        and not any((*others, config.num_class_embeds))
    )


def _kinds(blocks: Iterable[object]) -> set[str]:
    return {type(block).__name__ for block in blocks}


def _enter_for_each(
    transformer: nn.Module, inputs: tuple[Tensor, ...], texts: dict[str, Any]
) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """Before a transformer: of one picture, the rows become several within it, of more here."""
    rows = len(inputs[0]) if len(inputs[0]) == 1 else len(texts["encoder_hidden_states"])
    return (_for_each(inputs[0], rows), *inputs[1:]), texts


def _time_for_each(
    block: nn.Module, inputs: tuple[Tensor, Tensor | None]
) -> tuple[Tensor, Tensor | None]:
    """Before a residual block: a timestep for each row, or one for all."""
    hidden, temb = inputs
    if temb is not None and len(temb) > 1:
        temb = _for_each(temb, len(hidden))
    return hidden, temb


def _ask_for_each(
    attention: nn.Module, inputs: tuple[Tensor, ...], texts: dict[str, Any]
) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """Before an attention to the prompts: as many rows of queries as there are prompts."""
    return (_for_each(inputs[0], len(texts["encoder_hidden_states"])), *inputs[1:]), texts


def _skip_for_each(
    block: nn.Module, inputs: tuple[()], given: dict[str, Any]
) -> tuple[tuple[()], dict[str, Any]]:
    """Before a block that goes up: as many rows from the way down as have come here."""
    rows = len(given["hidden_states"])
    skipped = tuple(_for_each(tensor, rows) for tensor in given["res_hidden_states_tuple"])
    return inputs, {**given, "res_hidden_states_tuple": skipped}


def _for_each(tensor: Tensor, rows: int) -> Tensor:
    """So many rows, copied: products of a row that only seems to be several are slow or wrong."""
    if len(tensor) == rows:
        return tensor
    each = rows // len(tensor)  # `repeat_interleave` would not keep the layout
    return torch.cat([row for row in torch.split(tensor, 1) for _ in range(each)])


def _leave(
    transformer: Any,
    hidden_states: Tensor,
    residual: Tensor,
    batch_size: int,
    height: int,
    width: int,
    inner_dim: int,
) -> Tensor:
    """What a transformer gives, with as many rows as it has by then; `residual` may have one.

    Args:
        hidden_states: (rows, tokens, channels).
    """
    by_token = transformer.use_linear_projection
    if by_token:
        hidden_states = transformer.proj_out(hidden_states)
    hidden_states = hidden_states.view(-1, height, width, inner_dim).permute(0, 3, 1, 2)
    if residual.is_contiguous():  # the layout stays what it is, and where it fits, no copy is made
        hidden_states = hidden_states.contiguous()
    if not by_token:
        hidden_states = transformer.proj_out(hidden_states)
    return hidden_states + residual
