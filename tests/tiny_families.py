"""Real pipelines of other families with random weights, small enough to build in a test."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModelWithProjection, T5Config, T5EncoderModel, T5Tokenizer

from tests.tiny_pipeline import WIDTH, tiny_text_encoder, tiny_tokenizer

POSITIONS = 32
"""Patches along a side that the SD3 transformer knows."""


def save_tiny_xl(folder: Path) -> Path:
    """Save an SDXL pipeline trained, as it says, at 64x64; returns `folder`."""
    torch.manual_seed(0)
    first, tokenizer = tiny_text_encoder(), tiny_tokenizer(folder)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(WIDTH, WIDTH),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=2 * WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + first.config.projection_dim,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=_autoencoder(),
        text_encoder=first,
        text_encoder_2=CLIPTextModelWithProjection(first.config),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
    )
    pipeline.save_pretrained(folder)
    return folder


def save_tiny_sd3(folder: Path) -> Path:
    """Save a Stable Diffusion 3 pipeline without its T5 encoder; returns `folder`."""
    torch.manual_seed(0)
    config, tokenizer = tiny_text_encoder().config, tiny_tokenizer(folder)
    transformer = SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=2 * WIDTH,
        pooled_projection_dim=2 * config.projection_dim,
        pos_embed_max_size=POSITIONS,
    )
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_autoencoder(shift_factor=0.06),
        text_encoder=CLIPTextModelWithProjection(config),
        text_encoder_2=CLIPTextModelWithProjection(config),
        text_encoder_3=None,
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        tokenizer_3=None,
    )
    pipeline.save_pretrained(folder)
    return folder


def save_tiny_pixart(folder: Path) -> Path:
    """Save a PixArt pipeline, which has the older kind of callback; returns `folder`."""
    torch.manual_seed(0)
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words += [(piece, -2.0) for piece in ("▁", *map(chr, range(33, 127)))]
    text_config = T5Config(
        vocab_size=128, d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=2
    )
    transformer = PixArtTransformer2DModel(
        sample_size=32,
        in_channels=4,
        out_channels=8,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        cross_attention_dim=32,
        caption_channels=WIDTH,
        norm_num_groups=8,
    )
    pipeline = PixArtAlphaPipeline(
        tokenizer=T5Tokenizer(vocab=words, extra_ids=0, model_max_length=512),
        text_encoder=T5EncoderModel(text_config),
        vae=_autoencoder(),
        transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(),
    )
    pipeline.save_pretrained(folder)
    return folder


def _autoencoder(shift_factor: float | None = None) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=8,
        shift_factor=shift_factor,
    )
