import json
import re
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from engine.requests import (
    SEED_MAX,
    TEXT_MAX,
    TOTAL_FRAMES_MAX,
    TOTAL_PIXELS_MAX,
    ImageRequest,
    VideoRequest,
    image_task,
)

IMAGE: dict[str, Any] = {"prompt": "a cat"}
VIDEO: dict[str, Any] = {"scenes": ["one", "two"]}
BOTH = [(ImageRequest, IMAGE), (VideoRequest, VIDEO)]


def refused_fields(model: type[BaseModel], fields: dict[str, Any]) -> set[Any]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(fields)
    return {error["loc"][0] for error in caught.value.errors() if error["loc"]}


def test_image_defaults_are_the_documented_ones() -> None:
    request = ImageRequest(prompt="a cat")
    assert request.num_inference_steps == 25
    assert (request.width, request.height, request.format) == (512, 512, "png")
    assert (request.negative_prompt, request.guidance_scale, request.seed) == ("", None, None)


def test_video_defaults_are_the_documented_ones() -> None:
    request = VideoRequest(scenes=["one", "two"])
    assert request.hero_description is None
    assert (request.num_inference_steps, request.duration_per_scene) == (25, 3.0)
    assert (request.fps, request.transition_frames) == (24, 12)
    assert (request.width, request.height) == (512, 512)
    assert (request.negative_prompt, request.guidance_scale, request.seed) == ("", None, None)


SHARED_BOUNDS = [
    ("num_inference_steps", [10, 50], [9, 51]),
    ("width", [64, 72, 2048], [0, 56, 65, 100, 2047, 2056, -64]),
    ("height", [64, 72, 2048], [0, 56, 65, 100, 2047, 2056, -64]),
    ("guidance_scale", [1, 1.0, 30.0, None], [0.999, 0, -1.0, 30.001]),
    ("seed", [0, SEED_MAX, None], [-1, SEED_MAX + 1]),
]
VIDEO_BOUNDS = [
    ("duration_per_scene", [1e-9, 3, 60.0], [0, 0.0, -1.0, 60.001]),
    ("fps", [1, 60], [0, 61]),
    ("transition_frames", [0, 240], [-1, 241]),
    ("scenes", [["s"] * 2, ["s"] * 50], [[], ["s"], ["s"] * 51]),
]
CASES = [(m, f, *b) for m, f in BOTH for b in SHARED_BOUNDS] + [
    (VideoRequest, VIDEO, *b) for b in VIDEO_BOUNDS
]


@pytest.mark.parametrize(("model", "fields", "name", "good", "bad"), CASES)
def test_bounds_hold_on_both_sides(
    model: type[BaseModel], fields: dict[str, Any], name: str, good: list[Any], bad: list[Any]
) -> None:
    # One frame a second, so that only the bound under test can refuse.
    small = fields if model is ImageRequest else {**fields, "fps": 1}
    for value in good:
        assert getattr(model.model_validate({**small, name: value}), name) == value
    for value in bad:
        assert refused_fields(model, {**small, name: value}) == {name}


@pytest.mark.parametrize(("model", "fields"), BOTH)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_inference_steps", "25"),
        ("num_inference_steps", 25.0),
        ("num_inference_steps", True),
        ("num_inference_steps", None),
        ("width", "512"),
        ("seed", "1"),
        ("seed", 1.0),
        ("seed", False),
        ("guidance_scale", "7.5"),
        ("guidance_scale", True),
        ("negative_prompt", None),
        ("negative_prompt", 3),
    ],
)
def test_types_are_strict(
    model: type[BaseModel], fields: dict[str, Any], name: str, value: object
) -> None:
    assert refused_fields(model, {**fields, name: value}) == {name}
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps({**fields, name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scenes", "one two"),
        ("scenes", ["one", 2]),
        ("scenes", ["one", None]),
        ("scenes", {"0": "one", "1": "two"}),
        ("scenes", None),
        ("hero_description", 5),
        ("hero_description", ["a knight"]),
        ("fps", 24.0),
        ("duration_per_scene", "3"),
        ("duration_per_scene", True),
        ("transition_frames", 12.0),
    ],
)
def test_video_types_are_strict(name: str, value: object) -> None:
    assert refused_fields(VideoRequest, {**VIDEO, name: value}) == {name}


@pytest.mark.parametrize("value", [None, 3, ["a cat"], {"text": "a cat"}, b"a cat"])
def test_a_prompt_is_text(value: object) -> None:
    assert refused_fields(ImageRequest, {"prompt": value}) == {"prompt"}


@pytest.mark.parametrize(
    ("model", "fields", "name"),
    [
        (ImageRequest, IMAGE, "num_steps"),
        (ImageRequest, IMAGE, "return_base64"),
        (VideoRequest, VIDEO, "hero_desciption"),
        (VideoRequest, VIDEO, "prompt"),
    ],
)
def test_an_unknown_field_is_refused(
    model: type[BaseModel], fields: dict[str, Any], name: str
) -> None:
    assert refused_fields(model, {**fields, name: "x"}) == {name}


@pytest.mark.parametrize(("model", "name"), [(ImageRequest, "prompt"), (VideoRequest, "scenes")])
def test_the_required_field_is_required(model: type[BaseModel], name: str) -> None:
    assert refused_fields(model, {}) == {name}


BAD_TEXT = ["a\0b", "\0", "a \ud800 cat", "\udfff", "x" * (TEXT_MAX + 1)]
BLANK_TEXT = ["", " ", "\t\n\r ", "\u00a0", "\u2003\u3000"]


@pytest.mark.parametrize("text", BAD_TEXT + BLANK_TEXT)
def test_bad_prompts_and_scenes_are_refused(text: str) -> None:
    assert refused_fields(ImageRequest, {"prompt": text}) == {"prompt"}
    assert refused_fields(VideoRequest, {"scenes": ["one", text]}) == {"scenes"}


@pytest.mark.parametrize("text", BAD_TEXT)
def test_bad_optional_texts_are_refused(text: str) -> None:
    assert refused_fields(ImageRequest, {**IMAGE, "negative_prompt": text}) == {"negative_prompt"}
    video = {**VIDEO, "hero_description": text}
    assert refused_fields(VideoRequest, video) == {"hero_description"}


@pytest.mark.parametrize(
    "text", ["x" * TEXT_MAX, "é 猫 🐈‍⬛", "  a cat\n", "<|endoftext|>", "\x01"]
)
def test_unusual_texts_are_taken_unchanged(text: str) -> None:
    assert ImageRequest(prompt=text).prompt == text
    assert VideoRequest(scenes=[text, text]).scenes == [text, text]


@pytest.mark.parametrize("text", ["", "   "])
def test_a_blank_hero_and_a_blank_negative_prompt_are_fine(text: str) -> None:
    assert VideoRequest(**VIDEO, hero_description=text).hero_description == text
    assert ImageRequest(**IMAGE, negative_prompt=text).negative_prompt == text


def test_the_bad_scene_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        VideoRequest(scenes=["one", " ", "three"])
    assert [error["loc"] for error in caught.value.errors()] == [("scenes", 1)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    for model, fields in BOTH:
        assert refused_fields(model, {**fields, "guidance_scale": value}) == {"guidance_scale"}
    video = {**VIDEO, "duration_per_scene": value}
    assert refused_fields(VideoRequest, video) == {"duration_per_scene"}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_json_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        VideoRequest.model_validate_json(f'{{"scenes": ["a", "b"], "duration_per_scene": {text}}}')


@pytest.mark.parametrize("value", ["PNG", "jpg", "gif", "", None])
def test_only_the_three_formats_are_known(value: object) -> None:
    assert refused_fields(ImageRequest, {**IMAGE, "format": value}) == {"format"}


@pytest.mark.parametrize(("model", "fields"), BOTH)
def test_requests_are_frozen(model: type[BaseModel], fields: dict[str, Any]) -> None:
    request = model.model_validate(fields)
    with pytest.raises(ValidationError):
        request.seed = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("duration", "fps", "frames"),
    [
        (3.0, 24, 72),
        (0.5, 1, 1),  # half a frame rounds up
        (1.5, 1, 2),
        (2.5, 1, 3),  # half up, not half to even
        (0.1, 24, 2),
        (0.1, 25, 3),
        (1e-9, 1, 1),  # at least one
        (0.02, 24, 1),
        (60.0, 60, 3600),
        (1 / 3, 30, 10),
    ],
)
def test_frames_per_scene_round_half_up_and_are_one_at_least(
    duration: float, fps: int, frames: int
) -> None:
    request = VideoRequest(**VIDEO, duration_per_scene=duration, fps=fps)
    assert request.frames_per_scene == frames


def test_total_frames_count_holds_and_crossfades() -> None:
    request = VideoRequest(scenes=["a", "b", "c"], fps=10, duration_per_scene=2.0)
    assert request.total_frames == 3 * 20 + 2 * 12


def test_total_frames_are_bounded_across_fields() -> None:
    longest = {"scenes": ["s"] * 10, "duration_per_scene": 60.0, "fps": 60, "width": 64,
               "height": 64}  # fmt: skip
    assert VideoRequest(**longest, transition_frames=0).total_frames == TOTAL_FRAMES_MAX
    with pytest.raises(ValidationError, match="at most 36000"):
        VideoRequest(**longest, transition_frames=1)


def test_total_pixels_are_bounded_across_fields() -> None:
    side = 2048
    frames = TOTAL_PIXELS_MAX // (side * side)
    wide = {"scenes": ["s"] * 4, "fps": 60, "width": side, "height": side}
    hold, rest = divmod(frames, 4)
    assert rest == 0
    assert VideoRequest(**wide, duration_per_scene=hold / 60, transition_frames=0)
    with pytest.raises(ValidationError, match="at most 40000000000"):
        VideoRequest(**wide, duration_per_scene=hold / 60, transition_frames=1)


def schema_of(model: type[BaseModel], name: str) -> dict[str, Any]:
    schema = model.model_json_schema()["properties"][name]
    return next((s for s in schema.get("anyOf", []) if s != {"type": "null"}), schema)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("num_inference_steps", {"minimum": 10, "maximum": 50, "type": "integer"}),
        ("width", {"minimum": 64, "maximum": 2048, "multipleOf": 8}),
        ("height", {"minimum": 64, "maximum": 2048, "multipleOf": 8}),
        ("guidance_scale", {"minimum": 1.0, "maximum": 30.0}),
        ("seed", {"minimum": 0, "maximum": SEED_MAX, "type": "integer"}),
        ("negative_prompt", {"maxLength": TEXT_MAX, "type": "string"}),
        ("duration_per_scene", {"exclusiveMinimum": 0, "maximum": 60}),
        ("fps", {"minimum": 1, "maximum": 60, "type": "integer"}),
        ("transition_frames", {"minimum": 0, "maximum": 240, "type": "integer"}),
        ("scenes", {"minItems": 2, "maxItems": 50}),
        ("hero_description", {"maxLength": TEXT_MAX}),
    ],
)
def test_the_json_schema_states_every_rule_of_a_field(name: str, rules: dict[str, Any]) -> None:
    schema = schema_of(VideoRequest, name)
    assert {key: schema.get(key) for key in rules} == rules


def test_the_json_schema_refuses_unknown_fields() -> None:
    for model, _ in BOTH:
        assert model.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize("text", [*BAD_TEXT[:2], *BLANK_TEXT])
def test_the_json_schema_refuses_blank_and_nul_texts(text: str) -> None:
    for schema in (schema_of(ImageRequest, "prompt"), schema_of(VideoRequest, "scenes")["items"]):
        assert re.search(schema["pattern"], text) is None
        assert re.search(schema["pattern"], " a\ncat ")


def test_the_json_schema_refuses_nul_in_optional_texts() -> None:
    for name in ("negative_prompt", "hero_description"):
        pattern = schema_of(VideoRequest, name)["pattern"]
        assert re.search(pattern, "a\0b") is None
        assert re.search(pattern, "") and re.search(pattern, "a\nb")


def test_an_image_task_carries_the_request_and_the_decided_seed() -> None:
    request = ImageRequest(
        prompt="p", negative_prompt="n", num_inference_steps=11, guidance_scale=2.0,
        width=64, height=72, seed=5,
    )  # fmt: skip
    task = image_task(request, 9)
    assert (task.prompt, task.negative_prompt, task.num_inference_steps) == ("p", "n", 11)
    assert (task.guidance_scale, task.seed, task.width, task.height) == (2.0, 9, 64, 72)
