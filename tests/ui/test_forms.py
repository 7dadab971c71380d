"""What the page's fields say, and the requests they become: there and back."""

import json

import pytest
from pydantic import ValidationError

from engine import ImageRequest, VideoRequest
from engine.errors import InvalidRequest
from ui.image_form import image_request, image_values, read_form
from ui.story_draft import read_draft, write_draft
from ui.story_form import story_board, story_request, story_values
from ui.storyboard import SceneDraft, Source, new_board

PICTURE = ImageRequest(
    prompt="a fox",
    negative_prompt="rain",
    num_inference_steps=12,
    guidance_scale=2.123456789,
    seed=0,
    width=640,
    height=384,
    format="webp",
)
STORY = VideoRequest(
    hero_description="a knight",
    scenes=["a", "b"],
    scene_seeds=[5, 0],
    scene_durations=[0.5, 60.0],
    duration_per_scene=2.0,
    fps=12,
    transition_frames=3,
    transition="wipe",
    motion="zoom_in",
    captions="subtitles",
    num_inference_steps=11,
    guidance_scale=1.5,
    negative_prompt="rain",
    width=256,
    height=128,
)


@pytest.mark.parametrize("request_", [PICTURE, ImageRequest(prompt="a fox")], ids=["full", "plain"])
def test_a_picture_comes_back_from_the_form_it_fills(request_: ImageRequest) -> None:
    assert image_request(*image_values(request_)) == request_


@pytest.mark.parametrize(
    "request_",
    [STORY, VideoRequest(scenes=["a", "b"]), VideoRequest(scenes=["a", "b"], seed=9)],
    ids=["full", "plain", "seed"],
)
def test_a_story_comes_back_from_the_form_and_the_board_it_fills(request_: VideoRequest) -> None:
    assert story_request(story_values(request_), story_board(request_)) == request_


FORM = story_values(VideoRequest(scenes=["a", "b"]))


def test_seeds_of_pictures_that_are_there_are_named() -> None:
    board = new_board(("a", "b", "c"))
    request = story_request(FORM, board, {0: 40, 2: 41})
    assert (request.seed, request.scene_seeds) == (None, [40, 2, 41])
    assert story_request(FORM, board).scene_seeds is None


def test_the_storys_seed_decides_until_a_scene_has_its_own() -> None:
    form = story_values(VideoRequest(scenes=["a", "b"], seed=7))
    board = new_board(("a", "b"))
    request = story_request(form, board, {0: 40, 1: 41})
    assert (request.seed, request.scene_seeds) == (7, None)
    request = story_request(form, (board[0], SceneDraft(1, "b", seed="3")), {0: 40, 1: 41})
    assert (request.seed, request.scene_seeds) == (None, [7, 3])


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(ValidationError):
        story_request(FORM, new_board(("a", " ")))
    with pytest.raises(InvalidRequest):
        story_request(FORM, (SceneDraft(0, "a", seconds="?"), SceneDraft(1, "b")))


JOB = "0123456789abcdef" * 2
BOARD = (SceneDraft(3, "a", "5", ""), SceneDraft(8, "b", "", "1.5"))


def test_a_draft_is_read_as_it_was_written() -> None:
    sources = {3: Source(JOB, 2), 8: Source(JOB[::-1])}
    draft = write_draft(FORM, BOARD, sources, JOB)
    assert read_draft(draft, len(FORM)) == (FORM, BOARD, sources, JOB)


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"form": [1]},
        {"scenes": [{"id": 1, "colour": "red"}]},
        {"scenes": None},
        {"pictures": [[1]]},
    ],
)
def test_a_draft_of_another_kind_is_left_alone(damage: dict[str, object]) -> None:
    draft = json.loads(write_draft(FORM, BOARD, {}, None))
    assert read_draft(json.dumps(draft), len(FORM)) is not None
    assert read_draft(json.dumps({**draft, **damage}), len(FORM)) is None


@pytest.mark.parametrize("text", [None, 5, "", "text", "{}", "[" * 100_000])
def test_a_draft_may_be_anything(text: object) -> None:
    assert read_draft(text, len(FORM)) is None


def test_what_a_browser_kept_of_a_form_is_read() -> None:
    values = ("a fox", "png", 25, "512 × 512", "", None)
    assert read_form(json.dumps(values), len(values)) == values


@pytest.mark.parametrize(
    "text", [None, 7, "", "{}", '["a"]', '["a", [], 1]', '["a", true, 1]', "["]
)
def test_what_a_browser_kept_may_be_anything(text: object) -> None:
    assert read_form(text, 3) is None
