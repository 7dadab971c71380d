"""A story's stills into its video, each taken from the reel when its frames are due.

Needs no model and no device, so a story can be assembled again from stills that are there.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from engine.captions import lay_out, subtitles
from engine.errors import EncoderFailed
from engine.estimate import Estimator, frame_work
from engine.frames import Shot, story_frames
from engine.jobs import Job
from engine.metadata import VideoManifest
from engine.planes import Frame, to_i420
from engine.reel import Reel
from engine.requests import VideoRequest
from engine.snapshots import VideoResult
from engine.store import Store
from engine.story import duration_s, scene_spans
from engine.transitions import TRANSITIONS
from engine.video import VideoFormat, count_frames, replace_comment, write_mp4

_REPORT_FRAMES = 12
_LONGEST_S = 999_999.999
"""No scene takes longer to draw: it has place in the file for as many digits."""


def assemble(
    job: Job, request: VideoRequest, reel: Reel, store: Store, estimator: Estimator
) -> VideoResult:
    """Write the video and its poster frame, telling the job and looking at the reel's token.

    Scenes may still be drawn meanwhile: then each is waited for when its frames are due, and the
    job is not told of frames before the last one is there.

    Raises:
        EncoderFailed: ffmpeg died, or the file has not every frame.
        StorageFull: the disk is full; no partial file is left.
        EngineError: the reason the token was set with, or why a still was not written.
    """
    count, fed, stills = len(reel.recipes), list[float](), list[Path]()
    comment = plan_manifest(request, reel, [_LONGEST_S] * count).model_dump_json()
    video = VideoFormat(
        request.width, request.height, request.fps, comment, subtitle_track(request)
    )

    def write(part: Path) -> None:
        write_mp4(part, _told(job, request, reel, estimator, fed), video)
        frames = count_frames(part)
        if frames != request.total_frames:
            raise EncoderFailed(f"The video has {frames} of {request.total_frames} frames.")
        stills.extend(map(reel.still, range(count)))  # the last look at the token
        manifest = plan_manifest(request, reel, reel.draw_s())
        replace_comment(part, comment, manifest.model_dump_json())

    start = time.perf_counter()
    path = store.write(job.id, "video.mp4", write)
    waited_s = reel.waited_s
    poster = store.write(job.id, "poster.jpg", lambda part: _write_poster(stills[0], part))
    work, units = frame_work(request)
    pixels, fed_s = request.width * request.height, fed[-1] - fed[0]
    estimator.observe(work, pixels, (fed_s - waited_s) / units)
    estimator.observe("film", pixels, time.perf_counter() - start - fed_s)
    return VideoResult(
        path=path,
        poster=poster,
        stills=tuple(stills),
        seed=job.seed,
        guidance_scale=reel.recipes[0].guidance_scale,
        scenes=count,
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


def plan_manifest(request: VideoRequest, reel: Reel, draw_s: list[float]) -> VideoManifest:
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
        scenes=reel.recipes,
        draw_s=tuple(round(seconds, 3) for seconds in draw_s),
    )


def _told(
    job: Job, request: VideoRequest, reel: Reel, estimator: Estimator, fed: list[float]
) -> Iterator[Frame]:
    """Yield the video's frames; no more than two stills are open at a time.

    Args:
        fed: gets the times at which the first frame was asked for and the last one was taken.
    """
    shots = (plan_shot(request, index, reel.still(index)) for index in range(len(reel.recipes)))
    total, film_s = request.total_frames, estimator.film_s(request)
    frames = story_frames(shots, TRANSITIONS[request.transition], request.frames_between)
    due = 0
    fed.append(time.perf_counter())
    for count, frame in enumerate(frames):
        reel.token.check()
        reel.frames = count
        if reel.is_full and count >= due:
            due = count + _REPORT_FRAMES
            eta_s = film_s * (1 - count / total) or None  # 0 while nothing of it was measured
            job.report(stage="encoding", frame=count, frames=total, eta_s=eta_s)
        yield frame
    fed.append(time.perf_counter())


def _write_poster(still: Path, path: Path) -> None:
    with Image.open(still) as image:
        image.convert("RGB").save(path, "JPEG", quality=88)
