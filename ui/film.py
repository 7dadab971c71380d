"""How the stills become a film: transitions, motion and captions, as the page names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.requests import CaptionsName, MotionName, TransitionName, VideoRequest

TRANSITION_LABELS: Mapping[TransitionName, str] = {
    "crossfade": "Crossfade",
    "cut": "Cut",
    "fade_through_black": "Fade through black",
    "wipe": "Wipe",
    "slide": "Slide",
    "dissolve": "Dissolve, dark parts first",
}
MOTION_LABELS: Mapping[MotionName, str] = {
    "none": "None",
    "zoom_in": "Slow zoom in",
    "zoom_out": "Slow zoom out",
    "pan_right": "Pan to the right",
    "pan_left": "Pan to the left",
}
CAPTIONS_LABELS: Mapping[CaptionsName, str] = {
    "none": "None",
    "burned": "Written into the picture",
    "subtitles": "Subtitles that can be switched on",
}


@dataclass(frozen=True)
class FilmControls:
    """What a story's video looks like beyond its pictures."""

    transition: gr.Dropdown
    motion: gr.Dropdown
    captions: gr.Dropdown

    def inputs(self) -> list[gr.components.Component]:
        """In the order in which `film_fields` takes their values."""
        return [self.transition, self.motion, self.captions]


def build_film() -> FilmControls:
    """Lay the controls out; call inside a column."""
    with gr.Row():
        transition = _choice("transition", "Between scenes", TRANSITION_LABELS)
        motion = _choice("motion", "Camera", MOTION_LABELS)
    captions = _choice("captions", "Captions", CAPTIONS_LABELS)
    return FilmControls(transition, motion, captions)


def film_fields(
    transition: TransitionName, motion: MotionName, captions: CaptionsName
) -> dict[str, Any]:
    """Turn the values of the controls into fields of a request."""
    return {"transition": transition, "motion": motion, "captions": captions}


def film_values(request: VideoRequest) -> tuple[Any, ...]:
    """What the controls say of a request: values for `FilmControls.inputs`."""
    return request.transition, request.motion, request.captions


def _choice(field: str, label: str, labels: Mapping[Any, str]) -> gr.Dropdown:
    return gr.Dropdown(
        [(told, name) for name, told in labels.items()],
        value=VideoRequest.model_fields[field].default,
        label=label,
        min_width=180,
        interactive=True,
        elem_id=f"story-{field}",
    )
