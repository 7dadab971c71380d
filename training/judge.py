"""The judge: a small classifier that reads from a picture what its prompt asked for."""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from training.autoencoder import CHECKPOINT as AUTOENCODER
from training.autoencoder import build_autoencoder, round_trip, to_tensor
from training.checkpoint import StageClock, note, read_checkpoint, write_atomically
from training.judge_data import (
    DOES_NOT_APPLY,
    JudgeWorld,
    ScenePool,
    judge_scene,
    shrink,
)
from training.labels import ATTRIBUTES, Classes, Labels, list_classes, read_labels
from training.muon import Optimizers, resume
from training.presets import Preset
from training.scoring import Score, count_right
from training.world import Scene, draw_scene

logger = logging.getLogger(__name__)
CHECKPOINT = "judge.pt"
WEIGHTS, FACTS = "judge.safetensors", "judge.json"
WIDTHS = (24, 48, 96, 144)
SEED_OFFSET, TEST_SEED_OFFSET = 7_000_003, 9_000_011
POOL_BATCHES = 64
FRESH, FRESH_ROUND_TRIPS = 16, 3
ROUND_TRIPS_PART = 3
TEST_PICTURES, TEST_ROUND_TRIPS = 1000, 500
STEPS_PER_NOTE = 50
BATCH = 64


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width, 1)
        self.second = _convolution(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        changed: Tensor = features + self.second(self.first(features))
        return changed


class JudgeNetwork(nn.Module):
    """A convolutional trunk, mean and maximum over the picture, one linear head an attribute."""

    def __init__(self, classes: Classes, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, widths[0], 2)]
        for inputs, outputs in itertools.pairwise(widths):
            layers += [_convolution(inputs, outputs, 2), Residual(outputs)]
        self.trunk = nn.Sequential(*layers)
        self.heads = nn.ModuleList(
            [nn.Linear(2 * widths[-1], len(classes[name])) for name in ATTRIBUTES]
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return the logits of each attribute in the order of ATTRIBUTES.

        Args:
            pictures: float32 (n, 3, JUDGE_SIZE, JUDGE_SIZE) in -1 to 1.
        """
        features = self.trunk(pictures)
        pooled = torch.cat((features.mean(dim=(2, 3)), features.amax(dim=(2, 3))), dim=1)
        return [head(pooled) for head in self.heads]


@dataclass(frozen=True)
class Judge:
    """A trained network and the world that it knows.

    Attributes:
        things: How many of THINGS its world has; None: all.
    """

    network: JudgeNetwork
    classes: Classes
    things: int | None

    @torch.inference_mode()
    def read(self, pictures: Tensor) -> list[dict[str, str]]:
        """Read every attribute of pictures (n, 3, height, width) in -1 to 1."""
        answers: list[dict[str, str]] = []
        for batch in pictures.split(BATCH):
            chosen = [logits.argmax(dim=1) for logits in self.network(shrink(batch))]
            for row in torch.stack(chosen, dim=1).tolist():
                pairs = zip(ATTRIBUTES, row, strict=True)
                answers.append({name: self.classes[name][index] for name, index in pairs})
        return answers


def judge_loss(logits: Sequence[Tensor], targets: Tensor) -> Tensor:
    """Sum the cross entropy of the attributes, each averaged over the pictures it applies to.

    Args:
        targets: int64 (n, attributes), DOES_NOT_APPLY where an attribute does not apply.
    """
    total = torch.zeros(())
    for answer, target in zip(logits, targets.unbind(dim=1), strict=True):
        if bool((target != DOES_NOT_APPLY).any()):
            total = total + functional.cross_entropy(
                answer.float(), target, ignore_index=DOES_NOT_APPLY
            )
    return total


def judge_scenes(
    judge: Judge, scenes: Sequence[Scene], size: int, autoencoder: AutoencoderTiny | None = None
) -> dict[str, Score]:
    """Count what the judge reads right from drawings, or from their round trips."""
    wanted, seen = list[Labels](), list[dict[str, str]]()
    for start in range(0, len(scenes), BATCH):
        part = scenes[start : start + BATCH]
        pictures = to_tensor([draw_scene(scene, size) for scene in part])
        if autoencoder is not None:
            pictures = round_trip(autoencoder, pictures)
        wanted += [read_labels(scene) for scene in part]
        seen += judge.read(pictures)
    applying = [{name: label for name, label in row.items() if label} for row in wanted]
    return count_right(applying, seen)


def train_judge(preset: Preset, run_dir: Path, folder: Path) -> Judge:
    """Train to the end of the budget, resuming; write the judge into `folder` when it is new."""
    torch.manual_seed(preset.seed)
    classes = list_classes(preset.things)
    network = JudgeNetwork(classes).to(memory_format=torch.channels_last)
    optimizers = Optimizers(network)
    clock = StageClock(preset.judge_budget)
    path = run_dir / CHECKPOINT
    if (saved := read_checkpoint(path)) is not None:
        network.load_state_dict(saved["network"])
        clock = resume(preset.judge_budget, saved, optimizers)
    if not clock.done:
        autoencoder = _load_autoencoder(preset, run_dir)
        _train(network.train(), optimizers, clock, preset, run_dir, autoencoder)
        judge = Judge(network.eval(), classes, preset.things)
        save_judge(judge, folder)
        report_accuracy(judge, preset, run_dir, clock, autoencoder)
    return Judge(network.eval(), classes, preset.things)


def _load_autoencoder(preset: Preset, run_dir: Path) -> AutoencoderTiny | None:
    saved = read_checkpoint(run_dir / AUTOENCODER)
    if saved is None:
        logger.warning("no %s in %s: no round trips to learn from", AUTOENCODER, run_dir)
        return None
    model = build_autoencoder(preset.autoencoder)
    model.load_state_dict(saved["model"])
    return model.to(memory_format=torch.channels_last).eval()


def _train(
    network: JudgeNetwork,
    optimizers: Optimizers,
    clock: StageClock,
    preset: Preset,
    run_dir: Path,
    autoencoder: AutoencoderTiny | None,
) -> None:
    batches = _batches(preset, autoencoder, clock.step)
    last_saved, losses = time.monotonic(), list[float]()
    while not clock.done:
        losses.append(_train_step(network, optimizers, next(batches), clock))
        clock.tick()
        if len(losses) == STEPS_PER_NOTE or clock.done:
            note(run_dir, "judge", clock, loss=round(sum(losses) / len(losses), 4))
            losses.clear()
        if clock.done or time.monotonic() - last_saved > preset.checkpoint_s:
            state = {"network": network.state_dict(), "optimizers": optimizers.state_dict()}
            state |= {"step": clock.step, "spent_s": clock.spent_s}
            write_atomically(run_dir / CHECKPOINT, state)
            last_saved = time.monotonic()


def _batches(
    preset: Preset, autoencoder: AutoencoderTiny | None, step: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches without end, a third of each round trips where there is an autoencoder."""
    batch = preset.judge_budget.batch
    capacity = batch * min(POOL_BATCHES, preset.judge_budget.steps)
    parts = [(batch, FRESH, None)]
    if autoencoder is not None:
        trips = max(1, batch // ROUND_TRIPS_PART)
        parts = [(batch - trips, FRESH, None), (trips, FRESH_ROUND_TRIPS, autoencoder)]
    pools = []
    for count, fresh, model in parts:
        seed = preset.seed + SEED_OFFSET + len(pools)
        world = JudgeWorld(seed, preset.size, preset.things)
        pool = ScenePool(world, capacity, model, step * fresh)
        pool.add(count)
        pools.append(pool)
    while True:
        for pool, (_, fresh, _) in zip(pools, parts, strict=True):
            pool.add(fresh)
        drawn = [pool.sample(count) for pool, (count, *_) in zip(pools, parts, strict=True)]
        yield torch.cat([p for p, _ in drawn]), torch.cat([t for _, t in drawn])


def _train_step(
    network: JudgeNetwork,
    optimizers: Optimizers,
    batch: tuple[Tensor, Tensor],
    clock: StageClock,
) -> float:
    pictures, targets = batch
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(pictures)
    loss = judge_loss(logits, targets)
    network.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizers.step(clock.learning_rate())
    return float(loss.detach())


def report_accuracy(
    judge: Judge,
    preset: Preset,
    run_dir: Path,
    clock: StageClock,
    autoencoder: AutoencoderTiny | None,
) -> dict[str, dict[str, Score]]:
    """Read drawings that nothing was trained on, and their round trips; note and return it."""
    seed = preset.seed + TEST_SEED_OFFSET
    count = min(TEST_PICTURES, preset.pictures)
    scenes = [judge_scene(seed, index, preset.things) for index in range(count)]
    report = {"drawings": judge_scenes(judge, scenes, preset.size)}
    if autoencoder is not None:
        fewer = scenes[:TEST_ROUND_TRIPS]
        report["round trips"] = judge_scenes(judge, fewer, preset.size, autoencoder)
    for kind, scores in report.items():
        shares = {name: round(score.share, 4) for name, score in scores.items()}
        note(run_dir, "judge", clock, read=kind, **shares)
    return report


def save_judge(judge: Judge, folder: Path) -> None:
    """Write weights in fp16 (statistics in fp32) and the classes."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: (tensor.half() if "running" not in name and tensor.is_floating_point() else tensor)
        .detach()
        .contiguous()
        for name, tensor in judge.network.state_dict().items()
    }
    save_file(state, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)
    facts = {"things": judge.things, "classes": judge.classes}
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n")


def load_judge(folder: Path) -> Judge:
    """Read a judge back.

    Raises:
        FileNotFoundError: No judge has been trained into that folder.
    """
    if not (folder / FACTS).exists():
        raise FileNotFoundError(f"no {FACTS} in {folder}: run `python -m training judge` first")
    facts = json.loads((folder / FACTS).read_text())
    classes = {name: tuple(facts["classes"][name]) for name in ATTRIBUTES}
    network = JudgeNetwork(classes).to(memory_format=torch.channels_last)
    state = load_file(folder / WEIGHTS)
    network.load_state_dict(
        {name: t.float() if t.is_floating_point() else t for name, t in state.items()}
    )
    return Judge(network.eval(), classes, facts["things"])
