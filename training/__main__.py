"""Command line: `python -m training --preset cpu --run-dir DIR [stage ...]`."""

from __future__ import annotations

import argparse
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from training.adopt import adopt_model
from training.autoencoder import train_autoencoder
from training.diffusion import train_diffusion
from training.evaluate import SMOKE, Extent, evaluate_model, sweep_guidance
from training.export import export_model
from training.judge import load_judge, train_judge
from training.latents import encode_pictures
from training.pieces import pack_run, unpack_run
from training.presets import PRESETS, Preset
from training.reading import train_reading
from training.tokenizer import train_tokenizer

HERE = Path(__file__).parent
logger = logging.getLogger("training")


@dataclass(frozen=True)
class Run:
    """What every stage may use.

    Attributes:
        folder: Checkpoints; a finished stage ends at once, a cut one goes on.
        target: The finished model.
        pieces: Where a run is packed for another machine.
    """

    preset: Preset
    folder: Path
    target: Path
    pieces: Path

    @property
    def kept(self) -> Path:
        """Where judge and results live: in the repository, but for a smoke run."""
        return self.folder if self.preset.name == "smoke" else HERE

    @property
    def extent(self) -> Extent:
        """How much is drawn and scored."""
        return SMOKE if self.preset.name == "smoke" else Extent()


def _learn_tokenizer(run: Run) -> None:
    folder = run.folder / "tokenizer"
    if not (folder / "tokenizer_config.json").exists():
        train_tokenizer(run.preset, folder)


def _encode_latents(run: Run) -> None:
    if not run.preset.streamed:
        encode_pictures(run.preset, run.folder, train_autoencoder(run.preset, run.folder))


def _evaluate(run: Run) -> None:
    judge = load_judge(run.kept / "judge")
    results = run.kept / "results"
    evaluate_model(run.target, judge, run.extent, run.folder, results, run.preset.name)


STAGES: Mapping[str, Callable[[Run], object]] = {
    "autoencoder": lambda run: train_autoencoder(run.preset, run.folder),
    "judge": lambda run: train_judge(run.preset, run.folder, run.kept / "judge"),
    "tokenizer": _learn_tokenizer,
    "reading": lambda run: train_reading(run.preset, run.folder),
    "latents": _encode_latents,
    "diffusion": lambda run: train_diffusion(run.preset, run.folder),
    "export": lambda run: export_model(run.preset, run.folder, run.target),
    "evaluate": _evaluate,
}
ON_REQUEST: Mapping[str, Callable[[Run], object]] = {
    "sweep": lambda run: sweep_guidance(
        run.target, load_judge(run.kept / "judge"), run.extent, run.folder
    ),
    "pack": lambda run: pack_run(run.folder, run.pieces),
    "unpack": lambda run: unpack_run(run.pieces, run.folder),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the asked stages in the order asked, all of STAGES by default."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument("--run-dir", type=Path, help="checkpoints; training/runs/PRESET by default")
    parser.add_argument("--target", type=Path, default=HERE.parent / "engine" / "bundled")
    parser.add_argument("--start-from", type=Path, help="a finished model to learn on from")
    parser.add_argument("--pieces", type=Path, help="where pack writes and unpack reads")
    known = {**STAGES, **ON_REQUEST}
    parser.add_argument("stages", nargs="*", metavar="stage", help=", ".join(known))
    options = parser.parse_args(arguments)
    if unknown := set(options.stages) - set(known):
        parser.error(f"unknown stages: {', '.join(sorted(unknown))}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("engine").setLevel(logging.WARNING)  # else two lines for every picture
    preset = PRESETS[options.preset]
    folder = options.run_dir or HERE / "runs" / preset.name
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(preset, folder, options.target, options.pieces or folder / "pieces")
    torch.set_num_threads(preset.threads)
    if options.start_from is not None:
        adopt_model(options.start_from, preset, folder)
    for stage in options.stages or STAGES:
        logger.info("stage %s", stage)
        known[stage](run)


if __name__ == "__main__":
    warnings.simplefilter("default")
    main()
