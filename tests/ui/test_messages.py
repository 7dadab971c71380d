from typing import Any

import pytest
from pydantic import ValidationError

from engine import ImageRequest, VideoRequest
from engine.errors import QueueFull
from ui.messages import LABELS, explain_error, explain_invalid


def faults(request_type: Any, labels: dict[str, str] | None = None, **fields: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        request_type(**fields)
    return explain_invalid(caught.value, labels=labels)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"prompt": " "}, "Prompt: must not be blank."),
        ({"prompt": "x", "num_inference_steps": 9}, "Steps: must be greater than or equal to 10."),
        ({"prompt": "x", "width": 65}, "Size, width: must be a multiple of 8."),
        ({"prompt": "x", "seed": "x"}, "Seed: must be a whole number."),
        ({"prompt": "x" * 5000}, "Prompt: must have at most 4000 characters."),
    ],
)
def test_each_fault_names_its_field_and_what_is_allowed(
    fields: dict[str, Any], expected: str
) -> None:
    assert faults(ImageRequest, LABELS, **fields) == [expected]


def test_scenes_are_counted_from_one_for_people_and_indexed_for_programs() -> None:
    scenes = ["a", "", "c"]
    assert faults(VideoRequest, LABELS, scenes=scenes) == ["Scene 2: must not be blank."]
    assert faults(VideoRequest, scenes=scenes) == ["scenes[1]: must not be blank."]


def test_a_fault_across_fields_stands_alone() -> None:
    (text,) = faults(VideoRequest, LABELS, scenes=["a"] * 50, duration_per_scene=60.0, fps=60)
    assert text.startswith("The video would have 180588 frames; at most 36000")


def test_the_input_is_never_repeated() -> None:
    secret = "sesame"
    texts = faults(ImageRequest, prompt="x", format=secret, seed=secret, width=secret)
    assert secret not in " ".join(texts)


def test_a_full_queue_is_told_without_http() -> None:
    happened, advice = explain_error(QueueFull("The queue is full.", retry_after_s=42))
    assert happened == "The queue is full."
    assert "42 s" in advice
    assert "Retry-After" not in advice


def test_every_field_has_a_label() -> None:
    assert {*ImageRequest.model_fields, *VideoRequest.model_fields} == set(LABELS)
