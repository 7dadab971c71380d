"""A story's stills into its video: what a story job still has to do once all scenes are drawn.

Needs no model and no device, so a story can be assembled again from stills that are there.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from engine.errors import EncoderFailed
from engine.estimate import Estimator
from engine.frames import Frame, story_frames
from engine.jobs import Job, VideoResult
from engine.metadata import ImageRecipe, VideoManifest
from engine.requests import VideoRequest
from engine.store import Store
from engine.story import duration_s
from engine.video import VideoFormat, count_frames, to_i420, write_mp4

_REPORT_FRAMES = 12


@dataclass(frozen=True)
class DrawnScene:
    """A scene whose picture is drawn and on its way to its file."""

    recipe: ImageRecipe
    draw_s: float
    still: Future[Path]


def assemble(
    job: Job, request: VideoRequest, scenes: list[DrawnScene], store: Store, estimator: Estimator
) -> VideoResult:
    """Write the video and its poster frame, telling the job and looking at its token.

    Raises:
        EncoderFailed: ffmpeg died, or the file has not every frame.
        StorageFull: the disk is full; no partial file is left.
        EngineError: the reason the job's token was set with.
    """
    stills = [scene.still.result() for scene in scenes]
    comment = plan_manifest(request, scenes).model_dump_json()
    video = VideoFormat(request.width, request.height, request.fps, comment)

    def write(part: Path) -> None:
        write_mp4(part, _told(job, request, stills, estimator), video)
        frames = count_frames(part)
        if frames != request.total_frames:
            raise EncoderFailed(f"The video has {frames} of {request.total_frames} frames.")

    start = time.perf_counter()
    path = store.write(job.id, "video.mp4", write)
    frame_s = (time.perf_counter() - start) / request.total_frames
    estimator.observe("frame", request.width * request.height, frame_s)
    poster = store.write(job.id, "poster.jpg", lambda part: _write_poster(stills[0], part))
    return VideoResult(
        path=path,
        poster=poster,
        stills=tuple(stills),
        seed=job.seed,
        guidance_scale=scenes[0].recipe.guidance_scale,
        scenes=len(stills),
        total_frames=request.total_frames,
        fps=request.fps,
        duration_s=duration_s(request),
    )


def plan_manifest(request: VideoRequest, scenes: list[DrawnScene]) -> VideoManifest:
    """Put together what the video says of how it was made."""
    return VideoManifest(
        fps=request.fps,
        frames_per_scene=request.frames_per_scene,
        transition_frames=request.transition_frames,
        total_frames=request.total_frames,
        duration_s=duration_s(request),
        width=request.width,
        height=request.height,
        hero_description=request.hero_description,
        scenes=tuple(scene.recipe for scene in scenes),
        draw_s=tuple(round(scene.draw_s, 3) for scene in scenes),
    )


def _told(
    job: Job, request: VideoRequest, stills: list[Path], estimator: Estimator
) -> Iterator[Frame]:
    """Yield the video's I420 frames; no more than two stills are open at a time."""
    planes = (to_i420(np.asarray(Image.open(still))) for still in stills)
    total, pixels = request.total_frames, request.width * request.height
    frames = story_frames(planes, request.frames_per_scene, request.transition_frames)
    for count, frame in enumerate(frames):
        job.token.check()
        if count % _REPORT_FRAMES == 0:
            known = estimator.knows("frame")
            eta_s = estimator.frames_s(total - count, pixels) if known else None
            job.report(stage="encoding", frame=count, frames=total, eta_s=eta_s)
        yield frame


def _write_poster(still: Path, path: Path) -> None:
    with Image.open(still) as image:
        image.convert("RGB").save(path, "JPEG", quality=88)
