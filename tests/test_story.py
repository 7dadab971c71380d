import pytest

from engine.requests import SEED_MAX, VideoRequest
from engine.story import duration_s, plan_scenes, scene_prompt, scene_spans

HERO = "a young woman with long red hair, green eyes, wearing a blue jacket"


def test_the_hero_stands_before_the_scene_as_documented() -> None:
    assert scene_prompt(HERO, "standing on a mountain peak") == (
        "a young woman with long red hair, green eyes, wearing a blue jacket, "
        "standing on a mountain peak"
    )


@pytest.mark.parametrize("hero", [None, "", "  \n"])
def test_without_a_hero_the_scene_stands_alone(hero: str | None) -> None:
    assert scene_prompt(hero, "a calm ocean") == "a calm ocean"


def test_the_documented_story_has_240_frames_and_lasts_10_seconds() -> None:
    request = VideoRequest(scenes=["a", "b", "c"])
    assert (request.frames_per_scene, request.total_frames) == (72, 240)
    assert duration_s(request) == 10.0


def test_duration_is_exact_to_the_frame() -> None:
    request = VideoRequest(scenes=["a", "b"], fps=7, duration_per_scene=0.5, transition_frames=2)
    assert duration_s(request) == (2 * 4 + 2) / 7


def test_scene_k_is_drawn_with_seed_plus_k() -> None:
    tasks = plan_scenes(VideoRequest(scenes=["a", "b", "c"]), 40)
    assert [task.seed for task in tasks] == [40, 41, 42]


def test_seeds_wrap_after_the_largest() -> None:
    tasks = plan_scenes(VideoRequest(scenes=["a", "b", "c"]), SEED_MAX - 1)
    assert [task.seed for task in tasks] == [SEED_MAX - 1, SEED_MAX, 0]


def test_every_scene_carries_the_settings_of_the_story() -> None:
    request = VideoRequest(
        scenes=["one", "two"], hero_description="a fox", negative_prompt="rain",
        num_inference_steps=12, guidance_scale=3.0, width=64, height=128,
    )  # fmt: skip
    tasks = plan_scenes(request, 0)
    assert [task.prompt for task in tasks] == ["a fox, one", "a fox, two"]
    for task in tasks:
        assert (task.negative_prompt, task.num_inference_steps) == ("rain", 12)
        assert (task.guidance_scale, task.width, task.height) == (3.0, 64, 128)


def test_scenes_span_what_is_not_transition() -> None:
    story = VideoRequest(
        scenes=["a", "b", "c"], scene_durations=[1.0, 0.05, 2.0], fps=10, transition_frames=4
    )
    assert scene_spans(story) == [(0, 10), (14, 15), (19, 39)]
    assert story.total_frames == 39
    cut = story.model_copy(update={"transition": "cut"})
    assert scene_spans(cut) == [(0, 10), (10, 11), (11, 31)] and cut.total_frames == 31


def test_durations_are_one_a_scene() -> None:
    with pytest.raises(ValueError, match="scene_durations has 3 entries for 2 scenes"):
        VideoRequest(scenes=["a", "b"], scene_durations=[1.0, 2.0, 3.0])
