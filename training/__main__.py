"""Command line: `python -m training --preset cpu --run-dir DIR [stage ...]`."""

from __future__ import annotations

import argparse
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from training.autoencoder import train_autoencoder
from training.diffusion import train_diffusion
from training.export import GUIDANCE, export_model
from training.latents import encode_pictures
from training.presets import PRESETS, Preset
from training.sheet import write_sheet
from training.tokenizer import train_tokenizer

STAGES = ("autoencoder", "tokenizer", "latents", "diffusion", "export", "sheet")
HERE = Path(__file__).parent
logger = logging.getLogger("training")


def run_stage(stage: str, preset: Preset, run_dir: Path, target: Path) -> None:
    """Run one stage; a finished stage ends at once, a cut one goes on."""
    if stage == "autoencoder":
        train_autoencoder(preset, run_dir)
    elif stage == "tokenizer":
        if not (run_dir / "tokenizer" / "tokenizer_config.json").exists():
            train_tokenizer(preset, run_dir / "tokenizer")
    elif stage == "latents":
        encode_pictures(preset, run_dir, train_autoencoder(preset, run_dir))
    elif stage == "diffusion":
        train_diffusion(preset, run_dir)
    elif stage == "export":
        export_model(preset, run_dir, target)
    else:
        results = HERE / "results" if preset.name != "smoke" else run_dir / "results"
        write_sheet(target, results, GUIDANCE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the asked stages in their order, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument("--run-dir", type=Path, help="checkpoints; training/runs/PRESET by default")
    parser.add_argument("--target", type=Path, default=HERE.parent / "engine" / "bundled")
    parser.add_argument("stages", nargs="*", metavar="stage", help=", ".join(STAGES))
    options = parser.parse_args(arguments)
    stages = options.stages or STAGES
    if unknown := set(stages) - set(STAGES):
        parser.error(f"unknown stages: {', '.join(sorted(unknown))}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    preset: Preset = PRESETS[options.preset]
    run_dir = options.run_dir or HERE / "runs" / preset.name
    run_dir.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(preset.threads)
    for stage in (name for name in STAGES if name in stages):
        logger.info("stage %s", stage)
        run_stage(stage, preset, run_dir, options.target)


if __name__ == "__main__":
    warnings.simplefilter("default")
    main()
