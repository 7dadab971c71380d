"""What is promised before a job is made, against what it then takes.

Images of several sizes, formats and lengths and short stories of all kinds, one after the other
on a fresh engine with the bundled model. After the first three jobs the promises are judged. They
are those of `Engine.estimate_s`, before they are rounded to whole seconds; what a whole second
does to them is told beside. So is how alike one and the same job takes when it is repeated: no
promise can be truer than the machine is steady.
"""

import logging
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from benchmarks.extents import extent, is_smoke
from benchmarks.targets import judge
from benchmarks.turns import figure, percentile
from engine import Engine, ImageRequest, JobState, Settings, VideoRequest
from engine.requests import Request

logger = logging.getLogger(__name__)

WITHIN, SHARE = 0.15, 0.9
_FIRST = 3
_SIZES = ((512, 512), (512, 512), (768, 512), (256, 256), (1024, 1024))
_HEROES = ("a knight with a red cloak", "a girl with red hair", None)
_PLACES = ("in the snow", "at night", "by the sea", "in a forest", "at sunset", "on a mountain")


@dataclass(frozen=True)
class Outcome:
    """A job, what was promised for it, and what it took."""

    request: Request
    promised_s: float
    took_s: float

    @property
    def error(self) -> float:
        """Promised over taken, less 1."""
        return self.promised_s / self.took_s - 1

    @property
    def is_whole_second(self) -> bool:
        """Whether the promise in whole seconds, at least 1, is within the limit or within one."""
        promised_s = max(1, round(self.promised_s))
        return abs(promised_s - self.took_s) <= max(1.0, WITHIN * self.took_s)


def measure() -> dict[str, Any]:
    """Make all jobs and judge what was promised for those after the first three."""
    requests = [*first_requests(), *mixed_requests(extent("jobs", 30, 2))]
    with tempfile.TemporaryDirectory() as data_dir:
        engine = Engine(Settings(model="bundled", data_dir=Path(data_dir)))
        try:
            while engine.status().model_state == "loading":
                time.sleep(0.05)
            outcomes = [make(engine, request) for request in requests]
            same = [make(engine, requests[0]).took_s for _ in range(extent("repeats", 20, 2))]
            device = engine.status().device
        finally:
            engine.close()
    told = summary_of(outcomes[_FIRST:])
    return {
        "server": {"model": "bundled", "device": device},
        "first": [_row(one) for one in outcomes[:_FIRST]],
        **told,
        "share_of_repeats_within": steadiness(same),
        "rows": [_row(one) for one in outcomes[_FIRST:]],
        "targets": [
            judge(
                "share of jobs after the first three whose estimate is within 15%",
                told["share_within"],
                at_least=SHARE,
            )
        ],
    }


def first_requests() -> list[Request]:
    """Two pictures and a story, as somebody who looks around would ask for."""
    story = _story(random.Random(1), motion="none")
    return [_image(random.Random(seed), width=_side(512), height=_side(512)) for seed in (1, 2)] + [
        story
    ]


def mixed_requests(count: int) -> list[Request]:
    """So many jobs, one in four a story; always the same ones."""
    chance = random.Random(3)
    kinds = chain.from_iterable(repeat([_image, _image, _image, _story]))
    return [kind(chance) for _, kind in zip(range(count), kinds, strict=False)]


def make(engine: Engine, request: Request) -> Outcome:
    """Ask for the estimate, then have the job made.

    Raises:
        RuntimeError: it was not made.
    """
    promised_s = engine.estimate_s(request)
    start = time.perf_counter()
    job = engine.submit(request)
    job.wait()
    took_s = time.perf_counter() - start
    if job.state is not JobState.SUCCEEDED:
        raise RuntimeError(f"a job {job.state}: {job.error}")
    while engine.status().running:  # until it is forgotten, it may count as work ahead
        time.sleep(0.001)
    made = Outcome(request, promised_s, took_s)
    logger.info("%s", _row(made))
    return made


def summary_of(outcomes: list[Outcome]) -> dict[str, Any]:
    """How far the promises were off; errors are shares of what the job took."""
    errors = [abs(one.error) for one in outcomes]
    return {
        "jobs": len(outcomes),
        "share_within": figure(sum(error <= WITHIN for error in errors) / len(errors)),
        "share_within_as_whole_seconds": figure(
            sum(one.is_whole_second for one in outcomes) / len(outcomes)
        ),
        "error_median": figure(statistics.median(errors)),
        "error_p90": figure(percentile(errors, SHARE)),
        "error_worst": figure(max(errors)),
        "bias_median": figure(statistics.median(one.error for one in outcomes)),
    }


def steadiness(seconds: list[float]) -> float:
    """The share of the times of one and the same job that are within the limit of their median."""
    median_s = statistics.median(seconds)
    return figure(sum(abs(median_s / one - 1) <= WITHIN for one in seconds) / len(seconds))


def _image(chance: random.Random, **changes: Any) -> ImageRequest:
    width, height = chance.choice(_SIZES)
    wanted = {
        "prompt": f"a red fox {chance.choice(_PLACES)}",
        "num_inference_steps": _steps(chance),
        "guidance_scale": chance.choice((None, None, 1.0)),
        "format": chance.choice(("png", "png", "webp", "jpeg")),
        "width": _side(width),
        "height": _side(height),
        "seed": chance.randrange(1000),
    }
    return ImageRequest(**{**wanted, **changes})


def _story(chance: random.Random, **changes: Any) -> VideoRequest:
    wanted = {
        "hero_description": chance.choice(_HEROES),
        "scenes": [f"walking {place}" for place in chance.sample(_PLACES, chance.randint(2, 4))],
        "num_inference_steps": _steps(chance),
        "duration_per_scene": chance.choice((1.0, 2.0, 3.0)),
        "width": _side(chance.choice((512, 768))),
        "height": _side(512),
        "transition": chance.choice(("cut", "crossfade", "wipe")),
        "motion": chance.choice(("none", "none", "zoom_in", "pan_left")),
        "seed": chance.randrange(1000),
    }
    return VideoRequest(**{**wanted, **changes})


def _steps(chance: random.Random) -> int:
    return 10 if is_smoke() else chance.randint(10, 50)


def _side(full: int) -> int:
    return full // 4 if is_smoke() else full


def _row(one: Outcome) -> dict[str, Any]:
    request = one.request
    about = [f"{request.width}x{request.height}", f"{request.num_inference_steps} steps"]
    if isinstance(request, ImageRequest):
        about += [request.format, "unguided" if request.guidance_scale == 1 else "guided"]
    else:
        about += [f"{len(request.scenes)} scenes", f"{request.total_frames} frames"]
        about += [request.transition, request.motion]
    return {
        "job": ", ".join(about),
        "promised_s": figure(one.promised_s),
        "took_s": figure(one.took_s),
        "error": round(one.error, 3),
    }
