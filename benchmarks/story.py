"""Story videos through REST, against the reference design through REST, each its own process."""

import statistics
import time
from pathlib import Path
from typing import Any

import httpx
import torch

from benchmarks.callers import calling, draw, tell
from benchmarks.checks import check_video
from benchmarks.extents import extent
from benchmarks.servers import Served, facts_of, reference, served, storyreel, warm_up
from benchmarks.targets import judge_on
from benchmarks.tiny_sd import saved_tiny_sd
from benchmarks.turns import compared, figure, take_turns
from benchmarks.workloads import STEPS_FROM, documented_story, one_image, ten_scenes
from engine import VideoRequest
from engine.choice import BUNDLED

_POLL_S = 0.01


def measure_bundled() -> dict[str, Any]:
    """The documented story with the bundled model."""
    told = _measure(BUNDLED, documented_story(), extent("rounds", 5, 1))
    what = "documented story against the reference design, bundled model, on a CPU"
    value = told["ratio_of_ours_to"]["reference"]["median"]
    return {**told, "targets": [judge_on("cpu", _device(told), what, value, at_most=0.6)]}


def measure_tiny_sd() -> dict[str, Any]:
    """The documented story with weights of tiny-sd's shape."""
    with saved_tiny_sd() as folder:
        told = _measure(folder, documented_story(), extent("rounds", _few(5), 1))
    what = "seconds for the documented story but for its encoding, tiny-sd's shape, on a GPU"
    value = told["until_encoding_s"]["median"]
    return {**told, "targets": [judge_on("cuda", _device(told), what, value, at_most=0.6)]}


def measure_ten_scenes_bundled() -> dict[str, Any]:
    """Ten scenes at 768×768 with the bundled model."""
    return _measure(BUNDLED, ten_scenes(), extent("rounds", 3, 1))


def measure_ten_scenes_tiny_sd() -> dict[str, Any]:
    """Ten scenes at 768×768 with weights of tiny-sd's shape; of 10 steps on a CPU, once."""
    request = ten_scenes() if torch.cuda.is_available() else ten_scenes(steps=STEPS_FROM)
    with saved_tiny_sd() as folder:
        return _measure(folder, request, extent("rounds", _few(3), 1))


def _few(on_gpu: int) -> int:
    return on_gpu if torch.cuda.is_available() else 1


def _device(told: dict[str, Any]) -> str:
    device: str = told["server"]["device"]
    return device


def _measure(folder: Path, request: VideoRequest, rounds: int) -> dict[str, Any]:
    with (
        served(storyreel(folder), ready="/health/ready") as ours,
        served(reference(folder), ready="/health") as theirs,
        calling(ours) as to_ours,
        calling(theirs) as to_theirs,
    ):
        for client in (to_ours, to_theirs):  # a short picture warms them up
            draw(client, one_image(steps=STEPS_FROM))
        warm_up(ours, lambda: tell(to_ours, request))
        seconds = take_turns(
            {"ours": lambda: tell(to_ours, request), "reference": lambda: tell(to_theirs, request)},
            rounds,
            lambda made: check_video(made, request),
        )
        drawing = [until_encoding_s(ours, request) for _ in range(rounds)]
        facts = facts_of(ours)
    return {
        "server": facts,
        "story": {
            "scenes": len(request.scenes),
            "steps": request.num_inference_steps,
            "size": f"{request.width}x{request.height}",
            "frames": request.total_frames,
        },
        **compared(seconds),
        "until_encoding_s": {
            "median": figure(statistics.median(drawing)),
            "spread": [figure(min(drawing)), figure(max(drawing))],
        },
    }


def until_encoding_s(server: Served, request: VideoRequest) -> float:
    """Seconds from asking for a story to its first frame going to the encoder.

    Polled, so it may be 10 ms too long, never too short.
    """
    with httpx.Client(base_url=server.url, timeout=60) as client:
        start = time.perf_counter()
        answer = client.post("/jobs/video", json=request.model_dump(exclude_none=True))
        path = answer.raise_for_status().json()["links"]["self"]
        seconds = 0.0
        while (view := client.get(path).json())["state"] in ("queued", "running"):
            if not seconds and view["stage"] == "encoding":
                seconds = time.perf_counter() - start
            time.sleep(_POLL_S)
        if view["state"] != "succeeded":
            raise RuntimeError(f"the story {view['state']}: {view}")
        return seconds or time.perf_counter() - start
