"""Stable Diffusion made ready for a CPU: the layout of its weights, and the blocks that read it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Size, Tensor

from engine.blocks import pack_blocks
from engine.choice import MODEL_REMEDY
from engine.memory import machine_bytes
from engine.packing import can_pack
from engine.pairs import blank_pair
from engine.weights import telling_unreadable

_SPARE_FRACTION = 1 / 12
"""Of the machine's memory: how much more the U-Net's weights may take, and the decoder's, where
that makes them faster."""


def pack_for_cpu(pipeline: Any, dtype: torch.dtype) -> None:
    """Have the U-Net and the decoder of Stable Diffusion computed by packed blocks, if they can be.

    They are packed for guided pictures of the size that the model was trained at, and take all
    others, if a little slower.

    Raises:
        ModelUnavailable: its parts do not fit each other.
    """
    if not can_pack(dtype):
        return
    unet, vae = pipeline.unet, pipeline.vae
    spare = int(machine_bytes() * _SPARE_FRACTION)
    pair = blank_pair(pipeline, torch.float32, torch.device("meta"))
    unet.to(memory_format=torch.channels_last)
    pack_blocks(unet, _input_sizes(unet, lambda twin: twin(*pair)), spare)
    vae.decoder.to(memory_format=torch.channels_last)
    finished = torch.empty(1, vae.config.latent_channels, *pair[0].shape[2:], device="meta")
    pack_blocks(vae, _input_sizes(vae, lambda twin: twin.decode(finished)), spare)
    for parameter in (*unet.parameters(), *vae.parameters()):
        parameter.data = parameter.data.clone()  # or the file stays mapped into memory for it


@torch.inference_mode()
def _input_sizes(module: Any, run: Callable[[Any], object]) -> dict[str, Size]:
    """The size of what each part is given, by its name; found on a twin that has no memory.

    Raises:
        ModelUnavailable: the parts do not fit each other.
    """
    sizes: dict[str, Size] = {}

    def note(name: str) -> Callable[[Any, tuple[Tensor, ...]], None]:
        return lambda part, inputs: sizes.update({name: inputs[0].shape} if inputs else {})

    with torch.device("meta"):
        twin = type(module).from_config(module.config)
        for name, part in twin.named_modules():
            part.register_forward_pre_hook(note(name))
    with telling_unreadable("model", MODEL_REMEDY):
        run(twin)
    return sizes
