"""Transitions, camera and captions on the page: every name has its words and becomes a field."""

from typing import get_args

from engine.requests import CaptionsName, MotionName, TransitionName, VideoRequest
from ui.film import CAPTIONS_LABELS, MOTION_LABELS, TRANSITION_LABELS
from ui.story_form import story_request
from ui.storyboard import new_board

DRAWING = (25, "512 × 512", "", "", "")


def test_every_name_has_words_of_its_own() -> None:
    for names, labels in (
        (TransitionName, TRANSITION_LABELS),
        (MotionName, MOTION_LABELS),
        (CaptionsName, CAPTIONS_LABELS),
    ):
        assert list(labels) == list(get_args(names))
        assert len(set(labels.values())) == len(labels)


def test_what_is_chosen_becomes_fields_of_the_request() -> None:
    values = ("", 3.0, 24, 12, "wipe", "pan_left", "subtitles", *DRAWING)
    request = story_request(values, new_board(("a", "b")))
    assert (request.transition, request.motion, request.captions) == (
        *("wipe", "pan_left"),
        "subtitles",
    )


def test_an_untouched_form_is_the_request_with_its_defaults() -> None:
    values = ("", 3.0, 24, 12, "crossfade", "none", "none", *DRAWING)
    assert story_request(values, new_board(("a", "b"))) == VideoRequest(scenes=["a", "b"])
