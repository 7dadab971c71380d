"""The documented story's video from ready stills: our encoder against imageio's default writer.

Both get the same 240 frames of 512×512. imageio's are made beforehand; ours are blended and
converted within the measured time.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import imageio.v2
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.checks import NotTheSame
from benchmarks.extents import extent
from benchmarks.turns import compared, take_turns
from engine.frames import Shot, story_frames
from engine.planes import Frame, luma, to_i420
from engine.transitions import crossfade
from engine.video import VideoFormat, count_frames, write_mp4

SIDE, FPS, HOLD, FADE, SCENES = 512, 24, 72, 12, 3
ROUNDS = extent("rounds", 5, 1)


def drawing(seed: int, side: int = SIDE) -> Frame:
    """Draw a still (side, side, 3) with gradients, hard edges, small shapes and a little grain."""
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, side)[:, None, None]
    top, bottom = random.uniform(40, 220, (2, 3))
    image = Image.fromarray((top * (1 - ramp) + bottom * ramp).repeat(side, 1).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y, size = [*random.uniform(0, side, 2).tolist(), random.uniform(4, side / 4)]
        color = tuple(int(level) for level in random.uniform(0, 255, 3))
        draw.ellipse((x, y, x + size, y + size), fill=color)
    grain = random.normal(0, 2, (side, side, 1))
    return np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)


def psnr_db(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio of two uint8 arrays of one shape, in decibels."""
    error = float(np.mean((first.astype(float) - second.astype(float)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def decoded_luma(path: Path, side: int = SIDE) -> list[NDArray[np.uint8]]:
    """Decode a video's luma planes (side, side) as they stand in the file."""
    reader = imageio_ffmpeg.read_frames(str(path), pix_fmt="gray", bits_per_pixel=8,
                                        output_params=["-vf", "extractplanes=y"])  # fmt: skip
    next(reader)
    return [np.frombuffer(frame, np.uint8).reshape(side, side) for frame in reader]


def measure() -> dict[str, Any]:
    """Time both writers in turn; judge ours by luma."""
    stills = [drawing(seed) for seed in range(SCENES)]
    frames = list(tell(stills))
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.mp4", Path(folder) / "theirs.mp4"
        sides = {
            "ours": lambda: write_ours(ours, stills),
            "imageio": lambda: write_imageio(theirs, frames),
        }
        seconds = take_turns(sides, ROUNDS, lambda made: None)
        for path in (ours, theirs):
            if count_frames(path) != len(frames):
                raise NotTheSame(f"{path.name} has {count_frames(path)} frames")
        planes = decoded_luma(ours)
        hold = [psnr_db(planes[i], luma(to_i420(frames[i]))) for i in (0, HOLD // 2, HOLD - 1)]
        fade = [psnr_db(planes[i], luma(to_i420(frames[i]))) for i in range(HOLD, HOLD + FADE)]
        sizes = {path.stem: path.stat().st_size for path in (ours, theirs)}
    return {
        "frames": len(frames),
        **compared(seconds),
        "luma_psnr_hold_min_db": min(hold),
        "luma_psnr_crossfade_min_db": min(fade),
        "bytes": sizes,
    }


def tell(stills: Iterable[Frame]) -> Iterator[Frame]:
    """The story of the benchmark."""
    return story_frames((Shot(still, HOLD, FPS) for still in stills), crossfade, FADE)


def write_ours(path: Path, stills: list[Frame]) -> None:
    """The engine's way from stills to a file."""
    video = VideoFormat(SIDE, SIDE, FPS, comment="benchmark")
    write_mp4(path, tell(to_i420(still) for still in stills), video)


def write_imageio(path: Path, frames: list[Frame]) -> None:
    """imageio as its documentation shows it."""
    with imageio.v2.get_writer(path, fps=FPS) as writer:
        for frame in frames:
            writer.append_data(frame)
