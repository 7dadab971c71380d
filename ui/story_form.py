"""What a visitor fills in for a story, the scenes apart, and the request it becomes."""

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from pydantic import ValidationError

from engine import Engine, VideoRequest
from engine.errors import InvalidRequest
from ui import controls
from ui.film import FilmControls, build_film, film_fields
from ui.messages import LABELS, explain_error, explain_invalid
from ui.progress import words_for_s

_DEFAULTS = VideoRequest.model_fields
_UNWRITTEN = "…"


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
        fps = _number("fps", "Frames per second", step=1, precision=0)
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


def story_request(values: tuple[Any, ...], scenes: tuple[str, ...]) -> VideoRequest:
    """Build the request from the form's values and the scenes' texts.

    Raises:
        InvalidRequest: the size, seed or guidance cannot be read.
        ValidationError: a value is not allowed.
    """
    hero, duration_s, fps, transition_frames, *rest = values
    film, drawing = rest[:3], rest[3:]
    return VideoRequest(
        hero_description=hero if hero and hero.strip() else None,
        scenes=list(scenes),
        duration_per_scene=duration_s,
        fps=fps,
        transition_frames=transition_frames,
        **film_fields(*film),
        **controls.drawing_fields(*drawing),
    )


def summarize(
    engine: Engine, form_values: tuple[Any, ...], scenes: tuple[str, ...]
) -> tuple[str, str]:
    """Tell what the story on the page would be.

    Returns:
        The summary as HTML, and the request as JSON; empty while it cannot be made.
    """
    written = tuple(text if text.strip() else _UNWRITTEN for text in scenes)
    try:
        request = story_request(form_values, written)
    except ValidationError as err:
        return _faults_html(explain_invalid(err, labels=LABELS)), ""
    except InvalidRequest as err:
        return _faults_html(list(explain_error(err))), ""
    plan = engine.plan(request)
    figures = (
        (f"{plan.total_duration_seconds:.4g} s", "length"),
        (f"{plan.total_frames:,}", "frames"),
        (f"about {words_for_s(plan.estimated_generation_time_seconds)}", "to make"),
    )
    empty = sum(text == _UNWRITTEN for text in written)
    hint = f"<p>{empty} of {len(scenes)} scenes still to write</p>" if empty else ""
    cells = "".join(f"<div><b>{figure}</b><span>{name}</span></div>" for figure, name in figures)
    return f'<div class="summary">{cells}{hint}</div>', request.model_dump_json()


def _faults_html(faults: list[str]) -> str:
    return f'<div class="summary"><p>{escape(" ".join(faults))}</p></div>'
