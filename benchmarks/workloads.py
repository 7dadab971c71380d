"""What is asked for: the same requests for our service and for its peers."""

import random

from benchmarks.extents import extent, is_smoke
from engine import ImageRequest, VideoRequest

STEPS_FROM, STEPS_TO = 10, 50
_SUBJECTS = ("a red fox", "a castle", "a lighthouse", "a knight", "a girl with red hair", "a boat")
_PLACES = ("in the snow", "at night", "by the sea", "in a forest", "at sunset", "on a mountain")


def one_image(steps: int = 25) -> ImageRequest:
    """One picture of 512×512."""
    side = extent("side", 512, 64)
    return ImageRequest(
        prompt="a red fox in the snow at night",
        num_inference_steps=steps if not is_smoke() else STEPS_FROM,
        width=side,
        height=side,
        seed=7,
    )


def mixed_images(count: int, most_steps: int = STEPS_TO) -> list[ImageRequest]:
    """So many pictures of 512×512 with 10 to `most_steps` steps each; always the same ones."""
    chance = random.Random(20)
    side = extent("side", 512, 64)
    return [
        ImageRequest(
            prompt=f"{chance.choice(_SUBJECTS)} {chance.choice(_PLACES)}",
            num_inference_steps=chance.randint(STEPS_FROM, most_steps),
            width=side,
            height=side,
            seed=seed,
        )
        for seed in range(count)
    ]


def documented_story() -> VideoRequest:
    """The example of the documentation that the service was asked to follow: 240 frames."""
    side = extent("side", 512, 64)
    return VideoRequest(
        hero_description="a young woman with long red hair, green eyes, wearing a blue jacket",
        scenes=[
            "standing on a mountain peak at sunrise",
            "walking through a busy city street at noon",
            "sitting on a beach at sunset",
        ],
        num_inference_steps=extent("steps", 25, STEPS_FROM),
        duration_per_scene=extent("scene_s", 3.0, 0.5),
        fps=24,
        width=side,
        height=side,
        transition_frames=12,
        seed=11,
    )


def ten_scenes(steps: int = 25) -> VideoRequest:
    """A story of ten scenes at 768×768: 828 frames."""
    side = extent("story_side", 768, 64)
    scenes = [f"standing {place}" for place in _PLACES] + [f"looking at {x}" for x in _SUBJECTS[:4]]
    return VideoRequest(
        hero_description="a knight in silver armour with a red cloak",
        scenes=scenes[: extent("scenes", 10, 3)],
        num_inference_steps=extent("steps", steps, STEPS_FROM),
        duration_per_scene=extent("scene_s", 3.0, 0.25),
        fps=24,
        width=side,
        height=side,
        seed=13,
    )


def one_minute() -> VideoRequest:
    """A film of 60 s at 1024×1024 and 60 frames a second: 12 scenes of 289, 12 between them."""
    side = extent("film_side", 1024, 128)
    return VideoRequest(
        scenes=["a still"] * 12,
        duration_per_scene=extent("film_scene_s", 289 / 60, 0.1),
        fps=60,
        width=side,
        height=side,
        transition_frames=12,
        seed=0,
    )
