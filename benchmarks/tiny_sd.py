"""A pipeline of segmind/tiny-sd's shape with random weights, loaded from a folder by the engine.

Tells seconds a step and a decode, and peak memory, in the dtypes the CPU computes.
"""

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.extents import extent, is_smoke
from benchmarks.servers import BUNDLED

logger = logging.getLogger(__name__)

SIDE, STEPS = extent("side", 512, 64), 10


@contextmanager
def saved_tiny_sd() -> Iterator[Path]:
    """A folder with weights of tiny-sd's shape; in a smoke run of a far smaller one.

    `BENCH_TINY_SD` names a folder where they are, or are to be kept for the next time.
    """
    with tempfile.TemporaryDirectory() as name:
        kept = os.environ.get("BENCH_TINY_SD")
        folder = Path(kept or name) / ("tiny" if is_smoke() else "tiny-sd-shape")
        if not (folder / "model_index.json").is_file():
            _save(folder)
        yield folder


def _save(folder: Path) -> None:
    if is_smoke():
        from tests.tiny_pipeline import save_tiny_pipeline

        save_tiny_pipeline(folder)
    else:
        save_tiny_sd_shape(folder)


def save_tiny_sd_shape(folder: Path) -> None:
    """Save a random pipeline of tiny-sd's shape in fp16, about 0.9 GB."""
    import torch
    from diffusers import (
        AutoencoderKL,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(320, 640, 1280),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        mid_block_type=None,
        cross_attention_dim=768,
        attention_head_dim=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
    )
    # A tokenizer of words: prompts must fit one window, or the engine reads two and its peers one.
    tokenizer = CLIPTokenizer.from_pretrained(BUNDLED / "tokenizer")
    text = CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False,
    )  # fmt: skip
    pipeline = StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), tokenizer=tokenizer, unet=unet,
        scheduler=scheduler, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    parameters = sum(p.numel() for p in unet.parameters())
    logger.info("U-Net of %.0f M parameters", parameters / 1e6)
    pipeline.to(dtype=torch.float16).save_pretrained(folder)


def measure() -> dict[str, Any]:
    """Draw one 512×512 picture in each dtype, each in a process of its own."""
    with saved_tiny_sd() as folder:
        results = {}
        for dtype in ("bfloat16", "float32"):
            command = [sys.executable, "-m", "benchmarks.tiny_sd", str(folder), dtype]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            results[dtype] = json.loads(output.splitlines()[-1])
        return {"size": f"{SIDE}x{SIDE}", "steps": STEPS, "guided": True, **results}


def draw_one(folder: str, dtype: str) -> dict[str, float]:
    """Draw one picture through the engine and tell its times and the peak memory."""
    from engine import Engine, ImageRequest, Settings

    with tempfile.TemporaryDirectory() as data_dir:
        settings = {"model": folder, "dtype": dtype, "data_dir": Path(data_dir)}
        engine = Engine(Settings.model_validate(settings))
        request = ImageRequest(prompt="a fox", num_inference_steps=STEPS, width=SIDE, height=SIDE)
        job = engine.submit(request)
        job.wait()
        engine.result(job)
        times = engine.status().measured_s
        engine.close()
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "step_s": round(times["step"], 3),
        "decode_s": round(times["decode"], 3),
        "peak_memory_gib": round(peak_kib / 2**20, 2),
    }


if __name__ == "__main__":
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    sys.stdout.write(json.dumps(draw_one(*sys.argv[1:3])) + "\n")
