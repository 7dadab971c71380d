"""Versions of a story: only what was asked for changes, and every seed is named."""

import pytest

from engine.errors import InvalidRequest
from engine.requests import ImageRequest, VideoRequest
from engine.story import plan_scenes
from engine.versions import assembled, redrawn, replayed, seeded

STORY = VideoRequest(scenes=["a", "b", "c"], hero_description="a fox", seed=40, fps=10)


def test_redrawing_changes_one_scene() -> None:
    before = plan_scenes(STORY, 40)
    after = plan_scenes(redrawn(STORY, 40, 2, text=None, new_seed=7), 0)
    assert [task.seed for task in after] == [40, 7, 42]
    assert (after[0], after[2]) == (before[0], before[2])
    told = redrawn(STORY, 40, 3, text="d", new_seed=42)
    assert plan_scenes(told, 0)[2].prompt == "a fox, d"


def test_a_version_can_be_made_of_a_version() -> None:
    once = redrawn(STORY, 40, 1, text=None, new_seed=7)
    twice = redrawn(once, 999, 2, text=None, new_seed=8)
    assert twice.scene_seeds == [7, 8, 42]


def test_other_times_change_no_picture() -> None:
    version = assembled(STORY, 40, duration_per_scene=1.5, fps=30, transition_frames=0)
    assert plan_scenes(version, 0) == plan_scenes(STORY, 40)
    assert (version.duration_per_scene, version.fps, version.transition_frames) == (1.5, 30, 0)


def test_another_order_moves_pictures() -> None:
    tasks = plan_scenes(assembled(STORY, 40, order=[3, 1, 1]), 0)
    old = plan_scenes(STORY, 40)
    assert tasks == [old[2], old[0], old[0]]


def test_durations_of_scenes_move_with_them_until_one_is_given_for_all() -> None:
    story = STORY.model_copy(update={"scene_durations": [1.0, 2.0, 3.0]})
    moved = assembled(story, 40, order=[3, 1])
    assert moved.scene_durations == [3.0, 1.0] and moved.scene_frames == [30, 10]
    assert assembled(story, 40, duration_per_scene=5.0).scene_frames == [50] * 3
    assert assembled(story, 40, scene_durations=[1.0, 1.0, 4.0]).scene_frames == [10, 10, 40]


@pytest.mark.parametrize("order", [[], [1], [0, 1], [1, 4], [1] * 51])
def test_an_order_that_cannot_be_is_refused(order: list[int]) -> None:
    with pytest.raises(InvalidRequest):
        assembled(STORY, 40, order=order)


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_scene_that_is_not_there_is_refused(number: int) -> None:
    with pytest.raises(InvalidRequest, match="no scene"):
        redrawn(STORY, 40, number, text=None, new_seed=1)


def test_a_version_over_the_limits_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="frames"):
        assembled(VideoRequest(scenes=["a"] * 50), 1, duration_per_scene=60.0, fps=60)


def test_a_replay_leaves_nothing_open() -> None:
    image = replayed(ImageRequest(prompt="a cat"), 5, 3.0)
    assert (image.seed, image.guidance_scale) == (5, 3.0)
    story = replayed(STORY, 40, 3.0)
    assert isinstance(story, VideoRequest)
    assert (story.scene_seeds, story.guidance_scale) == ([40, 41, 42], 3.0)


def test_seeding_names_the_seeds_and_nothing_else() -> None:
    asked = ImageRequest(prompt="a cat")
    assert seeded(asked, 5) == asked.model_copy(update={"seed": 5})
    story = seeded(STORY, 40)
    assert isinstance(story, VideoRequest)
    assert story == STORY.model_copy(update={"seed": None, "scene_seeds": [40, 41, 42]})
    assert seeded(story, 999) == story


def test_seeds_are_one_a_scene_and_come_alone() -> None:
    with pytest.raises(ValueError, match="not both"):
        VideoRequest(scenes=["a", "b"], seed=1, scene_seeds=[1, 2])
    with pytest.raises(ValueError, match="scene_seeds has 3 entries for 2 scenes"):
        VideoRequest(scenes=["a", "b"], scene_seeds=[1, 2, 3])
