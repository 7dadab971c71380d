"""A film of a minute at 1024×1024 and 60 frames a second from ready stills.

Our assembly reads the stills from PNG files and writes, counts and syncs the video; imageio's
default writer gets its frames from memory one by one, and blends only what is between the scenes.
Each works in a process of its own, which tells by how much it grew; ffmpeg is another one.
"""

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import imageio.v2
import numpy as np
from PIL import Image

from benchmarks.checks import check_video
from benchmarks.encoder import drawing
from benchmarks.extents import extent
from benchmarks.memory import peak_mb, start_peak, watching_children
from benchmarks.peers import crossfade
from benchmarks.targets import judge
from benchmarks.turns import figure, ratio, told
from benchmarks.workloads import one_minute
from engine import VideoRequest
from engine.assembly import assemble
from engine.estimate import Estimator
from engine.jobs import Job
from engine.metadata import ModelFacts, image_recipe
from engine.reel import DrawnScene, Reel
from engine.store import Store
from engine.story import plan_scenes

SIDES = ("ours", "imageio")


def measure() -> dict[str, Any]:
    """Let both work in turn, on the same stills."""
    request, rounds = one_minute(), extent("rounds", 3, 1)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        for index in range(len(request.scenes)):
            Image.fromarray(drawing(index, request.width)).save(Path(folder) / f"{index}.png")
        for _ in range(rounds):
            for name in SIDES:
                path = Path(folder) / f"{name}.mp4"
                command = [sys.executable, "-m", "benchmarks.assembly", name, folder, str(path)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
                check_video(path, request)
    seconds = {name: [one["seconds"] for one in found[name]] for name in SIDES}
    growth = {name: told([one["growth_mb"] for one in found[name]]) for name in SIDES}
    over = ratio(seconds["ours"], seconds["imageio"])
    most_mb = growth["ours"]["spread"][1]
    what = "assembly of 60 s at 1024x1024 and 60 frames a second"
    return {
        "frames": request.total_frames,
        "size": f"{request.width}x{request.height}",
        "rounds": rounds,
        "seconds": {name: told(values) for name, values in seconds.items()},
        "ratio_of_ours_to": {"imageio": over},
        "growth_mb": growth,
        "encoder_peak_mb": {name: told([e["encoder_mb"] for e in found[name]]) for name in SIDES},
        "targets": [
            judge(f"{what} against imageio's defaults", over["median"], at_most=0.4),
            judge(f"{what}: megabytes that the process grew by", most_mb, at_most=150.0),
        ],
    }


def assemble_once(side: str, stills: list[Path], path: Path) -> dict[str, float]:
    """Write the film as one of the sides does; tells seconds and megabytes."""
    request = one_minute()
    work = {"ours": _ours, "imageio": _imageio}[side]
    before = start_peak()
    with watching_children() as encoder_mb:
        start = time.perf_counter()
        work(request, stills, path)
        seconds = time.perf_counter() - start
    return {
        "seconds": figure(seconds),
        "growth_mb": figure(peak_mb() - before),
        "encoder_mb": figure(max(encoder_mb, default=0.0)),
    }


def _ours(request: VideoRequest, stills: list[Path], path: Path) -> None:
    facts = ModelFacts(
        name="none", revision="none", reason="ready stills", device="cpu", dtype="float32",
        scheduler="none", guidance_scale=1.0, native_size=request.width,
    )  # fmt: skip
    size, tasks = (request.width, request.height), plan_scenes(request, 0)
    job = Job(request, seed=0)
    reel = Reel([image_recipe(task, facts, 1.0, size) for task in tasks], job.token)
    for still in stills:
        ready: Future[Path] = Future()
        ready.set_result(still)
        reel.add(DrawnScene(0.0, ready))
    with tempfile.TemporaryDirectory(dir=path.parent) as data_dir:
        assemble(job, request, reel, Store(Path(data_dir)), Estimator()).path.replace(path)


def _imageio(request: VideoRequest, stills: list[Path], path: Path) -> None:
    pictures = [Image.open(still).convert("RGB") for still in stills]
    with imageio.v2.get_writer(path, fps=request.fps) as writer:
        for index, picture in enumerate(pictures):
            frame = np.array(picture)
            for _ in range(request.scene_frames[index]):
                writer.append_data(frame)
            if index + 1 < len(pictures):
                for between in crossfade(picture, pictures[index + 1], request.frames_between):
                    writer.append_data(between)


def main() -> None:
    """Do what `measure` asks of a process of its own."""
    side, folder, path = sys.argv[1:4]
    stills = [Path(folder) / f"{index}.png" for index in range(len(one_minute().scenes))]
    sys.stdout.write(json.dumps(assemble_once(side, stills, Path(path))) + "\n")


if __name__ == "__main__":
    main()
