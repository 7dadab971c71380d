"""Real Stable Diffusion pipelines with random weights, small enough to build in a test."""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DPMSolverMultistepScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTH = 32
WINDOW = 77


def save_tiny_pipeline(folder: Path, *, flow: bool = False, seed: int = 0) -> Path:
    """Save a pipeline whose pictures at 64x64 take milliseconds; returns `folder`.

    Args:
        flow: predict flow, sampled by DPM-Solver++; else epsilon with a PNDM config.
    """
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(WIDTH, WIDTH),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=8,
    )
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=tiny_text_encoder(),
        tokenizer=tiny_tokenizer(folder),
        unet=unet,
        scheduler=_scheduler(flow),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def save_tiny_decoder(
    folder: Path, *, channels: int = 4, up_blocks: int = 4, down_blocks: int = 4
) -> Path:
    """Save an autoencoder of TAESD's kind by itself; returns `folder`.

    Args:
        channels: of the latents.
        up_blocks: each but one doubles the side while decoding; `down_blocks` halve it.
    """
    torch.manual_seed(1)
    AutoencoderTiny(
        encoder_block_out_channels=(8,) * down_blocks,
        decoder_block_out_channels=(8,) * up_blocks,
        num_encoder_blocks=(1,) * down_blocks,
        num_decoder_blocks=(1,) * up_blocks,
        latent_channels=channels,
    ).save_pretrained(folder)
    return folder


def tiny_text_encoder() -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(_vocabulary()),
        hidden_size=WIDTH,
        intermediate_size=WIDTH * 2,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=WINDOW,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return CLIPTextModel(config)


def tiny_tokenizer(folder: Path) -> CLIPTokenizer:
    """A tokenizer that knows letters only: a word of n letters has n tokens."""
    source = folder / "tokenizer-source"
    source.mkdir(parents=True)
    (source / "vocab.json").write_text(json.dumps(_vocabulary()), "utf-8")
    (source / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    return CLIPTokenizer.from_pretrained(source, model_max_length=WINDOW)


def _vocabulary() -> dict[str, int]:
    letters = [chr(code) for code in range(33, 127)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{x}</w>" for x in letters)]
    return {word: index for index, word in enumerate(words)}


def _scheduler(flow: bool) -> DPMSolverMultistepScheduler | PNDMScheduler:
    if flow:
        return DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=1.0, steps_offset=1
        )
    return PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False,
    )  # fmt: skip
