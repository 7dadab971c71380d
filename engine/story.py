"""From a story request to its scenes: prompts, seeds, frames. Pure arithmetic and text."""

from pydantic import BaseModel, Field

from engine.requests import SEED_MAX, ImageTask, VideoRequest


class VideoPlan(BaseModel):
    """What a story video will be, told before anything is generated."""

    scenes_count: int
    scenes_to_draw: int = Field(description="Scenes whose picture is not there yet.")
    frames_per_scene: int
    scene_frames: list[int] = Field(description="Frames each scene is held.")
    transition_frames: int = Field(description="Frames between two scenes.")
    total_frames: int
    total_duration_seconds: float
    fps: int
    resolution: str = Field(examples=["512x512"])
    estimated_generation_time_seconds: int = Field(
        description="From this machine's own measured times, the queue ahead included."
    )
    scene_prompts: list[str] = Field(description="What each scene's picture is asked for.")
    scene_tokens: list[int] | None = Field(
        description="Tokens of each scene prompt; null until the model is loaded."
    )
    token_window: int | None = Field(
        description="Tokens the text encoder reads at a time. null until the model is loaded."
    )
    cuts_prompts: bool | None = Field(
        description="Whether what is beyond the window is not read; false: longer prompts are "
        "read in several chunks, none is cut. null until the model is loaded."
    )


def scene_prompt(hero_description: str | None, scene: str) -> str:
    """Put the hero before the scene, so that every scene shows the same one."""
    if hero_description is None or not hero_description.strip():
        return scene
    return f"{hero_description}, {scene}"


def plan_scenes(request: VideoRequest, seed: int) -> list[ImageTask]:
    """Turn a story into one image task a scene."""
    seeds = seeds_of(request, seed)
    return [
        ImageTask(
            prompt=scene_prompt(request.hero_description, text),
            negative_prompt=request.negative_prompt,
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
            seed=seeds[index],
            width=request.width,
            height=request.height,
        )
        for index, text in enumerate(request.scenes)
    ]


def seeds_of(request: VideoRequest, seed: int) -> list[int]:
    """The seed of each scene: as the request names them, else `seed + k` for scene k from 0."""
    if request.scene_seeds is not None:
        return list(request.scene_seeds)
    return [(seed + index) % (SEED_MAX + 1) for index in range(len(request.scenes))]


def has_seeds(request: VideoRequest) -> bool:
    """Whether the request itself decides every seed."""
    return request.seed is not None or request.scene_seeds is not None


def scene_spans(request: VideoRequest) -> list[tuple[int, int]]:
    """The first frame of each scene's hold, and the one after its last."""
    spans, at = [], 0
    for frames in request.scene_frames:
        spans.append((at, at + frames))
        at += frames + request.frames_between
    return spans


def duration_s(request: VideoRequest) -> float:
    """Length of the video in seconds, exact to the frame."""
    return request.total_frames / request.fps
