"""A small decoder in the place of a model's own."""

import logging
from typing import Any

import torch
from diffusers import AutoencoderTiny

from engine.choice import DECODER_REMEDY, ModelChoice
from engine.errors import ModelUnavailable
from engine.weights import telling_unreadable

logger = logging.getLogger(__name__)


def exchange_autoencoder(pipeline: Any, choice: ModelChoice, dtype: torch.dtype) -> None:
    """Put an AutoencoderTiny in the place of a pipeline's own autoencoder, if it fits.

    It takes latents as the U-Net gives them; its own config says so.
    """
    logger.info("decoding with %s from %s (%s)", choice.name, choice.folder, choice.reason)
    with telling_unreadable("decoder", DECODER_REMEDY):
        config = AutoencoderTiny.load_config(choice.folder, local_files_only=True)
        if config.get("_class_name") != "AutoencoderTiny":
            raise ModelUnavailable("The decoder is no AutoencoderTiny.", advice=DECODER_REMEDY)
        tiny, report = AutoencoderTiny.from_pretrained(
            choice.folder, local_files_only=True, output_loading_info=True
        )
        if lost := report["missing_keys"]:
            raise ValueError(f"{len(lost)} weights are missing")
        found = _latents_of(tiny)
    wanted = pipeline.vae.config.latent_channels, pipeline.vae_scale_factor
    if found != wanted:
        raise ModelUnavailable(
            "The decoder does not fit the model. Channels of the latents and pixels a cell: "
            f"{found[0]} and {found[1]}, but the model's are {wanted[0]} and {wanted[1]}.",
            advice="Start with the decoder that was made for this model, or without --decoder.",
        )
    pipeline.vae = tiny.to(dtype)


@torch.no_grad()
def _latents_of(autoencoder: Any) -> tuple[int, int]:
    """Try out how many channels its latents have, and pixels a cell stands for along one side.

    Raises:
        ValueError: a picture does not come back in its shape.
    """
    picture = torch.zeros(1, 3, 64, 64)
    latents = autoencoder.encode(picture).latents
    if autoencoder.decode(latents).sample.shape != picture.shape:
        raise ValueError("what it encodes it does not decode to the same size")
    return latents.shape[1], picture.shape[-1] // latents.shape[-1]
