"""What a visitor fills in for a story, the scenes apart, and the request it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import gradio as gr

from engine import VideoRequest
from ui import controls
from ui.film import FilmControls, build_film, film_fields, film_values
from ui.storyboard import Board, new_board, scene_seconds, scene_seeds

_DEFAULTS = VideoRequest.model_fields
_NOTHING: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True)
class StoryForm:
    """The fields of a story that are not scenes."""

    hero: gr.Textbox
    duration: gr.Number
    fps: gr.Number
    transition: gr.Number
    film: FilmControls
    drawing: controls.DrawingControls

    def inputs(self) -> list[gr.components.Component]:
        """In the order in which `story_request` takes their values, before the scenes."""
        timing = [self.duration, self.fps, self.transition]
        return [self.hero, *timing, *self.film.inputs(), *self.drawing.inputs()]


def build_hero() -> gr.Textbox:
    return gr.Textbox(
        label="Hero",
        info="Said before every scene, so that the same hero returns. Be specific: age, hair, "
        "clothes, style. May stay empty",
        placeholder="a young adventurer with messy brown hair, wearing a green tunic…",
        lines=2,
        max_lines=6,
        interactive=True,
        elem_id="story-hero",
    )


def build_story_form(hero: gr.Textbox) -> StoryForm:
    """Lay out timing and settings; call inside a column."""
    with gr.Row():
        duration = _number("duration_per_scene", "Seconds per scene", step=0.5)
        transition = _number("transition_frames", "Transition frames", step=1, precision=0)
        fps = _number("fps", "Frames a second", step=1, precision=0)
    with gr.Accordion("Transitions, camera, captions", open=False):
        film = build_film()
    with gr.Accordion("More settings", open=False):
        size = controls.size_dropdown("story")
        steps = controls.steps_slider("story")
        with gr.Row():
            seed = controls.seed_field("story")
        guidance = controls.guidance_field("story")
        negative_prompt = controls.negative_prompt_field("story")
    drawing = controls.DrawingControls(steps, size, seed, guidance, negative_prompt)
    return StoryForm(hero, duration, fps, transition, film, drawing)


def _number(field: str, label: str, *, step: float, precision: int | None = None) -> gr.Number:
    return gr.Number(
        value=_DEFAULTS[field].default,
        label=label,
        step=step,
        precision=precision,
        min_width=90,
        interactive=True,
        elem_id=f"story-{field}",
    )


def story_request(
    form: tuple[Any, ...], board: Board, drawn: Mapping[int, int] = _NOTHING
) -> VideoRequest:
    """Build the request from the form's values and the scenes.

    Args:
        drawn: seeds of the pictures that are there, by the ids of the scenes.

    Raises:
        InvalidRequest: a size, a seed, a length or the guidance cannot be read.
        ValidationError: a value is not allowed.
    """
    hero, duration_s, fps, transition_frames, *rest = form
    film, drawing = rest[:3], controls.drawing_fields(*rest[3:])
    return VideoRequest(
        hero_description=hero if hero and hero.strip() else None,
        scenes=[draft.text for draft in board],
        duration_per_scene=duration_s,
        scene_durations=scene_seconds(board, duration_s),
        fps=fps,
        transition_frames=transition_frames,
        **film_fields(*film),
        **{**drawing, **_seed_fields(board, drawing["seed"], drawn)},
    )


def _seed_fields(board: Board, seed: int | None, drawn: Mapping[int, int]) -> dict[str, Any]:
    """The story's own seed while that decides everything; else one for each scene."""
    seeds = scene_seeds(board, seed, drawn)
    open_ = all(decided is None for decided in seeds)
    if open_ or (seed is not None and not any(draft.seed.strip() for draft in board)):
        return {"seed": seed}
    named = [k if decided is None else decided for k, decided in enumerate(seeds, start=1)]
    return {"seed": None, "scene_seeds": named}


def story_values(request: VideoRequest) -> tuple[Any, ...]:
    """What the form says of a story, the scenes apart: values for `StoryForm.inputs`."""
    return (
        request.hero_description or "",
        request.duration_per_scene,
        request.fps,
        request.transition_frames,
        *film_values(request),
        *controls.drawing_values(request),
    )


def story_board(request: VideoRequest, *, after: Board = ()) -> Board:
    """The scenes of a story as drafts, whose ids are others than those of the board before."""
    board = new_board(tuple(request.scenes), after=after)
    count = len(board)
    seeds = request.scene_seeds or [""] * count
    seconds = request.scene_durations or [""] * count
    return tuple(
        replace(draft, seed=str(seed), seconds=str(own))
        for draft, seed, own in zip(board, seeds, seconds, strict=True)
    )
