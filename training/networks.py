"""The U-Net and the text encoder, fresh from a preset's shape."""

from __future__ import annotations

from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training.presets import Preset
from training.tokenizer import WINDOW


def build_unet(preset: Preset) -> UNet2DConditionModel:
    """Return an untrained U-Net of the Stable Diffusion family."""
    shape, channels = preset.diffusion, preset.autoencoder.latent_channels
    down = ["CrossAttnDownBlock2D" if on else "DownBlock2D" for on in shape.attention]
    up = ["CrossAttnUpBlock2D" if on else "UpBlock2D" for on in reversed(shape.attention)]
    return UNet2DConditionModel(
        sample_size=preset.latent_size,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=shape.channels,
        layers_per_block=shape.layers_per_block,
        down_block_types=tuple(down),
        up_block_types=tuple(up),
        cross_attention_dim=shape.text_width,
        attention_head_dim=8,
    )


def build_text_encoder(preset: Preset, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Return an untrained CLIP text encoder for that tokenizer."""
    shape = preset.diffusion
    config = CLIPTextConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.text_width,
        intermediate_size=4 * shape.text_width,
        projection_dim=shape.text_width,
        num_hidden_layers=shape.text_layers,
        num_attention_heads=shape.text_heads,
        max_position_embeddings=WINDOW,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)
