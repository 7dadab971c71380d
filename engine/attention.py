"""Attention over many tokens on a CPU that computes bfloat16.

torch's own kernel multiplies small tiles there and takes a third of a step of Stable Diffusion at
512×512. Large matrix products over a slice of the queries take two thirds of its time.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_MANY = 1024
"""Keys from which on this is faster; with fewer torch's kernel is."""
_SCORES = 2**21
"""Of a slice: with 4 MB they stay in the processor's cache."""
_LANES = 16
"""Other widths of a product take the library's slow path."""
_LEAST_SUM = 2.0**-100
"""Of weights; below, some that count are too small for the dtype."""


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend as `scaled_dot_product_attention` does, a slice of the queries of a head at a time.

    The scores are rounded to the dtype; so the keys' mean, which moves all scores of a query
    alike and so changes nothing, is taken off first (Zhang et al. 2025, arXiv:2410.02367). That
    also keeps them near zero, so that their powers need no maximum taken off to stay in range;
    and a column of ones beside the values sums them within the product.

    Args:
        query: (batch, heads, queries, width); `key` and `value` (batch, heads, keys, width).

    Returns:
        (batch, heads, queries, width).
    """
    width, keys = query.shape[-1], key.shape[-2]
    queries = (query * (width**-0.5 * math.log2(math.e))).flatten(0, 1)
    centred = (key - key.mean(2, keepdim=True)).transpose(2, 3).flatten(0, 1).contiguous()
    summed = functional.pad(value, (0, 1), value=1.0)
    values = functional.pad(summed, (0, -summed.shape[-1] % _LANES)).flatten(0, 1)
    out = torch.empty(*queries.shape[:2], values.shape[-1], dtype=query.dtype)
    scores = torch.empty(max(1, _SCORES // keys), keys, dtype=query.dtype)
    for head in zip(queries, centred, values, out, strict=True):
        _mix(*head, scores)
        sums = head[-1][:, width]
        if not (sums.min() > _LEAST_SUM and torch.isfinite(head[-1]).all()):
            _mix(*head, scores, in_any_range=True)
    return (out[..., :width] / out[..., width : width + 1]).view(query.shape)


def _mix(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    out: Tensor,
    scores: Tensor,
    in_any_range: bool = False,
) -> None:
    """Weigh the values of one head by the powers of two of its scores, a slice at a time.

    Args:
        queries: (queries, width); `keys` (width, keys), `values` (keys, columns).
        out: (queries, columns), which is filled.
        scores: (slice, keys), memory to work in.
        in_any_range: take the largest score of each query off before.
    """
    for some, result in zip(
        *(torch.split(one, len(scores)) for one in (queries, out)), strict=True
    ):
        weights = torch.mm(some, keys, out=scores[: len(some)])
        if in_any_range:
            weights -= weights.amax(-1, keepdim=True)
        torch.mm(weights.exp2_(), values, out=result)


class ManyTokens:
    """Computes a plain attention block of diffusers, many tokens by `attend`."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Project, attend, project; shapes (batch, tokens, channels)."""
        texts = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            projected.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for projected in (attn.to_q(hidden_states), attn.to_k(texts), attn.to_v(texts))
        )
        if attention_mask is None and key.shape[2] >= _MANY:
            found = attend(query, key, value)
        else:
            found = functional.scaled_dot_product_attention(query, key, value, attention_mask)
        out: Tensor = attn.to_out[0](found.transpose(1, 2).flatten(2))
        return out


def speed_up_attention(unet: nn.Module) -> None:
    """Have the attention blocks of a U-Net computed this way; blocks with extras stay theirs."""
    for module in unet.modules():
        if type(getattr(module, "processor", None)).__name__ == "AttnProcessor2_0":
            block: Any = module
            extras = (
                *(block.group_norm, block.spatial_norm, block.norm_cross),
                *(block.norm_q, block.norm_k, block.residual_connection),
            )
            if not any(extras) and block.rescale_output_factor == 1:
                block.set_processor(ManyTokens())
