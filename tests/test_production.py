import errno
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import assembly
from engine.errors import EncoderFailed, JobCancelled, StorageFull
from engine.estimate import Estimator
from engine.frames import Shot, story_frames
from engine.jobs import CancelToken, Job
from engine.metadata import VideoManifest, read_recipe
from engine.models import ModelDefaults
from engine.planes import Frame
from engine.production import Production
from engine.requests import ImageRequest, Request, VideoRequest
from engine.snapshots import ImageResult, Progress, VideoResult
from engine.store import Store
from tests.movies import decode_planes, describe, read_comment
from tests.pictures import draw_picture
from tests.stub_sampler import StubSampler, hand_off


class Studio:
    def __init__(self, folder: Path) -> None:
        self.sampler = StubSampler()
        self.estimator = Estimator()
        self.folder = folder
        self.store = Store(folder)
        self.production = Production(
            self.sampler,  # type: ignore[arg-type]
            self.store,
            self.estimator,
            hand_off,
        )
        self.told: list[Progress] = []

    def make(self, request: Request, on_change: Callable[[Job], None] = lambda job: None) -> Any:
        def listen(job: Job) -> None:
            self.told.append(job.snapshot().progress)
            on_change(job)

        self.job = Job(request, seed=5, on_change=listen)
        self.job.start()
        return self.production.draw(self.job)()

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def image(**changes: Any) -> ImageRequest:
    fields = {"prompt": "a cat", "width": 64, "height": 72, "num_inference_steps": 10}
    return ImageRequest(**{**fields, **changes})


def story(**changes: Any) -> VideoRequest:
    fields: dict[str, Any] = {
        "scenes": ["one", "two", "three"], "hero_description": "a fox", "width": 64, "height": 72,
        "num_inference_steps": 10, "fps": 12, "duration_per_scene": 0.5, "transition_frames": 4,
    }  # fmt: skip
    return VideoRequest(**{**fields, **changes})


@pytest.mark.parametrize(
    ("image_format", "media_type"),
    [("png", "image/png"), ("webp", "image/webp"), ("jpeg", "image/jpeg")],
)
def test_an_image_is_a_file_with_its_recipe(
    studio: Studio, image_format: str, media_type: str
) -> None:
    result = studio.make(image(format=image_format))
    assert isinstance(result, ImageResult)
    assert (result.path.name, result.media_type) == (f"image.{image_format}", media_type)
    with Image.open(result.path) as picture:
        assert (picture.size, picture.get_format_mimetype()) == ((64, 72), media_type)
        recipe = read_recipe(picture)
    assert recipe is not None
    assert (recipe.prompt, recipe.seed, recipe.guidance_scale) == ("a cat", 5, 3.0)
    assert (recipe.model, recipe.revision) == ("stub", "r1")
    assert (result.seed, result.guidance_scale) == (5, 3.0)
    assert "Seed: 5" in result.parameters


def test_an_image_shows_the_drawn_pixels(studio: Studio) -> None:
    result = studio.make(image())
    with Image.open(result.path) as picture:
        assert np.array_equal(np.asarray(picture), draw_picture(64, 72, 5))


def test_the_same_request_gives_the_same_bytes(studio: Studio) -> None:
    first = studio.make(image()).path.read_bytes()
    assert studio.make(image()).path.read_bytes() == first


def test_a_story_has_its_video_its_poster_and_its_stills(studio: Studio) -> None:
    result = studio.make(story())
    assert isinstance(result, VideoResult)
    stills = ["scene-01.png", "scene-02.png", "scene-03.png"]
    assert studio.files() == ["poster.jpg", *stills, "video.mp4"]
    assert [path.name for path in result.stills] == stills
    assert (result.scenes, result.total_frames, result.fps) == (3, 26, 12)
    assert result.duration_s == 26 / 12
    assert len(decode_planes(result.path, 64, 72)) == 26
    assert "12 fps" in describe(result.path)
    with Image.open(result.poster) as poster:
        assert (poster.size, poster.format) == ((64, 72), "JPEG")


def test_every_scene_has_its_prompt_and_seed(studio: Studio) -> None:
    studio.make(story())
    drawn = [(task.prompt, task.seed) for task in studio.sampler.drawn]
    assert drawn == [("a fox, one", 5), ("a fox, two", 6), ("a fox, three", 7)]


def test_a_story_carries_its_manifest(studio: Studio) -> None:
    result = studio.make(story(hero_description="a \U0001f98a; = # \\"))
    manifest = VideoManifest.model_validate_json(read_comment(result.path))
    assert manifest.hero_description == "a \U0001f98a; = # \\"
    assert (manifest.total_frames, manifest.fps, manifest.duration_s) == (26, 12, 26 / 12)
    for path, recipe in zip(result.stills, manifest.scenes, strict=True):
        with Image.open(path) as still:
            assert read_recipe(still) == recipe


def test_progress_runs_through_scenes_steps_and_frames(studio: Studio) -> None:
    studio.make(story())
    steps = [(p.scene, p.step) for p in studio.told if p.stage in ("denoising", "decoding")]
    assert steps == [(scene, step) for scene in (1, 2, 3) for step in range(11)]
    assert all(p.scenes == 3 and p.steps == 10 for p in studio.told if p.scene)
    frames = [(p.frame, p.frames) for p in studio.told if p.stage == "encoding"]
    assert frames[0] == (0, 26) and frames == sorted(frames)


def test_the_time_left_shrinks_to_nothing(studio: Studio) -> None:
    studio.make(story())
    studio.told.clear()
    studio.make(story())
    left = [p.eta_s for p in studio.told if p.eta_s is not None]
    assert left[0] > 3 * (10 * 0.5 + 2.0) > left[12]
    # The stub's seconds are long; what is really measured, files and frames, is short.
    assert all(after <= before + 1 for before, after in pairwise(left))


def test_what_was_measured_is_learned(studio: Studio) -> None:
    studio.make(story())
    measured = studio.estimator.measured()
    assert set(measured) == {"step", "decode", "rest", "png", "frame", "film"}
    assert (measured["step"], measured["decode"]) == (0.5, 2.0)


def test_a_step_without_guidance_is_one_of_half_the_rows(studio: Studio) -> None:
    studio.make(image(width=64, height=64, guidance_scale=1.0))
    assert studio.estimator.unit_s("step", 64 * 64) == 0.5
    assert studio.estimator.unit_s("step", 2 * 64 * 64) == 1.0
    studio.make(image(width=64, height=64))
    assert studio.estimator.unit_s("step", 2 * 64 * 64) == 0.5


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_every_kind_of_file_is_measured_by_the_pixels_in_it(studio: Studio, kind: Any) -> None:
    studio.sampler.model.defaults = ModelDefaults(near_native_area=True)
    studio.make(image(format=kind, width=128, height=64))
    assert kind in studio.estimator.measured()
    once_s = studio.estimator.unit_s(kind, 128 * 64)
    assert studio.estimator.unit_s(kind, 4 * 128 * 64) == pytest.approx(4 * once_s)


def test_facts_tell_of_the_model(studio: Studio) -> None:
    facts = studio.production.facts
    assert (facts.name, facts.revision, facts.reason) == ("stub", "r1", "a test")
    assert (facts.device, facts.dtype, facts.scheduler) == ("cpu", "float32", "DPM++ 2M")
    assert (facts.guidance_scale, facts.native_size) == (3.0, 64)


def test_time_depends_on_the_pixels_drawn(studio: Studio) -> None:
    assert studio.production.drawn_pixels(512, 256) == 512 * 256
    studio.sampler.model.defaults = ModelDefaults(near_native_area=True)
    assert studio.production.drawn_pixels(512, 512) == 64 * 64


def cancel_when(stage: str, *, frame: int = 0) -> Callable[[Job], None]:
    def listen(job: Job) -> None:
        progress = job.snapshot().progress
        if progress.stage == stage and progress.frame >= frame:
            job.cancel()

    return listen


@pytest.mark.parametrize(
    ("stage", "frame"), [("denoising", 0), ("decoding", 0), ("encoding", 0), ("encoding", 12)]
)
def test_a_cancelled_story_leaves_no_video(studio: Studio, stage: str, frame: int) -> None:
    with pytest.raises(JobCancelled):
        studio.make(story(), cancel_when(stage, frame=frame))
    assert not {"video.mp4", "poster.jpg"} & set(studio.files())
    assert not any(name.endswith(".part") for name in studio.files())
    assert isinstance(studio.make(story()), VideoResult)


def test_an_image_cancelled_before_its_file_leaves_nothing(studio: Studio) -> None:
    with pytest.raises(JobCancelled):
        studio.make(image(), cancel_when("encoding"))
    assert studio.files() == []


def test_a_full_disk_ends_a_story_at_its_first_scene(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(StorageFull):
            studio.make(story())
    assert len(studio.sampler.drawn) == 1 and studio.files() == []
    assert isinstance(studio.make(story()), VideoResult)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_video_with_another_number_of_frames_is_refused(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, change: int
) -> None:
    def wrong(shots: Iterator[Shot], *between: Any) -> Iterator[Frame]:
        frames = list(story_frames(shots, *between))
        return iter(frames[:-1] if change < 0 else [*frames, frames[-1]])

    monkeypatch.setattr(assembly, "story_frames", wrong)
    with pytest.raises(EncoderFailed, match=f"{26 + change} of 26 frames"):
        studio.make(story())
    assert "video.mp4" not in studio.files()


@pytest.mark.parametrize("transition", ["cut", "fade_through_black", "wipe", "slide", "dissolve"])
@pytest.mark.parametrize("motion", ["none", "zoom_in", "pan_left"])
def test_a_film_of_every_kind_has_its_frames(studio: Studio, transition: str, motion: str) -> None:
    request = story(
        transition=transition,
        motion=motion,
        captions="burned" if motion == "none" else "subtitles",
        scene_durations=[0.5, 0.25, 1.0],
    )
    result = studio.make(request)
    frames = decode_planes(result.path, 64, 72)
    assert len(frames) == result.total_frames == 6 + 3 + 12 + (0 if transition == "cut" else 8)
    manifest = VideoManifest.model_validate_json(read_comment(result.path))
    assert (manifest.transition, manifest.motion) == (transition, motion)
    assert manifest.scene_frames == (6, 3, 12)
    assert ("Subtitle" in describe(result.path)) == (motion != "none")


def test_one_frame_a_scene_and_no_crossfade_is_a_video_too(studio: Studio) -> None:
    result = studio.make(story(fps=1, duration_per_scene=0.1, transition_frames=0))
    assert len(decode_planes(result.path, 64, 72)) == 3


def test_stills_are_written_while_the_next_scene_is_drawn(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    waiting: list[threading.Thread] = []

    def later(work: Callable[[], Any], token: CancelToken) -> "Future[Any]":
        future: Future[Any] = Future()
        waiting.append(threading.Thread(target=lambda: future.set_result(work())))
        return future

    studio.production = Production(
        studio.sampler,  # type: ignore[arg-type]
        studio.store,
        studio.estimator,
        later,
    )
    job = Job(story(), seed=5)
    job.start()
    finish = studio.production.draw(job)
    assert len(studio.sampler.drawn) == 3 and studio.files() == []
    for thread in waiting:
        thread.start()
    assert finish().scenes == 3
    for thread in waiting:
        thread.join()


def test_a_task_with_its_own_guidance_keeps_it(studio: Studio) -> None:
    result = studio.make(image(guidance_scale=9.0))
    assert result.guidance_scale == 9.0
    assert "CFG scale: 9," in result.parameters
