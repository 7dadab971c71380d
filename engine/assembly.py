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

from engine.captions import lay_out, subtitles
from engine.errors import EncoderFailed
from engine.estimate import Estimator, frame_work
from engine.frames import Shot, story_frames
from engine.jobs import Job
from engine.metadata import ImageRecipe, VideoManifest
from engine.planes import Frame, to_i420
from engine.requests import VideoRequest
from engine.snapshots import VideoResult
from engine.store import Store
from engine.story import duration_s, scene_spans
from engine.transitions import TRANSITIONS
from engine.video import VideoFormat, count_frames, write_mp4

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
    video = VideoFormat(
        request.width, request.height, request.fps, comment, subtitle_track(request)
    )

    def write(part: Path) -> None:
        write_mp4(part, _told(job, request, stills, estimator), video)
        frames = count_frames(part)
        if frames != request.total_frames:
            raise EncoderFailed(f"The video has {frames} of {request.total_frames} frames.")

    start = time.perf_counter()
    path = store.write(job.id, "video.mp4", write)
    frame_s = (time.perf_counter() - start) / request.total_frames
    work = frame_work(moving=request.moves)
    estimator.observe(work, request.width * request.height, frame_s)
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


def plan_shot(request: VideoRequest, index: int, still: Path) -> Shot:
    """Open a still, and say how its scene is to be seen; scenes count from 0."""
    caption = None
    if request.captions == "burned":
        caption = lay_out(request.scenes[index], request.width, request.height)
    with Image.open(still) as picture:
        frame = to_i420(np.asarray(picture))
    return Shot(frame, request.scene_frames[index], request.fps, request.motion, caption)


def subtitle_track(request: VideoRequest) -> str:
    """The subtitles asked for, as SRT; empty if there are none."""
    if request.captions != "subtitles":
        return ""
    return subtitles(request.scenes, scene_spans(request), request.fps)


def plan_manifest(request: VideoRequest, scenes: list[DrawnScene]) -> VideoManifest:
    """Put together what the video says of how it was made."""
    return VideoManifest(
        fps=request.fps,
        frames_per_scene=request.frames_per_scene,
        scene_frames=tuple(request.scene_frames),
        transition=request.transition,
        transition_frames=request.frames_between,
        motion=request.motion,
        captions=request.captions,
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
    """Yield the video's frames; no more than two stills are open at a time."""
    shots = (plan_shot(request, index, still) for index, still in enumerate(stills))
    total, pixels = request.total_frames, request.width * request.height
    frames = story_frames(shots, TRANSITIONS[request.transition], request.frames_between)
    for count, frame in enumerate(frames):
        job.token.check()
        if count % _REPORT_FRAMES == 0:
            left_s = estimator.frames_s(total - count, pixels, moving=request.moves)
            eta_s = left_s or None  # 0 while nothing of the kind was measured
            job.report(stage="encoding", frame=count, frames=total, eta_s=eta_s)
        yield frame


def _write_poster(still: Path, path: Path) -> None:
    with Image.open(still) as image:
        image.convert("RGB").save(path, "JPEG", quality=88)
