"""The two rows of a guided picture, which are one until the prompt is first read.

They differ in their prompts alone. So latents of one row are taken together with embeddings of
two: what comes before the first attention to them is computed once, and each row for itself from
there on. That is a tenth of the work of a pass, more or less.
"""

from functools import partial
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn

_DOWN = {"DownBlock2D", "CrossAttnDownBlock2D"}
_MIDDLE = {"UNetMidBlock2DCrossAttn", "NoneType"}
_UP = {"UpBlock2D", "CrossAttnUpBlock2D"}


def share_pairs(unet: Any) -> bool:
    """Have a U-Net take latents and timesteps of one row for embeddings of several; idempotent.

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
        elif isinstance(part, Attention) and part.is_cross_attention:
            part.register_forward_pre_hook(_ask_for_each, with_kwargs=True)
    for block in unet.up_blocks:
        block.register_forward_pre_hook(_skip_for_each, with_kwargs=True)
    unet.shares_pairs = True
    return True


def _is_known(unet: Any) -> bool:
    kinds = ((_DOWN, unet.down_blocks), (_MIDDLE, [unet.mid_block]), (_UP, unet.up_blocks))
    blocks = [(known, type(block).__name__) for known, found in kinds for block in found]
    return (
        all(name in known for known, name in blocks)
        and any("CrossAttn" in name for _, name in blocks)
        and not unet.config.dual_cross_attention
    )


def _ask_for_each(
    attention: nn.Module, inputs: tuple[Tensor, ...], texts: dict[str, Any]
) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """Before an attention to the prompts: as many rows of queries as there are prompts."""
    queries, prompts = inputs[0], texts["encoder_hidden_states"]
    return (queries.expand(len(prompts), -1, -1), *inputs[1:]), texts


def _skip_for_each(
    block: nn.Module, inputs: tuple[()], given: dict[str, Any]
) -> tuple[tuple[()], dict[str, Any]]:
    """Before a block that goes up: as many rows from the way down as have come here."""
    rows = len(given["hidden_states"])
    skipped = (
        tensor if len(tensor) == rows else torch.cat([tensor] * rows)
        for tensor in given["res_hidden_states_tuple"]
    )
    return inputs, {**given, "res_hidden_states_tuple": tuple(skipped)}


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
    if not by_token:
        hidden_states = transformer.proj_out(hidden_states)
    return hidden_states + residual
