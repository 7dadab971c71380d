"""Scores a finished model through the engine: prompts it never learnt, read by the judge."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from diffusers import AutoencoderTiny
from PIL import Image

from engine import Engine, ImageRequest, Settings
from training.autoencoder import to_tensor
from training.full_captions import Case, Story, list_cases, list_stories
from training.judge import BATCH, Judge, judge_scenes
from training.labels import ATTRIBUTES
from training.scoring import (
    FOUR_SCENES,
    TARGETS,
    Reading,
    Row,
    count_right,
    count_stories,
    format_table,
    row_facts,
)
from training.sheet import Entry, write_sheet
from training.world import Scene

logger = logging.getLogger(__name__)
SIDE, KEPT_SIDE = 512, 256
STEPS = 25
SLOWEST_PICTURE_S = 600.0
SWEEP = (3.0, 4.0, 5.0, 7.5)
NOTE_EVERY = 20


@dataclass(frozen=True)
class Extent:
    """How much is drawn and scored.

    Attributes:
        stories: Heroes, each in four scenes, drawn with two ways to choose seeds.
        sheet: Pictures on the contact sheet, taken evenly from the prompts.
        sweep: Prompts for each guidance scale of a sweep.
    """

    prompts: int = 500
    stories: int = 60
    sheet: int = 64
    sweep: int = 100


SMOKE = Extent(prompts=3, stories=1, sheet=2, sweep=2)


def digest_weights(model: Path) -> str:
    """Return a short name for a model folder that changes with its weights and settings."""
    digest = hashlib.sha256()
    for path in sorted(model.rglob("*")):
        if path.is_file() and path.suffix in (".safetensors", ".json", ".txt"):
            digest.update(str(path.relative_to(model)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Illustrator:
    """Draws cases through the engine and keeps the pictures, so that a cut run goes on.

    The engine starts with the first picture that is not kept yet. Kept are pictures, not
    readings: another judge may read them again.

    Args:
        cache: Folder of this model's pictures at KEPT_SIDE, which is more than the judge reads.
    """

    def __init__(self, model: Path, cache: Path) -> None:
        self._model = model
        self._cache = cache
        self._engine: Engine | None = None
        self._data = tempfile.TemporaryDirectory(prefix="storyreel-evaluation-")
        cache.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._engine is not None:
            self._engine.close()
        self._data.cleanup()

    def draw(self, case: Case, guidance_scale: float | None = None) -> Image.Image:
        """Return the case's picture; `guidance_scale` None: the model's own."""
        key = json.dumps([case.prompt, case.seed, guidance_scale, SIDE, STEPS])
        path = self._cache / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.png"
        if not path.exists():
            picture = self._generate(case, guidance_scale)
            partial = path.with_suffix(".partial")
            picture.resize((KEPT_SIDE, KEPT_SIDE), Image.Resampling.BOX).save(partial, "PNG")
            partial.replace(path)
        with Image.open(path) as kept:
            return kept.convert("RGB")

    def draw_all(
        self, cases: Sequence[Case], guidance_scale: float | None = None
    ) -> list[Image.Image]:
        """Draw the cases in order."""
        pictures = []
        for number, case in enumerate(cases, 1):
            pictures.append(self.draw(case, guidance_scale))
            if number % NOTE_EVERY == 0:
                logger.info("%d of %d pictures", number, len(cases))
        return pictures

    def _generate(self, case: Case, guidance_scale: float | None) -> Image.Image:
        """Ask the engine for the picture.

        Raises:
            EngineError: What kept the engine from drawing it.
            TimeoutError: It took longer than SLOWEST_PICTURE_S.
        """
        if self._engine is None:
            settings = Settings(model=str(self._model), data_dir=Path(self._data.name))
            self._engine = Engine(settings)
        request = ImageRequest(
            prompt=case.prompt,
            seed=case.seed,
            num_inference_steps=STEPS,
            width=SIDE,
            height=SIDE,
            guidance_scale=guidance_scale,
        )
        job = self._engine.submit(request)
        if not job.wait(SLOWEST_PICTURE_S):
            raise TimeoutError(f"no picture of {case.prompt!r} in {SLOWEST_PICTURE_S:.0f} s")
        path = self._engine.result(job).path
        with Image.open(path) as image:
            picture = image.convert("RGB")
        path.unlink()
        return picture


def read_pictures(judge: Judge, pictures: Sequence[Image.Image]) -> list[dict[str, str]]:
    """Let the judge read pictures of one size, a batch at a time."""
    answers: list[dict[str, str]] = []
    for start in range(0, len(pictures), BATCH):
        part = [np.asarray(picture) for picture in pictures[start : start + BATCH]]
        answers += judge.read(to_tensor(part))
    return answers


def evaluate_model(
    model: Path, judge: Judge, extent: Extent, run_dir: Path, results: Path, preset: str
) -> list[Row]:
    """Score the model and write evaluation.md, evaluation.json and contact-sheet.png.

    Args:
        run_dir: Where the drawn pictures are kept between runs.
        preset: Its name says what the model has to reach; "smoke" has nothing to reach.
    """
    targets = TARGETS.get(preset, {})
    cases, scenes = zip(*list_cases(extent.prompts, judge.things), strict=True)
    stories = list_stories(extent.stories, judge.things)
    with Illustrator(model, _cache_of(model, run_dir)) as illustrator:
        pictures = illustrator.draw_all(cases)
        read = read_pictures(judge, pictures)
        rows = _attribute_rows(model, judge, cases, scenes, read, targets)
        rows += _story_rows(illustrator, judge, stories, targets.get(FOUR_SCENES))
    results.mkdir(parents=True, exist_ok=True)
    _write_table(rows, extent, digest_weights(model), results)
    chosen = [index * len(cases) // extent.sheet for index in range(extent.sheet)]
    entries = [Entry(pictures[i], cases[i].prompt, cases[i].expected, read[i]) for i in chosen]
    write_sheet(entries, results / "contact-sheet.png")
    return rows


def _cache_of(model: Path, run_dir: Path) -> Path:
    return run_dir / "evaluation" / digest_weights(model)


def _attribute_rows(
    model: Path,
    judge: Judge,
    cases: Sequence[Case],
    scenes: Sequence[Scene],
    read: Sequence[Reading],
    targets: Mapping[str, float],
) -> list[Row]:
    autoencoder, size = load_autoencoder(model)
    drawings = judge_scenes(judge, scenes, size)
    round_trips = judge_scenes(judge, scenes, size, autoencoder)
    scores = count_right([case.expected for case in cases], read)
    return [
        Row(name, scores[name], targets.get(name), drawings[name], round_trips[name])
        for name in ATTRIBUTES
    ]


def load_autoencoder(model: Path) -> tuple[AutoencoderTiny, int]:
    """Return a model's autoencoder and the native size of its pictures."""
    autoencoder = AutoencoderTiny.from_pretrained(model / "vae").eval()
    latent_size = json.loads((model / "unet" / "config.json").read_text())["sample_size"]
    levels = len(autoencoder.config.encoder_block_out_channels)
    return autoencoder, latent_size * 2 ** (levels - 1)


def _story_rows(
    illustrator: Illustrator, judge: Judge, stories: Sequence[Story], target: float | None
) -> list[Row]:
    """Score the stories as the service draws them, and with one seed for all scenes."""
    variants = {
        f"{FOUR_SCENES} (seed + k)": [story.cases for story in stories],
        f"{FOUR_SCENES} (one seed)": [story.one_seed for story in stories],
    }
    rows = []
    for name, told in variants.items():
        answers = [read_pictures(judge, illustrator.draw_all(cases)) for cases in told]
        logger.info("drew the stories: %s", name)
        wanted = [[case.expected for case in cases] for cases in told]
        rows.append(Row(name, count_stories(wanted, answers), target))
    return rows


def _write_table(rows: Sequence[Row], extent: Extent, weights: str, results: Path) -> None:
    table = format_table(rows)
    logger.info("scores:\n%s", table)
    text = (
        "# How well the bundled model follows its prompts\n\n"
        f"{extent.prompts} prompts and {extent.stories} stories of four scenes, all of "
        "combinations that training never saw, drawn through the engine "
        f"({SIDE}x{SIDE}, {STEPS} steps, the model's own guidance) and read by the judge, a "
        "classifier. An attribute counts where the prompt states it. The last two columns say "
        "how well the judge itself reads drawings of the same scenes, and those drawings after "
        "a round trip through the model's autoencoder. `make evaluate` writes this file.\n\n"
    )
    (results / "evaluation.md").write_text(text + table)
    drawn = {"weights": weights, "size": SIDE, "steps": STEPS, **asdict(extent)}
    facts = {"drawn": drawn, "rows": [row_facts(row) for row in rows]}
    (results / "evaluation.json").write_text(json.dumps(facts, indent=2) + "\n")


def sweep_guidance(
    model: Path, judge: Judge, extent: Extent, run_dir: Path, scales: Iterable[float] = SWEEP
) -> str:
    """Score some prompts at each guidance scale; return the table and write it to sweep.md."""
    cases = [case for case, _ in list_cases(extent.sweep, judge.things)]
    lines = [f"| guidance | {' | '.join(ATTRIBUTES)} |\n", "| ---: " * 7 + "|\n"]
    with Illustrator(model, _cache_of(model, run_dir)) as illustrator:
        for scale in scales:
            read = read_pictures(judge, illustrator.draw_all(cases, scale))
            scores = count_right([case.expected for case in cases], read)
            shares = " | ".join(f"{100 * scores[name].share:.1f}%" for name in ATTRIBUTES)
            lines.append(f"| {scale:g} | {shares} |\n")
            logger.info("guidance %s", lines[-1].strip())
    (run_dir / "sweep.md").write_text("".join(lines))
    return "".join(lines)
